// wait, switch and repeat: what becomes of the task, its row and its run; with restarts at every commit as
// well.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"
#include "model/approval.hpp"
#include "model/signal.hpp"

namespace baton::engine {
namespace {

using model::RunStatus;
using model::TaskStatus;
using model::Wait;
using testing::error_of;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

constexpr auto kSecond = Duration::seconds(1);

// Each story is told with an owner that lives, and with one that dies after each commit.
class Waiting : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  static WorldOptions options() { return {.restart_every = GetParam()}; }
  static model::ReplyBody signal(World& world, const RunId& run, std::string name, std::string data = "null",
                                 std::string key = {}) {
    const Hash256 body = Hash256::of(name + data);
    return world.ask(model::SendSignal{run, std::move(name), std::move(data), std::move(key), body});
  }
  static model::ReplyBody answer(World& world, const RunId& run, Ordinal task, bool approved,
                                 std::string value = "null") {
    return world.ask(model::AnswerApproval{{run, task}, approved, "because", std::move(value)}, "cli:ada");
  }
};
INSTANTIATE_TEST_SUITE_P(Owners, Waiting, ::testing::Values(0U, 1U));

TEST_P(Waiting, ASpanEndsInTimeAndHoldsNoWorker) {
  World world(options());
  const RunId run = world.submit(
      FlowBuilder("w").wait("w", {.what = Wait::For::span}, "10s").run("after").needs({"w"}).done());
  EXPECT_EQ(world.status(run, "w"), TaskStatus::running);
  EXPECT_EQ(world.run(run).counts.running, 1u);
  EXPECT_TRUE(world.claim(5).empty());
  world.advance(Duration::millis(9999));
  EXPECT_EQ(world.status(run, "w"), TaskStatus::running);
  world.advance(Duration::millis(1));
  EXPECT_EQ(world.status(run, "w"), TaskStatus::completed);
  EXPECT_EQ(world.task(run, "w").attempts, 1u);
  world.work_off();
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST_P(Waiting, AnInstantFollowsTheWallsClock) {
  World world(options());
  const std::string in_an_hour = to_rfc3339(world.wall() + Duration::hours(1));
  const RunId run = world.submit(
      FlowBuilder("w").wait("w", {.what = Wait::For::instant}, boost::json::string(in_an_hour)).done());
  world.advance(Duration::minutes(10));
  world.jump_wall(Duration::minutes(-30));  // the clock was wrong: an hour is now longer
  world.advance(Duration::minutes(51));
  EXPECT_EQ(world.status(run, "w"), TaskStatus::running);
  world.jump_wall(Duration::minutes(29));
  world.advance(Duration::minutes(1));
  EXPECT_EQ(world.status(run, "w"), TaskStatus::completed);
}

TEST_P(Waiting, AnInstantThatHasPassedIsOverAtOnce) {
  World world(options());
  const RunId run =
      world.submit(FlowBuilder("w").wait("w", {.what = Wait::For::instant}, "2001-01-01T00:00:00Z").done());
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST_P(Waiting, WhatIsNoTimeFails) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w")
                                     .wait("a", {.what = Wait::For::span}, "soon")
                                     .wait("b", {.what = Wait::For::instant}, "tomorrow")
                                     .wait("c", {.what = Wait::For::signal}, "not a name")
                                     .done());
  for (const char* step : {"a", "b", "c"}) {
    EXPECT_EQ(world.status(run, step), TaskStatus::failed);
    EXPECT_EQ(world.task(run, step).error_type, "expression");
  }
}

TEST_P(Waiting, ASignalsDataIsTheResult) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w").wait("w", {.what = Wait::For::signal}, "go").done());
  EXPECT_EQ(world.task(run, "w").waiting->awaits, "go");
  signal(world, run, "other", "1");
  EXPECT_EQ(world.status(run, "w"), TaskStatus::running);
  signal(world, run, "go", R"({"n":1})");
  EXPECT_EQ(world.result(run, "w"), R"({"n":1})");
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_TRUE(world.state().records.empty() || !world.state().records.begin()->second.record)
      << "what nobody took goes with the run";
}

TEST_P(Waiting, SignalsAreKeptInOrderFromTheStart) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("first")
                                     .wait("a", {.what = Wait::For::signal}, "go")
                                     .needs({"first"})
                                     .wait("b", {.what = Wait::For::signal}, "go")
                                     .needs({"a"})
                                     .done());
  signal(world, run, "go", "1");
  signal(world, run, "go", "2");
  signal(world, run, "go", "3");
  world.work_off();
  EXPECT_EQ(world.result(run, "a"), "1");
  EXPECT_EQ(world.result(run, "b"), "2");
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(error_of(signal(world, run, "go")).code, ErrorCode::conflict);
}

TEST_P(Waiting, TheOldestWaiterIsServedFirst) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w")
                                     .wait("m", {.what = Wait::For::signal}, "go")
                                     .for_each(boost::json::array{1, 2, 3})
                                     .done());
  signal(world, run, "go", "\"x\"");
  EXPECT_EQ(world.status(run, "m", 0), TaskStatus::completed);
  EXPECT_EQ(world.status(run, "m", 1), TaskStatus::running);
  signal(world, run, "go", "\"y\"");
  signal(world, run, "go", "\"z\"");
  EXPECT_EQ(world.result(run, "m"), R"(["x","y","z"])");
}

TEST_P(Waiting, AKeyMakesASignalOnce) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w")
                                     .wait("a", {.what = Wait::For::signal}, "go")
                                     .wait("b", {.what = Wait::For::signal}, "go")
                                     .needs({"a"})
                                     .done());
  const auto first = std::get<model::SignalAccepted>(signal(world, run, "go", "1", "k"));
  const auto again = std::get<model::SignalAccepted>(signal(world, run, "go", "1", "k"));
  EXPECT_FALSE(first.existing);
  EXPECT_TRUE(again.existing);
  EXPECT_EQ(again.number, first.number);
  EXPECT_EQ(world.status(run, "b"), TaskStatus::running);
  EXPECT_EQ(error_of(signal(world, run, "go", "2", "k")).code, ErrorCode::idempotency_mismatch);
}

TEST_P(Waiting, AKeyCountsAlsoWhenItsSignalHasEndedTheRun) {
  World world(options());
  const auto flow = FlowBuilder("w").wait("a", {.what = Wait::For::signal}, "go").done();
  const RunId run = world.submit(flow);
  const RunId other = world.submit(flow);
  const auto first = std::get<model::SignalAccepted>(signal(world, run, "go", "1", "k"));
  ASSERT_EQ(world.run(run).status, RunStatus::completed);
  const auto reply = signal(world, run, "go", "1", "k");
  const auto* again = std::get_if<model::SignalAccepted>(&reply);
  ASSERT_NE(again, nullptr) << error_of(reply).message;
  EXPECT_TRUE(again->existing);
  EXPECT_EQ(again->number, first.number);
  EXPECT_EQ(error_of(signal(world, run, "go", "1", "new")).code, ErrorCode::conflict);
  EXPECT_FALSE(std::get<model::SignalAccepted>(signal(world, other, "go", "2", "k")).existing)
      << "the keys of a run are its own";
}

TEST_P(Waiting, ARunKeepsABoundedNumberOfSignals) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  for (std::size_t i = 0; i < model::kMaxSignalsKept; ++i) signal(world, run, "go");
  EXPECT_EQ(error_of(signal(world, run, "go")).code, ErrorCode::overloaded);
  EXPECT_EQ(error_of(signal(world, run, "no name")).code, ErrorCode::invalid_request);
  EXPECT_EQ(error_of(signal(world, run, "go", std::string(model::kMaxSignalBytes + 1, ' '))).code,
            ErrorCode::too_large);
  world.work_off();
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST_P(Waiting, ARunKeepsABoundedSizeOfSignals) {
  World world;
  const RunId run =
      world.submit(FlowBuilder("w").run("a").wait("w", {.what = Wait::For::signal}, "go").done());
  const std::string large = '"' + std::string(model::kMaxSignalBytes - 2, 'x') + '"';
  signal(world, run, "go", large);  // taken at once
  for (std::size_t kept = 0; kept + 1 < model::kMaxSignalBytesKept / model::kMaxSignalBytes; ++kept)
    EXPECT_TRUE(std::holds_alternative<model::SignalAccepted>(signal(world, run, "more", large)));
  EXPECT_TRUE(std::holds_alternative<model::SignalAccepted>(signal(world, run, "more")));
  EXPECT_EQ(error_of(signal(world, run, "more", large)).code, ErrorCode::overloaded);
}

TEST_P(Waiting, ASignalThatDoesNotComeTimesOut) {
  World world(options());
  const RunId run = world.submit(
      FlowBuilder("w").wait("w", {.what = Wait::For::signal, .timeout = Duration::seconds(30)}, "go").done());
  world.advance(Duration::seconds(30));
  EXPECT_EQ(world.task(run, "w").error_type, "timeout");
  EXPECT_EQ(world.task(run, "w").error_message, "waited 30s: signal go did not come");
}

std::size_t questions(const World& world) {
  return static_cast<std::size_t>(std::ranges::count_if(world.disk().records(), [](const auto& entry) {
    return entry.first.kind == model::RecordKind::approval;
  }));
}

TEST_P(Waiting, AQuestionIsListedUntilItIsAnswered) {
  World world(options());
  const auto flow = FlowBuilder("w")
                        .wait("ask", {.what = Wait::For::approval, .timeout = Duration::hours(1)}, "Deploy?")
                        .wait("all", {.what = Wait::For::approval}, "Sure?")
                        .for_each(boost::json::array{1, 2})
                        .done();
  const RunId run = world.submit(flow);
  ASSERT_EQ(questions(world), 3u);
  const auto first = model::approval_of(world.disk().records().begin()->second);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->question, "Deploy?");
  EXPECT_EQ(first->workflow, "w");
  EXPECT_EQ(first->until, world.wall() + Duration::hours(1));
  answer(world, run, 0, true);
  EXPECT_EQ(questions(world), 2u);
  answer(world, run, 3, true);
  EXPECT_EQ(questions(world), 1u);
  world.cancel(run);
  EXPECT_EQ(questions(world), 0u);
}

TEST_P(Waiting, AQuestionThatTookTooLongIsNotListed) {
  World world(options());
  world.submit(FlowBuilder("w")
                   .wait("ask", {.what = Wait::For::approval, .timeout = Duration::hours(1)}, "Deploy?")
                   .done());
  world.advance(Duration::hours(1));
  EXPECT_EQ(questions(world), 0u);
}

TEST_P(Waiting, AnApprovalSaysWhoAndWhy) {
  World world(options());
  const RunId run =
      world.submit(FlowBuilder("w").wait("ask", {.what = Wait::For::approval}, "Deploy?").run("b").done());
  EXPECT_EQ(error_of(answer(world, run, 1, true)).code, ErrorCode::conflict);
  EXPECT_EQ(error_of(answer(world, run, 9, true)).code, ErrorCode::not_found);
  answer(world, run, 0, true, "42");
  EXPECT_EQ(world.result(run, "ask"), R"({"approved":true,"by":"cli:ada","reason":"because","value":42})");
  EXPECT_EQ(error_of(answer(world, run, 0, false)).code, ErrorCode::conflict);
}

TEST_P(Waiting, ARejectionFails) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w")
                                     .wait("ask", {.what = Wait::For::approval}, nullptr)
                                     .run("after")
                                     .needs({"ask"})
                                     .done());
  answer(world, run, 0, false);
  EXPECT_EQ(world.task(run, "ask").error_type, "rejected");
  EXPECT_EQ(world.task(run, "ask").error_message, "rejected by cli:ada: because");
  EXPECT_EQ(world.status(run, "after"), TaskStatus::skipped);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST_P(Waiting, CancelEndsWaitsAtOnce) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w")
                                     .wait("a", {.what = Wait::For::signal}, "go")
                                     .wait("b", {.what = Wait::For::span}, "1h")
                                     .poll("c", kSecond)
                                     .done());
  world.cancel(run);
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
  EXPECT_EQ(world.run(run).counts.running, 0u);
}

TEST_P(Waiting, WaitsTakeNoPlaceOfMaxParallel) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w")
                                     .wait("a", {.what = Wait::For::signal}, "go")
                                     .wait("b", {.what = Wait::For::span}, "1s")
                                     .run("c")
                                     .max_parallel(1)
                                     .done());
  world.complete(world.claim_one());
  signal(world, run, "go");
  world.advance(kSecond);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST_P(Waiting, APollGoesOnUntilItsConditionHolds) {
  World world(options());
  const RunId run =
      world.submit(FlowBuilder("w").poll("p", Duration::seconds(10), "self.result.n > 1").done());
  world.complete(world.claim_one(), R"({"n":1})");
  EXPECT_EQ(world.status(run, "p"), TaskStatus::running);
  EXPECT_TRUE(world.claim().empty());
  world.advance(Duration::seconds(10));
  world.complete(world.claim_one(), R"({"n":2})");
  EXPECT_EQ(world.result(run, "p"), R"({"n":2})");
  EXPECT_EQ(world.task(run, "p").attempts, 2u);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST_P(Waiting, WithoutAConditionFailuresMeanNotYet) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w").poll("p", kSecond).done());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(world.fail(world.claim_one()), TaskStatus::running);
    world.advance(kSecond);
  }
  world.complete(world.claim_one());
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST_P(Waiting, WithAConditionAFailedPollFailsAfterItsRetries) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w").poll("p", kSecond, "self.result == 1", {}, 2).done());
  EXPECT_EQ(world.fail(world.claim_one()), TaskStatus::running);
  world.advance(kSecond);
  EXPECT_EQ(world.fail(world.claim_one()), TaskStatus::failed);
  EXPECT_EQ(world.task(run, "p").error_type, "exit");
}

TEST_P(Waiting, APollThatLastsTooLongIsStopped) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w").poll("p", kSecond, "", Duration::seconds(5)).done());
  const auto poll = world.claim_one();
  world.take_actions();
  world.advance(Duration::seconds(5));
  ASSERT_EQ(world.take_actions().size(), 1u);
  world.fail(poll);
  EXPECT_EQ(world.task(run, "p").error_type, "timeout");
  EXPECT_TRUE(world.task(run, "p").error_message.starts_with("waited 5s: the condition did not hold"));
}

TEST_P(Waiting, ALostPollIsAskedAgain) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w").poll("p", kSecond).done());
  const auto poll = world.claim_one("dead");
  world.ask(model::LoseWorker{"dead"});
  EXPECT_EQ(error_of(world.report(poll, testing::completed())).code, ErrorCode::stale_token);
  world.complete(world.claim_one("alive"));
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST_P(Waiting, AStaleTokenOfNothingDoesNotEndAWait) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w").wait("w", {.what = Wait::For::signal}, "go").done());
  EXPECT_EQ(error_of(world.ask(model::ReportAttempt{{}, {run, 0}, testing::completed()})).code,
            ErrorCode::stale_token);
}

// ---------------------------------------------------------------------------------------------- switch

TEST_P(Waiting, TheFirstTrueBranchIsTaken) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w")
                                     .choose("s", {{"1 > 2", {1}}, {"2 > 1", {2}}, {"", {3}}})
                                     .run("a")
                                     .needs({"s"})
                                     .run("b")
                                     .needs({"s"})
                                     .run("c")
                                     .needs({"s"})
                                     .run("after_a")
                                     .needs({"a"})
                                     .run("join")
                                     .needs({"after_a", "b", "c"})
                                     .done());
  world.work_off();
  EXPECT_EQ(world.result(run, "s"), R"({"branch":1,"goto":["b"]})");
  for (const char* step : {"a", "c", "after_a"}) {
    EXPECT_EQ(world.status(run, step), TaskStatus::skipped) << step;
    EXPECT_EQ(world.task(run, step).skip_reason, model::SkipReason::branch) << step;
  }
  EXPECT_EQ(world.status(run, "b"), TaskStatus::completed);
  EXPECT_EQ(world.status(run, "join"), TaskStatus::completed);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST_P(Waiting, WhatIsNotChosenIsSkippedThoughItNeedsMore) {
  World world(options());
  const RunId run = world.submit(
      FlowBuilder("w").run("slow").choose("s", {{"false", {2}}}).run("a").needs({"slow", "s"}).done());
  EXPECT_EQ(world.status(run, "a"), TaskStatus::skipped) << "before slow has ended";
  EXPECT_EQ(world.result(run, "s"), R"({"branch":null,"goto":[]})");
  world.work_off();
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST_P(Waiting, ASwitchThatIsSkippedChoosesNothingAndOneThatFailsFails) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w")
                                     .choose("s", {{"true", {1}}})
                                     .when("false")
                                     .run("a")
                                     .needs({"s"})
                                     .choose("broken", {{"inputs.x", {3}}})
                                     .run("b")
                                     .needs({"broken"})
                                     .done());
  EXPECT_EQ(world.task(run, "a").skip_reason, model::SkipReason::branch);
  EXPECT_EQ(world.task(run, "broken").error_type, "expression");
  EXPECT_EQ(world.task(run, "b").skip_reason, model::SkipReason::upstream_failed);
}

TEST_P(Waiting, AStepOfTwoSwitchesRunsIfOneChoosesIt) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w")
                                     .choose("s", {{"false", {2}}})
                                     .choose("t", {{"true", {2}}})
                                     .run("a")
                                     .needs({"s", "t"})
                                     .done());
  world.work_off();
  EXPECT_EQ(world.status(run, "a"), TaskStatus::completed);
}

// ---------------------------------------------------------------------------------------------- repeat

TEST_P(Waiting, ARoundFollowsUntilTheConditionHolds) {
  World world(options());
  const RunId run =
      world.submit(FlowBuilder("w").run("r").attempts(2).repeat("self.result.n == 2", 5, kSecond).done());
  EXPECT_EQ(world.fail(world.claim_one()), TaskStatus::retrying);
  world.advance(kSecond);
  EXPECT_EQ(world.complete(world.claim_one(), R"({"n":1})"), TaskStatus::retrying);
  EXPECT_TRUE(world.claim().empty());
  world.advance(kSecond);
  EXPECT_EQ(world.fail(world.claim_one()), TaskStatus::retrying) << "a round has all its attempts";
  world.advance(kSecond);
  EXPECT_EQ(world.complete(world.claim_one(), R"({"n":2})"), TaskStatus::completed);
  EXPECT_EQ(world.result(run, "r"), R"({"n":2})");
  EXPECT_EQ(world.task(run, "r").round, 2u);
}

TEST_P(Waiting, RoundsAreBounded) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w").run("r").attempts(9).repeat("false", 3).done());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(world.complete(world.claim_one()), TaskStatus::queued);
  EXPECT_EQ(world.complete(world.claim_one()), TaskStatus::failed);
  EXPECT_EQ(world.task(run, "r").error_type, "unsatisfied");
  EXPECT_EQ(world.task(run, "r").error_message, "`false` did not hold after 3 rounds");
}

TEST_P(Waiting, ABrokenConditionFailsTheStep) {
  World world(options());
  const RunId run = world.submit(FlowBuilder("w").run("r").attempts(9).repeat("self.result.n > 1", 3).done());
  EXPECT_EQ(world.complete(world.claim_one(), "null"), TaskStatus::failed);
  EXPECT_EQ(world.task(run, "r").error_type, "expression");
}

TEST_P(Waiting, ConditionsReadWhatTheStepMayRead) {
  WorldOptions small = options();
  small.cache_bytes = 1;
  World world(small);
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("before")
                                     .run("r")
                                     .needs({"before"})
                                     .repeat("self.result == steps.before.result", 3)
                                     .done());
  world.complete(world.claim_one(), "7");
  world.complete(world.claim_one(), "6");
  world.complete(world.claim_one(), "7");
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

}  // namespace
}  // namespace baton::engine

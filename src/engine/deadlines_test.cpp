#include "engine/deadlines.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::ErrorAction;
using model::RunStatus;
using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

constexpr Duration kSecond = Duration::seconds(1);
constexpr Duration kMinute = Duration::minutes(1);

// A restart after each commit changes nothing.
class Deadlines : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  World world{WorldOptions{.restart_every = GetParam()}};

  std::vector<model::Stopping> stops() {
    std::vector<model::Stopping> out;
    for (const model::Action& action : world.take_actions()) {
      if (const auto* stop = std::get_if<model::StopAttempt>(&action)) out.push_back(stop->mode);
    }
    return out;
  }
  // Goes on while the worker gives its signs of life.
  void pass(const model::Assignment& held, Duration time) {
    for (Duration done; done < time; done = done + kSecond * 5) {
      world.ask(model::Heartbeat{"w", {held.token}});
      world.advance(std::min(kSecond * 5, time - done));
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Owners, Deadlines, ::testing::Values(0U, 1U));

TEST_P(Deadlines, AStepThatIsRunningIsStoppedAndFails) {
  const RunId run = world.submit(FlowBuilder("w").run("a").attempts(9).deadline(kMinute).done());
  const auto attempt = world.claim_one();
  pass(attempt, kMinute - kSecond);
  EXPECT_TRUE(stops().empty());
  pass(attempt, kSecond);
  EXPECT_EQ(stops(), (std::vector{model::Stopping::soft}));
  pass(attempt, world.state().settings.cancel_grace);
  EXPECT_EQ(stops(), (std::vector{model::Stopping::hard}));
  EXPECT_EQ(world.fail(attempt, {.type = "signal"}), TaskStatus::failed);
  EXPECT_EQ(world.task(run, "a").error_type, "timeout");
  EXPECT_NE(world.task(run, "a").error_message.find("deadline"), std::string::npos);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST_P(Deadlines, AnAttemptThatIsLostWhileItIsStoppedForItWasTheLast) {
  const RunId run = world.submit(FlowBuilder("w").run("a").attempts(9).deadline(kMinute).done());
  pass(world.claim_one(), kMinute);
  EXPECT_EQ(stops(), (std::vector{model::Stopping::soft}));
  world.ask(model::LoseWorker{"w"});
  EXPECT_EQ(world.status(run, "a"), TaskStatus::failed);
  EXPECT_EQ(world.task(run, "a").error_type, "timeout");
  EXPECT_EQ(world.task(run, "a").lost, 1U);
  EXPECT_TRUE(world.claim(1).empty());
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST_P(Deadlines, AnAttemptIsToldHowLongItMayGoOn) {
  const Duration grace = world.state().settings.cancel_grace;
  world.submit(FlowBuilder("w").run("a").done());
  const auto free = world.claim_one();
  EXPECT_EQ(free.soft_end, Duration{});
  EXPECT_EQ(free.hard_end, Duration{});
  world.complete(free);
  world.submit(FlowBuilder("w").run("a").deadline(kMinute).done());
  world.advance(kSecond * 20);
  const auto late = world.claim_one();
  EXPECT_EQ(late.soft_end, kSecond * 40);
  EXPECT_EQ(late.hard_end, kSecond * 40 + grace);
  world.complete(late);
  // Whichever comes first, of both.
  world.submit(FlowBuilder("w").run("a").timeout(kSecond * 30, kSecond * 90).deadline(kMinute).done());
  const auto both = world.claim_one();
  EXPECT_EQ(both.soft_end, kSecond * 30);
  EXPECT_EQ(both.hard_end, kMinute + grace);
  world.complete(both);
  // Items have that of their step.
  world.submit(FlowBuilder("w").run("a").for_each({1}, 1).deadline(kMinute).done());
  EXPECT_EQ(world.claim_one().soft_end, kMinute);
}

// Its list is kept, and was once taken for begun already.
TEST_P(Deadlines, OfAMappedStepThatIsDoneAgainBeginsAnew) {
  const RunId run = world.submit(FlowBuilder("w").run("a").for_each({1, 2}, 1).deadline(kMinute).done());
  world.fail(world.claim_one());
  ASSERT_EQ(world.run(run).status, RunStatus::failed);
  world.advance(kMinute);
  world.ask(model::RecoverRun{.run = run});
  world.advance(kMinute - kSecond);
  EXPECT_EQ(world.run(run).status, RunStatus::running);
  world.advance(kSecond);
  EXPECT_EQ(world.status(run, "a"), TaskStatus::failed);
  EXPECT_NE(world.task(run, "a").error_message.find("deadline"), std::string::npos);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST_P(Deadlines, NothingFollowsWhatEndsWellWhileItIsStoppedForIt) {
  const auto repeated = FlowBuilder("w").run("a").repeat("self.result.done", 9).deadline(kMinute).done();
  const auto polled = FlowBuilder("w").poll("a", kSecond, "self.result.done").deadline(kMinute).done();
  const auto checked = FlowBuilder("w").run("a").preflight().deadline(kMinute).done();
  for (const auto& flow : {repeated, polled, checked}) {
    const RunId run = world.submit(flow);
    const auto attempt = world.claim_one();
    pass(attempt, kMinute);
    EXPECT_EQ(stops(), (std::vector{model::Stopping::soft}));
    world.complete(attempt, R"({"done":false})");
    EXPECT_EQ(world.status(run, "a"), TaskStatus::failed);
    EXPECT_EQ(world.task(run, "a").error_type, "timeout");
    EXPECT_TRUE(world.claim(1).empty());
  }
}

TEST_P(Deadlines, APollThatIsStoppedForItIsTheLast) {
  for (const bool lost : {false, true}) {
    const RunId run =
        world.submit(FlowBuilder("w").poll("a", kSecond, "self.result.done", {}, 9).deadline(kMinute).done());
    const auto poll = world.claim_one();
    pass(poll, kMinute);
    EXPECT_EQ(stops(), (std::vector{model::Stopping::soft}));
    if (lost) {
      world.ask(model::LoseWorker{"w"});
    } else {
      world.fail(poll, {.type = "signal"});
    }
    EXPECT_EQ(world.status(run, "a"), TaskStatus::failed);
    EXPECT_EQ(world.task(run, "a").error_type, "timeout");
    EXPECT_EQ(world.run(run).status, RunStatus::failed);
  }
}

// Once the deadline was due for ever, and the turn that looked for what is due never ended.
TEST_P(Deadlines, OfAStepThatIsBeingCancelledChangesNothing) {
  const RunId run = world.submit(FlowBuilder("w").run("a").deadline(kMinute).done());
  const auto attempt = world.claim_one();
  pass(attempt, kMinute - kSecond);
  world.ask(model::CancelRun{run});
  EXPECT_EQ(stops(), (std::vector{model::Stopping::soft}));
  pass(attempt, kSecond);
  EXPECT_TRUE(stops().empty());
  pass(attempt, world.state().settings.cancel_grace);
  EXPECT_EQ(stops(), (std::vector{model::Stopping::hard}));
  EXPECT_EQ(world.fail(attempt, {.type = "signal"}), TaskStatus::cancelled);
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
}

TEST_P(Deadlines, AStepThatCompletesWhileItIsStoppedHasCompleted) {
  const RunId run = world.submit(FlowBuilder("w").run("a").deadline(kSecond * 3).done());
  const auto attempt = world.claim_one();
  world.advance(kSecond * 3);
  EXPECT_EQ(world.complete(attempt), TaskStatus::completed);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST_P(Deadlines, WaitsCountForTheStepsDeadline) {
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("queued")
                                     .queue("nobody")
                                     .deadline(kMinute)
                                     .run("retrying")
                                     .retry({.max_attempts = 9, .initial = Duration::minutes(5)})
                                     .deadline(kMinute)
                                     .done());
  world.fail(world.claim_one());
  world.advance(kMinute - kSecond);
  EXPECT_EQ(world.status(run, "queued"), TaskStatus::queued);
  EXPECT_EQ(world.status(run, "retrying"), TaskStatus::retrying);
  world.advance(kSecond);
  EXPECT_EQ(world.task(run, "queued").error_type, "timeout");
  EXPECT_EQ(world.task(run, "retrying").error_type, "timeout");
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST_P(Deadlines, OfAMappedStepIsAboutAllItems) {
  const RunId run = world.submit(
      FlowBuilder("w").run("a").for_each(boost::json::array{1, 2, 3}, 1).deadline(kSecond * 20).done());
  world.complete(world.claim_one());
  const auto second = world.claim_one();
  pass(second, kSecond * 20);
  world.fail(second, {.type = "signal"});
  world.settle();
  EXPECT_EQ(world.status(run, "a", 0), TaskStatus::completed);
  EXPECT_EQ(world.status(run, "a", 2), TaskStatus::cancelled);
  EXPECT_EQ(world.status(run, "a"), TaskStatus::failed);
  EXPECT_EQ(world.task(run, "a").error_type, "timeout");
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST_P(Deadlines, OfARunCancelsWhatIsOpenAndRunsFinally) {
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .run("b")
                                     .needs({"a"})
                                     .run("end")
                                     .finally()
                                     .with("${{ run.status }}")
                                     .run_deadline(kSecond * 10)
                                     .done());
  const auto attempt = world.claim_one();
  world.advance(kSecond * 10);
  EXPECT_EQ(stops(), (std::vector{model::Stopping::soft}));
  EXPECT_EQ(world.status(run, "b"), TaskStatus::cancelled);
  EXPECT_EQ(world.run(run).status, RunStatus::running);
  EXPECT_EQ(world.fail(attempt, {.type = "signal"}), TaskStatus::cancelled);
  const auto end = world.claim_one();
  EXPECT_NE(end.spec.find("failed"), std::string::npos) << end.spec;
  world.advance(kSecond * 20);
  world.complete(end);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
  EXPECT_EQ(world.run(run).error_type, "timeout");
}

TEST_P(Deadlines, OfARunCountsFromItsStart) {
  const RunId run = world.submit(FlowBuilder("w").run("a").run_deadline(kSecond * 10).done());
  world.advance(kMinute);
  const auto attempt = world.claim_one();
  world.advance(kSecond * 9);
  world.complete(attempt);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST_P(Deadlines, ACancelAfterTheDeadlineStillCancels) {
  const RunId run = world.submit(FlowBuilder("w").run("a").run_deadline(kSecond * 5).done());
  const auto attempt = world.claim_one();
  world.advance(kSecond * 5);
  world.cancel(run);
  world.fail(attempt, {.type = "signal"});
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
}

TEST_P(Deadlines, AnSlaIsReportedOnceAndChangesNothing) {
  const RunId run = world.submit(FlowBuilder("w").run("a").sla(kSecond * 5).run_sla(kSecond * 10).done());
  const auto attempt = world.claim_one();
  pass(attempt, kMinute);
  world.complete(attempt);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  const auto story = world.story(run);
  EXPECT_EQ(std::ranges::count(story, "task.sla_missed a"), 1);
  EXPECT_EQ(std::ranges::count(story, "run.sla_missed"), 1);
}

TEST_P(Deadlines, AnSlaThatIsKeptIsNotReported) {
  const RunId run = world.submit(FlowBuilder("w").run("a").sla(kSecond * 5).done());
  world.advance(kSecond * 4);
  world.work_off();
  world.advance(kMinute);
  EXPECT_EQ(std::ranges::count(world.story(run), "task.sla_missed a"), 0);
}

TEST_P(Deadlines, AStartThatComesTooLateFailsTheTaskAndIsNotRetried) {
  const RunId run = world.submit(
      FlowBuilder("w").run("a").attempts(3).timeout(model::Timeout{.start = kSecond * 30}).done());
  world.advance(kSecond * 29);
  EXPECT_EQ(world.status(run, "a"), TaskStatus::queued);
  world.advance(kSecond);
  EXPECT_EQ(world.status(run, "a"), TaskStatus::failed);
  EXPECT_EQ(world.task(run, "a").error_type, "start_timeout");
  EXPECT_EQ(world.task(run, "a").attempts, 0u);
}

TEST_P(Deadlines, ARuleMayRetryAStartThatComesTooLateAsOftenAsThereAreAttempts) {
  model::ErrorRule again{.types = {"start_timeout"}};
  again.action = ErrorAction::retry;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .attempts(3)
                                     .timeout(model::Timeout{.start = kSecond * 10})
                                     .on_error(again)
                                     .done());
  world.advance(kSecond * 10);
  EXPECT_EQ(world.status(run, "a"), TaskStatus::retrying);
  world.advance(kSecond);
  EXPECT_EQ(world.status(run, "a"), TaskStatus::queued);
  world.advance(kMinute);
  EXPECT_EQ(world.status(run, "a"), TaskStatus::failed);
  EXPECT_EQ(world.task(run, "a").start_timeouts, 3u);
}

TEST_P(Deadlines, AStartInTimeStopsTheClock) {
  const RunId run =
      world.submit(FlowBuilder("w").run("a").timeout(model::Timeout{.start = kSecond * 10}).done());
  const auto attempt = world.claim_one();
  pass(attempt, kMinute);
  EXPECT_EQ(world.complete(attempt), TaskStatus::completed);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST(Heartbeats, SilenceStopsTheAttemptAndIsRetried) {
  World world;
  const RunId run = world.submit(
      FlowBuilder("w").run("a").attempts(2).timeout(model::Timeout{.heartbeat = kSecond * 10}).done());
  const auto attempt = world.claim_one();
  world.advance(kSecond * 10);
  EXPECT_EQ(world.task(run, "a").stopping, model::Stopping::soft);
  EXPECT_EQ(world.fail(attempt, {.type = "signal"}), TaskStatus::retrying);
  EXPECT_EQ(world.task(run, "a").error_type, "heartbeat");
}

}  // namespace
}  // namespace baton::engine

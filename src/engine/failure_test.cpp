#include "engine/failure.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::ErrorAction;
using model::ErrorRule;
using model::Failure;
using model::Retry;
using model::RunStatus;
using model::Severity;
using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;
using Kind = Verdict::Kind;

const Failure kExit1{.type = "exit", .message = "exited with code 1; quota of 5 exceeded", .exit_code = 1};
const Failure kHttp503{.type = "http", .message = "Service Unavailable", .status = 503};
const Failure kLost{.type = "lost", .message = "worker w died"};

struct MatchRow {
  const char* what;
  ErrorRule rule;
  Failure failure;
  bool holds;
};

TEST(ErrorRules, WhatMatches) {
  const std::vector<MatchRow> table = {
      {"an empty match holds for everything", {}, kExit1, true},
      {"a type", {.types = {"timeout", "exit"}}, kExit1, true},
      {"another type", {.types = {"timeout"}}, kExit1, false},
      {"a code", {.exit = {2, 1}}, kExit1, true},
      {"another code", {.exit = {2}}, kExit1, false},
      {"a code of what has none", {.exit = {0}}, kHttp503, false},
      {"a status", {.status = {{503, 503}}}, kHttp503, true},
      {"a class of statuses", {.status = {{400, 499}, {500, 599}}}, kHttp503, true},
      {"another status", {.status = {{400, 499}}}, kHttp503, false},
      {"a status of what has none", {.status = {{0, 999}}}, kExit1, false},
      {"a message, anywhere in it", {.message = "quota of [0-9]+"}, kExit1, true},
      {"a message, anchored", {.message = "^quota"}, kExit1, false},
      {"all that is given must hold", {.types = {"exit"}, .exit = {1}, .message = "quota"}, kExit1, true},
      {"one thing does not hold", {.types = {"exit"}, .exit = {1}, .message = "disk"}, kExit1, false},
      {"a broken pattern holds for nothing", {.message = "("}, kExit1, false},
      {"losses only by their name", {}, kLost, false},
      {"losses by their name", {.types = {"lost"}}, kLost, true},
      {"a foreign type", {.types = {"QuotaError"}}, {.type = "QuotaError"}, true},
  };
  for (const MatchRow& row : table) {
    const ErrorRules rules(std::span(&row.rule, 1));
    EXPECT_EQ(rules.match(row.failure) != nullptr, row.holds) << row.what;
  }
}

TEST(ErrorRules, TheFirstMatchWins) {
  const std::vector<ErrorRule> list = {{.types = {"signal"}}, {.exit = {1}}, {.types = {"exit"}}, {}};
  const ErrorRules rules(list);
  EXPECT_EQ(rules.match(kExit1), &list[1]);
  EXPECT_EQ(rules.match(kHttp503), &list[3]);
  EXPECT_EQ(ErrorRules().match(kExit1), nullptr);
}

const Retry kThree{.max_attempts = 3, .initial = Duration::seconds(10)};

struct JudgeRow {
  const char* what;
  std::optional<ErrorRule> rule;
  Circumstances circumstances;
  Failure failure;
  Kind kind;
  Duration delay;
};

TEST(Judge, WhatFollows) {
  const Circumstances first{.retry = &kThree};
  const Circumstances second{.retry = &kThree, .attempts = 2};
  const Circumstances last{.retry = &kThree, .attempts = 3};
  Circumstances first_with_fallback = first;
  first_with_fallback.has_fallback = true;
  Circumstances last_with_fallback = last;
  last_with_fallback.has_fallback = true;
  Circumstances over = last_with_fallback;
  over.attempts = 1;
  over.over = true;
  Circumstances broke = first;
  broke.retries_left = 0;
  const ErrorRule retry{.action = ErrorAction::retry};
  const ErrorRule later{.action = ErrorAction::retry, .delay = Duration::minutes(5)};
  const ErrorRule fail{.action = ErrorAction::fail};
  const ErrorRule fallback{.action = ErrorAction::fallback};
  const ErrorRule hold{.action = ErrorAction::hold};
  const ErrorRule ignore{.action = ErrorAction::ignore};
  const Failure never{.type = "exit", .never_retry = true};
  const Failure wish{.type = "http", .status = 429, .retry_after = Duration::seconds(42)};
  const Failure long_wish{.type = "http", .status = 503, .retry_after = Duration::hours(9)};
  const Failure validation{.type = "validation"};
  const Duration none;
  const std::vector<JudgeRow> table = {
      {"no policy: one attempt", {}, {}, kExit1, Kind::fail, none},
      {"retry by default", {}, first, kExit1, Kind::retry, Duration::seconds(10)},
      {"the second delay", {}, second, kExit1, Kind::retry, Duration::seconds(20)},
      {"out of attempts", {}, last, kExit1, Kind::fail, none},
      {"out of attempts, fallback", {}, last_with_fallback, kExit1, Kind::fallback, none},
      {"the budget of the run is used up", {}, broke, kExit1, Kind::fail, none},
      {"a longer wish counts", {}, first, wish, Kind::retry, Duration::seconds(42)},
      {"a wish counts up to an hour", {}, first, long_wish, Kind::retry, Duration::hours(1)},
      {"never by default", {}, first, validation, Kind::fail, none},
      {"never by default, fallback", {}, first_with_fallback, validation, Kind::fallback, none},
      {"marked never", {}, first, never, Kind::fail, none},
      {"a rule overrules never", retry, first, validation, Kind::retry, Duration::seconds(10)},
      {"a rule overrules the mark", retry, first, never, Kind::retry, Duration::seconds(10)},
      {"a rule does not make attempts", retry, last, kExit1, Kind::fail, none},
      {"a rule does not make a policy", retry, {}, kExit1, Kind::fail, none},
      {"a rule does not make a budget", retry, broke, kExit1, Kind::fail, none},
      {"a rule's retries end in the fallback", retry, last_with_fallback, kExit1, Kind::fallback, none},
      {"a rule's delay", later, second, kExit1, Kind::retry, Duration::minutes(5)},
      {"a rule's delay and a longer wish", later, first, long_wish, Kind::retry, Duration::hours(1)},
      {"fail at once, without the fallback", fail, first_with_fallback, kExit1, Kind::fail, none},
      {"fallback at once", fallback, first_with_fallback, kExit1, Kind::fallback, none},
      {"fallback, but there is none left", fallback, first, kExit1, Kind::fail, none},
      {"hold", hold, last, kExit1, Kind::hold, none},
      {"ignore", ignore, first, kExit1, Kind::ignore, none},
      {"over: no retry, no fallback", {}, over, kExit1, Kind::fail, none},
      {"over: a rule changes nothing", retry, over, kExit1, Kind::fail, none},
      {"over: no fallback by a rule", fallback, over, kExit1, Kind::fail, none},
      {"over: nobody is asked", hold, over, kExit1, Kind::fail, none},
      {"over: ignored all the same", ignore, over, kExit1, Kind::ignore, none},
  };
  for (const JudgeRow& row : table) {
    Random random(Seed{1, 2});
    const Verdict verdict = judge(row.rule ? &*row.rule : nullptr, row.circumstances, row.failure, random);
    EXPECT_EQ(verdict.kind, row.kind) << row.what;
    EXPECT_EQ(verdict.delay, row.delay) << row.what;
    EXPECT_EQ(verdict.alert, Severity::none) << row.what;
  }
}

TEST(Judge, ARulesAlertComesWithWhateverFollows) {
  for (const auto action : {ErrorAction::retry, ErrorAction::fail, ErrorAction::fallback, ErrorAction::hold,
                            ErrorAction::ignore}) {
    const ErrorRule rule{.action = action, .alert = Severity::warning};
    Random random(Seed{1, 2});
    EXPECT_EQ(judge(&rule, {.retry = &kThree}, kExit1, random).alert, Severity::warning);
  }
}

TEST(Judge, WhatIsRetriedWhenNoRuleSaysSo) {
  for (const char* type :
       {"exit", "signal", "timeout", "heartbeat", "connection", "breaker_open", "http", "MyOwnError"}) {
    EXPECT_TRUE(is_retryable({.type = type})) << type;
    EXPECT_FALSE(is_retryable({.type = type, .never_retry = true})) << type;
  }
  for (const char* type :
       {"validation", "expression", "rejected", "cancelled", "start_timeout", "quarantined"}) {
    EXPECT_FALSE(is_retryable({.type = type})) << type;
  }
  for (const int status : {408, 425, 429, 500, 502, 503, 599, 304}) {
    EXPECT_TRUE(is_retryable({.type = "http", .status = status})) << status;
  }
  for (const int status : {400, 401, 403, 404, 409, 410, 422, 451, 499}) {
    EXPECT_FALSE(is_retryable({.type = "http", .status = status})) << status;
  }
}

// ---- In runs

ErrorRule rule(ErrorAction action, std::vector<std::string> types = {}) {
  ErrorRule out{.types = std::move(types)};
  out.action = action;
  return out;
}

TEST(Failures, TheStepsRulesComeBeforeTheWorkflows) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .attempts(3)
                                     .on_error(rule(ErrorAction::fail, {"quota"}))
                                     .run("b")
                                     .attempts(3)
                                     .on_error_of_all(rule(ErrorAction::ignore, {"quota"}))
                                     .done());
  EXPECT_EQ(world.fail(world.claim_one(), {.type = "quota"}), TaskStatus::failed);
  EXPECT_EQ(world.fail(world.claim_one(), {.type = "quota"}), TaskStatus::failed);
  EXPECT_FALSE(world.task(run, "a").ignored);
  EXPECT_TRUE(world.task(run, "b").ignored);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST(Failures, AnIgnoredOneIsNotBad) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .on_error(rule(ErrorAction::ignore))
                                     .run("b")
                                     .needs({"a"})
                                     .when("steps.a.result == null && steps.a.error.type == 'exit'")
                                     .done());
  world.fail(world.claim_one());
  world.complete(world.claim_one());
  EXPECT_EQ(world.status(run, "a"), TaskStatus::failed);
  EXPECT_EQ(world.status(run, "b"), TaskStatus::completed);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST(Failures, AlertsAreFacts) {
  World world;
  ErrorRule loud = rule(ErrorAction::retry, {"exit"});
  loud.alert = Severity::warning;
  const RunId run = world.submit(FlowBuilder("w").run("a").attempts(2).on_error(loud).critical().done());
  world.fail(world.claim_one());
  world.advance(Duration::seconds(1));
  world.fail(world.claim_one());
  std::vector<std::string> alerts;
  for (const model::Fact& fact : world.disk().facts(run.key())) {
    if (fact.kind != model::FactKind::alert_raised) continue;
    alerts.push_back(std::string(name(static_cast<Severity>(fact.status))) + " " + fact.text);
  }
  EXPECT_EQ(alerts, (std::vector<std::string>{"warning exit", "warning exit", "critical exit"}));
}

TEST(Failures, TheRetryBudgetIsOfAllTasksTogether) {
  World world;
  const RunId run =
      world.submit(FlowBuilder("w").run("a").attempts(10).run("b").attempts(10).retry_budget(3).done());
  int attempts = 0;
  for (;;) {
    const auto tasks = world.claim(2);
    for (const auto& task : tasks) {
      world.fail(task);
      ++attempts;
    }
    if (tasks.empty()) {
      if (model::is_terminal(world.run(run).status)) break;
      world.advance(Duration::seconds(1));
    }
  }
  EXPECT_EQ(attempts, 2 + 3);
  EXPECT_EQ(world.run(run).retries, 3u);
}

TEST(Failures, ALostAttemptIsNotRepeatedIfARuleNamesIt) {
  World world;
  const RunId run =
      world.submit(FlowBuilder("w").run("a").attempts(5).on_error(rule(ErrorAction::hold, {"lost"})).done());
  world.claim_one("mortal");
  world.ask(model::LoseWorker{"mortal"});
  EXPECT_EQ(world.status(run, "a"), TaskStatus::retrying);
  EXPECT_TRUE(world.task(run, "a").held);
  EXPECT_EQ(world.task(run, "a").attempts, 0u);
  EXPECT_EQ(world.task(run, "a").error_type, "lost");
}

TEST(Failures, ALossIsNotAFailureForRulesThatDoNotNameIt) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").on_error(rule(ErrorAction::fail)).done());
  world.claim_one("mortal");
  world.ask(model::LoseWorker{"mortal"});
  EXPECT_EQ(world.status(run, "a"), TaskStatus::queued);
}

TEST(Failures, QuarantineGoesByTheRules) {
  WorldOptions options;
  options.settings.max_losses = 1;
  World world(options);
  const RunId run =
      world.submit(FlowBuilder("w").run("a").on_error(rule(ErrorAction::hold, {"quarantined"})).done());
  world.claim_one("mortal");
  world.ask(model::LoseWorker{"mortal"});
  EXPECT_TRUE(world.task(run, "a").held);
}

TEST(Failures, AResultThatDoesNotFitItsSchemaIsNeverRetriedAndSaysWhere) {
  World world;
  const auto schema = boost::json::parse(
      R"({"type":"object","required":["n"],"properties":{"n":{"type":"integer"},"list":{"items":{"minimum":3}}}})");
  const RunId run = world.submit(FlowBuilder("w").run("a").attempts(3).result_schema(schema).done());
  EXPECT_EQ(world.complete(world.claim_one(), R"({"n":"x","list":[4,1]})"), TaskStatus::failed);
  const model::TaskRow task = world.task(run, "a");
  EXPECT_EQ(task.error_type, "validation");
  EXPECT_FALSE(task.has_result);
  EXPECT_NE(task.error_message.find("/n"), std::string::npos) << task.error_message;
  EXPECT_NE(task.error_message.find("/list/1"), std::string::npos) << task.error_message;
}

TEST(Failures, AResultThatFitsIsKept) {
  World world;
  const RunId run = world.submit(
      FlowBuilder("w").run("a").result_schema(boost::json::parse(R"({"type":"object"})")).done());
  world.complete(world.claim_one(), R"({"n":1})");
  EXPECT_EQ(world.result(run, "a"), R"({"n":1})");
}

TEST(Failures, ComputedValuesAreHeldAgainstTheirSchemaToo) {
  World world;
  const RunId run =
      world.submit(FlowBuilder("w")
                       .set("a", boost::json::object{{"n", "${{ 1 + 1 }}"}})
                       .result_schema(boost::json::parse(R"({"properties":{"n":{"maximum":1}}})"))
                       .done());
  world.settle();
  EXPECT_EQ(world.task(run, "a").error_type, "validation");
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

struct ItemsRow {
  model::MaxFailures allowed;
  int items;
  int failing;
  TaskStatus end;
};

TEST(Failures, AMappedStepMayLoseSomeOfItsItems) {
  for (const ItemsRow& row :
       std::vector<ItemsRow>{{{.value = 0}, 4, 1, TaskStatus::failed},
                             {{.value = 1}, 4, 1, TaskStatus::completed},
                             {{.value = 1}, 4, 2, TaskStatus::failed},
                             {{.value = 25, .percent = true}, 4, 1, TaskStatus::completed},
                             {{.value = 24, .percent = true}, 4, 1, TaskStatus::failed},
                             {{.value = 100, .percent = true}, 4, 4, TaskStatus::completed}}) {
    World world;
    boost::json::array items;
    for (int i = 0; i < row.items; ++i) items.emplace_back(i);
    const RunId run =
        world.submit(FlowBuilder("w").run("a").for_each(std::move(items)).max_failures(row.allowed).done());
    auto tasks = world.claim(static_cast<std::uint32_t>(row.items));
    ASSERT_EQ(tasks.size(), static_cast<std::size_t>(row.items));
    for (int i = 0; i < row.items; ++i) {
      if (i < row.failing) {
        world.fail(tasks[static_cast<std::size_t>(i)]);
      } else {
        world.complete(tasks[static_cast<std::size_t>(i)], "7");
      }
    }
    SCOPED_TRACE(std::to_string(row.allowed.value) + " of " + std::to_string(row.items));
    EXPECT_EQ(world.status(run, "a"), row.end);
    EXPECT_EQ(world.run(run).status,
              row.end == TaskStatus::completed ? RunStatus::completed : RunStatus::failed);
    if (row.allowed.value == 1 && row.failing == 1) EXPECT_EQ(world.result(run, "a"), "[null,7,7,7]");
  }
}

// A restart after each commit changes nothing.
class Fallback : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  World world{WorldOptions{.restart_every = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(Owners, Fallback, ::testing::Values(0U, 1U));

TEST_P(Fallback, TakesOverWhenTheAttemptsAreUsedUp) {
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .attempts(2)
                                     .with("${{ run.id }}")
                                     .fallback("${{ self.error.type + ' ' + string(self.error.exit_code) }}")
                                     .run("b")
                                     .needs({"a"})
                                     .done());
  world.fail(world.claim_one(), {.type = "exit", .exit_code = 3});
  world.advance(Duration::seconds(1));
  EXPECT_EQ(world.fail(world.claim_one(), {.type = "exit", .exit_code = 3}), TaskStatus::retrying);
  world.settle();
  const auto instead = world.claim_one();
  EXPECT_NE(instead.spec.find("instead"), std::string::npos) << instead.spec;
  EXPECT_NE(instead.spec.find("exit 3"), std::string::npos) << instead.spec;
  EXPECT_EQ(world.complete(instead, "7"), TaskStatus::completed);
  EXPECT_EQ(world.task(run, "a").via, model::Via::fallback);
  EXPECT_EQ(world.result(run, "a"), "7");
  world.complete(world.claim_one());
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST_P(Fallback, HasAttemptsOfItsOwnAndItsFailureIsAttached) {
  const RunId run = world.submit(FlowBuilder("w").run("a").fallback(nullptr, 2).done());
  world.fail(world.claim_one(), {.type = "exit", .message = "first", .exit_code = 3});
  world.advance(Duration::seconds(1));
  EXPECT_EQ(world.fail(world.claim_one(), {.type = "signal", .message = "second"}), TaskStatus::retrying);
  world.advance(Duration::seconds(1));
  EXPECT_EQ(world.fail(world.claim_one(), {.type = "timeout", .message = "third"}), TaskStatus::failed);
  const model::TaskRow task = world.task(run, "a");
  EXPECT_EQ(task.error_type, "exit");
  EXPECT_EQ(task.error_message, "first");
  EXPECT_EQ(task.error_exit_code, 3);
  ASSERT_EQ(task.history.size(), 3u);
  EXPECT_EQ(task.history[0].phase, model::Phase::primary);
  EXPECT_EQ(task.history[2].phase, model::Phase::fallback);
  EXPECT_EQ(task.history[2].error_type, "timeout");
  EXPECT_EQ(task.attempts, 3u);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST_P(Fallback, NeverRunsAfterACancel) {
  const RunId run = world.submit(FlowBuilder("w").run("a").fallback().done());
  const auto attempt = world.claim_one();
  world.cancel(run);
  EXPECT_EQ(world.fail(attempt), TaskStatus::cancelled);
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
}

TEST_P(Fallback, AnExpressionOfItThatFailsIsItsFailure) {
  const RunId run = world.submit(FlowBuilder("w").run("a").fallback("${{ 1 / 0 }}").done());
  world.fail(world.claim_one(), {.type = "exit"});
  world.advance(Duration::seconds(1));
  EXPECT_EQ(world.status(run, "a"), TaskStatus::failed);
  EXPECT_EQ(world.task(run, "a").error_type, "exit");
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST_P(Fallback, OfItemsIsPerItem) {
  const RunId run = world.submit(
      FlowBuilder("w").run("a").for_each(boost::json::array{10, 20}).fallback("${{ item }}").done());
  const auto both = world.claim(2);
  ASSERT_EQ(both.size(), 2u);
  world.fail(both[0]);
  world.complete(both[1], "1");
  world.advance(Duration::seconds(1));
  const auto instead = world.claim_one();
  EXPECT_NE(instead.spec.find("10"), std::string::npos) << instead.spec;
  world.complete(instead, "2");
  EXPECT_EQ(world.result(run, "a"), "[2,1]");
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST_P(Fallback, AWorkerThatDiesInItCostsItNothing) {
  const RunId run = world.submit(FlowBuilder("w").run("a").fallback().done());
  world.fail(world.claim_one());
  world.advance(Duration::seconds(1));
  world.claim_one("mortal");
  world.ask(model::LoseWorker{"mortal"});
  EXPECT_EQ(world.complete(world.claim_one()), TaskStatus::completed);
  EXPECT_EQ(world.task(run, "a").via, model::Via::fallback);
}

}  // namespace
}  // namespace baton::engine

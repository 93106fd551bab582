// Random graphs, workers that fail, die, report twice and report nonsense, cancels, pauses, recoveries,
// single tasks retried, restarts at any point, slow commits, tiny caches: every batch passes the world's
// checks, and every run ends as the small model says.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "engine/testing/outcome_model.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::RunStatus;
using model::TaskStatus;
using testing::Expected;
using testing::Fate;
using testing::Plan;
using testing::World;
using testing::WorldOptions;

struct Case {
  Plan plan;
  Expected expected;
  RunId run;
  bool cancelled = false;    // accepted
  bool no_cleanup = false;   // accepted
  bool left_undone = false;  // before it was recovered
};

struct Held {
  model::Assignment assignment;
  std::string worker;
  bool in_process = false;
};

WorldOptions random_options(std::uint64_t seed, Random& random) {
  WorldOptions options;
  options.seed = seed;
  options.settings.max_interruptions = 1000;  // the model does not count restarts
  options.settings.item_window = static_cast<std::uint32_t>(1 + random.up_to(3));
  if (random.up_to(1) == 0) options.settings.runs_in_memory = static_cast<std::size_t>(random.up_to(2));
  options.commands_per_turn = static_cast<std::size_t>(1 + random.up_to(5));
  options.rows_per_batch = static_cast<std::size_t>(1 + random.up_to(20));
  options.commits_in_flight = static_cast<std::size_t>(random.up_to(2));
  if (random.up_to(2) == 0) options.cache_bytes = 1;
  if (random.up_to(2) == 0) options.restart_every = static_cast<std::uint32_t>(1 + random.up_to(4));
  return options;
}

class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(Seed{seed, 0xBADCAB}) {
    const WorldOptions options = random_options(seed, random_);
    restarts_always_ = options.restart_every > 0;
    cancels_ = random_.up_to(3) == 0;
    recovers_ = random_.up_to(1) == 0;
    world_ = std::make_unique<World>(options);
  }

  // Everything that happened, as one number.
  Hash256 tell() {
    const auto runs = static_cast<int>(1 + random_.up_to(2));
    for (int i = 0; i < runs; ++i) {
      Case one{.plan = Plan::random(random_)};
      one.expected = expect(one.plan);
      one.run = world_->submit(one.plan.workflow("w" + std::to_string(i)));
      cases_.push_back(std::move(one));
    }
    play();
    for (const Case& one : cases_) compare(one);
    // What failed fails again, since its fate is that of a generation; what was cancelled runs to its end.
    if (recovers_ && recover_some()) {
      cancels_ = false;
      play();
      for (const Case& one : cases_) compare(one);
    }
    return world_->digest();
  }

 private:
  bool all_ended() const {
    return std::ranges::all_of(
        cases_, [&](const Case& one) { return model::is_terminal(world_->run(one.run).status); });
  }

  void play() {
    for (int steps = 0; !all_ended(); ++steps) {
      if (steps > 5000) {
        ADD_FAILURE() << "the runs do not end";
        break;
      }
      step();
      if (::testing::Test::HasFailure()) break;
    }
  }

  bool recover_some() {
    bool some = false;
    for (Case& one : cases_) {
      const RunStatus status = world_->run(one.run).status;
      if (status == RunStatus::completed || random_.up_to(2) == 0) continue;
      model::RecoverRun command{.run = one.run, .failed_only = random_.up_to(1) == 0};
      const auto step =
          static_cast<std::size_t>(random_.up_to(static_cast<std::int64_t>(one.plan.steps.size()) - 1));
      if (random_.up_to(1) == 0 && !one.plan.steps[step].finally) command.from = std::to_string(step);
      const auto reply = world_->ask(command);
      EXPECT_TRUE(std::holds_alternative<model::RunAccepted>(reply)) << testing::error_of(reply).message;
      one.left_undone |= one.no_cleanup;
      one.cancelled = one.no_cleanup = false;
      some = true;
    }
    return some;
  }

  // Holds something back for a while, or lets it go on.
  void pause_or_resume() {
    if (!pauses_.empty() && random_.up_to(2) != 0) {
      world_->ask(model::ResumeCommand{pauses_.back()});
      pauses_.pop_back();
      return;
    }
    const Case& one =
        cases_[static_cast<std::size_t>(random_.up_to(static_cast<std::int64_t>(cases_.size()) - 1))];
    model::PauseTarget target{model::BlockerKind::queue_paused, {}, "default"};
    const auto kind = random_.up_to(3);
    if (kind == 1) target = {model::BlockerKind::run_paused, one.run, ""};
    if (kind == 2) target = {model::BlockerKind::step_paused, one.run, "0"};
    model::PauseCommand command{.target = target};
    if (random_.up_to(2) == 0) command.lasts = Duration::seconds(1 + random_.up_to(10));
    if (std::holds_alternative<Error>(world_->ask(command))) return;  // it has ended, or is being cancelled
    if (!command.lasts) pauses_.push_back(target);
  }

  void retry_one() {
    const Case& one =
        cases_[static_cast<std::size_t>(random_.up_to(static_cast<std::int64_t>(cases_.size()) - 1))];
    if (model::is_terminal(world_->run(one.run).status)) return;
    const auto tasks = world_->disk().tasks(one.run.key());
    if (tasks.empty()) return;
    const model::TaskRow& row =
        tasks[static_cast<std::size_t>(random_.up_to(static_cast<std::int64_t>(tasks.size()) - 1))];
    if (row.status != TaskStatus::failed && row.status != TaskStatus::retrying) return;
    const auto reply = world_->ask(model::DecideTask{.task = {one.run, row.key.ordinal}});
    if (const auto* error = std::get_if<Error>(&reply))
      EXPECT_EQ(error->code, ErrorCode::conflict) << error->message;
  }

  void step() {
    const auto choice = random_.up_to(99);
    if (choice < 40) {
      claim();
    } else if (choice < 80) {
      if (!held_.empty())
        act_on(static_cast<std::size_t>(random_.up_to(static_cast<std::int64_t>(held_.size()) - 1)));
    } else if (choice < 86) {
      pass_time();
    } else if (choice < 90) {
      tell_waiting();
    } else if (choice < 93) {
      restart();
    } else if (choice < 95 && cancels_) {
      cancel();
    } else if (choice < 96) {
      nonsense();
    } else if (choice < 98) {
      pause_or_resume();
    } else if (choice < 99 && recovers_) {
      retry_one();
    } else {
      world_->turn();
    }
  }

  // A signal to a run, whether it waits for one or not; or an answer to a question.
  void tell_waiting() {
    const Case& one =
        cases_[static_cast<std::size_t>(random_.up_to(static_cast<std::int64_t>(cases_.size()) - 1))];
    if (model::is_terminal(world_->run(one.run).status)) return;
    if (random_.up_to(1) == 0) {
      const auto reply = world_->ask(model::SendSignal{.run = one.run, .name = testing::kSignal});
      if (const auto* error = std::get_if<Error>(&reply)) EXPECT_EQ(error->code, ErrorCode::conflict);
      return;
    }
    for (const model::TaskRow& row : world_->disk().tasks(one.run.key())) {
      if (one.plan.steps[row.step].kind != testing::PlannedStep::Kind::approval) continue;
      const bool approved = one.plan.steps[row.step].fates[0].failures == 0;
      const auto reply = world_->ask(model::AnswerApproval{{one.run, row.key.ordinal}, approved, "", "null"});
      const auto* error = std::get_if<Error>(&reply);
      // A pending one may have begun to wait meanwhile.
      if (row.status == TaskStatus::pending) continue;
      EXPECT_EQ(error == nullptr, row.status == TaskStatus::running)
          << (error == nullptr ? "" : error->message);
    }
  }

  void claim() {
    const std::string worker = "w" + std::to_string(++workers_);
    std::vector<std::string> queues = {"default", "other"};
    if (random_.up_to(3) == 0) queues.pop_back();
    // With a new owner after every few commits, attempts within the server would never get to their end.
    const bool in_process = !restarts_always_ && random_.up_to(2) == 0;
    for (auto& task : world_->claim(1, worker, queues, in_process)) {
      held_.push_back({std::move(task), worker, in_process});
    }
  }

  // Attempts in the server's process die with it, all others go on.
  void restart() {
    world_->restart();
    world_->settle();
    std::erase_if(held_, [&](const Held& held) {
      if (held.in_process) EXPECT_TRUE(is_stale(held.assignment)) << "a dead attempt can still report";
      return held.in_process;
    });
  }

  const Case& case_of(const model::Assignment& assignment) const {
    return *std::ranges::find(cases_, assignment.task.run, &Case::run);
  }

  // What its fate says, by what is stored of it.
  void act_on(std::size_t at) {
    const Held held = held_[at];
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(at));
    const model::Assignment& assignment = held.assignment;
    const model::TaskRow row = *world_->disk().task({assignment.task.run.key(), assignment.task.ordinal});
    if (random_.up_to(15) == 0) {
      world_->ask(model::ReleaseAttempt{assignment.token, assignment.task});
      return;
    }
    const testing::PlannedStep& step = case_of(assignment).plan.steps[row.step];
    const bool helper = row.role != model::TaskRole::main;
    const Fate fate =
        helper ? Fate{.failures = step.ending_failures} : step.fates[row.index < 0 ? 0 : row.index];
    if (!helper && random_.up_to(3) == 0) {
      const auto answer = world_->ask(model::RegisterResource{
          assignment.token, assignment.task, "r" + std::to_string(random_.up_to(1)), {"give-back"}, "/"});
      // A person may have let the task go on while the one of the lost attempt is still being given back.
      const bool registered = std::holds_alternative<model::ResourceRegistered>(answer);
      if (!registered) EXPECT_EQ(testing::error_of(answer).code, ErrorCode::conflict);
      if (registered && random_.up_to(2) == 0) {
        const auto released = world_->ask(model::ReleaseResource{assignment.token, assignment.task, "r0"});
        EXPECT_TRUE(std::holds_alternative<model::ResourceReleased>(released));
      }
    }
    if (random_.up_to(4) == 0) {
      const auto said = world_->ask(model::ReportProgress{
          assignment.token, assignment.task, static_cast<std::uint8_t>(random_.up_to(100)), "on its way"});
      EXPECT_TRUE(std::holds_alternative<model::Done>(said));
    }
    if (row.lost < fate.losses) {
      // An attempt in the server's process is never lost, only interrupted.
      if (held.in_process) {
        world_->ask(model::ReleaseAttempt{assignment.token, assignment.task});
        return;
      }
      // Each new owner gives leases another term: with one after every few commits they may never run out.
      if (random_.up_to(1) == 0 || restarts_always_) {
        world_->ask(model::LoseWorker{held.worker});
      } else {
        beat();
        world_->advance(Duration::seconds(20));
        beat();
        world_->advance(Duration::seconds(20));
      }
      EXPECT_TRUE(is_stale(assignment)) << "a lost attempt can still report";
      return;
    }
    const bool fails = row.phase == model::Phase::fallback ? fate.fallback_fails
                       : row.phase == model::Phase::poll   ? row.round < fate.failures
                                                           : row.attempts <= fate.failures;
    const char* result = testing::kPlannedResult;
    if (!helper && step.max_rounds > 0 && row.phase == model::Phase::primary)
      result = row.round + 1 < fate.rounds ? testing::kEarlierRound : testing::kLastRound;
    const model::Outcome outcome = fails ? testing::failed() : testing::completed(result);
    const auto first = world_->report(assignment, outcome);
    const auto* accepted = std::get_if<model::ReportAccepted>(&first);
    ASSERT_NE(accepted, nullptr) << "a healthy attempt was refused";
    if (random_.up_to(3) != 0) return;
    // A retry of the report, a contradiction.
    if (random_.up_to(1) == 0) pass_time();
    const auto again = world_->report(assignment, outcome);
    const auto* repeated = std::get_if<model::ReportAccepted>(&again);
    ASSERT_NE(repeated, nullptr) << "a repeated report was refused";
    EXPECT_EQ(repeated->status, accepted->status);
    const bool completed = outcome.kind == model::Outcome::Kind::completed;
    const auto other = world_->report(assignment, completed ? testing::failed() : testing::completed());
    EXPECT_EQ(testing::error_of(other).code, ErrorCode::stale_token);
  }

  bool is_stale(const model::Assignment& assignment) {
    const auto reply = world_->report(assignment, testing::completed());
    const auto* error = std::get_if<Error>(&reply);
    return error != nullptr && error->code == ErrorCode::stale_token;
  }

  void beat() {
    for (const Held& held : held_) {
      const auto reply = world_->ask(model::Heartbeat{held.worker, {held.assignment.token}});
      const auto& answer = std::get<model::HeartbeatAnswer>(reply);
      const RunStatus status = world_->run(held.assignment.task.run).status;
      const Plan& plan = case_of(held.assignment).plan;
      const TaskKey key{held.assignment.task.run.key(), held.assignment.task.ordinal};
      const bool helper = world_->disk().task(key)->role != model::TaskRole::main;  // they have a time limit
      EXPECT_TRUE(answer.stop.empty() || helper || status == RunStatus::cancelling || plan.fail_fast)
          << "a healthy attempt is stopped";
    }
  }

  void pass_time() {
    beat();
    world_->advance(Duration::millis(random_.up_to(5000)));
  }

  void cancel() {
    Case& one = cases_[static_cast<std::size_t>(random_.up_to(static_cast<std::int64_t>(cases_.size()) - 1))];
    model::CancelRun command{.run = one.run, .terminate = random_.up_to(2) == 0};
    command.no_cleanup = command.terminate && random_.up_to(2) == 0;
    const bool main = world_->run(one.run).stage == model::RunStage::main;
    const auto reply = world_->ask(command);
    if (std::holds_alternative<model::CancelAccepted>(reply)) {
      one.cancelled |= main;
      one.no_cleanup |= command.no_cleanup;
    } else {
      EXPECT_EQ(testing::error_of(reply).code, ErrorCode::conflict);
    }
  }

  void nonsense() {
    const RunId run = cases_[0].run;
    const Token token{static_cast<std::uint32_t>(random_.up_to(5)), 1'000'000};
    const auto ordinal = static_cast<Ordinal>(random_.up_to(100));
    EXPECT_EQ(
        testing::error_of(world_->ask(model::ReportAttempt{token, {run, ordinal}, testing::completed()}))
            .code,
        ErrorCode::stale_token);
    EXPECT_EQ(testing::error_of(world_->ask(model::ReleaseAttempt{token, {run, ordinal}})).code,
              ErrorCode::stale_token);
    world_->ask(model::LoseWorker{"nobody"});
  }

  // Each step that started an attempt is cleaned up once, each completed one of a run that did not complete
  // is undone once; what could not be done is leaked, and nothing else is left in the ledger.
  void compare_endings(const Case& one) const {
    std::set<std::string> leaked;
    for (const auto& [key, record] : world_->disk().records()) {
      if (key.kind != model::RecordKind::resource || !key.key.starts_with(one.run.text())) continue;
      EXPECT_EQ(record.group, "leaked") << key.key;
      leaked.insert(key.key);
    }
    const std::vector<model::TaskRow> rows = world_->disk().tasks(one.run.key());
    for (const model::TaskRow& task : rows) {
      if (task.role != model::TaskRole::main) {
        EXPECT_TRUE(model::is_terminal(task.status));
        continue;
      }
      const testing::PlannedStep& step = one.plan.steps[task.step];
      const bool leaks = step.ending_failures >= testing::kEndingAttempts;
      const bool counts = !step.finally && !task.expanded;
      const TaskId id{one.run, task.key.ordinal};
      const auto count = [&](model::TaskRole role, auto matches) {
        return std::ranges::count_if(rows, [&](const model::TaskRow& helper) {
          return helper.role == role && helper.parent == task.key.ordinal && matches(helper);
        });
      };
      const bool cleaned = counts && step.cleanup && task.starts > 0;
      const auto last = [&](const model::TaskRow& helper) { return helper.covers == task.starts; };
      const bool leaked_cleanup = leaked.contains(id.text() + ":(cleanup)");
      if (one.no_cleanup) {
        // Done, or on the list.
        const auto done = [&](const model::TaskRow& helper) {
          return last(helper) && helper.status == TaskStatus::completed;
        };
        EXPECT_EQ(count(model::TaskRole::cleanup, done) + (leaked_cleanup ? 1 : 0), cleaned ? 1 : 0)
            << "cleanup of step " << task.step;
        continue;
      }
      EXPECT_EQ(count(model::TaskRole::cleanup, last), cleaned ? 1 : 0) << "cleanup of step " << task.step;
      // What an earlier generation left undone stays on the list.
      if (!one.left_undone) EXPECT_EQ(leaked_cleanup, cleaned && leaks) << id.text();
      const bool bad = world_->run(one.run).outcome != RunStatus::completed;
      const bool undone = counts && bad && step.compensate && task.status == TaskStatus::completed;
      const auto same = [&](const model::TaskRow& helper) { return helper.generation == task.generation; };
      if (undone || world_->run(one.run).recovery_attempts == 0) {
        EXPECT_EQ(count(model::TaskRole::compensate, same), undone ? 1 : 0) << "step " << task.step;
      }
    }
  }

  void compare(const Case& one) const {
    compare_endings(one);
    const model::RunRow& row = world_->run(one.run);
    if (one.cancelled) {
      EXPECT_EQ(row.status, RunStatus::cancelled);
      return;
    }
    EXPECT_EQ(row.status, one.expected.status);
    if (one.plan.fail_fast && one.expected.main_failed) return;
    for (std::size_t i = 0; i < one.plan.steps.size(); ++i) {
      const model::TaskRow task = *world_->disk().task({one.run.key(), static_cast<Ordinal>(i)});
      const testing::ExpectedStep& end = one.expected.steps[i];
      EXPECT_EQ(name(task.status), name(end.status)) << "step " << i << ": " << task.error_message;
      EXPECT_EQ(name(task.skip_reason), name(end.skip_reason)) << "step " << i;
      EXPECT_EQ(task.ignored, end.ignored) << "step " << i;
      if (!end.error_type.empty()) EXPECT_EQ(task.error_type, end.error_type) << "step " << i;
      if (end.status != TaskStatus::completed || one.plan.steps[i].kind != testing::PlannedStep::Kind::mapped)
        continue;
      ASSERT_EQ(task.item_count, end.items.size());
      for (std::uint32_t n = 0; n < task.item_count; ++n) {
        const model::TaskRow item = *world_->disk().task({one.run.key(), task.first_item + n});
        EXPECT_EQ(name(item.status), name(end.items[n]))
            << "step " << i << ", item " << n << ": " << item.error_type << ", " << item.error_message;
      }
    }
  }

  Random random_;
  std::unique_ptr<World> world_;
  bool restarts_always_ = false;
  bool cancels_ = false;
  bool recovers_ = false;
  std::vector<model::PauseTarget> pauses_;  // without an end of their own
  std::vector<Case> cases_;
  std::vector<Held> held_;
  int workers_ = 0;
};

TEST(RandomRuns, EndAsTheModelSays) {
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Story(seed).tell();
    if (HasFailure()) break;
  }
}

TEST(RandomRuns, SameSeedSameBytes) {
  std::set<Hash256> different;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const Hash256 first = Story(seed).tell();
    EXPECT_EQ(first, Story(seed).tell()) << "seed " << seed;
    different.insert(first);
  }
  EXPECT_EQ(different.size(), 100u);
}

}  // namespace
}  // namespace baton::engine

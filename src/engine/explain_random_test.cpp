// Explain under random commands over random flows, held against what is known from outside: what workers were
// given, who paused what, what the definitions say. After each command:
//
// - whatever is not running has a reason, and one that ends by itself ends in the future;
// - where a worker waits for tasks of a queue, no task of it is said to wait for nothing but a worker;
// - what starts was not said to be held back by something that is still so, nor before the time that was
// named;
// - who paused it, who holds the limit, which steps it waits for and when it goes on are as said.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::BlockerKind;
using model::Reason;
using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

const std::vector<std::string> kQueues = {"a", "b"};  // and "lonely", which no worker asks for
const std::vector<std::string> kPeople = {"cli:ada", "cli:bob"};
const std::map<std::string, std::vector<std::string>> kWorkers = {
    {"w0", {"a", "b"}}, {"w1", {"a"}}, {"w2", {"b"}}};
constexpr Duration kRate = Duration::seconds(5);

// Everything that a person may want to know must have come up.
const std::set<std::string> kAsked = {"needs",        "limit_full",    "limit_small",   "rate_reached",
                                      "queue_full",   "max_parallel",  "run_paused",    "step_paused",
                                      "queue_paused", "worker_paused", "target_paused", "breaker_open",
                                      "retry_delay",  "waiting",       "no_worker",     "workers_busy",
                                      "held",         "items_before",  "items",         "finally"};

// What only a command, time or the end of an attempt changes: what is said to wait for it cannot be handed
// out.
const std::set<std::string> kFirm = {"needs",        "limit_small",   "run_paused",   "step_paused",
                                     "queue_paused", "target_paused", "breaker_open", "retry_delay",
                                     "waiting",      "held",          "finally",      "stopping"};

struct StepOfTest {
  std::map<std::string, std::uint32_t> uses;
};
struct Plan {
  std::shared_ptr<const model::Workflow> workflow;
  std::map<std::string, StepOfTest> steps;
};
struct RunOfTest {
  RunId id;
  const Plan* plan = nullptr;
};
struct Running {
  model::Assignment task;
  std::string worker;
};
struct PauseOfTest {
  std::string by;
  std::optional<WallTime> until;
};
using PauseKey = std::tuple<BlockerKind, RunId, std::string>;

class Story {
 public:
  Story(std::uint64_t seed, std::set<std::string>& codes) : random_(Seed{seed, 0xE1A}), codes_(codes) {
    WorldOptions options;
    options.seed = seed;
    options.settings.item_window = 2;
    options.commands_per_turn = static_cast<std::size_t>(1 + random_.up_to(5));
    options.commits_in_flight = static_cast<std::size_t>(random_.up_to(2));
    if (one_in(3)) options.restart_every = static_cast<std::uint32_t>(2 + random_.up_to(6));
    restarts_by_itself_ = options.restart_every > 0;
    world_ = std::make_unique<World>(options);
    for (int i = 0; i < 4; ++i) plans_.push_back(plan("p" + std::to_string(i)));
  }

  void tell() {
    for (int i = 0; i < 150 && !::testing::Test::HasFailure(); ++i) {
      step();
      check();
    }
  }

 private:
  bool one_in(std::int64_t n) { return random_.up_to(n - 1) == 0; }
  template <typename T>
  const T& any(const std::vector<T>& list) {
    return list[static_cast<std::size_t>(random_.up_to(static_cast<std::int64_t>(list.size()) - 1))];
  }

  Plan plan(const std::string& name) {
    Plan plan;
    FlowBuilder flow(name);
    if (one_in(3)) flow.max_parallel(static_cast<std::uint32_t>(1 + random_.up_to(1)));
    const auto count = 1 + random_.up_to(3);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::string step = "s" + std::to_string(i);
      add_step(flow, step, plan.steps[step]);
      if (i > 0 && one_in(2)) flow.needs(std::vector<Ordinal>{static_cast<Ordinal>(random_.up_to(i - 1))});
    }
    if (one_in(4)) {
      flow.run("last").queue("a").finally();
      plan.steps["last"];
    }
    plan.workflow = flow.done();
    return plan;
  }

  void add_step(FlowBuilder& flow, const std::string& step, StepOfTest& of_test) {
    switch (random_.up_to(9)) {
      case 0:
        flow.wait(step, {.what = model::Wait::For::signal}, "go");
        return;
      case 1:
        flow.wait(step, {.what = model::Wait::For::span},
                  boost::json::value(std::to_string(2 + random_.up_to(20)) + "s"));
        return;
      case 2:
        flow.set(step, {{"x", 1}});
        return;
      default:
        break;
    }
    flow.run(step).queue(one_in(8) ? "lonely" : any(kQueues)).priority(static_cast<int>(random_.up_to(9)));
    if (one_in(2)) flow.attempts(static_cast<std::uint32_t>(2 + random_.up_to(2)));
    if (one_in(4)) flow.on_error({.types = {"hold"}, .action = model::ErrorAction::hold});
    if (one_in(4)) flow.for_each(boost::json::array{1, 2, 3, 4});
    if (one_in(5)) flow.target("service");
    if (one_in(5)) {
      auto settings = std::make_shared<model::BreakerSettings>();
      settings->name = "br";
      settings->failures = 2;
      settings->recovery = Duration::seconds(20);
      flow.breaker(std::move(settings));
    }
    if (one_in(3)) {
      const std::string limit = one_in(4) ? "rare" : "gpu";
      of_test.uses[limit] = static_cast<std::uint32_t>(1 + random_.up_to(1));
      flow.uses(limit, of_test.uses[limit]);
    }
    if (one_in(4)) flow.rate("r", 1, kRate);
    if (one_in(3)) flow.fair_key("${{ run.id }}");
  }

  // ---- What happens

  void step() {
    switch (random_.up_to(15)) {
      case 0:
      case 1:
      case 2:
        return submit();
      case 3:
      case 4:
      case 5:
      case 6:
        return claim();
      case 7:
      case 8:
        return report();
      case 9:
        return pause();
      case 10:
        return resume();
      case 11:
        return set_bounds();
      case 12:
        return signal();
      case 13:
        return disturb();
      default:
        return advance(Duration::millis(random_.up_to(6000)));
    }
  }

  void submit() {
    const Plan& plan = any(plans_);
    const auto reply = world_->ask(model::SubmitRun{.workflow = plan.workflow});
    if (const auto* submitted = std::get_if<model::Submitted>(&reply)) {
      runs_.push_back({submitted->run, &plan});
    } else {
      EXPECT_EQ(testing::error_of(reply).code, ErrorCode::overloaded);
    }
  }

  void claim() {
    auto at = kWorkers.begin();
    std::advance(at, random_.up_to(2));
    const auto& [worker, queues] = *at;
    const auto said = reasons();
    // Its earlier claim is answered by this one.
    const auto earlier = idle_.extract(worker);
    idle_[worker] = world_->send(model::ClaimTasks{.worker = worker,
                                                   .queues = queues,
                                                   .max = static_cast<std::uint32_t>(1 + random_.up_to(4)),
                                                   .wait = Duration::seconds(2)});
    asked_.insert(worker);
    world_->settle();
    if (!earlier.empty()) EXPECT_TRUE(world_->take(earlier.mapped()));
    for (const TaskId& task : take_answers()) {
      const auto before = said.find(task);
      if (before == said.end()) continue;  // it became ready by what was handed out
      EXPECT_FALSE(is_firm(before->second)) << "it started, and explain said: " << before->second.message;
    }
  }

  static bool is_firm(const Reason& reason) {
    if (reason.code == "limit_full") return reason.message.find("stand before it") == std::string::npos;
    if (reason.code == "rate_reached") return reason.until.has_value();
    return kFirm.contains(reason.code);
  }

  // What workers got that were waiting.
  std::vector<TaskId> take_answers() {
    std::vector<TaskId> started;
    for (auto at = idle_.begin(); at != idle_.end();) {
      auto reply = world_->take(at->second);
      if (!reply) {
        ++at;
        continue;
      }
      const auto* claimed = std::get_if<model::Claimed>(&*reply);
      EXPECT_NE(claimed, nullptr);
      for (const model::Assignment& task : claimed->tasks) {
        running_.push_back({task, at->first});
        started.push_back(task.task);
        const auto promise = not_before_.find(task.task);
        if (promise != not_before_.end()) {
          EXPECT_GE(world_->wall(), promise->second) << "it started before the time that explain named";
        }
      }
      at = idle_.erase(at);
    }
    return started;
  }

  void report() {
    if (running_.empty()) return;
    const auto at = random_.up_to(static_cast<std::int64_t>(running_.size()) - 1);
    const Running one = running_[static_cast<std::size_t>(at)];
    running_.erase(running_.begin() + at);
    model::Outcome outcome{.kind = model::Outcome::Kind::completed, .result = "null"};
    if (one_in(2)) {
      outcome = {.kind = model::Outcome::Kind::failed};
      outcome.failure.type = one_in(3) ? "hold" : one_in(2) ? "timeout" : "exit";
    }
    world_->report(one.task, std::move(outcome));
  }

  const RunOfTest* any_run() { return runs_.empty() ? nullptr : &any(runs_); }

  std::optional<model::PauseTarget> any_target() {
    switch (random_.up_to(4)) {
      case 0:
        return model::PauseTarget{BlockerKind::queue_paused, {}, any(kQueues)};
      case 1:
        return model::PauseTarget{BlockerKind::worker_paused, {}, "w" + std::to_string(random_.up_to(2))};
      case 2:
        return model::PauseTarget{BlockerKind::target_paused, {}, "service"};
      default:
        break;
    }
    const RunOfTest* run = any_run();
    if (run == nullptr || model::is_terminal(world_->run(run->id).status)) return std::nullopt;
    if (one_in(2)) return model::PauseTarget{BlockerKind::run_paused, run->id, ""};
    return model::PauseTarget{BlockerKind::step_paused, run->id, "s0"};
  }

  void pause() {
    const auto target = any_target();
    if (!target) return;
    model::PauseCommand command{*target, "inspection"};
    if (one_in(2)) command.until = world_->wall() + Duration::millis(1 + random_.up_to(20'000));
    const std::string& by = any(kPeople);
    const auto reply = world_->ask(command, by);
    if (std::holds_alternative<Error>(reply)) return;
    pauses_[{target->kind, target->run, target->name}] = {by, command.until};
  }

  void resume() {
    if (pauses_.empty()) return;
    auto at = pauses_.begin();
    std::advance(at, random_.up_to(static_cast<std::int64_t>(pauses_.size()) - 1));
    const auto& [kind, run, name] = at->first;
    world_->ask(model::ResumeCommand{{kind, run, name}});
    pauses_.erase(at);
  }

  void set_bounds() {
    if (one_in(2)) {
      const std::string name = one_in(4) ? "rare" : "gpu";
      world_->ask(model::SetLimit{name, static_cast<std::uint32_t>(random_.up_to(3)), ""});
    } else {
      world_->ask(
          model::SetQueue{.name = any(kQueues), .max_waiting = static_cast<std::uint32_t>(random_.up_to(4))});
    }
  }

  // One of those that are said to wait for it goes on.
  void signal() {
    const RunOfTest* run = any_run();
    if (run == nullptr || model::is_terminal(world_->run(run->id).status)) return;
    const auto waiting = [&] {
      std::size_t count = 0;
      for (const auto& [task, reason] : reasons()) {
        count += task.run == run->id && reason.code == "waiting" && reason.subject == "go" ? 1 : 0;
      }
      return count;
    };
    const std::size_t before = waiting();
    const auto reply = world_->ask(model::SendSignal{.run = run->id, .name = "go"});
    if (std::holds_alternative<Error>(reply) || before == 0) return;
    if (!model::is_terminal(world_->run(run->id).status)) EXPECT_LT(waiting(), before + 1);
  }

  void disturb() {
    switch (random_.up_to(4)) {
      case 0:
        asked_.clear();
        return world_->restart();
      case 1: {
        const std::string worker = "w" + std::to_string(random_.up_to(2));
        world_->ask(model::LoseWorker{worker});
        std::erase_if(running_, [&](const Running& one) { return one.worker == worker; });
        if (const auto claim = idle_.extract(worker); !claim.empty()) world_->take(claim.mapped());
        asked_.erase(worker);
        return;
      }
      case 2:
        forced_ = any(std::vector<model::BreakerForce>{model::BreakerForce::open, model::BreakerForce::closed,
                                                       model::BreakerForce::none});
        world_->ask(model::ForceBreaker{.name = "br", .force = forced_, .by = "cli:eve"});
        return;
      default:
        break;
    }
    const RunOfTest* run = any_run();
    if (run == nullptr) return;
    if (std::ranges::any_of(running_, [&](const Running& one) { return one.task.task.run == run->id; }))
      return;
    world_->cancel(run->id);
  }

  // Workers give signs of life.
  void advance(Duration by) {
    for (const auto& [worker, queues] : kWorkers) {
      model::Heartbeat beat{.worker = worker};
      for (const Running& one : running_) {
        if (one.worker == worker) beat.running.push_back(one.task.token);
      }
      world_->ask(beat);
    }
    world_->advance(by);
    std::erase_if(pauses_, [&](const auto& entry) {
      return entry.second.until && *entry.second.until <= world_->wall();
    });
  }

  // ---- What explain says

  // Of all tasks that have not ended, of runs that have not.
  std::map<TaskId, Reason> reasons() {
    std::map<TaskId, Reason> all;
    for (const RunOfTest& run : runs_) {
      if (model::is_terminal(world_->run(run.id).status)) continue;
      const auto count = static_cast<Ordinal>(world_->state().find(run.id.key())->tasks.size());
      for (Ordinal i = 0; i < count; ++i) {
        auto reply = world_->ask(model::Explain{run.id, i});
        // A new owner that comes between answers before it has made ready again what was.
        if (const auto* early = std::get_if<model::Explanation>(&reply);
            restarts_by_itself_ && early != nullptr && !early->reasons.empty() &&
            early->reasons[0].code == "ready") {
          reply = world_->ask(model::Explain{run.id, i});
        }
        const auto* answer = std::get_if<model::Explanation>(&reply);
        EXPECT_NE(answer, nullptr);
        if (answer == nullptr || answer->reasons.empty()) continue;
        if (answer->reasons[0].code == "ended") continue;
        all.emplace(TaskId{run.id, i}, answer->reasons[0]);
      }
    }
    return all;
  }

  void check() {
    for (const TaskId& task : take_answers()) (void)task;
    std::erase_if(runs_, [&](const RunOfTest& run) {
      if (!model::is_terminal(world_->run(run.id).status)) return false;
      std::erase_if(pauses_, [&](const auto& entry) { return std::get<1>(entry.first) == run.id; });
      return true;
    });
    for (const auto& [task, reason] : reasons()) {
      SCOPED_TRACE("task " + task.text() + ": " + reason.code + ": " + reason.message);
      codes_.insert(reason.code);
      check_reason(task, reason);
    }
    for (const RunOfTest& run : runs_) {
      const auto reply = world_->ask(model::Explain{run.id, std::nullopt});
      EXPECT_FALSE(std::get<model::Explanation>(reply).reasons.empty()) << run.id.text();
    }
  }

  const Task& task_of(const TaskId& id) const {
    return world_->state().find(id.run.key())->tasks[id.ordinal];
  }

  std::string queue_of(const TaskId& id) const {
    const Run& run = *world_->state().find(id.run.key());
    return run.program->step(run.tasks[id.ordinal].row.step).queue;
  }

  void check_reason(const TaskId& id, const Reason& reason) {
    EXPECT_FALSE(reason.code.empty());
    EXPECT_FALSE(reason.message.empty());
    if (reason.until) EXPECT_GT(*reason.until, world_->wall()) << "it should be over";
    const bool running =
        std::ranges::any_of(running_, [&](const Running& one) { return one.task.task == id; });
    EXPECT_EQ(reason.code == "running", running);
    EXPECT_NE(reason.code, "ready") << "nothing makes it ready";
    if (reason.code == "no_worker" || reason.code == "workers_busy") check_runnable(id, reason);
    if (reason.code.ends_with("_paused")) check_pause(id, reason);
    if (reason.code == "limit_full") check_limit(reason);
    if (reason.code == "needs") check_needs(id, reason);
    if (reason.code == "retry_delay" || (reason.code == "rate_reached" && reason.until)) {
      EXPECT_TRUE(reason.until);
      not_before_[id] = *reason.until;
    }
    if (reason.code == "waiting") EXPECT_TRUE(reason.until || reason.subject == "go");
    if (reason.code == "breaker_open" && forced_ == model::BreakerForce::open) {
      EXPECT_NE(reason.message.find("cli:eve"), std::string::npos);
    }
    if (reason.code == "breaker_open" && forced_ == model::BreakerForce::none) {
      EXPECT_TRUE(reason.until || reason.message.find("half-open") != std::string::npos ||
                  reason.message.find("has closed") != std::string::npos);
    }
  }

  // Where a worker waits, what could run does.
  void check_runnable(const TaskId& id, const Reason& reason) {
    const std::string queue = queue_of(id);
    const auto serves = [&](const std::string& worker) {
      const auto& queues = kWorkers.at(worker);
      return std::ranges::find(queues, queue) != queues.end();
    };
    for (const auto& [worker, claim] : idle_) {
      const bool paused = pauses_.contains({BlockerKind::worker_paused, {}, worker});
      EXPECT_TRUE(paused || !serves(worker)) << worker << " waits for tasks of queue " << queue;
    }
    EXPECT_FALSE(queue == "lonely" && reason.code == "workers_busy");
    if (reason.code == "no_worker" && !restarts_by_itself_) {
      EXPECT_TRUE(std::ranges::none_of(asked_, serves)) << "a worker has asked for tasks of queue " << queue;
    }
  }

  void check_pause(const TaskId& id, const Reason& reason) {
    PauseKey key;
    if (reason.code == "run_paused") key = {BlockerKind::run_paused, id.run, ""};
    if (reason.code == "step_paused") key = {BlockerKind::step_paused, id.run, reason.subject};
    if (reason.code == "queue_paused") key = {BlockerKind::queue_paused, {}, reason.subject};
    if (reason.code == "worker_paused") key = {BlockerKind::worker_paused, {}, reason.subject};
    if (reason.code == "target_paused") key = {BlockerKind::target_paused, {}, reason.subject};
    const auto pause = pauses_.find(key);
    ASSERT_NE(pause, pauses_.end()) << "nobody paused it";
    EXPECT_NE(reason.message.find("by " + pause->second.by), std::string::npos);
    EXPECT_EQ(reason.until, pause->second.until);
  }

  void check_limit(const Reason& reason) {
    std::uint32_t held = 0;
    std::size_t holders = 0;
    bool named = false;
    for (const Running& one : running_) {
      const auto run = std::ranges::find(runs_, one.task.task.run, &RunOfTest::id);
      ASSERT_NE(run, runs_.end());
      const auto& uses = run->plan->steps.at(one.task.step).uses;
      const auto use = uses.find(reason.subject);
      if (use == uses.end()) continue;
      held += use->second;
      ++holders;
      named |= reason.message.find(one.task.step) != std::string::npos &&
               reason.message.find("of run " + one.task.task.run.text()) != std::string::npos;
    }
    EXPECT_EQ(reason.count, held);
    if (holders > 0) EXPECT_TRUE(named) << "it does not say who holds it";
  }

  void check_needs(const TaskId& id, const Reason& reason) {
    const Run& run = *world_->state().find(id.run.key());
    const auto& needs = run.program->step(run.tasks[id.ordinal].row.step).needs;
    EXPECT_FALSE(reason.tasks.empty());
    for (const Ordinal named : reason.tasks) {
      EXPECT_TRUE(std::ranges::find(needs, named) != needs.end());
      EXPECT_FALSE(model::is_terminal(run.tasks[named].row.status));
    }
  }

  Random random_;
  std::set<std::string>& codes_;
  std::unique_ptr<World> world_;
  bool restarts_by_itself_ = false;
  std::vector<Plan> plans_;
  std::vector<RunOfTest> runs_;  // that have not ended
  std::vector<Running> running_;
  std::map<std::string, model::ReplyTo> idle_;  // workers that wait for tasks
  std::set<std::string> asked_;                 // workers that the owner knows
  std::map<PauseKey, PauseOfTest> pauses_;
  std::map<TaskId, WallTime> not_before_;
  model::BreakerForce forced_ = model::BreakerForce::none;
};

TEST(ExplainRandom, SaysWhatHoldsAnythingBack) {
  std::set<std::string> codes;
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Story(seed, codes).tell();
    if (HasFailure()) return;
  }
  for (const std::string& code : kAsked) EXPECT_TRUE(codes.contains(code)) << code << " never came up";
}

}  // namespace
}  // namespace baton::engine

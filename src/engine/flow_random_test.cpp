// Limits, rates, turns and bounds of queues under random commands, counted from outside: a ledger of what the
// workers were given and have not given back, and of who waits where. No limit is ever exceeded, no rate in
// any window, a submission is refused if and only if its queue is full, nothing gets stuck, and explain never
// says that a task could run that the dispatcher has just left where it was.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

constexpr std::uint32_t kMany = 1000;
const std::vector<std::string> kQueues = {"default", "other"};
const std::vector<std::string> kLimits = {"a", "b", "c"};

// What the tasks of one workflow take.
struct Kind {
  std::shared_ptr<const model::Workflow> workflow;
  std::map<std::string, std::uint32_t> uses;       // set by command
  std::map<std::string, std::uint32_t> otherwise;  // of its own: how much there is if nobody has set it
  std::string rate;
  std::string queue;
};

struct RateOfTest {
  std::uint32_t limit;
  Duration per;
  std::uint32_t burst;
};

struct Running {
  model::Assignment task;
  std::size_t kind = 0;
  std::string worker;
};

class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(Seed{seed, 0xF10}) {
    WorldOptions options;
    if (seed % 3 == 0) options.settings.runs_in_memory = seed % 4;
    options.seed = seed;
    options.commands_per_turn = static_cast<std::size_t>(1 + random_.up_to(5));
    options.commits_in_flight = static_cast<std::size_t>(random_.up_to(2));
    if (random_.up_to(2) == 0) options.restart_every = static_cast<std::uint32_t>(1 + random_.up_to(6));
    world_ = std::make_unique<World>(options);
    rates_ = {{"r", {static_cast<std::uint32_t>(1 + random_.up_to(4)), Duration::seconds(7), 1}},
              {"s", {2, Duration::seconds(3), static_cast<std::uint32_t>(1 + random_.up_to(2))}}};
    for (int i = 0; i < 6; ++i) kinds_.push_back(kind("k" + std::to_string(i)));
  }

  void tell() {
    for (int i = 0; i < 200 && !::testing::Test::HasFailure(); ++i) step();
    finish();
    for (const auto& [name, starts] : starts_) check_rate(rates_.at(name), starts);
  }

 private:
  bool one_in(std::int64_t n) { return random_.up_to(n - 1) == 0; }
  template <typename T>
  const T& any(const std::vector<T>& list) {
    return list[static_cast<std::size_t>(random_.up_to(static_cast<std::int64_t>(list.size()) - 1))];
  }

  Kind kind(const std::string& name) {
    Kind kind;
    FlowBuilder builder(name);
    kind.queue = any(kQueues);
    builder.run("go").attempts(3).queue(kind.queue).priority(static_cast<int>(4 + random_.up_to(1)));
    for (const std::string& limit : kLimits) {
      if (!one_in(3)) continue;
      kind.uses[limit] = static_cast<std::uint32_t>(1 + random_.up_to(2));
      builder.uses(limit, kind.uses[limit]);
    }
    if (one_in(3)) {
      kind.otherwise["own"] = static_cast<std::uint32_t>(1 + random_.up_to(1));
      builder.uses("${{ 'o' + 'wn' }}", 1, kind.otherwise["own"]);
    }
    if (one_in(3)) {
      kind.rate = one_in(2) ? "r" : "s";
      builder.rate(kind.rate, rates_.at(kind.rate).limit, rates_.at(kind.rate).per,
                   rates_.at(kind.rate).burst);
    }
    if (one_in(2)) builder.fair_key("${{ run.id }}");
    kind.workflow = builder.done();
    return kind;
  }

  void step() {
    switch (random_.up_to(12)) {
      case 0:
      case 1:
      case 2:
        return submit();
      case 3:
      case 4:
      case 5:
        return claim(kQueues, static_cast<std::uint32_t>(1 + random_.up_to(3)));
      case 6:
      case 7:
        return report();
      case 8:
        return set_limit(any(kLimits), static_cast<std::uint32_t>(random_.up_to(4)));
      case 9:
        return pause_or_resume();
      case 10:
        return disturb();
      case 11:
        return set_queue(any(kQueues), one_in(3) ? 0 : static_cast<std::uint32_t>(1 + random_.up_to(6)));
      default:
        return advance(Duration::millis(random_.up_to(4000)));
    }
  }

  void submit() {
    const auto which = static_cast<std::size_t>(random_.up_to(static_cast<std::int64_t>(kinds_.size()) - 1));
    const std::string& queue = kinds_[which].queue;
    const bool full = bounds_[queue] > 0 && waiting_in(queue) >= bounds_[queue];
    const auto reply = world_->ask(model::SubmitRun{.workflow = kinds_[which].workflow});
    const auto* submitted = std::get_if<model::Submitted>(&reply);
    EXPECT_EQ(submitted == nullptr, full) << "queue " << queue << " may have " << bounds_[queue];
    if (submitted != nullptr) {
      runs_.emplace(submitted->run, which);
    } else {
      EXPECT_EQ(testing::error_of(reply).code, ErrorCode::overloaded);
    }
  }

  std::uint32_t waiting_in(const std::string& queue) const {
    return static_cast<std::uint32_t>(std::ranges::count_if(runs_, [&](const auto& run) {
      return kinds_[run.second].queue == queue &&
             world_->status(run.first, "go") == model::TaskStatus::queued;
    }));
  }

  void set_queue(const std::string& name, std::uint32_t most) {
    bounds_[name] = most;
    model::SetQueue command{.name = name, .max_waiting = most};
    if (!runs_.empty())
      command.weights[runs_.begin()->first.text()] = static_cast<std::uint32_t>(random_.up_to(5));
    world_->ask(command);
  }

  std::map<std::string, std::uint64_t> held() const {
    std::map<std::string, std::uint64_t> sum;
    for (const Running& one : running_) {
      for (const auto& [name, amount] : kinds_[one.kind].uses) sum[name] += amount;
      for (const auto& [name, most] : kinds_[one.kind].otherwise) ++sum[name];
    }
    return sum;
  }

  void claim(const std::vector<std::string>& queues, std::uint32_t max) {
    const std::string worker = "w" + std::to_string(random_.up_to(2));
    const bool whole = max >= 3 && queues.size() == kQueues.size();
    std::set<RunId> full;
    if (whole) full = explained_as_full();
    // It waits, so that what has to be loaded first is loaded.
    const model::ReplyTo to = world_->send(
        model::ClaimTasks{.worker = worker, .queues = queues, .max = max, .wait = Duration::seconds(1)});
    world_->settle();
    auto reply = world_->take(to);
    if (!reply) {
      if (whole) nobody_is_runnable();
      world_->ask(model::ClaimTasks{.worker = worker, .queues = queues, .max = 0});
      reply = world_->take(to);
    }
    const auto* claimed = reply ? std::get_if<model::Claimed>(&*reply) : nullptr;
    ASSERT_NE(claimed, nullptr);
    for (const model::Assignment& task : claimed->tasks) {
      EXPECT_FALSE(full.contains(task.task.run)) << "explain named a limit that was not the reason";
      start(task, worker);
    }
  }

  void start(const model::Assignment& task, const std::string& worker) {
    const std::size_t which = runs_.at(task.task.run);
    running_.push_back({task, which, worker});
    const Kind& kind = kinds_[which];
    const auto sum = held();
    for (const auto& [name, amount] : kind.uses) {
      EXPECT_LE(sum.at(name), set_.contains(name) ? set_.at(name) : 0) << "limit " << name << " is exceeded";
    }
    for (const auto& [name, most] : kind.otherwise) EXPECT_LE(sum.at(name), most) << name;
    if (!kind.rate.empty()) starts_[kind.rate].push_back(world_->now());
  }

  model::Reason why(const RunId& run) {
    const auto reply = world_->ask(model::Explain{run, 0});
    const auto* answer = std::get_if<model::Explanation>(&reply);
    return answer == nullptr || answer->reasons.empty() ? model::Reason{} : answer->reasons[0];
  }

  std::vector<RunId> waiting() const {
    std::vector<RunId> list;
    for (const auto& [run, which] : runs_) {
      if (world_->status(run, "go") == model::TaskStatus::queued) list.push_back(run);
    }
    return list;
  }

  // Those that cannot start before something is given back.
  std::set<RunId> explained_as_full() {
    std::set<RunId> full;
    for (const RunId& run : waiting()) {
      const model::Reason reason = why(run);
      if (reason.code == "limit_small" ||
          (reason.code == "limit_full" && reason.message.find("stand before") == std::string::npos)) {
        full.insert(run);
      }
    }
    return full;
  }

  // A worker for all queues waits for tasks.
  void nobody_is_runnable() {
    for (const RunId& run : waiting()) {
      const std::string code = why(run).code;
      EXPECT_NE(code, "workers_busy") << run.text();
      EXPECT_NE(code, "no_worker") << run.text();
    }
  }

  void report() {
    if (running_.empty()) return;
    const auto at = static_cast<std::size_t>(random_.up_to(static_cast<std::int64_t>(running_.size()) - 1));
    const Running one = running_[at];
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(at));
    model::Outcome outcome;
    if (one_in(3)) {
      outcome.kind = model::Outcome::Kind::failed;
      outcome.failure.type = "exit";
    } else {
      outcome.kind = model::Outcome::Kind::completed;
      outcome.result = "null";
    }
    world_->report(one.task, std::move(outcome));
  }

  void set_limit(const std::string& name, std::uint32_t to) {
    if (set_.contains(name) && one_in(4)) {
      set_.erase(name);
      world_->ask(model::SetLimit{name, std::nullopt, ""});
      return;
    }
    set_[name] = to;
    world_->ask(model::SetLimit{name, to, ""});
  }

  void pause_or_resume() {
    if (runs_.empty()) return;
    auto at = runs_.begin();
    std::advance(at, random_.up_to(static_cast<std::int64_t>(runs_.size()) - 1));
    const model::PauseTarget target{model::BlockerKind::run_paused, at->first, ""};
    if (one_in(2)) {
      world_->ask(model::PauseCommand{target, ""});
    } else {
      world_->ask(model::ResumeCommand{target});
    }
  }

  void disturb() {
    if (one_in(3)) return world_->restart();
    if (one_in(2)) {  // a worker dies
      const std::string worker = "w" + std::to_string(random_.up_to(2));
      world_->ask(model::LoseWorker{worker});
      std::erase_if(running_, [&](const Running& one) { return one.worker == worker; });
      return;
    }
    if (runs_.empty()) return;
    auto at = runs_.begin();
    std::advance(at, random_.up_to(static_cast<std::int64_t>(runs_.size()) - 1));
    if (one_in(2)) {
      model::ChangeRun change{.run = at->first};
      change.priority = static_cast<std::uint8_t>(random_.up_to(9));
      world_->ask(change);
    } else if (std::ranges::none_of(running_,
                                    [&](const Running& one) { return one.task.task.run == at->first; })) {
      world_->cancel(at->first);
    }
  }

  // Workers give signs of life.
  void advance(Duration by) {
    for (const char* worker : {"w0", "w1", "w2"}) {
      model::Heartbeat beat{.worker = worker};
      for (const Running& one : running_) {
        if (one.worker == worker) beat.running.push_back(one.task.token);
      }
      world_->ask(beat);
    }
    world_->advance(by);
  }

  bool all_ended() const {
    return std::ranges::all_of(
        runs_, [&](const auto& run) { return model::is_terminal(world_->run(run.first).status); });
  }

  void finish() {
    for (const auto& [run, which] : runs_) {
      world_->ask(model::ResumeCommand{{model::BlockerKind::run_paused, run, ""}});
    }
    for (const std::string& limit : kLimits) {
      set_[limit] = 3;
      world_->ask(model::SetLimit{limit, 3, ""});
    }
    for (int i = 0; i < 3000 && !all_ended() && !::testing::Test::HasFailure(); ++i) {
      claim(kQueues, kMany);
      while (!running_.empty()) report();
      advance(Duration::millis(500));
    }
    EXPECT_TRUE(all_ended()) << "stuck";
  }

  static void check_rate(const RateOfTest& rule, const std::vector<ShardTime>& starts) {
    for (std::size_t first = 0; first < starts.size(); ++first) {
      std::size_t count = 0;
      for (std::size_t i = first; i < starts.size() && starts[i] < starts[first] + rule.per; ++i) ++count;
      EXPECT_LE(count, rule.limit + rule.burst - 1) << "a rate is exceeded";
    }
  }

  Random random_;
  std::unique_ptr<World> world_;
  std::vector<Kind> kinds_;
  std::map<std::string, RateOfTest> rates_;
  std::map<RunId, std::size_t> runs_;
  std::vector<Running> running_;  // the ledger
  std::map<std::string, std::uint32_t> set_;
  std::map<std::string, std::uint32_t> bounds_;  // of queues; 0 = none
  std::map<std::string, std::vector<ShardTime>> starts_;
};

class RandomFlow : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomFlow, NoLimitIsEverExceededAndNothingGetsStuck) {
  for (std::uint64_t i = 0; i < 3; ++i) {
    const std::uint64_t seed = GetParam() * 10 + i;
    SCOPED_TRACE("seed " + std::to_string(seed));
    Story(seed).tell();
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomFlow, ::testing::Range<std::uint64_t>(0, 4));

// A quiet tenant beside busy ones: at most one task of each of them starts before its own.
TEST(Fairness, AQuietTenantStartsAfterAtMostOneTaskOfEachOther) {
  constexpr std::size_t kBusy = 5;
  constexpr std::size_t kSlots = 4;
  WorldOptions options;
  options.check_memory = false;
  World world(options);
  Random random(Seed{7, 7});
  const auto tenant = [](const std::string& name) {
    return FlowBuilder(name).run("go").fair_key(name).done();
  };
  for (std::size_t i = 0; i < kBusy; ++i) {
    for (int n = 0; n < 300; ++n) world.submit(tenant("busy" + std::to_string(i)));
  }
  std::vector<model::Assignment> running = world.claim(kSlots);
  std::optional<RunId> quiet;
  std::size_t others = 0;
  int quiet_starts = 0;
  for (int turn = 0; turn < 400; ++turn) {
    if (!quiet && random.up_to(9) == 0) {
      quiet = world.submit(tenant("quiet"));
      others = 0;
    }
    const auto at = static_cast<std::size_t>(random.up_to(static_cast<std::int64_t>(running.size()) - 1));
    world.complete(running[at]);
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
    for (model::Assignment& next : world.claim(1)) {
      if (quiet && next.task.run == *quiet) {
        EXPECT_LE(others, kBusy);
        quiet.reset();
        ++quiet_starts;
      } else {
        ++others;
      }
      running.push_back(std::move(next));
    }
    EXPECT_LE(others, quiet ? kBusy : SIZE_MAX);
  }
  EXPECT_GT(quiet_starts, 20);
}

}  // namespace
}  // namespace baton::engine

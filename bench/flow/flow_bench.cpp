// What flow control costs the engine: one-step runs of many tenants without and with limits, rates and fair
// keys, side by side in one run. Engine alone: no store, no loop, no threads; what is measured is decide()
// and seal(), submissions and reports included.
//
//   flow_bench             10³ to 10⁵ waiting tasks, 5 rounds; microseconds per task, median
//   flow_bench --million   also 10⁶
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/decide.hpp"
#include "engine/effects.hpp"
#include "engine/load.hpp"
#include "engine/residency.hpp"
#include "engine/state.hpp"

namespace {

using namespace baton;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 5;
constexpr std::size_t kTenants = 100;
constexpr std::uint32_t kSlots = 64;
constexpr std::size_t kCommandsPerTurn = 1000;
constexpr std::size_t kCacheBytes = std::size_t{4} << 30;

std::shared_ptr<const model::Workflow> workflow(const std::string& name,
                                                std::shared_ptr<const model::FlowRules> flow) {
  auto made = std::make_shared<model::Workflow>();
  made->name = name;
  model::Step step;
  step.name = "go";
  step.action = "true";
  step.flow = std::move(flow);
  made->steps.push_back(std::move(step));
  made->hash = Hash256::of(name);
  return made;
}

enum class With { nothing, fair_key, limits, all, blocked };
const char* name(With with) {
  constexpr const char* kNames[] = {"nothing", "fair key", "3 limits", "all", "all, limits full"};
  return kNames[static_cast<int>(with)];
}

// One workflow per tenant, as constant keys or keys from the input would make them.
std::vector<std::shared_ptr<const model::Workflow>> tenants(With with) {
  std::vector<std::shared_ptr<const model::Workflow>> all;
  for (std::size_t i = 0; i < kTenants; ++i) {
    const std::string tenant = "tenant-" + std::to_string(i);
    model::FlowRules rules;
    if (with != With::nothing && with != With::limits) rules.flow.fair_key = tenant;
    if (with != With::nothing && with != With::fair_key) {
      const std::uint32_t own = with == With::blocked ? 1 : kSlots;
      const std::uint32_t shared = with == With::blocked ? kSlots / 2 : kSlots * 2;
      rules.flow.limits = {{"gpu", 1, shared}, {"licence", 1, kSlots * 2}, {tenant, 1, own}};
    }
    if (with == With::all || with == With::blocked) {
      rules.flow.rate = "api-" + std::to_string(i % 4);
      rules.rate = {1'000'000, Duration::seconds(1), 1'000'000};
    }
    std::shared_ptr<const model::FlowRules> flow;
    if (with != With::nothing) flow = std::make_shared<const model::FlowRules>(std::move(rules));
    all.push_back(workflow(tenant + name(with), std::move(flow)));
  }
  return all;
}

class Shard {
 public:
  Shard() : effects_(state_) {
    state_.settings.runs_in_memory = SIZE_MAX;  // there is no store that cold ones could come from
    state_.zones = std::make_shared<const calendar::ZoneTable>(calendar::ZoneTable::utc_only());
    state_.values = engine::ValueCache(kCacheBytes);
    decide(model::StartShard{});
  }

  void decide(model::CommandBody body) {
    engine::decide(state_, {.body = std::move(body), .reply_to = 1, .actor = "bench"}, moment(), effects_);
    if (++commands_ % kCommandsPerTurn == 0) work_off();
  }

  // Works off what is left and commits. What was handed out since the last time.
  std::vector<model::Assignment> turn() {
    work_off();
    return std::exchange(claimed_, {});
  }

 private:
  void work_off() {
    do {
      engine::decide(state_, {.body = model::Continue{}, .actor = "engine"}, moment(), effects_);
      if (effects_.rows() > 4000) seal();
    } while (!state_.work.empty());
    seal();
  }
  engine::Moment moment() {
    now_ = now_ + Duration{1};
    return {now_, {now_.us}, {static_cast<std::uint64_t>(now_.us), 1}};
  }
  void seal() {
    engine::Sealed sealed = effects_.seal(moment());
    for (model::Reply& reply : sealed.replies) {
      if (auto* claimed = std::get_if<model::Claimed>(&reply.body)) {
        std::ranges::move(claimed->tasks, std::back_inserter(claimed_));
      }
    }
    const JournalSequence durable = state_.sequence - 1;
    state_.values.committed(durable);
    engine::evict(state_, durable);
  }

  engine::State state_;
  engine::Effects effects_;
  ShardTime now_{1};
  std::uint64_t commands_ = 0;
  std::vector<model::Assignment> claimed_;
};

// Microseconds per task: all are submitted, then worked off by kSlots places that report in turn.
double measure(With with, std::size_t tasks) {
  const auto workflows = tenants(with);
  Shard shard;
  const auto start = Clock::now();
  // The first tenant has nearly everything, as a tenant with a backlog has.
  for (std::size_t i = 0; i < tasks; ++i) {
    shard.decide(model::SubmitRun{.workflow = workflows[i % 4 != 0 ? 0 : i / 4 % kTenants]});
  }
  shard.turn();
  std::deque<model::Assignment> running;
  std::size_t done = 0;
  while (done < tasks) {
    const auto free = static_cast<std::uint32_t>(kSlots - running.size());
    shard.decide(model::ClaimTasks{.worker = "w", .max = free, .wait = Duration::hours(1)});
    for (model::Assignment& task : shard.turn()) running.push_back(std::move(task));
    if (running.empty()) {
      std::fprintf(stderr, "nothing runs: %zu of %zu are done\n", done, tasks);
      std::exit(1);
    }
    for (std::size_t i = 0; i < kSlots / 2 && !running.empty(); ++i, ++done) {
      const model::Assignment task = std::move(running.front());
      running.pop_front();
      shard.decide(model::ReportAttempt{
          task.token, task.task, {.kind = model::Outcome::Kind::completed, .result = "null"}});
    }
  }
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count() / static_cast<double>(tasks);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::size_t> sizes = {1000, 10'000, 100'000};
  if (argc > 1 && std::strcmp(argv[1], "--million") == 0) sizes.push_back(1'000'000);
  constexpr With kAll[] = {With::nothing, With::fair_key, With::limits, With::all, With::blocked};
  std::printf("%-10s", "tasks");
  for (const With with : kAll) std::printf(" %18s", name(with));
  std::printf("   µs per task, median of %d\n", kRounds);
  for (const std::size_t size : sizes) {
    std::vector<std::vector<double>> times(std::size(kAll));
    // Interleaved: the machine's speed drifts.
    for (int round = 0; round < (size >= 1'000'000 ? 1 : kRounds); ++round) {
      for (std::size_t i = 0; i < std::size(kAll); ++i) times[i].push_back(measure(kAll[i], size));
    }
    std::printf("%-10zu", size);
    for (auto& values : times) std::printf(" %18.2f", median(values));
    std::printf("\n");
    std::fflush(stdout);
  }
  return 0;
}

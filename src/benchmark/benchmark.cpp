#include "benchmark/benchmark.hpp"

#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <thread>

#include "benchmark/floors.hpp"
#include "benchmark/server.hpp"
#include "benchmark/workloads.hpp"
#include "net/loop.hpp"

namespace baton::benchmark {
namespace {

constexpr int kWarmUp = 2000;
constexpr int kIdleMs = 1000;

double percentile(std::vector<Duration> values, double part) {
  std::ranges::sort(values);
  const auto at = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1));
  return static_cast<double>(values[at].us) / 1000;
}

class Measurement {
 public:
  explicit Measurement(const Options& options) : options_(options) {}

  Result<Report> run() {
    for (int round = 0; round < options_.rounds; ++round) {
      TRY_VOID(measure_cold_start(round));
    }
    TRY(Stack stack, start("main"));
    note("idle memory");
    ::poll(nullptr, 0, kIdleMs);
    idle_.values.push_back(static_cast<double>(stack.memory()) / (1 << 20));
    TRY_VOID(apply_workflows(stack.address()));
    note("warming up");
    TRY_VOID(independent(stack.address(), kWarmUp));
    TRY_VOID(singles(stack.address(), 100));
    for (int round = 0; round < options_.rounds; ++round) {
      note("round " + std::to_string(round + 1) + " of " + std::to_string(options_.rounds));
      TRY_VOID(measure_round(stack));
    }
    stack.stop();
    TRY_VOID(measure_kill());
    return Report{
        {append_, round_trip_, spawn_}, {rate_, cpu_, chain_, fan_, half_, most_, idle_, cold_}, kill_};
  }

 private:
  void note(std::string_view what) const {
    if (options_.note) options_.note(what);
  }

  Status goes_on() const {
    if (!options_.interrupted || !options_.interrupted()) return {};
    return fail(ErrorCode::interrupted, "interrupted");
  }

  Result<Stack> start(const std::string& name) {
    const std::string directory = options_.directory + "/" + name;
    ::mkdir(directory.c_str(), 0700);
    Stack stack(options_.program, directory);
    TRY_VOID(stack.start_server());
    TRY_VOID(stack.start_worker());
    return stack;
  }

  // From nothing at all: no directory, no process.
  Status measure_cold_start(int round) {
    TRY_VOID(goes_on());
    note("cold start");
    const std::string name = "cold-" + std::to_string(round);
    const net::MonoTime begun = net::Loop::now();
    TRY(Stack stack, start(name));
    Caller caller(stack.address());
    TRY(const std::string made,
        caller.post("/api/v1/runs", R"({"definition":"name: first\nsteps: {a: {task: bench.noop}}"})"));
    TRY(const boost::json::object run, parse_object(made));
    TRY_VOID(caller.get("/api/v1/runs/" + std::string(run.at("id").as_string()) + "/wait?timeout=60"));
    cold_.values.push_back(static_cast<double>((net::Loop::now() - begun).us) / 1000);
    stack.stop();
    std::error_code ignored;
    std::filesystem::remove_all(options_.directory + "/" + name, ignored);
    return {};
  }

  Status measure_round(Stack& stack) {
    TRY_VOID(goes_on());
    TRY(const double append, durable_append(options_.directory));
    TRY(const double round_trip, tcp_round_trip());
    TRY(const double spawned, spawn());
    append_.values.push_back(append);
    round_trip_.values.push_back(round_trip);
    spawn_.values.push_back(spawned);
    const Duration before = stack.cpu();
    TRY(const Duration all, independent(stack.address(), options_.tasks));
    rate_.values.push_back(options_.tasks / all.as_seconds());
    cpu_.values.push_back(static_cast<double>((stack.cpu() - before).us) / options_.tasks);
    TRY_VOID(goes_on());
    TRY(const Duration chained, chain(stack.address()));
    chain_.values.push_back(static_cast<double>(chained.us) / 1000 / kChain);
    TRY(const Duration fanned, fan(stack.address()));
    fan_.values.push_back(static_cast<double>(fanned.us) / 1000);
    TRY(const std::vector<Duration> each, singles(stack.address()));
    half_.values.push_back(percentile(each, 0.5));
    most_.values.push_back(percentile(each, 0.99));
    return {};
  }

  // The first workload on a server of its own, which is killed at some moment and started again.
  Status measure_kill() {
    TRY_VOID(goes_on());
    note("killing the server");
    TRY(Stack stack, start("kill"));
    TRY_VOID(apply_workflows(stack.address()));
    // Between a tenth and nine tenths of the time that it takes.
    const double expected = options_.tasks / rate_.median();
    const double part = 0.1 + 0.8 * static_cast<double>(options_.seed % 1000) / 1000;
    kill_.after = expected * part;
    std::set<std::string> ids;
    Result<Duration> took = Duration{};
    std::jthread client([&] {
      took = independent(stack.address(), options_.tasks, &ids, "k" + std::to_string(options_.seed));
    });
    ::poll(nullptr, 0, static_cast<int>(kill_.after * 1000));
    stack.kill_server();
    TRY_VOID(stack.start_server());
    client.join();
    if (!took) return fail(took.error());
    TRY(const Found found, look_for(stack.address(), ids));
    kill_.acknowledged = ids.size();
    kill_.runs = found.runs;
    kill_.lost = found.missing.size();
    kill_.seconds = took->as_seconds();
    stack.stop();
    if (kill_.lost == 0 && kill_.runs == static_cast<std::size_t>(options_.tasks)) return {};
    return fail(ErrorCode::internal, "after a kill there were " + std::to_string(found.runs) + " runs of " +
                                         std::to_string(options_.tasks) + ", and " +
                                         std::to_string(kill_.lost) +
                                         " acknowledged ones were missing or not completed");
  }

  const Options& options_;
  Series append_{"append", "4 KiB at a file's end, durable", "µs", {}, 0, false};
  Series round_trip_{"tcp", "64 bytes there and back by TCP", "µs", {}, 0, false};
  Series spawn_{"spawn", "start of a program that does nothing", "µs", {}, 0, false};
  Series rate_{"W1", "independent tasks, end to end", "tasks/s", {}, 50'000, true};
  Series cpu_{"W1 CPU", "CPU of server and worker per task", "µs", {}, 30, false};
  Series chain_{"W2", "40 steps in a row, per step", "ms", {}, 0.3, false};
  Series fan_{"W3", "1, then 1,000, then 1", "ms", {}, 40, false};
  Series half_{"W4 p50", "one task at a time, half of them within", "ms", {}, 0.4, false};
  Series most_{"W4 p99", "one task at a time, 99 % of them within", "ms", {}, 2, false};
  Series idle_{"W5 memory", "server and worker, idle", "MiB", {}, 20, false};
  Series cold_{"W5 start", "from nothing to the end of the first task", "ms", {}, 100, false};
  Kill kill_;
};

}  // namespace

double Series::lowest() const {
  return values.empty() ? 0 : *std::ranges::min_element(values);
}
double Series::highest() const {
  return values.empty() ? 0 : *std::ranges::max_element(values);
}
double Series::median() const {
  if (values.empty()) return 0;
  std::vector<double> sorted = values;
  std::ranges::sort(sorted);
  return sorted[sorted.size() / 2];
}
bool Series::reached() const {
  return goal == 0 || (more ? median() >= goal : median() <= goal);
}

Result<Report> measure(const Options& options) {
  return Measurement(options).run();
}

}  // namespace baton::benchmark

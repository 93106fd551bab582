// What the engine, the loop and the SQLite store cost together, without HTTP and without processes: tasks are no-ops
// that end the moment they are handed out, in this process. Every figure stands beside the floor of the same disk in the
// same run: a 4 KiB overwrite with fdatasync.
//
//   workflows_bench [DIRECTORY]     default: a temporary folder in the working directory; 5 rounds
//
// Prints min / median / max.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <future>
#include <latch>
#include <string>
#include <vector>

#include "embedded/loop_driver.hpp"
#include "net/loop.hpp"
#include "runtime/local_worker.hpp"
#include "spec/parse.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace {

using namespace baton;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 5;

double micros_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

void print(const char* name, std::vector<double> values, const char* unit) {
  std::ranges::sort(values);
  std::printf("%-44s %10.1f %10.1f %10.1f %s\n", name, values.front(), values[values.size() / 2], values.back(), unit);
}

class NoOpExecutor final : public executors::Executor {
 public:
  explicit NoOpExecutor(executors::Listener listener) : listener_(std::move(listener)) {}
  void start(executors::Attempt attempt) override { listener_.finished(attempt.token, {.result = "{}"}); }
  void stop(const Token&, executors::StopMode) override {}
  executors::Reattached reattach(const Token&) override { return executors::Reattached::gone; }
  void shutdown() override {}

 private:
  executors::Listener listener_;
};

std::shared_ptr<const model::Workflow> parse(const std::string& text) {
  auto parsed = spec::parse_workflow(text, {.file_name = "bench.yaml"});
  if (!parsed.workflow) {
    std::fprintf(stderr, "bench definition: %s\n", parsed.diagnostics.front().message.c_str());
    std::exit(1);
  }
  return parsed.workflow;
}

// One shard on SQLite with a worker of no-ops.
class Bench {
 public:
  Bench(const std::string& directory, std::uint32_t concurrency) {
    std::filesystem::create_directories(directory);
    writer_ = std::move(*store::open_sqlite_writer(directory + "/baton.db"));
    runtime::Surroundings world;
    world.parse_definition = [](const std::string& text) -> Result<std::shared_ptr<const model::Workflow>> {
      return parse(text);
    };
    world.zones = std::make_shared<const calendar::ZoneTable>(calendar::ZoneTable::utc_only());
    world.act = [this](const model::Action& action) {
      if (std::holds_alternative<model::RunEnded>(action) && --awaited_ == 0) done_.set_value();
    };
    world.fatal = [](const Error& error) {
      std::fprintf(stderr, "%s\n", error.message.c_str());
      std::exit(74);
    };
    world.log = [](std::string_view) {};
    driver_ = std::make_unique<embedded::LoopDriver>(loop_, *writer_, std::move(world), runtime::LoopOptions{});
    if (auto started = driver_->start(ShardId{0}); !started) std::exit(1);
    worker_ = std::make_shared<runtime::LocalWorker>(
        driver_->shard(), runtime::LocalWorkerOptions{.concurrency = concurrency, .later = [](auto, auto) {}});
    executor_ = std::make_unique<NoOpExecutor>(worker_->listener());
    loop_.start();
    driver_->begin();
    worker_->start(*executor_);
  }
  ~Bench() {
    loop_.invoke([this] { driver_->shard().close(); });
    writer_.reset();
    loop_.stop();
    loop_.join();
  }

  // Microseconds from the first submission to the end of the last run, durable.
  double run(const std::shared_ptr<const model::Workflow>& workflow, int count) {
    done_ = {};
    awaited_ = count;
    const auto start = Clock::now();
    for (int i = 0; i < count; ++i) {
      driver_->shard().send(model::SubmitRun{.workflow = workflow}, "bench", [](const model::ReplyBody&) {});
    }
    done_.get_future().wait();
    return micros_since(start);
  }

 private:
  net::Loop loop_;
  std::unique_ptr<store::Writer> writer_;
  std::unique_ptr<embedded::LoopDriver> driver_;
  std::shared_ptr<runtime::LocalWorker> worker_;
  std::unique_ptr<NoOpExecutor> executor_;
  std::promise<void> done_;
  std::atomic<int> awaited_ = 0;
};

double commit_floor(const std::string& directory) {
  const std::string path = directory + "/floor";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  std::vector<char> page(4096, 'x');
  for (int i = 0; i < 64; ++i) (void)!::pwrite(fd, page.data(), page.size(), i * 4096);
  ::fsync(fd);
  std::vector<double> times;
  for (int i = 0; i < 300; ++i) {
    const auto start = Clock::now();
    (void)!::pwrite(fd, page.data(), page.size(), (i % 64) * 4096);
    ::fdatasync(fd);
    times.push_back(micros_since(start));
  }
  ::close(fd);
  std::ranges::sort(times);
  return times[times.size() / 2];
}

std::string chain(int steps, const char* action) {
  std::string text = "name: chain\nsteps:\n";
  for (int i = 0; i < steps; ++i) {
    text += "  s" + std::to_string(i) + ":\n    " + action + "\n";
    if (i > 0) text += "    needs: [s" + std::to_string(i - 1) + "]\n";
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string root =
      argc > 1 ? argv[1] : std::filesystem::current_path().string() + "/bench-" + std::to_string(::getpid());
  std::filesystem::create_directories(root);
  const auto one = parse("name: one\nsteps:\n  a: {exec: [\"true\"]}\n");
  const auto chain40 = parse(chain(40, "exec: [\"true\"]"));
  const auto set40 = parse(chain(40, "set: {a: 1}"));
  std::string items = "[0";
  for (int i = 1; i < 1000; ++i) items += "," + std::to_string(i);
  const auto fan1000 = parse(
      "name: fan\nsteps:\n  start: {exec: [\"true\"]}\n  each:\n    needs: [start]\n    for_each: " + items +
      "]\n    exec: [\"true\"]\n  join: {needs: [each], exec: [\"true\"]}\n");

  std::vector<double> floors, lone, steps, sets, fans, bulk;
  for (int round = 0; round < kRounds; ++round) {
    const std::string directory = root + "/round" + std::to_string(round);
    std::filesystem::create_directories(directory);
    floors.push_back(commit_floor(directory));
    Bench bench(directory, 1000);
    bench.run(one, 200);  // warm
    std::vector<double> single;
    for (int i = 0; i < 500; ++i) single.push_back(bench.run(one, 1));
    std::ranges::sort(single);
    lone.push_back(single[single.size() / 2]);
    steps.push_back(bench.run(chain40, 1) / 40);
    sets.push_back(bench.run(set40, 1) / 40);
    fans.push_back(bench.run(fan1000, 1) / 1000);
    bulk.push_back(20'000 / bench.run(one, 20'000) * 1e6);
  }
  std::printf("%-44s %10s %10s %10s\n", "", "min", "median", "max");
  print("floor: 4 KiB overwrite + fdatasync", floors, "us");
  print("one task, submit to durable end", lone, "us");
  print("chain of 40 no-op steps, per step", steps, "us");
  print("chain of 40 set steps, per step", sets, "us");
  print("1 -> 1,000 -> 1", fans, "ms");
  print("20,000 one-step runs", bulk, "tasks/s");
  if (argc <= 1) std::filesystem::remove_all(root);
  return 0;
}

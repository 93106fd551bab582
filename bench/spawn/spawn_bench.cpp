// What running a task as a process costs above the process itself: `exec /bin/true` through the executor
// against a bare posix_spawn loop, one at a time and with twice as many at once as there are cores. The two
// are measured in turns in one run, because only their ratio means something; the goal is 0.8.
//
//   spawn_bench [tasks per round] [rounds]
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "executors/process/process_executor.hpp"
#include "executors/process/protocol.hpp"
#include "executors/process/spawner.hpp"

namespace {

using namespace baton;
using executors::Attempt;
using executors::process::ProcessExecutor;

constexpr const char* kProgram = "/bin/true";

void run_bare(int tasks, int concurrency) {
  std::atomic<int> left = tasks;
  const auto loop = [&left] {
    while (left.fetch_sub(1) > 0) {
      char* const argv[] = {const_cast<char*>(kProgram), nullptr};
      pid_t pid = -1;
      if (::posix_spawn(&pid, kProgram, nullptr, nullptr, argv, environ) == 0) ::waitpid(pid, nullptr, 0);
    }
  };
  if (concurrency == 1) return loop();
  std::vector<std::thread> threads;
  for (int i = 0; i < concurrency; ++i) threads.emplace_back(loop);
  for (std::thread& thread : threads) thread.join();
}

class Engine {
 public:
  explicit Engine(const std::string& directory) {
    executors::process::Options options;
    options.scratch = directory + "/scratch";
    options.logs = directory + "/logs";
    options.now = [] { return WallTime{}; };
    executors::Listener listener;
    listener.started = [](const Token&) {};
    listener.finished = [this](const Token&, const model::Outcome& outcome) {
      const std::lock_guard guard(mutex_);
      if (outcome.kind != model::Outcome::Kind::completed) ++failures_;
      --running_;
      changed_.notify_one();
    };
    auto created = ProcessExecutor::create(std::move(options), std::move(listener));
    if (!created) {
      std::fprintf(stderr, "%s\n", created.error().message.c_str());
      std::exit(1);
    }
    executor_ = std::move(*created);
  }

  void run(int tasks, int concurrency) {
    std::unique_lock guard(mutex_);
    for (int i = 0; i < tasks; ++i) {
      changed_.wait(guard, [&] { return running_ < concurrency; });
      ++running_;
      Attempt attempt;
      attempt.token = {1, ++sequence_};
      attempt.task = {run_, static_cast<Ordinal>(i)};
      attempt.log_path = "log";
      attempt.spec = R"({"argv":["/bin/true"],"env":{"PATH":"/usr/bin:/bin"}})";
      guard.unlock();
      executor_->start(std::move(attempt));
      guard.lock();
    }
    changed_.wait(guard, [&] { return running_ == 0; });
  }
  int failures() const { return failures_; }

 private:
  RunId run_ = RunId::make(RunKey::make(ShardId{0}, 1), WallTime{}, Seed{});
  std::mutex mutex_;
  std::condition_variable changed_;
  int running_ = 0;
  int failures_ = 0;
  std::uint64_t sequence_ = 0;
  std::unique_ptr<ProcessExecutor> executor_;
};

double per_second(int tasks, const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return tasks / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void compare(Engine& engine, int tasks, int rounds, int concurrency) {
  std::vector<double> bare;
  std::vector<double> through;
  std::vector<double> ratio;
  for (int round = 0; round < rounds; ++round) {
    bare.push_back(per_second(tasks, [&] { run_bare(tasks, concurrency); }));
    through.push_back(per_second(tasks, [&] { engine.run(tasks, concurrency); }));
    ratio.push_back(through.back() / bare.back());
  }
  std::printf("concurrency %2d: posix_spawn %6.0f/s, executor %6.0f/s, ratio %.2f\n", concurrency,
              median(bare), median(through), median(ratio));
}

int number(const char* text) {
  const std::string_view view(text);
  int value = 0;
  std::from_chars(view.data(), view.data() + view.size(), value);
  return std::max(value, 1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == executors::process::kSpawnerCommand)
    return executors::process::spawner_main(executors::process::protocol::kSocket);
  const int tasks = argc > 1 ? number(argv[1]) : 1000;
  const int rounds = argc > 2 ? number(argv[2]) : 7;
  std::string directory = "/tmp/baton-spawn-bench-XXXXXX";
  if (!::mkdtemp(directory.data())) return 1;
  int failures = 0;
  {
    Engine engine(directory);
    const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    for (const int concurrency : {1, 2 * cores}) compare(engine, tasks, rounds, concurrency);
    failures = engine.failures();
  }
  std::filesystem::remove_all(directory);
  if (failures > 0) std::printf("%d tasks failed\n", failures);
  return failures > 0 ? 1 : 0;
}

// What the engine, the loop and the SQLite store cost together, without HTTP and without processes: tasks are
// no-ops that end the moment they are handed out, in this process. Every figure stands beside the floor of
// the same disk in the same run: a 4 KiB overwrite with fdatasync.
//
//   workflows_bench            5 rounds; prints min / median / max
//   workflows_bench --scale    large runs instead: seconds, and the growth of resident memory per task
//   workflows_bench --backlog [N]
//                              N (default 1,000,000) queued one-step runs with inputs of 100 bytes: memory of
//                              the owner with the page cache of its database, then the owner is killed and
//                              another one takes the shard: seconds until it is ready, and until all of
//                              them are worked off
//   workflows_bench --prune [N]
//                              N (default 100,000) ended one-step runs are removed while others run: how long
//                              a command waits at most, with and without that, and the size of the file
//
// Works in a temporary folder beneath the working directory.
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <latch>
#include <string>
#include <thread>
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
  std::printf("%-44s %10.1f %10.1f %10.1f %s\n", name, values.front(), values[values.size() / 2],
              values.back(), unit);
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

// Resident memory of this process in KiB, after giving free memory back.
double resident_kib() {
  ::malloc_trim(0);
  long pages = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    (void)!std::fscanf(file, "%*d %ld", &pages);
    std::fclose(file);
  }
  return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1024;
}

// One shard on SQLite with a worker of no-ops, which starts at once unless `concurrency` is 0.
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
      if (std::holds_alternative<model::RunEnded>(action) && --awaited_ == 0) {
        if (watch_memory_) peak_kib_ = resident_kib();
        done_.set_value();
      }
    };
    world.fatal = [](const Error& error) {
      std::fprintf(stderr, "%s\n", error.message.c_str());
      std::exit(74);
    };
    world.log = [](std::string_view) {};
    driver_ =
        std::make_unique<embedded::LoopDriver>(loop_, *writer_, std::move(world), runtime::LoopOptions{});
    if (auto started = driver_->start(ShardId{0}); !started) std::exit(1);
    worker_ = std::make_shared<runtime::LocalWorker>(
        driver_->shard(),
        runtime::LocalWorkerOptions{.concurrency = concurrency > 0 ? concurrency : 1000,
                                    .later = [this](Duration delay, std::function<void()> task) {
                                      loop_.post([this, delay, task = std::move(task)]() mutable {
                                        auto timer = std::make_shared<net::Timer>();
                                        *timer = loop_.call_after(
                                            delay, [timer, task = std::move(task)] { task(); });
                                      });
                                    }});
    executor_ = std::make_unique<NoOpExecutor>(worker_->listener());
    loop_.start();
    driver_->begin();
    if (concurrency > 0) start_worker();
  }
  void start_worker() { worker_->start({*executor_, *executor_}); }
  ~Bench() {
    loop_.invoke([this] { driver_->close(); });
    writer_.reset();
    loop_.stop();
    loop_.join();
  }

  // Resident memory when the last run had ended, before its state was given up.
  double peak_kib() const { return peak_kib_; }
  runtime::Handle& shard() { return driver_->shard(); }

  // Microseconds until this many runs that are there already have ended, durable.
  double drain(int count) {
    done_ = {};
    awaited_ = count;
    const auto start = Clock::now();
    loop_.invoke([this] { start_worker(); });
    done_.get_future().wait();
    return micros_since(start);
  }
  // Waits until the store has nothing left to clear away.
  void settle() { (void)writer_->probe(); }
  void watch_memory() { watch_memory_ = true; }

  // Microseconds from the first submission to the end of the last run, durable.
  double run(const std::shared_ptr<const model::Workflow>& workflow, int count,
             const std::string& input = "{}") {
    done_ = {};
    awaited_ = count;
    const auto start = Clock::now();
    for (int i = 0; i < count; ++i) {
      driver_->shard().send(model::SubmitRun{.workflow = workflow, .input = input}, "bench",
                            [](const model::ReplyBody&) {});
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
  bool watch_memory_ = false;
  double peak_kib_ = 0;
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

std::string layered(int layers, int width) {
  std::string text = "name: layered\nsteps:\n";
  for (int layer = 0; layer < layers; ++layer) {
    for (int i = 0; i < width; ++i) {
      const std::string id = std::to_string(layer) + "-" + std::to_string(i);
      text += "  s" + id + ":\n    set: {a: " + std::to_string(i) + "}\n";
      if (layer > 0) {
        text += "    needs: [s" + std::to_string(layer - 1) + "-" + std::to_string(i) + ", s" +
                std::to_string(layer - 1) + "-" + std::to_string((i + 1) % width) + "]\n";
      }
    }
  }
  return text;
}

std::string fan_out(int items, const char* action) {
  std::string text =
      "name: fan\nsteps:\n  start: {exec: [\"true\"]}\n  each:\n    needs: [start]\n    for_each: [0";
  for (int i = 1; i < items; ++i) text += "," + std::to_string(i);
  return text + "]\n    " + action + "\n  join: {needs: [each], exec: [\"true\"]}\n";
}

void scale(const std::string& root) {
  struct Shape {
    const char* name;
    int tasks;
    std::function<std::string(int)> text;
  };
  const Shape shapes[] = {
      {"chain of set steps", 10'000, [](int n) { return chain(n, "set: {a: 1}"); }},
      {"chain of no-op steps", 1'000, [](int n) { return chain(n, "exec: [\"true\"]"); }},
      {"chain of no-op steps", 10'000, [](int n) { return chain(n, "exec: [\"true\"]"); }},
      {"layers of 100 set steps", 10'000, [](int n) { return layered(n / 100, 100); }},
      {"layers of 100 set steps", 100'000, [](int n) { return layered(n / 100, 100); }},
      {"fan-out of no-op items", 10'000, [](int n) { return fan_out(n, "exec: [\"true\"]"); }},
      {"fan-out of no-op items", 100'000, [](int n) { return fan_out(n, "exec: [\"true\"]"); }},
      {"fan-out of no-op items", 249'990, [](int n) { return fan_out(n, "exec: [\"true\"]"); }},
  };
  std::printf("%-28s %8s %9s %9s %14s\n", "", "tasks", "parse s", "run s", "KiB/task (RSS)");
  int number = 0;
  for (const Shape& shape : shapes) {
    const std::string directory = root + "/scale" + std::to_string(number++);
    Bench bench(directory, 1000);
    bench.watch_memory();
    const std::string text = shape.text(shape.tasks);
    const double before = resident_kib();
    auto start = Clock::now();
    const auto workflow = parse(text);
    const double parsing = micros_since(start) / 1e6;
    const double running = bench.run(workflow, 1) / 1e6;
    std::printf("%-28s %8d %9.2f %9.2f %14.2f\n", shape.name, shape.tasks, parsing, running,
                (bench.peak_kib() - before) / shape.tasks);
  }
}

// Bytes of a file that stand in the page cache.
double cached_kib(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const auto size = static_cast<std::size_t>(::lseek(fd, 0, SEEK_END));
  double kib = 0;
  if (size > 0) {
    void* map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    std::vector<unsigned char> pages((size + 4095) / 4096);
    if (map != MAP_FAILED && ::mincore(map, size, pages.data()) == 0) {
      for (const unsigned char page : pages) kib += (page & 1) != 0 ? 4 : 0;
      ::munmap(map, size);
    }
  }
  ::close(fd);
  return kib;
}

double pss_kib() {
  double kib = 0;
  if (FILE* file = std::fopen("/proc/self/smaps_rollup", "r")) {
    char line[256];
    while (std::fgets(line, sizeof line, file) != nullptr) {
      if (std::sscanf(line, "Pss: %lf", &kib) == 1) break;
    }
    std::fclose(file);
  }
  return kib;
}

void print_memory(const char* what, double seconds, int count, const std::string& directory) {
  const double own = pss_kib();
  const double cached = cached_kib(directory + "/baton.db") + cached_kib(directory + "/baton.db-wal");
  std::printf("%-36s %8.2f s %9.1f MiB own %9.1f MiB page cache %9.0f bytes/run\n", what, seconds, own / 1024,
              cached / 1024, (own + cached) * 1024 / count);
  std::fflush(stdout);
}

// Each owner is a process of its own, and dies by SIGKILL.
void in_a_process(const std::function<void()>& work) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::raise(SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
}

void backlog(const std::string& root, int count) {
  const std::string directory = root + "/backlog";
  in_a_process([&] {
    const auto one = parse("name: one\ninputs: {note: {type: string}}\nsteps:\n  a: {exec: [\"true\"]}\n");
    const std::string input = R"({"note":")" + std::string(89, 'x') + R"("})";
    Bench bench(directory, 0);
    const auto start = Clock::now();
    constexpr int kAtOnce = 10'000;
    for (int sent = 0; sent < count; sent += kAtOnce) {
      std::latch answered(std::min(kAtOnce, count - sent));
      for (int i = sent; i < std::min(sent + kAtOnce, count); ++i) {
        bench.shard().send(model::SubmitRun{.workflow = one, .input = input}, "bench",
                           [&](const model::ReplyBody&) { answered.count_down(); });
      }
      answered.wait();
    }
    const double seconds = micros_since(start) / 1e6;
    ::malloc_trim(0);
    print_memory("submitted and queued", seconds, count, directory);
  });
  in_a_process([&] {
    const auto start = Clock::now();
    Bench bench(directory, 0);
    const double seconds = micros_since(start) / 1e6;
    print_memory("reloaded by the next owner", seconds, count, directory);
    const double drained = bench.drain(count);
    std::printf("%-36s %8.2f s %9.2f us/run\n", "worked off, no-op tasks", drained / 1e6, drained / count);
    std::fflush(stdout);
  });
}

struct Waits {
  double longest_ms = 0;
  double p99_ms = 0;
  int runs = 0;
};

// Others run, one after the other, until `over`; beside them a question each millisecond asks how long the
// loop takes to answer.
Waits watch(Bench& bench, const std::shared_ptr<const model::Workflow>& one,
            const std::function<bool()>& over) {
  std::atomic<bool> stop = false;
  Waits waits;
  std::thread runner([&] {
    while (!stop) {
      bench.run(one, 100);
      waits.runs += 100;
    }
  });
  std::vector<double> answers;
  while (!over()) {
    const auto start = Clock::now();
    (void)bench.shard().call(model::Explain{}, "bench");
    answers.push_back(micros_since(start) / 1000);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  stop = true;
  runner.join();
  std::ranges::sort(answers);
  waits.longest_ms = answers.back();
  waits.p99_ms = answers[answers.size() * 99 / 100];
  return waits;
}

void prune(const std::string& root, int count) {
  const std::string directory = root + "/prune";
  const auto one = parse("name: one\ninputs: {note: {type: string}}\nsteps:\n  a: {exec: [\"true\"]}\n");
  {
    Bench bench(directory, 1000);
    const std::string input = R"({"note":")" + std::string(89, 'x') + R"("})";
    for (int made = 0; made < count; made += 10'000) bench.run(one, 10'000, input);
  }
  const auto size = [&] {
    return static_cast<double>(std::filesystem::file_size(directory + "/baton.db")) / (1 << 20);
  };
  Waits quiet;
  {
    Bench bench(directory + "/quiet", 1000);  // beside it, so that only what is measured is in the file
    const auto until = Clock::now() + std::chrono::seconds(5);
    quiet = watch(bench, one, [&] { return Clock::now() > until; });
  }
  const double before = size();
  {
    Bench bench(directory, 1000);
    std::atomic<bool> done = false;
    double seconds = 0;
    int removed = 0;
    std::thread remover([&] {
      const auto reader = std::move(*store::open_sqlite_reader(directory + "/baton.db"));
      const auto start = Clock::now();
      const RunKey end = RunKey::make(ShardId{0}, count + 1);
      for (std::optional<RunKey> cursor = end; cursor;) {
        const auto page = *reader->list_runs({}, cursor, 500);
        model::RemoveRuns command;
        for (const model::RunRow& row : page.rows) command.runs.push_back(row.id);
        cursor = page.next;
        if (page.rows.empty()) continue;
        const auto reply = bench.shard().call(std::move(command), "bench");
        removed += static_cast<int>(std::get<model::RunsRemoved>(reply).removed);
      }
      seconds = micros_since(start) / 1e6;
      done = true;
    });
    const Waits busy = watch(bench, one, [&] { return done.load(); });
    remover.join();
    std::printf("%d of %d runs removed in %.2f s while %d others ran\n", removed, count, seconds, busy.runs);
    std::printf("%-28s %10s %10s\n", "a command waits, ms", "99 %", "longest");
    std::printf("%-28s %10.2f %10.2f\n", "nothing is removed", quiet.p99_ms, quiet.longest_ms);
    std::printf("%-28s %10.2f %10.2f\n", "while runs are removed", busy.p99_ms, busy.longest_ms);
    const auto start = Clock::now();
    bench.settle();
    std::printf("cleared away %.2f s later\n", micros_since(start) / 1e6);
  }
  std::printf("file: %.1f MiB before, %.1f MiB after\n", before, size());
}

int main_of(int argc, char** argv, const std::string& root) {
  if (argc > 1 && std::strcmp(argv[1], "--scale") == 0) {
    scale(root);
    return 0;
  }
  if (argc > 1 && std::strcmp(argv[1], "--backlog") == 0) {
    backlog(root, argc > 2 ? std::atoi(argv[2]) : 1'000'000);
    return 0;
  }
  if (argc > 1 && std::strcmp(argv[1], "--prune") == 0) {
    prune(root, argc > 2 ? std::atoi(argv[2]) : 100'000);
    return 0;
  }
  const auto one = parse("name: one\nsteps:\n  a: {exec: [\"true\"]}\n");
  const auto limited = parse(
      "name: limited\nsteps:\n  a:\n    exec: [\"true\"]\n    fair_key: tenant\n"
      "    concurrency: [{key: api, limit: 2000}, {key: tenant, limit: 2000}]\n"
      "    rate_limit: {limit: 1000000, burst: 1000000}\n");
  const auto chain40 = parse(chain(40, "exec: [\"true\"]"));
  const auto set40 = parse(chain(40, "set: {a: 1}"));
  const auto fan1000 = parse(fan_out(1000, "exec: [\"true\"]"));
  std::vector<double> floors, lone, steps, sets, fans, bulk, held;
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
    // The disk's and the cache's state favour neither.
    for (const bool first : {round % 2 == 0, round % 2 != 0}) {
      (first ? bulk : held).push_back(20'000 / bench.run(first ? one : limited, 20'000) * 1e6);
    }
  }
  std::printf("%-44s %10s %10s %10s\n", "", "min", "median", "max");
  print("floor: 4 KiB overwrite + fdatasync", floors, "us");
  print("one task, submit to durable end", lone, "us");
  print("chain of 40 no-op steps, per step", steps, "us");
  print("chain of 40 set steps, per step", sets, "us");
  print("1 -> 1,000 -> 1", fans, "ms");
  print("20,000 one-step runs", bulk, "tasks/s");
  print("the same with 2 limits, rate and fair key", held, "tasks/s");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string root = std::filesystem::current_path().string() + "/bench-" + std::to_string(::getpid());
  std::filesystem::create_directories(root);
  const int code = main_of(argc, argv, root);
  std::filesystem::remove_all(root);
  return code;
}

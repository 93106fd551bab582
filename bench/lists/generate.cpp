// A data directory with many runs, through the store's own writer. Usage: lists_generate FOLDER RUNS
//
// One-step runs of 50 workflows, made in the last ten days in an order that repeats: the n-th workflow has
// about 1/n of them; of 1,000 runs 930 are completed, 50 failed, 19 cancelled, 1 is pending. Besides, each
// 100th run is of the workflow `broken`, which always fails. Each tenth run has a job id, and each of those
// has ten runs.
#include <fmt/core.h>
#include <sys/stat.h>
#include <time.h>

#include <charconv>
#include <cstdlib>
#include <future>
#include <random>
#include <string>

#include "spec/parse.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace baton::store {
namespace {

using model::RunStatus;
using model::TaskStatus;

constexpr ShardId kShard{0};
constexpr std::int64_t kWorkflows = 50;
constexpr std::int64_t kPerCommit = 1000;
constexpr Duration kSpan = Duration::hours(10 * 24);

[[noreturn]] void die(const std::string& message) {
  fmt::print(stderr, "lists_generate: {}\n", message);
  std::exit(1);
}

template <typename T>
T must(Result<T> result) {
  if (!result) die(result.error().message);
  return std::move(*result);
}

struct Kind {
  std::string name;
  Hash256 hash;
  std::string canonical;
};

Kind kind_of(const std::string& name) {
  const spec::ParseResult parsed =
      spec::parse_workflow(R"({"name":")" + name + R"(","steps":{"go":{"run":"true"}}})");
  if (!parsed.workflow) die("the definition is refused");
  return {name, parsed.workflow->hash, parsed.workflow->canonical};
}

std::vector<Kind> kinds() {
  std::vector<Kind> all;
  for (std::int64_t i = 1; i <= kWorkflows; ++i) all.push_back(kind_of("etl-" + std::to_string(i)));
  all.push_back(kind_of("broken"));
  return all;
}

class Generator {
 public:
  Generator(std::int64_t runs, WallTime now) : runs_(runs), begin_(now - kSpan) {
    std::vector<double> weights;
    for (std::int64_t i = 1; i <= kWorkflows; ++i) weights.push_back(1.0 / static_cast<double>(i));
    popular_ = std::discrete_distribution<std::size_t>(weights.begin(), weights.end());
  }

  model::Batch batch(std::int64_t first) {
    model::Batch batch;
    batch.shard = kShard;
    if (first == 1) {
      for (const Kind& kind : kinds_)
        batch.definitions.push_back(
            {kind.name, 1, kind.hash, std::make_shared<const std::string>(kind.canonical), begin_});
    }
    const std::int64_t end = std::min(first + kPerCommit, runs_ + 1);
    batch.last_run = end - 1;
    for (std::int64_t i = first; i < end; ++i) add(batch, i);
    return batch;
  }

 private:
  void add(model::Batch& batch, std::int64_t number) {
    const bool broken = number % 100 == 0;
    const Kind& kind = broken ? kinds_.back() : kinds_[popular_(random_)];
    const std::int64_t luck = static_cast<std::int64_t>(random_() % 1000);
    const RunStatus status = broken || luck < 50 ? RunStatus::failed
                             : luck < 69         ? RunStatus::cancelled
                             : luck < 70         ? RunStatus::pending
                                                 : RunStatus::completed;
    model::RunRow run;
    run.key = RunKey::make(kShard, number);
    run.created_at = begin_ + Duration{kSpan.us / runs_ * number};
    run.id = RunId::make(run.key, run.created_at, {static_cast<std::uint64_t>(number), 1});
    run.status = status;
    run.workflow = kind.name;
    run.definition = kind.hash;
    if (number % 10 == 3) run.job_id = "job-" + std::to_string(number / 100);
    run.counts.total = 1;
    run.next_ordinal = 1;
    model::TaskRow task;
    task.key = {run.key, 0};
    task.ready_at = run.created_at;
    task.status = TaskStatus::queued;
    model::RunFacts facts{run.key, 0, "submit", "key:bench", {}};
    facts.facts.push_back(
        {.kind = model::FactKind::run_submitted, .at = run.created_at, .number = 1, .text = kind.name});
    if (status != RunStatus::pending) {
      run.started_at = run.created_at;
      run.ended_at = run.created_at + Duration::seconds(1);
      run.outcome = status;
      run.progress = 100;
      task.status = status == RunStatus::completed ? TaskStatus::completed
                    : status == RunStatus::failed  ? TaskStatus::failed
                                                   : TaskStatus::cancelled;
      if (status == RunStatus::completed) run.counts.completed = 1;
      if (status == RunStatus::failed) run.counts.failed = 1;
      if (status == RunStatus::cancelled) run.counts.cancelled = 1;
      if (status == RunStatus::failed) {
        run.error_type = "exit";
        run.error_message = "step go: exited with code 1";
      }
      task.started_at = run.created_at;
      task.ended_at = run.ended_at;
      task.attempts = 1;
      task.token = {1, static_cast<std::uint64_t>(number)};
      task.worker = "local";
      facts.facts.push_back({.kind = model::FactKind::run_ended, .at = run.ended_at});
    }
    batch.runs.push_back({std::move(run), true, kInput, nullptr});
    batch.tasks.push_back({std::move(task), true, nullptr, nullptr});
    batch.facts.push_back(std::move(facts));
  }

  const model::Text kInput =
      std::make_shared<const std::string>(R"({"day":"2026-11-21","source":"s3://bucket/x"})");
  const std::vector<Kind> kinds_ = kinds();
  const std::int64_t runs_;
  const WallTime begin_;
  std::mt19937_64 random_{1};
  std::discrete_distribution<std::size_t> popular_;
};

int generate(const std::string& folder, std::int64_t runs) {
  if (::mkdir(folder.c_str(), 0700) != 0) die("cannot make " + folder + "; it must not be there yet");
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  Generator generator(runs, WallTime{now.tv_sec * 1'000'000});
  auto writer = must(open_sqlite_writer(folder + "/baton.db"));
  ShardMeta meta = must(writer->open_shard(kShard));
  for (std::int64_t first = 1; first <= runs; first += kPerCommit) {
    model::Batch batch = generator.batch(first);
    batch.incarnation = meta.incarnation;
    batch.sequence = ++meta.sequence;
    for (model::RunChange& run : batch.runs) run.row.journal_head = batch.sequence;
    std::promise<CommitDone> promise;
    auto committed = promise.get_future();
    writer->begin_commit(std::move(batch), [&](CommitDone done) { promise.set_value(std::move(done)); });
    if (const CommitDone done = committed.get(); done.result != CommitResult::committed)
      die(done.error.message);
    if (first / kPerCommit % 100 == 0) writer->idle();
  }
  return 0;
}

}  // namespace
}  // namespace baton::store

int main(int argc, char** argv) {
  std::int64_t runs = 0;
  const std::string_view text = argc == 3 ? argv[2] : "";
  const auto read = std::from_chars(text.data(), text.data() + text.size(), runs);
  if (text.empty() || read.ptr != text.data() + text.size() || runs < 1 || runs > 100'000'000)
    baton::store::die("usage: lists_generate FOLDER RUNS");
  return baton::store::generate(argv[1], runs);
}

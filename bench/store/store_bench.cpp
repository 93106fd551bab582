// What the SQLite store costs. Usage: store_bench FOLDER [ROUNDS] [STORED]
//
// FOLDER must be on the disk that counts (not in memory). The variants take turns, ROUNDS times (default 5);
// the table shows medians, because the speed of a machine drifts more than the variants differ. With STORED
// (a number of runs), it also measures loading and listing over that many.
//
//   store   one-step runs through the store: submit, claim, complete, each in a batch of B runs
//   floor   the same rows in bare SQLite: one row a run, a journal blob a commit, no index, no checksums
//   disk    overwriting and syncing as many bytes as the store wrote to its log, without any database
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "store/sqlite/sqlite_store.hpp"

namespace baton::store {
namespace {

using model::Batch;
using model::RunStatus;
using model::TaskStatus;

constexpr ShardId kShard{0};

double seconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Wall and CPU time of this thread, in microseconds, and each commit's wall time.
struct Cost {
  double wall = 0;
  double cpu = 0;
  std::vector<double> commits;

  template <typename Body>
  void measure(Body&& body) {
    const double wall_before = seconds_of(CLOCK_MONOTONIC);
    const double cpu_before = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    body();
    const double took = (seconds_of(CLOCK_MONOTONIC) - wall_before) * 1e6;
    wall += took;
    cpu += (seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu_before) * 1e6;
    commits.push_back(took);
  }
};

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(q * static_cast<double>(values.size())))];
}

[[noreturn]] void die(const std::string& message) {
  fmt::print(stderr, "store_bench: {}\n", message);
  std::exit(1);
}

template <typename T>
T must(Result<T> result) {
  if (!result) die(result.error().message);
  return std::move(*result);
}

const WallTime kNow{1'763'689'560'000'000};

model::RunRow run_row(std::int64_t sequence, RunStatus status, JournalSequence head) {
  model::RunRow row;
  row.key = RunKey::make(kShard, sequence);
  row.created_at = {kNow.us + sequence};
  row.id = RunId::make(row.key, row.created_at, {static_cast<std::uint64_t>(sequence), 1});
  row.status = status;
  row.workflow = "resize-image";
  row.definition = Hash256::of("resize-image");
  row.journal_head = head;
  row.counts.total = 1;
  row.next_ordinal = 1;
  if (status != RunStatus::pending) row.started_at = kNow;
  if (status == RunStatus::completed) {
    row.ended_at = kNow;
    row.counts.completed = 1;
    row.progress = 100;
  }
  return row;
}

model::TaskRow task_row(std::int64_t sequence, TaskStatus status) {
  model::TaskRow row;
  row.key = {RunKey::make(kShard, sequence), 0};
  row.status = status;
  row.ready_at = kNow;
  if (status != TaskStatus::queued) {
    row.started_at = kNow;
    row.attempts = 1;
    row.token = {3, static_cast<std::uint64_t>(sequence)};
    row.worker = "worker-7.example";
    row.history.push_back({1, row.token, row.worker, kNow, {}, model::AttemptEnd::running, "", ""});
  }
  if (status == TaskStatus::completed) {
    row.ended_at = kNow;
    row.has_result = true;
    row.history[0].end = model::AttemptEnd::completed;
    row.history[0].ended_at = kNow;
  }
  return row;
}

const model::Text kInput = std::make_shared<const std::string>(
    R"({"image": "s3://bucket/photos/2026/11/21/000123.jpg", "width": 1280})");
const model::Text kContext = std::make_shared<const std::string>(R"({"metadata":{"customer":"c-4711"}})");
const model::Text kResult =
    std::make_shared<const std::string>(R"({"url": "s3://bucket/small/000123.jpg", "bytes": 83211})");

enum class Step { submit, claim, complete };

// The batch that takes runs [first, first + count) through one step of their life.
Batch batch_of(ShardMeta& meta, Step step, std::int64_t first, std::int64_t count, JournalSequence previous) {
  Batch batch;
  batch.shard = kShard;
  batch.incarnation = meta.incarnation;
  batch.sequence = ++meta.sequence;
  batch.last_run = first + count;
  const JournalSequence head = batch.sequence;
  for (std::int64_t i = first; i < first + count; ++i) {
    const RunKey key = RunKey::make(kShard, i);
    model::RunFacts facts{key, previous, "", "worker:7", {}};
    if (step == Step::submit) {
      facts.cause = "submit";
      batch.runs.push_back({run_row(i, RunStatus::pending, head), true, kInput, kContext});
      batch.tasks.push_back({task_row(i, TaskStatus::queued), true, nullptr, nullptr});
      facts.facts.push_back(
          {.kind = model::FactKind::run_submitted, .at = kNow, .number = 1, .text = "resize-image"});
      facts.facts.push_back({.kind = model::FactKind::task_queued, .at = kNow, .number = 5});
    } else if (step == Step::claim) {
      facts.cause = "claim";
      batch.runs.push_back({run_row(i, RunStatus::running, head), false, nullptr, nullptr});
      batch.tasks.push_back({task_row(i, TaskStatus::running), false, nullptr, nullptr});
      facts.facts.push_back({.kind = model::FactKind::run_started, .at = kNow});
      facts.facts.push_back(
          {.kind = model::FactKind::attempt_started, .at = kNow, .attempt = 1, .text = "worker-7.example"});
    } else {
      facts.cause = "report";
      batch.runs.push_back({run_row(i, RunStatus::completed, head), false, nullptr, nullptr});
      batch.tasks.push_back({task_row(i, TaskStatus::completed), false, nullptr, kResult});
      facts.facts.push_back(
          {.kind = model::FactKind::attempt_ended, .at = kNow, .attempt = 1, .text = "completed"});
      facts.facts.push_back({.kind = model::FactKind::task_ended, .at = kNow, .status = 4});
      facts.facts.push_back({.kind = model::FactKind::run_ended, .at = kNow, .status = 5});
    }
    batch.facts.push_back(std::move(facts));
  }
  return batch;
}

void commit(Writer& writer, Batch batch) {
  std::promise<CommitDone> promise;
  auto future = promise.get_future();
  writer.begin_commit(std::move(batch), [&](CommitDone done) { promise.set_value(std::move(done)); });
  const CommitDone done = future.get();
  if (done.result != CommitResult::committed) die(done.error.message);
}

std::string fresh(const std::string& folder, const char* name) {
  const std::string path = folder + "/" + name;
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  return path;
}

Cost run_store(const std::string& folder, std::int64_t runs, std::int64_t per_commit) {
  SqliteOptions options;
  options.inline_rows = SIZE_MAX;  // on this thread, so that its CPU time is the store's
  auto writer = must(open_sqlite_writer(fresh(folder, "store.db"), options));
  ShardMeta meta = must(writer->open_shard(kShard));
  writer->idle();  // lengthens the log
  Cost cost;
  for (std::int64_t first = 1; first <= runs; first += per_commit) {
    JournalSequence previous = 0;
    for (const Step step : {Step::submit, Step::claim, Step::complete}) {
      Batch batch = batch_of(meta, step, first, per_commit, previous);
      previous = batch.sequence;
      cost.measure([&] { commit(*writer, std::move(batch)); });
    }
  }
  return cost;
}

Cost run_floor(const std::string& folder, std::int64_t runs, std::int64_t per_commit) {
  SQLite::Database database(fresh(folder, "floor.db"),
                            SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX);
  for (const char* sql : {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
                          "PRAGMA wal_autocheckpoint = 0", "PRAGMA cache_size = -16384"}) {
    SQLite::Statement(database, sql).executeStep();
  }
  database.exec("CREATE TABLE run(key INTEGER PRIMARY KEY, state BLOB, input TEXT, result TEXT) STRICT");
  database.exec("CREATE TABLE journal(key INTEGER PRIMARY KEY, entry BLOB) STRICT");
  SQLite::Statement begin(database, "BEGIN IMMEDIATE");
  SQLite::Statement end(database, "COMMIT");
  SQLite::Statement insert(database, "INSERT INTO run VALUES(?1, ?2, ?3, NULL)");
  SQLite::Statement update(database, "UPDATE run SET state = ?2 WHERE key = ?1");
  SQLite::Statement complete(database, "UPDATE run SET state = ?2, result = ?3 WHERE key = ?1");
  SQLite::Statement journal(database, "INSERT INTO journal VALUES(?1, ?2)");
  const auto run = [](SQLite::Statement& statement) {
    statement.executeStep();
    statement.reset();
  };
  // As many bytes as the store's rows have.
  const std::string submitted(90, 's');
  const std::string claimed(160, 'c');
  const std::string completed(185, 'e');
  const std::string entry(static_cast<std::size_t>(per_commit) * 75, 'j');
  const std::string input = *kInput + *kContext;
  std::int64_t sequence = 0;
  Cost cost;
  for (std::int64_t first = 1; first <= runs; first += per_commit) {
    for (const Step step : {Step::submit, Step::claim, Step::complete}) {
      cost.measure([&] {
        run(begin);
        SQLite::Statement& statement = step == Step::submit  ? insert
                                       : step == Step::claim ? update
                                                             : complete;
        const std::string& state = step == Step::submit  ? submitted
                                   : step == Step::claim ? claimed
                                                         : completed;
        for (std::int64_t i = first; i < first + per_commit; ++i) {
          statement.bind(1, i);
          statement.bindNoCopy(2, state.data(), static_cast<int>(state.size()));
          if (step == Step::submit) statement.bindNoCopy(3, input);
          if (step == Step::complete) statement.bindNoCopy(3, *kResult);
          run(statement);
        }
        journal.bind(1, ++sequence);
        journal.bindNoCopy(2, entry.data(), static_cast<int>(entry.size()));
        run(journal);
        run(end);
      });
      int pages = 0;
      if (sequence * per_commit % 1000 == 0) {
        cost.measure([&] {
          sqlite3_wal_checkpoint_v2(database.getHandle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages,
                                    nullptr);
        });
        cost.commits.pop_back();
      }
    }
  }
  return cost;
}

Cost run_disk(const std::string& folder, std::int64_t commits, std::size_t bytes) {
  const std::string path = folder + "/disk.bin";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) die("cannot write to " + folder);
  const std::string data(bytes, 'd');
  if (::pwrite(file, data.data(), data.size(), 0) < 0 || ::fsync(file) != 0) die("cannot write to " + folder);
  Cost cost;
  for (std::int64_t i = 0; i < commits; ++i) {
    cost.measure([&] {
      if (::pwrite(file, data.data(), data.size(), 0) < 0 || ::fdatasync(file) != 0) die("a write failed");
    });
  }
  ::close(file);
  std::filesystem::remove(path);
  return cost;
}

void compare(const std::string& folder, int rounds) {
  fmt::print("{:>8} {:>8} {:>10} {:>12} {:>12} {:>12} {:>12}\n", "variant", "batch", "runs/s", "cpu us/run",
             "commit p50", "p99", "p99.9");
  for (const std::int64_t per_commit : {1, 10, 100, 1000}) {
    const std::int64_t runs = per_commit == 1 ? 2'000 : per_commit == 10 ? 10'000 : 40'000;
    std::map<std::string, std::vector<Cost>> costs;
    for (int round = 0; round < rounds; ++round) {
      costs["1 store"].push_back(run_store(folder, runs, per_commit));
      costs["2 floor"].push_back(run_floor(folder, runs, per_commit));
      // About 6 pages a lone commit, 1.6 KB a run in large ones.
      const auto bytes = static_cast<std::size_t>(20'000 + per_commit * 550);
      costs["3 disk"].push_back(run_disk(folder, 3 * runs / per_commit, bytes));
    }
    for (const auto& [name, list] : costs) {
      std::vector<double> rate, cpu, p50, p99, p999;
      for (const Cost& cost : list) {
        rate.push_back(static_cast<double>(runs) / cost.wall * 1e6);
        cpu.push_back(cost.cpu / static_cast<double>(runs));
        p50.push_back(quantile(cost.commits, 0.5));
        p99.push_back(quantile(cost.commits, 0.99));
        p999.push_back(quantile(cost.commits, 0.999));
      }
      fmt::print("{:>8} {:>8} {:>10.0f} {:>12.2f} {:>12.0f} {:>12.0f} {:>12.0f}\n", name.substr(2),
                 per_commit, quantile(rate, 0.5), quantile(cpu, 0.5), quantile(p50, 0.5), quantile(p99, 0.5),
                 quantile(p999, 0.5));
    }
  }
}

template <typename Body>
void timed(const char* what, Body&& body) {
  const double before = seconds_of(CLOCK_MONOTONIC);
  const std::size_t rows = body();
  fmt::print("{:<48} {:>10} rows {:>12.2f} ms\n", what, rows, (seconds_of(CLOCK_MONOTONIC) - before) * 1e3);
}

// One run in 100 is open, one in 50 failed; each 1,000 runs of one commit have their facts in one entry.
void stored(const std::string& folder, std::int64_t runs) {
  const std::string path = fresh(folder, "stored.db");
  {
    auto writer = must(open_sqlite_writer(path));
    ShardMeta meta = must(writer->open_shard(kShard));
    Cost cost;
    for (std::int64_t first = 1; first <= runs; first += 1000) {
      Batch submit = batch_of(meta, Step::submit, first, 1000, 0);
      const JournalSequence previous = submit.sequence;
      cost.measure([&] { commit(*writer, std::move(submit)); });
      Batch complete = batch_of(meta, Step::complete, first, 1000, previous);
      for (std::size_t i = 0; i < complete.runs.size(); ++i) {
        model::RunRow& row = complete.runs[i].row;
        if (i % 100 == 0) row.status = RunStatus::running;
        if (i % 50 == 1) row.status = RunStatus::failed;
      }
      cost.measure([&] { commit(*writer, std::move(complete)); });
    }
    fmt::print("\n{} runs stored in {:.2f} us each, {:.0f} MB\n", runs, cost.wall / static_cast<double>(runs),
               static_cast<double>(std::filesystem::file_size(path)) / 1e6);
  }
  std::unique_ptr<Writer> writer;
  timed("open", [&] {
    writer = must(open_sqlite_writer(path));
    (void)must(writer->open_shard(kShard));
    return 0;
  });
  timed("load the open runs", [&] {
    std::size_t loaded = 0;
    (void)writer->load_runs(
        must(writer->list_open_runs(kShard)), [&](const RunImage&) { ++loaded; },
        [](RunKey, const Error& error) { die(error.message); });
    return loaded;
  });
  auto reader = must(open_sqlite_reader(path, {}, kShard));
  const auto list = [&](const char* what, const RunFilter& filter, std::optional<RunKey> before) {
    timed(what, [&] { return must(reader->list_runs(filter, before, 100)).rows.size(); });
  };
  for (int warm = 0; warm < 2; ++warm) {
    list("list all", {}, {});
    list("list all, deep page", {}, RunKey::make(kShard, runs / 3));
    list("list failed", {.statuses = {RunStatus::failed}}, {});
    list("list open and failed", {.statuses = {RunStatus::pending, RunStatus::running, RunStatus::failed}},
         {});
    list("list completed", {.statuses = {RunStatus::completed}}, {});
    list("list by workflow", {.workflows = {"resize-image"}}, {});
    list("list cancelled (none)", {.statuses = {RunStatus::cancelled}}, {});
  }
  timed("a run's journal",
        [&] { return must(reader->run_journal(RunKey::make(kShard, runs / 2), {}, 100)).size(); });
  timed("a run", [&] {
    const model::RunRow row = run_row(runs / 2, RunStatus::completed, 0);
    return static_cast<std::size_t>(must(reader->get_run(row.id)).has_value());
  });
}

int number_of(const char* text) {
  int value = 0;
  const std::string_view all(text);
  if (std::from_chars(all.data(), all.data() + all.size(), value).ec != std::errc())
    die("not a number: " + std::string(all));
  return value;
}

}  // namespace
}  // namespace baton::store

int main(int argc, char** argv) {
  using namespace baton::store;
  (void)std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc < 2) die("usage: store_bench FOLDER [ROUNDS] [STORED]");
  compare(argv[1], argc > 2 ? number_of(argv[2]) : 5);
  if (argc > 3) stored(argv[1], number_of(argv[3]));
}

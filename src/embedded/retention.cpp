#include "embedded/retention.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "executors/process/scratch.hpp"
#include "logs/paths.hpp"
#include "model/cached_result.hpp"
#include "model/removal.hpp"

namespace baton::embedded {
namespace {

using model::RecordKind;
using model::RunStatus;

constexpr std::chrono::minutes kPeriod{10};
constexpr unsigned kRoundsUntilAskedAgain = 6;
constexpr std::size_t kRunsAtOnce = 500;
constexpr std::size_t kResultsAtOnce = 50;  // a record holds its result
constexpr std::size_t kNotesAtOnce = 100;
constexpr const char* kActor = "retention";
constexpr const char* kReason = "kept long enough";

Status answered(const model::ReplyBody& reply) {
  if (const auto* error = std::get_if<Error>(&reply)) return fail(*error);
  return {};
}

}  // namespace

RetentionKeeper::RetentionKeeper(runtime::Handle& runs, store::Reader& store, RetentionOptions options)
    : runs_(runs), store_(store), options_(std::move(options)) {}

RetentionKeeper::~RetentionKeeper() {
  stop();
  join();
}

void RetentionKeeper::start() {
  thread_ = std::thread([this] { work(); });
}

void RetentionKeeper::files_left() {
  const std::lock_guard lock(mutex_);
  files_left_ = true;
  changed_.notify_all();
}

void RetentionKeeper::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

void RetentionKeeper::join() {
  if (thread_.joinable()) thread_.join();
}

bool RetentionKeeper::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void RetentionKeeper::work() {
  auto due = std::chrono::steady_clock::now();
  const auto tell = [this](const Status& done, std::string_view what) {
    if (!done && !stopping() && options_.log)
      options_.log(std::string(what) + " is put off: " + done.error().message);
  };
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (options_.look && std::chrono::steady_clock::now() >= due) {
      lock.unlock();
      tell(look(), "removing what is over");
      due = std::chrono::steady_clock::now() + kPeriod;
      lock.lock();
      continue;
    }
    if (std::exchange(files_left_, false)) {
      lock.unlock();
      tell(delete_files(), "deleting the files of removed runs");
      lock.lock();
      continue;
    }
    if (options_.look) {
      changed_.wait_until(lock, due);
    } else {
      changed_.wait(lock);
    }
  }
}

Status RetentionKeeper::look() {
  if (rounds_++ % kRoundsUntilAskedAgain == 0) kept_.clear();
  std::map<std::string, model::Retention> own;
  std::optional<std::string> after;
  for (bool more = true; more;) {
    TRY(const auto records,
        store_.list_records({.shard = options_.shard, .kind = RecordKind::retention}, after, kNotesAtOnce));
    for (const model::Record& record : records) {
      // One that cannot be read keeps its runs: a person may still mend it.
      own[record.id.key] = model::retention_of(record).value_or(model::Retention{Duration{}, Duration{}});
      after = record.id.key;
    }
    more = records.size() == kNotesAtOnce;
  }
  TRY(const std::vector<std::string> workflows, store_.list_workflows());
  for (const std::string& workflow : workflows) {
    const auto found = own.find(workflow);
    const model::Retention said = found == own.end() ? model::Retention{} : found->second;
    TRY_VOID(remove_old(workflow, {RunStatus::completed, RunStatus::cancelled},
                        said.completed.value_or(options_.completed)));
    TRY_VOID(remove_old(workflow, {RunStatus::failed}, said.failed.value_or(options_.failed)));
  }
  return forget_old_results();
}

Status RetentionKeeper::remove_old(const std::string& workflow, const std::vector<RunStatus>& statuses,
                                   Duration keep) {
  if (keep.us <= 0) return {};  // for ever
  const WallTime before = options_.wall() - keep;
  const store::RunFilter filter{
      .shard = options_.shard, .statuses = statuses, .workflows = {workflow}, .ended_before = before};
  std::optional<RunKey> cursor;
  while (!stopping()) {
    TRY(const std::vector<model::RunRow> rows, store_.list_runs(filter, cursor, kRunsAtOnce));
    model::RemoveRuns command{.ended_before = before, .reason = kReason};
    for (const model::RunRow& row : rows) {
      cursor = row.key;
      if (!kept_.contains(row.key)) command.runs.push_back(row.id);
    }
    if (!command.runs.empty()) {
      const model::ReplyBody reply = runs_.call(std::move(command), kActor);
      TRY_VOID(answered(reply));
      for (const auto& [run, why] : std::get<model::RunsRemoved>(reply).kept) kept_.insert(run.key());
    }
    if (rows.size() < kRunsAtOnce) break;
  }
  return {};
}

Status RetentionKeeper::forget_old_results() {
  std::optional<std::string> after;
  while (!stopping()) {
    TRY(const auto records, store_.list_records({.shard = options_.shard, .kind = RecordKind::cached_result},
                                                after, kResultsAtOnce));
    model::ForgetResults command;
    for (const model::Record& record : records) {
      after = record.id.key;
      const auto cached = model::cached_of(record);
      if (cached && cached->expires_at <= options_.wall()) command.keys.push_back(record.id.key);
    }
    if (!command.keys.empty()) TRY_VOID(answered(runs_.call(std::move(command), kActor)));
    if (records.size() < kResultsAtOnce) break;
  }
  return {};
}

Status RetentionKeeper::delete_files() {
  Status all;  // what cannot be deleted keeps nothing else; it is tried again with the next removal
  std::optional<std::string> after;
  while (!stopping()) {
    TRY(const auto records,
        store_.list_records({.shard = options_.shard, .kind = RecordKind::removal}, after, kNotesAtOnce));
    model::FilesDeleted command;
    for (const model::Record& record : records) {
      after = record.id.key;
      const auto removal = model::removal_of(record);
      Status deleted = removal ? Status{} : std::unexpected(removal.error());
      for (std::size_t i = 0; deleted && i < removal->runs.size() && !stopping(); ++i) {
        deleted = logs::remove_run(options_.logs, removal->runs[i]);
        if (deleted) deleted = executors::process::remove_run_scratch(options_.scratch, removal->runs[i]);
      }
      if (stopping()) return {};
      if (!deleted) {
        all = std::move(deleted);
      } else if (!removal->runs.empty()) {
        command.removals.push_back(record.id.key);
      }
    }
    if (!command.removals.empty()) TRY_VOID(answered(runs_.call(std::move(command), kActor)));
    if (records.size() < kNotesAtOnce) break;
  }
  return all;
}

}  // namespace baton::embedded

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
constexpr Duration kFarAhead = Duration::hours(24 * 365);  // whatever the clock did: all of them
constexpr const char* kActor = "retention";
constexpr const char* kReason = "kept long enough";

Status answered(const model::ReplyBody& reply) {
  if (const auto* error = std::get_if<Error>(&reply)) return fail(*error);
  return {};
}

}  // namespace

RetentionKeeper::RetentionKeeper(runtime::Handle& runs, store::Reader& store, RetentionOptions options)
    : runs_(runs), store_(store), options_(std::move(options)) {}

void RetentionKeeper::clear(std::function<void()> cleared) {
  const std::lock_guard lock(mutex_);
  cleared_ = std::move(cleared);
}

Housekeeping::~Housekeeping() {
  stop();
  join();
}

void Housekeeping::add(std::shared_ptr<RetentionKeeper> keeper) {
  const std::lock_guard lock(mutex_);
  if (stopping_) keeper->stop();
  keepers_.push_back(std::move(keeper));
  files_left_ = look_now_ = true;
  changed_.notify_all();
}

void Housekeeping::start() {
  thread_ = std::thread([this] { work(); });
}

void Housekeeping::files_left() {
  const std::lock_guard lock(mutex_);
  files_left_ = true;
  changed_.notify_all();
}

void Housekeeping::look_now() {
  const std::lock_guard lock(mutex_);
  look_now_ = true;
  changed_.notify_all();
}

void Housekeeping::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  for (const auto& keeper : keepers_) keeper->stop();
  changed_.notify_all();
}

void Housekeeping::join() {
  if (thread_.joinable()) thread_.join();
}

void Housekeeping::work() {
  auto due = std::chrono::steady_clock::now() + kPeriod;
  std::unique_lock lock(mutex_);
  // What one cannot do keeps no other from it.
  const auto each = [&](Status (RetentionKeeper::*what)(), std::string_view doing) {
    const auto keepers = keepers_;
    lock.unlock();
    Status failed;
    for (const auto& keeper : keepers) {
      if (Status done = (keeper.get()->*what)(); !done) failed = std::move(done);
    }
    lock.lock();
    if (!failed && !stopping_ && log_) log_(std::string(doing) + " is put off: " + failed.error().message);
  };
  while (!stopping_) {
    if (look_ && (look_now_ || std::chrono::steady_clock::now() >= due)) {
      look_now_ = false;
      due = std::chrono::steady_clock::now() + kPeriod;
      each(&RetentionKeeper::look, "removing what is over");
    } else if (std::exchange(files_left_, false)) {
      each(&RetentionKeeper::delete_files, "deleting the files of removed runs");
    } else if (look_) {
      changed_.wait_until(lock, due);
    } else {
      changed_.wait(lock);
    }
  }
}

// Of a deleted namespace: what cannot go now goes with the next look.
Status RetentionKeeper::clear_all() {
  kept_.clear();
  TRY_VOID(remove_old({}, {RunStatus::completed, RunStatus::cancelled, RunStatus::failed}, std::nullopt));
  TRY_VOID(delete_files());
  TRY(const auto runs, store_.list_runs({}, std::nullopt, 1));
  if (!runs.rows.empty() || stopping_) return {};
  TRY(const auto notes, store_.list_records({.kind = RecordKind::removal}, std::nullopt, kNotesAtOnce));
  for (const model::Record& note : notes) {
    const auto removal = model::removal_of(note);
    if (removal && !removal->runs.empty()) return {};  // files that could not be deleted yet
  }
  std::function<void()> cleared;
  {
    const std::lock_guard lock(mutex_);
    cleared = std::exchange(cleared_, [] {});
  }
  cleared();
  return {};
}

Status RetentionKeeper::look() {
  {
    std::unique_lock lock(mutex_);
    if (cleared_) {
      lock.unlock();
      return clear_all();
    }
  }
  if (rounds_++ % kRoundsUntilAskedAgain == 0) kept_.clear();
  std::map<std::string, model::Retention> own;
  std::optional<std::string> after;
  for (bool more = true; more;) {
    TRY(const auto records, store_.list_records({.kind = RecordKind::retention}, after, kNotesAtOnce));
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
    TRY_VOID(remove_old({workflow}, {RunStatus::completed, RunStatus::cancelled},
                        said.completed.value_or(options_.completed)));
    TRY_VOID(remove_old({workflow}, {RunStatus::failed}, said.failed.value_or(options_.failed)));
  }
  return forget_old_results();
}

// `workflows`: empty = all. `keep`: nothing = not at all.
Status RetentionKeeper::remove_old(const std::vector<std::string>& workflows,
                                   const std::vector<RunStatus>& statuses, std::optional<Duration> keep) {
  if (keep && keep->us <= 0) return {};  // for ever
  const WallTime before = keep ? options_.wall() - *keep : options_.wall() + kFarAhead;
  const store::RunFilter filter{.statuses = statuses, .workflows = workflows, .ended_before = before};
  std::optional<RunKey> cursor;
  do {
    TRY(const store::RunPage page, store_.list_runs(filter, cursor, kRunsAtOnce));
    model::RemoveRuns command{.ended_before = before, .reason = kReason};
    for (const model::RunRow& row : page.rows) {
      if (!kept_.contains(row.key)) command.runs.push_back(row.id);
    }
    if (!command.runs.empty()) {
      const model::ReplyBody reply = runs_.call(std::move(command), kActor);
      TRY_VOID(answered(reply));
      for (const auto& [run, why] : std::get<model::RunsRemoved>(reply).kept) kept_.insert(run.key());
    }
    cursor = page.next;
  } while (cursor && !stopping_);
  return {};
}

Status RetentionKeeper::forget_old_results() {
  std::optional<std::string> after;
  while (!stopping_) {
    TRY(const auto records, store_.list_records({.kind = RecordKind::cached_result}, after, kResultsAtOnce));
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
  while (!stopping_) {
    TRY(const auto records, store_.list_records({.kind = RecordKind::removal}, after, kNotesAtOnce));
    model::FilesDeleted command;
    for (const model::Record& record : records) {
      after = record.id.key;
      const auto removal = model::removal_of(record);
      Status deleted = removal ? Status{} : std::unexpected(removal.error());
      for (std::size_t i = 0; removal && i < removal->runs.size() && !stopping_; ++i) {
        for (Status done : {logs::remove_run(options_.logs, removal->runs[i]),
                            executors::process::remove_run_scratch(options_.scratch, removal->runs[i])}) {
          if (!done && deleted) deleted = std::move(done);
        }
      }
      if (stopping_) return {};
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

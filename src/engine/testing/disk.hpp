// What survives a restart in tests: the committed rows, payloads and facts of one shard. Every commit is held
// against what a store and the journal promise; a breach is a failure of the running test.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/state.hpp"
#include "model/batch.hpp"
#include "model/history.hpp"

namespace baton::engine::testing {

class Disk {
 public:
  // The next owner: incarnations count up.
  std::uint32_t open() { return ++incarnation_; }

  // Checks: sequence and incarnation fit; rows survive encoding; new rows are new, changed ones exist; a
  // terminal run or task never changes, nor does an attempt that has ended; every step in the facts is a
  // legal transition; the facts fold to the rows; counts in the run's row are those of its tasks.
  void commit(const model::Batch& batch);

  // nullptr: there is none. Item results are put together from those of the items.
  model::Text payload(const model::PayloadKey& key) const;

  const model::RunRow* run(RunKey key) const;
  std::optional<model::RunHead> head(RunKey key) const;
  const model::TaskRow* task(TaskKey key) const;
  std::vector<model::TaskRow> tasks(RunKey run) const;  // stored ones, by ordinal
  const std::vector<model::Fact>& facts(RunKey run) const { return facts_.at(run); }

  const std::map<RunKey, model::RunRow>& runs() const { return runs_; }
  const std::map<std::string, std::vector<Hash256>>& versions() const { return versions_; }
  const std::map<model::RecordKey, model::Record>& records() const { return records_; }
  const model::IdempotencyChange* use_of(const std::string& key) const;
  // Every transition of a run, and of a task within its generation, that a fact has told so far.
  const std::set<std::pair<model::RunStatus, model::RunStatus>>& run_steps() const { return run_steps_; }
  const std::set<std::pair<model::TaskStatus, model::TaskStatus>>& task_steps() const { return task_steps_; }
  JournalSequence sequence() const { return sequence_; }
  std::int64_t last_run() const { return last_run_; }
  ShardTime shard_time() const { return shard_time_; }

 private:
  void replace(const model::PayloadKey& key, const model::Text& text);
  void store(const model::RunChange& change);
  void store(const model::TaskChange& change);
  void store(const model::RunFacts& facts);
  void remove(const model::RunRemoval& removal);
  void compare(const model::RunRow& row);
  void compare(const model::TaskRow& row);
  void recount(const model::RunRow& row);

  std::uint32_t incarnation_ = 0;
  JournalSequence sequence_ = 0;
  ShardTime shard_time_;
  std::int64_t last_run_ = 0;
  std::map<RunKey, model::RunRow> runs_;
  std::map<TaskKey, model::TaskRow> tasks_;
  std::map<model::PayloadKey, model::Text> payloads_;
  std::map<std::string, std::vector<Hash256>> versions_;
  std::map<std::string, model::IdempotencyChange> uses_;
  std::map<model::RecordKey, model::Record> records_;
  std::map<RunKey, std::vector<model::Fact>> facts_;
  std::map<RunKey, JournalSequence> heads_;
  std::map<RunKey, model::RunHistory> histories_;
  std::set<std::pair<model::RunStatus, model::RunStatus>> run_steps_;
  std::set<std::pair<model::TaskStatus, model::TaskStatus>> task_steps_;
};

// Everything in a batch as bytes: two decisions are the same when these are.
std::string bytes_of(const model::Batch& batch);

}  // namespace baton::engine::testing

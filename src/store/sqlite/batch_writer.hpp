// Writes one batch in one transaction.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/batch.hpp"
#include "store/sqlite/payload_table.hpp"
#include "store/sqlite/query.hpp"
#include "store/store.hpp"

namespace baton::store::sqlite {

class BatchWriter {
 public:
  explicit BatchWriter(Connection& connection) : connection_(connection) {}

  // Never throws; afterwards no transaction is open, unless the result is `unknown`: then the connection must
  // not be used for writing any more.
  CommitDone commit(const model::Batch& batch);

 private:
  // What one commit does to one row of `run`: the run's change, or that of its task 0, or both.
  struct RunWrite {
    RunKey key;
    const model::RunChange* run = nullptr;
    const model::TaskChange* task = nullptr;
  };
  struct RunCells {
    PayloadCell input, context, task_input, task_result;
  };
  struct TaskCells {
    PayloadCell input, result;
  };

  Status write(const model::Batch& batch);
  Status take_sequence(const model::Batch& batch);
  void write_definition(ShardId shard, const model::DefinitionChange& change);
  void write_idempotency(ShardId shard, const model::IdempotencyChange& change);
  std::vector<RunWrite> runs_of(const model::Batch& batch) const;
  Status insert_run(const RunWrite& write);
  Status update_run(const RunWrite& write);
  RunCells store_payloads(const RunWrite& write);
  bool try_update_run(const RunWrite& write, const RunCells& cells, unsigned parts);
  Status remove_run(const model::RunRemoval& removal);
  Status insert_task(const model::TaskChange& change);
  Status update_task(const model::TaskChange& change);
  bool try_update_task(const model::TaskChange& change, const TaskCells& cells, unsigned parts);
  std::int64_t workflow_id(ShardId shard, const std::string& name);
  bool rollback();

  Connection& connection_;
  // Of committed rows and of this transaction.
  std::map<ShardId, std::unordered_map<std::string, std::int64_t>> workflow_ids_;
  // Statements by the parts that they set.
  std::array<SQLite::Statement*, 256> run_updates_{};
  std::array<SQLite::Statement*, 8> task_updates_{};
};

}  // namespace baton::store::sqlite

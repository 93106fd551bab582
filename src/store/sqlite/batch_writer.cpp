#include "store/sqlite/batch_writer.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <new>

#include "store/sqlite/errors.hpp"
#include "store/sqlite/journal_table.hpp"
#include "store/sqlite/record_table.hpp"
#include "store/sqlite/run_table.hpp"

namespace baton::store::sqlite {
namespace {

using model::Batch;
using model::RunChange;
using model::RunRow;
using model::TaskChange;
using model::TaskRow;

// The parts of a run's row that an update sets.
enum RunPart : unsigned {
  kRunState = 1,
  kRunInput = 2,
  kRunContext = 4,
  kTaskState = 8,
  kTaskInput = 16,
  kTaskResult = 32,
  kTaskCreated = 64,  // the row had no task 0 before
  kReplace = 128,     // large payloads that were there are released already
};
// The same for a task's row.
enum TaskPart : unsigned { kInput = 1, kResult = 2, kReplaceTask = 4 };

// Releasing a large payload that is overwritten needs its old id. Reading every old row would cost as much as
// writing it, so the common update is guarded instead: it finds no row if one of the payload columns that it
// sets refers to a large payload. Then the slow path reads, releases and updates with kReplace.
std::string run_update_sql(unsigned parts) {
  std::string set;
  std::string where = " WHERE key = ?1";
  const auto add = [&](std::string_view assignments) {
    if (!set.empty()) set += ", ";
    set += assignments;
  };
  const auto payload = [&](const std::string& column, int parameter) {
    add(column + " = ?" + std::to_string(parameter));
    if (!(parts & kReplace)) where += " AND typeof(" + column + ") <> 'integer'";
  };
  if (parts & kRunState) add("status = ?2, version = ?3, ended = ?4, state = ?5");
  if (parts & kTaskState) add("task_step = ?6, task_index = ?7, task_status = ?8, task_state = ?9");
  if (parts & kRunInput) payload("input", 10);
  if (parts & kRunContext) payload("context", 11);
  if (parts & kTaskInput) payload("task_input", 12);
  if (parts & kTaskResult) payload("task_result", 13);
  if (parts & kTaskState)
    where += parts & kTaskCreated ? " AND task_state IS NULL" : " AND task_state IS NOT NULL";
  return "UPDATE run SET " + set + where;
}

std::string task_update_sql(unsigned parts) {
  std::string sql = "UPDATE task SET step = ?3, idx = ?4, status = ?5, state = ?6";
  std::string where = " WHERE run = ?1 AND ordinal = ?2";
  const auto payload = [&](const std::string& column, int parameter) {
    sql += ", " + column + " = ?" + std::to_string(parameter);
    if (!(parts & kReplaceTask)) where += " AND typeof(" + column + ") <> 'integer'";
  };
  if (parts & kInput) payload("input", 7);
  if (parts & kResult) payload("result", 8);
  return sql + where;
}

std::string_view bytes_of(const Hash256& hash) {
  return {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()};
}

std::unexpected<Error> refused(const std::string& what) {
  return fail(ErrorCode::internal, what);
}
std::string describe(RunKey key) {
  return "run " + std::to_string(key.value);
}
std::string describe(TaskKey key) {
  return "task " + std::to_string(key.ordinal) + " of " + describe(key.run);
}

std::int64_t number(auto value) {
  return static_cast<std::int64_t>(value);
}

}  // namespace

CommitDone BatchWriter::commit(const Batch& batch) {
  CommitDone done{batch.sequence, CommitResult::committed, {}};
  bool committing = false;
  try {
    connection_.query("BEGIN IMMEDIATE").run();
    if (Status written = write(batch); !written) {
      done.result = CommitResult::not_committed;
      done.error = std::move(written).error();
    } else {
      committing = true;
      connection_.query("COMMIT").run();
      return done;
    }
  } catch (const SQLite::Exception& e) {
    const bool unknown = committing && !leaves_nothing(code_in(e));
    done.result = unknown ? CommitResult::unknown : CommitResult::not_committed;
    done.error = error_of(e, committing ? "committing" : "writing a commit's rows");
  } catch (const std::bad_alloc&) {
    done.result = CommitResult::not_committed;
    done.error = {ErrorCode::overloaded, "out of memory while writing a commit's rows", {}};
  }
  if (!rollback()) done.result = CommitResult::unknown;
  return done;
}

bool BatchWriter::rollback() {
  workflow_ids_.clear();
  if (sqlite3_get_autocommit(connection_.handle()) != 0) return true;
  (void)connection_.database().tryExec("ROLLBACK");
  return sqlite3_get_autocommit(connection_.handle()) != 0;
}

Status BatchWriter::write(const Batch& batch) {
  TRY_VOID(take_sequence(batch));
  for (const auto& change : batch.definitions) write_definition(batch.shard, change);
  for (const RunWrite& run : runs_of(batch)) {
    TRY_VOID(run.run && run.run->created ? insert_run(run) : update_run(run));
  }
  for (const TaskChange& change : batch.tasks) {
    if (change.row.key.ordinal == 0) continue;
    TRY_VOID(change.created ? insert_task(change) : update_task(change));
  }
  for (const auto& change : batch.idempotency) write_idempotency(batch.shard, change);
  for (const auto& change : batch.records) write_record(connection_, batch.shard, change);
  for (const auto& removal : batch.removals) TRY_VOID(remove_run(removal));
  if (!batch.facts.empty()) append_journal(connection_, batch.shard, batch.sequence, batch.facts);
  return {};
}

// The fence: the row says who owns the shard and which commit was the last.
Status BatchWriter::take_sequence(const Batch& batch) {
  if (batch.sequence < 1 || batch.sequence > kLastSequence)
    return refused("a commit's sequence is out of range");
  connection_
      .query(
          "UPDATE meta SET sequence = ?1, shard_time = ?2, last_run = ?3, wall_time = ?6 "
          "WHERE shard = ?4 AND incarnation = ?5 AND sequence = ?1 - 1")
      .number(1, batch.sequence)
      .number(2, batch.shard_time.us)
      .number(3, batch.last_run)
      .number(4, number(batch.shard))
      .number(5, batch.incarnation)
      .number(6, batch.wall_time.us)
      .run();
  if (connection_.changes() == 1) return {};

  Query query = connection_.query("SELECT incarnation, sequence FROM meta WHERE shard = ?1");
  query.number(1, number(batch.shard));
  if (!query.next()) return refused("shard " + std::to_string(number(batch.shard)) + " was not opened");
  if (query.number_at(0) != batch.incarnation) {
    return fail(ErrorCode::owned,
                "shard " + std::to_string(number(batch.shard)) + " has a newer owner (incarnation " +
                    std::to_string(query.number_at(0)) + ", not " + std::to_string(batch.incarnation) + ")");
  }
  return refused("commit " + std::to_string(batch.sequence) + " does not follow " +
                 std::to_string(query.number_at(1)) + ", the last one");
}

void BatchWriter::write_definition(ShardId shard, const model::DefinitionChange& change) {
  connection_
      .query(
          "INSERT INTO definition(shard, workflow, version, created, hash, canonical) "
          "VALUES(?6, ?1, ?2, ?3, ?4, ?5)")
      .number(6, number(shard))
      .number(1, workflow_id(shard, change.workflow))
      .number(2, change.version)
      .number(3, change.created_at.us)
      .blob(4, bytes_of(change.hash))
      .text(5, *change.canonical)
      .run();
}

void BatchWriter::write_idempotency(ShardId shard, const model::IdempotencyChange& change) {
  connection_
      .query(
          "INSERT INTO idempotency(shard, key, body, run, expires) VALUES(?1, ?2, ?3, ?4, ?5) "
          "ON CONFLICT DO UPDATE SET body = ?3, run = ?4, expires = ?5")
      .number(1, number(shard))
      .text(2, change.key)
      .blob(3, bytes_of(change.body))
      .number(4, change.run.value)
      .number(5, change.expires_at.us)
      .run();
}

std::vector<BatchWriter::RunWrite> BatchWriter::runs_of(const Batch& batch) const {
  std::vector<RunWrite> writes;
  writes.reserve(batch.runs.size() + batch.tasks.size());
  for (const RunChange& change : batch.runs) writes.push_back({change.row.key, &change, nullptr});
  for (const TaskChange& change : batch.tasks) {
    if (change.row.key.ordinal == 0) writes.push_back({change.row.key.run, nullptr, &change});
  }
  // In the order of keys: neighbours share pages. Both parts mostly are already, and sorting them again would
  // cost more than encoding them.
  const auto place = [](const RunWrite& write) { return std::pair(write.key, write.run == nullptr); };
  const auto middle = writes.begin() + static_cast<std::ptrdiff_t>(batch.runs.size());
  for (const auto& [begin, end] : {std::pair(writes.begin(), middle), std::pair(middle, writes.end())}) {
    if (!std::ranges::is_sorted(begin, end, {}, place)) std::ranges::sort(begin, end, {}, place);
  }
  std::ranges::inplace_merge(writes, middle, {}, place);
  std::size_t kept = 0;
  for (const RunWrite& write : writes) {
    if (kept > 0 && writes[kept - 1].key == write.key && !writes[kept - 1].task && write.task) {
      writes[kept - 1].task = write.task;
    } else {
      writes[kept++] = write;
    }
  }
  writes.resize(kept);
  return writes;
}

Status BatchWriter::insert_run(const RunWrite& write) {
  if (write.task && !write.task->created) return refused(describe(write.task->row.key) + " is not stored");
  const RunRow& row = write.run->row;
  const std::int64_t workflow = workflow_id(row.key.shard(), row.workflow);
  const RunCells cells = store_payloads(write);
  const std::string state = encode_state(row);
  const std::string task_state = write.task ? encode_state(write.task->row) : std::string();
  Query query = connection_.query(
      "INSERT INTO run(key, id, status, workflow, version, job_id, created, ended, state, task_step, "
      "task_index, "
      "task_status, task_state, input, context, task_input, task_result) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)");
  query.number(1, row.key.value)
      .blob(2, {reinterpret_cast<const char*>(row.id.bytes.data()), row.id.bytes.size()})
      .number(3, number(row.status))
      .number(4, workflow)
      .number(5, row.version)
      .number(7, row.created_at.us)
      .number(8, row.ended_at.us)
      .blob(9, state);
  if (row.job_id.empty()) {
    query.null(6);
  } else {
    query.text(6, row.job_id);
  }
  bind_payload(query, 14, cells.input);
  bind_payload(query, 15, cells.context);
  bind_payload(query, 16, cells.task_input);
  bind_payload(query, 17, cells.task_result);
  if (write.task) {
    query.number(10, write.task->row.step)
        .number(11, write.task->row.index)
        .number(12, number(write.task->row.status))
        .blob(13, task_state);
  } else {
    for (const int parameter : {10, 11, 12, 13}) query.null(parameter);
  }
  query.run();
  return {};
}

BatchWriter::RunCells BatchWriter::store_payloads(const RunWrite& write) {
  RunCells cells;
  if (write.run) {
    cells.input = store_payload(connection_, write.run->input);
    cells.context = store_payload(connection_, write.run->context);
  }
  if (write.task) {
    cells.task_input = store_payload(connection_, write.task->input);
    cells.task_result = store_payload(connection_, write.task->result);
  }
  return cells;
}

bool BatchWriter::try_update_run(const RunWrite& write, const RunCells& cells, unsigned parts) {
  SQLite::Statement*& statement = run_updates_[parts];
  if (!statement) statement = &connection_.statement(run_update_sql(parts));
  std::string state;
  std::string task_state;
  Query query(*statement);
  query.number(1, write.key.value);
  if (parts & kRunState) {
    state = encode_state(write.run->row);
    query.number(2, number(write.run->row.status))
        .number(3, write.run->row.version)
        .number(4, write.run->row.ended_at.us)
        .blob(5, state);
  }
  if (parts & kTaskState) {
    task_state = encode_state(write.task->row);
    query.number(6, write.task->row.step)
        .number(7, write.task->row.index)
        .number(8, number(write.task->row.status))
        .blob(9, task_state);
  }
  if (parts & kRunInput) bind_payload(query, 10, cells.input);
  if (parts & kRunContext) bind_payload(query, 11, cells.context);
  if (parts & kTaskInput) bind_payload(query, 12, cells.task_input);
  if (parts & kTaskResult) bind_payload(query, 13, cells.task_result);
  query.run();
  return connection_.changes() == 1;
}

Status BatchWriter::update_run(const RunWrite& write) {
  unsigned parts = 0;
  if (write.run) {
    parts |= kRunState;
    if (write.run->input) parts |= kRunInput;
    if (write.run->context) parts |= kRunContext;
  }
  if (write.task) {
    parts |= kTaskState;
    if (write.task->created) parts |= kTaskCreated;
    if (write.task->input) parts |= kTaskInput;
    if (write.task->result) parts |= kTaskResult;
  }
  const RunCells cells = store_payloads(write);
  if (try_update_run(write, cells, parts)) return {};

  std::vector<std::int64_t> replaced;
  {
    Query query = connection_.query(
        "SELECT input, context, task_input, task_result, task_state FROM run WHERE key = ?1");
    query.number(1, write.key.value);
    if (!query.next()) return refused(describe(write.key) + " is not stored");
    if (write.task && query.is_null_at(4) != write.task->created) {
      return refused(describe(write.task->row.key) +
                     (write.task->created ? " is stored already" : " is not stored"));
    }
    constexpr std::array kColumns = {kRunInput, kRunContext, kTaskInput, kTaskResult};
    for (int i = 0; i < 4; ++i) {
      if ((parts & kColumns[static_cast<std::size_t>(i)]) && query.is_number_at(i)) {
        replaced.push_back(query.number_at(i));
      }
    }
  }
  if (!try_update_run(write, cells, parts | kReplace))
    return refused(describe(write.key) + " cannot be updated");
  // Last, so that content which is kept does not go and come again.
  for (const std::int64_t id : replaced) release_payload(connection_, id);
  return {};
}

// From here on nobody sees the run any more; the rest of it is cleared away later (remains.hpp).
Status BatchWriter::remove_run(const model::RunRemoval& removal) {
  std::vector<std::int64_t> payloads;
  {
    Query query = connection_.query(
        "SELECT input, context, task_input, task_result FROM run WHERE key = ?1 AND id = ?2");
    query.number(1, removal.run.value)
        .blob(2, {reinterpret_cast<const char*>(removal.id.bytes.data()), removal.id.bytes.size()});
    if (!query.next()) return refused(describe(removal.run) + " is not stored");
    for (int column = 0; column < 4; ++column) {
      if (query.is_number_at(column)) payloads.push_back(query.number_at(column));
    }
  }
  for (const std::int64_t id : payloads) release_payload(connection_, id);
  connection_.query("DELETE FROM run WHERE key = ?1").number(1, removal.run.value).run();
  connection_.query("DELETE FROM idempotency WHERE run = ?1").number(1, removal.run.value).run();
  const std::string id = removal.id.text();
  connection_.query("INSERT INTO remains(run, id, journal, tasks, additions) VALUES(?1, ?2, ?3, ?4, ?5)")
      .number(1, removal.run.value)
      .text(2, id)
      .number(3, removal.journal_head)
      .number(4, removal.next_ordinal)
      .number(5, removal.additions)
      .run();
  return {};
}

Status BatchWriter::insert_task(const TaskChange& change) {
  const TaskCells cells{store_payload(connection_, change.input), store_payload(connection_, change.result)};
  const std::string state = encode_state(change.row);
  Query query = connection_.query(
      "INSERT INTO task(run, ordinal, step, idx, status, state, input, result) VALUES(?1, ?2, ?3, ?4, ?5, "
      "?6, ?7, ?8)");
  query.number(1, change.row.key.run.value)
      .number(2, change.row.key.ordinal)
      .number(3, change.row.step)
      .number(4, change.row.index)
      .number(5, number(change.row.status))
      .blob(6, state);
  bind_payload(query, 7, cells.input);
  bind_payload(query, 8, cells.result);
  query.run();
  return {};
}

bool BatchWriter::try_update_task(const TaskChange& change, const TaskCells& cells, unsigned parts) {
  SQLite::Statement*& statement = task_updates_[parts];
  if (!statement) statement = &connection_.statement(task_update_sql(parts));
  const std::string state = encode_state(change.row);
  Query query(*statement);
  query.number(1, change.row.key.run.value)
      .number(2, change.row.key.ordinal)
      .number(3, change.row.step)
      .number(4, change.row.index)
      .number(5, number(change.row.status))
      .blob(6, state);
  if (parts & kInput) bind_payload(query, 7, cells.input);
  if (parts & kResult) bind_payload(query, 8, cells.result);
  query.run();
  return connection_.changes() == 1;
}

Status BatchWriter::update_task(const TaskChange& change) {
  const unsigned parts = (change.input ? kInput : 0U) | (change.result ? kResult : 0U);
  const TaskCells cells{store_payload(connection_, change.input), store_payload(connection_, change.result)};
  if (try_update_task(change, cells, parts)) return {};
  std::vector<std::int64_t> replaced;
  {
    Query query = connection_.query("SELECT input, result FROM task WHERE run = ?1 AND ordinal = ?2");
    query.number(1, change.row.key.run.value).number(2, change.row.key.ordinal);
    if (!query.next()) return refused(describe(change.row.key) + " is not stored");
    if (change.input && query.is_number_at(0)) replaced.push_back(query.number_at(0));
    if (change.result && query.is_number_at(1)) replaced.push_back(query.number_at(1));
  }
  if (!try_update_task(change, cells, parts | kReplaceTask))
    return refused(describe(change.row.key) + " cannot be updated");
  for (const std::int64_t id : replaced) release_payload(connection_, id);
  return {};
}

std::int64_t BatchWriter::workflow_id(ShardId shard, const std::string& name) {
  auto& ids = workflow_ids_[shard];
  if (const auto known = ids.find(name); known != ids.end()) return known->second;
  std::optional<std::int64_t> id = find_workflow(connection_, shard, name);
  if (!id) {
    Query query =
        connection_.query("SELECT coalesce(max(id), ?1) + 1 FROM workflow WHERE id > ?1 AND id < ?2");
    query.number(1, before_workflows(shard)).number(2, before_workflows(shard) + (std::int64_t{1} << 32));
    query.next();
    id = query.number_at(0);
    query.run();
    connection_.query("INSERT INTO workflow(id, shard, name) VALUES(?1, ?2, ?3)")
        .number(1, *id)
        .number(2, number(shard))
        .text(3, name)
        .run();
  }
  ids.emplace(name, *id);
  return *id;
}

}  // namespace baton::store::sqlite

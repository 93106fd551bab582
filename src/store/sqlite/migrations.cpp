#include "store/sqlite/migrations.hpp"

#include <array>
#include <string>

namespace baton::store::sqlite {
namespace {

// Payload columns (ANY): NULL = none, TEXT = the JSON itself, INTEGER = payload.id of a large one.
constexpr const char* kSchema1 = R"sql(
CREATE TABLE meta(
  shard INTEGER PRIMARY KEY,
  incarnation INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  shard_time INTEGER NOT NULL,
  last_run INTEGER NOT NULL
) STRICT;

CREATE TABLE workflow(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE definition(
  id INTEGER PRIMARY KEY,
  workflow INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created INTEGER NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  canonical TEXT NOT NULL,
  UNIQUE(workflow, version)
) STRICT;

CREATE TABLE run(
  key INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  status INTEGER NOT NULL,
  workflow INTEGER NOT NULL,
  version INTEGER NOT NULL,
  job_id TEXT,
  created INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  state BLOB NOT NULL,
  task_step INTEGER,
  task_index INTEGER,
  task_status INTEGER,
  task_state BLOB,
  input ANY,
  context ANY,
  task_input ANY,
  task_result ANY
) STRICT;
CREATE INDEX run_status ON run(status, workflow) WHERE status <> 5;
CREATE INDEX run_workflow ON run(workflow);
CREATE INDEX run_job ON run(job_id) WHERE job_id IS NOT NULL;

CREATE TABLE task(
  run INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  step INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  status INTEGER NOT NULL,
  state BLOB NOT NULL,
  input ANY,
  result ANY,
  PRIMARY KEY(run, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE payload(
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  refs INTEGER NOT NULL,
  size INTEGER NOT NULL
) STRICT;
CREATE TABLE payload_content(
  id INTEGER PRIMARY KEY,
  content TEXT NOT NULL
) STRICT;

CREATE TABLE journal(
  key INTEGER PRIMARY KEY,
  entry BLOB NOT NULL
) STRICT;

CREATE TABLE idempotency(
  shard INTEGER NOT NULL,
  key TEXT NOT NULL,
  body BLOB NOT NULL,
  run INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY(shard, key)
) STRICT, WITHOUT ROWID;
)sql";

// State that is neither run nor task (model/record.hpp).
constexpr const char* kSchema2 = R"sql(
CREATE TABLE record(
  shard INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  key TEXT NOT NULL,
  grp TEXT NOT NULL,
  at INTEGER NOT NULL,
  state BLOB NOT NULL,
  PRIMARY KEY(shard, kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_group ON record(shard, kind, grp, key);
)sql";

// When the last commit was: shard time goes on while there is no owner. 0 = before this schema.
constexpr const char* kSchema3 = "ALTER TABLE meta ADD COLUMN wall_time INTEGER NOT NULL DEFAULT 0;";

// Runs that were removed and what is left of them (remains.hpp). The keys of a run are found by it.
constexpr const char* kSchema4 = R"sql(
CREATE TABLE remains(
  run INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  journal INTEGER NOT NULL,
  tasks INTEGER NOT NULL,
  additions INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotency_run ON idempotency(run);
)sql";

// Each namespace has workflows and versions of its own. A workflow's id begins with its shard.
constexpr const char* kSchema5 = R"sql(
CREATE TABLE workflow_of_shard(
  id INTEGER PRIMARY KEY,
  shard INTEGER NOT NULL,
  name TEXT NOT NULL,
  UNIQUE(shard, name)
) STRICT;
INSERT INTO workflow_of_shard SELECT id, 0, name FROM workflow;
DROP TABLE workflow;
ALTER TABLE workflow_of_shard RENAME TO workflow;

CREATE TABLE definition_of_shard(
  id INTEGER PRIMARY KEY,
  shard INTEGER NOT NULL,
  workflow INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created INTEGER NOT NULL,
  hash BLOB NOT NULL,
  canonical TEXT NOT NULL,
  UNIQUE(shard, hash),
  UNIQUE(workflow, version)
) STRICT;
INSERT INTO definition_of_shard SELECT id, 0, workflow, version, created, hash, canonical FROM definition;
DROP TABLE definition;
ALTER TABLE definition_of_shard RENAME TO definition;
)sql";

constexpr std::array kMigrations = {kSchema1, kSchema2, kSchema3, kSchema4, kSchema5};

}  // namespace

std::span<const char* const> migrations() {
  return kMigrations;
}

Result<std::int64_t> check_schema(Connection& connection) {
  const std::int64_t application = connection.pragma("PRAGMA application_id");
  const std::int64_t schema = connection.pragma("PRAGMA user_version");
  if (application != kApplicationId) {
    return fail(ErrorCode::bad_configuration,
                "the file is an SQLite database, but not one of Baton's: choose another data directory");
  }
  if (schema > newest_schema()) {
    return fail(ErrorCode::bad_configuration, "the database was made by a newer Baton (schema " +
                                                  std::to_string(schema) + "; this one knows up to " +
                                                  std::to_string(newest_schema()) +
                                                  "): use that version or newer");
  }
  if (schema < 1) return fail(ErrorCode::corrupt, "the database has no schema number");
  return schema;
}

void migrate(Connection& connection, std::int64_t from) {
  for (std::int64_t next = from + 1; next <= newest_schema(); ++next) {
    SQLite::Transaction transaction(connection.database(), SQLite::TransactionBehavior::IMMEDIATE);
    connection.exec(migrations()[static_cast<std::size_t>(next - 1)]);
    connection.exec(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
    connection.exec(("PRAGMA user_version = " + std::to_string(next)).c_str());
    transaction.commit();
  }
}

}  // namespace baton::store::sqlite

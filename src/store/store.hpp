// What keeps the state. Two sides that never meet: the *writer* belongs to the shard loops (open, load,
// commit), the *reader* serves lists, searches and history and never touches the engine. A reader shows one
// shard: to it, what belongs to another does not exist. Every implementation passes the conformance suite
// (conformance_test.cpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/batch.hpp"
#include "model/fact.hpp"
#include "model/payload.hpp"
#include "model/record.hpp"
#include "model/rows.hpp"

namespace baton::store {

enum class CommitResult : std::uint8_t {
  committed,      // durable
  not_committed,  // nothing of it is stored (disk full, busy, constraint, newer term): reload
  unknown         // nobody can say (fsync failed, connection lost): the owner must not go on
};

struct CommitDone {
  JournalSequence sequence = 0;
  CommitResult result = CommitResult::committed;
  Error error;  // unless committed: why
};

struct ShardMeta {
  std::uint32_t incarnation = 0;  // this owner's; no shard of the database ever had it before
  JournalSequence sequence = 0;   // last committed
  ShardTime shard_time;           // of the last commit
  std::int64_t last_run = 0;
  WallTime wall_time;  // of the last commit; 0 = not known
};

struct StoredDefinition {
  std::string workflow;
  std::uint32_t version = 1;
  Hash256 hash;
  std::string canonical;
  WallTime created_at;
};

// A run with its tasks as stored: ordinals below its next_ordinal; tasks that never changed have no row.
struct RunImage {
  model::RunRow run;
  std::vector<model::TaskRow> tasks;     // by ordinal
  std::vector<model::Record> additions;  // of kind addition: what its tasks have added, in that order
};

struct DefinitionKey {
  std::string workflow;
  std::uint32_t version = 1;
  Hash256 hash;
};

struct IdempotencyEntry {
  Hash256 body;
  RunKey run;
  RunId id;
  WallTime expires_at;
};

// What a decision asks for before it can be taken.
struct LoadRequest {
  std::vector<model::PayloadKey> payloads;
  std::vector<RunKey> runs;   // cold runs
  std::vector<RunKey> heads;  // runs of which only that much is asked
  std::vector<std::string> idempotency_keys;
  ShardId shard{};  // of the idempotency keys, the records and the definitions
  std::vector<model::RecordKey> records;
  std::vector<Hash256> definitions;
  bool empty() const {
    return payloads.empty() && runs.empty() && heads.empty() && idempotency_keys.empty() && records.empty() &&
           definitions.empty();
  }
};
struct Loaded {
  std::vector<std::pair<model::PayloadKey, model::Text>> payloads;  // null text = there is none
  // Payloads that exist and cannot be given: an item list over its limit (too_large), a damaged one
  // (corrupt). In `payloads` they have an empty text, which is no JSON: whoever parses it gets an error,
  // never a value.
  std::vector<std::pair<model::PayloadKey, Error>> refused;
  std::vector<std::pair<RunKey, std::optional<RunImage>>> runs;  // nullopt = there is none
  std::vector<std::pair<RunKey, Error>> damaged;  // runs that cannot be read; not in `runs` or `heads`
  std::vector<model::RunHead> heads;              // those that there are
  std::vector<std::pair<Hash256, std::string>>
      definitions;              // canonical texts of the loaded runs' definitions, and of those asked for
  std::vector<Hash256> wanted;  // those asked for, whether they are there or not
  std::vector<std::pair<std::string, std::optional<IdempotencyEntry>>> idempotency;
  std::vector<std::pair<model::RecordKey, std::optional<model::Record>>> records;
};

// The writer's side of one database; used by one owner. Callbacks may come on another thread, or before the
// call returns; they must not call back into the store.
class Writer {
 public:
  virtual ~Writer() = default;

  // Takes the shard: durably counts its incarnation up before it returns. Earlier owners' commits fail from
  // here on.
  virtual Result<ShardMeta> open_shard(ShardId shard) = 0;

  // All runs that are not terminal, or whose status is unknown, ascending.
  virtual Result<std::vector<RunKey>> list_open_runs(ShardId shard) = 0;
  // Those of them that exist, in the order of `keys`. A row that cannot be decoded does not stop the others:
  // it is reported to `damaged` and left as it is.
  virtual Status load_runs(std::span<const RunKey> keys, const std::function<void(RunImage)>& run,
                           const std::function<void(RunKey, Error)>& damaged) = 0;
  // The index of a shard's definitions, and one of them.
  virtual Result<std::vector<DefinitionKey>> load_definition_keys(ShardId shard) = 0;
  virtual Result<StoredDefinition> load_definition(ShardId shard, const Hash256& hash) = 0;  // or not_found

  // All records of the resident kinds, in the order of their keys.
  virtual Status load_records(ShardId shard, const std::function<void(model::Record)>& record) = 0;

  // What belonged to removed runs (Batch::removals) is cleared away later, in pieces between commits, and so
  // is the room that it took; a new owner goes on with it.
  //
  // Commits in the order of calls, at most two under way at once; `done` is called exactly once, in that
  // order. Not committed is a batch whose owner was fenced (owned), whose sequence is not the next, that
  // creates what is stored, or changes a run or task that is not (internal: a bug). An update of a run
  // replaces its row except for id, workflow, job_id and created_at, which never change.
  virtual void begin_commit(model::Batch batch, std::function<void(CommitDone)> done) = 0;

  // Reads what is committed. Order against commits under way is not defined: the caller keeps what is
  // uncommitted. Loads are answered in the order of calls, and before a commit that was begun after them.
  // Fails as a whole if the database cannot be read.
  virtual void begin_load(LoadRequest request, std::function<void(Result<Loaded>)> done) = 0;

  // Whether a small commit would succeed now (after `not_committed`). Waits for what was begun before.
  virtual Status probe() = 0;

  // When nothing is to be done: checkpoints and the like, on another thread. Returns at once.
  virtual void idle() = 0;
};

// ---- Reading
// -----------------------------------------------------------------------------------------------------

// The most runs that one page of a list is looked for among: what is rare among very many is found page by
// page, and no page takes long.
inline constexpr std::size_t kRunsLookedAt = 5'000;

struct RunPage {
  std::vector<model::RunRow> rows;
  // Where the next page begins: its `before`. nullopt: there are no more. A page may have fewer rows than it
  // may, or none, although there is a next one.
  std::optional<RunKey> next;
};

struct RunFilter {
  std::vector<model::RunStatus> statuses;  // empty = all
  std::vector<std::string> workflows;      // empty = all
  std::vector<std::string> job_ids;        // empty = all
  // When they were made. A filter with these reads no more than the runs of that time: keys grow with it, but
  // for clocks that were set back, which is allowed for up to an hour.
  std::optional<WallTime> created_from;    // inclusive
  std::optional<WallTime> created_before;  // exclusive
  std::optional<WallTime> ended_before;    // exclusive; only those that have ended
};

// A version without its text.
struct VersionView {
  std::uint32_t version = 1;
  Hash256 hash;
  WallTime created_at;
};

struct RunView {
  model::RunRow row;
  std::string context;  // JSON; with metadata
};

struct TaskView {
  model::TaskRow row;
  std::optional<std::string> result;  // JSON
};

struct RecordFilter {
  model::RecordKind kind = model::RecordKind::pause;
  std::optional<std::string> group;  // nullopt = all
  bool descending = false;           // by key
};

// The records of one group: how many, and which was the last by key.
struct RecordGroup {
  std::string group;
  std::uint64_t count = 0;
  WallTime first_at;
  WallTime last_at;
  std::string last_key;
};

struct JournalView {
  JournalSequence sequence = 0;
  model::RunFacts facts;
};

// One shard of a database, for reading. Thread-safe; each call sees a consistent snapshot.
class Reader {
 public:
  virtual ~Reader() = default;

  virtual ShardId shard() const = 0;
  // Another shard of the same database, which need not be there. What the readers of a database share lives
  // as long as any of them.
  virtual std::unique_ptr<Reader> of(ShardId shard) const = 0;

  // Newest first, at most `limit` (from 1 on), older than `before` (exclusive) if given. A damaged run is
  // listed with what could be read, error_type "corrupt" and the damage as error_message.
  virtual Result<RunPage> list_runs(const RunFilter& filter, std::optional<RunKey> before,
                                    std::size_t limit) = 0;
  // nullopt: no such run (or another run has that key). Here and below, damaged rows are corrupt.
  virtual Result<std::optional<RunView>> get_run(const RunId& id) = 0;
  // By ordinal, at most `limit`, from `from` on; results up to `max_result` bytes each (longer ones: nullopt
  // and the row says has_result), 0 = without results.
  virtual Result<std::vector<TaskView>> list_tasks(RunKey run, Ordinal from, std::size_t limit,
                                                   std::size_t max_result) = 0;
  virtual Result<std::optional<TaskView>> get_task(TaskKey key) = 0;
  virtual Result<std::optional<std::string>> get_payload(const model::PayloadKey& key) = 0;
  virtual Result<std::optional<StoredDefinition>> get_definition(const Hash256& hash) = 0;
  virtual Result<std::optional<StoredDefinition>> get_version(std::string_view workflow,
                                                              std::uint32_t version) = 0;
  // The names of all workflows that there are versions of, ascending.
  virtual Result<std::vector<std::string>> list_workflows() = 0;
  // Newest first, at most `limit`, older than `before` (exclusive) if given.
  virtual Result<std::vector<VersionView>> list_versions(std::string_view workflow,
                                                         std::optional<std::uint32_t> before,
                                                         std::size_t limit) = 0;
  // Newest first: follows the run's chain back from its head, at most `limit` entries older than `before`.
  // Fewer than `limit` = the rest does not exist, or is pruned. Quick if `before` or the sequence before it
  // is an entry of the run; else it walks from the head.
  virtual Result<std::vector<JournalView>> run_journal(RunKey run, std::optional<JournalSequence> before,
                                                       std::size_t limit) = 0;
  // All entries after `after`, oldest first, at most `limit` commits: what event streams follow.
  // Large entries make it stop earlier; none at all = there are no more yet.
  virtual Result<std::vector<std::pair<JournalSequence, std::vector<model::RunFacts>>>> journal_after(
      JournalSequence after, std::size_t limit) = 0;
  // In the order of keys, at most `limit`, beyond `after` (exclusive, in the direction of the filter).
  virtual Result<std::vector<model::Record>> list_records(const RecordFilter& filter,
                                                          std::optional<std::string> after,
                                                          std::size_t limit) = 0;
  virtual Result<std::optional<model::Record>> get_record(const model::RecordKey& key) = 0;
  // All groups of a kind, by name.
  virtual Result<std::vector<RecordGroup>> count_records(model::RecordKind kind) = 0;
};

}  // namespace baton::store

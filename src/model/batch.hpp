// The changes of one turn of the loop: what the store commits in one transaction.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/fact.hpp"
#include "model/payload.hpp"
#include "model/record.hpp"
#include "model/rows.hpp"

namespace baton::model {

// Payload texts are shared with the engine's value cache: nothing is copied on the way to the store.
using Text = std::shared_ptr<const std::string>;

//
// A null text leaves what is stored as it is, an empty one removes it.
struct RunChange {
  RunRow row;
  bool created = false;  // else it exists already
  Text input;            // null = unchanged
  Text context;
  int opened = 0;  // 1: one more run is open than before, -1: one less
};

struct TaskChange {
  TaskRow row;
  bool created = false;
  Text input;
  Text result;
};

// A workflow version that the store did not have yet.
struct DefinitionChange {
  std::string workflow;
  std::uint32_t version = 1;
  Hash256 hash;
  Text canonical;
  WallTime created_at;
};

struct IdempotencyChange {
  std::string key;
  Hash256 body;
  RunKey run;
  WallTime expires_at;
};

// What is known of a run that is not in memory, without its tasks.
struct RunHead {
  RunRow row;
  bool dead_letter = false;  // it has one, or more
  WallTime key_until;        // its idempotency key counts until then; 0 = it has none
};

// A run that is gone, with all that belongs to it. The store may clear that away later; nobody sees it any
// more.
struct RunRemoval {
  RunKey run;
  RunId id;
  JournalSequence journal_head = 0;
  Ordinal next_ordinal = 0;  // its tasks have lower ones
  std::uint32_t additions = 0;
};

struct Batch {
  ShardId shard{};
  std::uint32_t incarnation = 0;  // of the owner; the commit fails if it is not the newest
  JournalSequence sequence = 0;   // one more than the last committed
  ShardTime shard_time;           // when it was decided: the next owner's shard time continues from here,
  WallTime wall_time;             // plus what has passed since on the wall
  std::int64_t last_run = 0;      // highest run sequence handed out
  std::vector<RunChange> runs;    // each run at most once
  std::vector<TaskChange> tasks;  // each task at most once
  std::vector<DefinitionChange> definitions;
  std::vector<IdempotencyChange> idempotency;
  std::vector<RecordChange> records;  // each record at most once
  std::vector<RunFacts> facts;        // each run at most once; `previous` links the entries of a run
  std::vector<RunRemoval> removals;   // of runs that nothing else in the batch is about

  bool empty() const {
    return runs.empty() && tasks.empty() && definitions.empty() && idempotency.empty() && records.empty() &&
           facts.empty() && removals.empty();
  }
  std::size_t rows() const {
    return runs.size() + tasks.size() + definitions.size() + idempotency.size() + records.size() +
           removals.size();
  }
};

}  // namespace baton::model

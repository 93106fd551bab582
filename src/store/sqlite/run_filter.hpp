// Which runs a list shows.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "store/sqlite/query.hpp"
#include "store/store.hpp"

namespace baton::store::sqlite {

struct SelectedRuns {
  std::vector<RunKey> keys;    // newest first
  std::optional<RunKey> next;  // as of RunPage
};

// The newest keys that the filter selects, at most `limit`, older than `before` if given. The access
// path is chosen here, not by SQLite's planner, which has no statistics:
//   job_id                        the runs of that job
//   statuses without `completed`  the index of runs that are not completed, per (status, workflow)
//   workflow                      the runs of that workflow
//   otherwise                     all runs
// Where several jobs or workflows are asked for, each is asked for by itself. Times of making become a range
// of keys first, by halving. Every path reads keys in descending order and stops at the limit; only the
// conditions that its index does not cover make it read more: a rare status beside `completed`, a job with
// very many runs. All paths together look at no more than kRunsLookedAt (or `limit` each, if there are many):
// the page ends where the first of them stopped. May throw SQLite::Exception.
SelectedRuns select_runs(Connection& connection, ShardId shard, const RunFilter& filter,
                         std::optional<RunKey> before, std::size_t limit);

}  // namespace baton::store::sqlite

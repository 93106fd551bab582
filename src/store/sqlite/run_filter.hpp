// Which runs a list shows.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "store/sqlite/query.hpp"
#include "store/store.hpp"

namespace baton::store::sqlite {

// The newest `limit` keys that the filter selects, older than `before` if given; newest first. The access
// path is chosen here, not by SQLite's planner, which has no statistics:
//   job_id                        the runs of that job
//   statuses without `completed`  the index of runs that are not completed, per (status, workflow)
//   workflow                      the runs of that workflow
//   otherwise                     all runs
// Where several jobs or workflows are asked for, each is asked for by itself. Times of making become a range
// of keys first, by halving. Every path reads keys in descending order and stops at the limit; only the
// conditions that its index does not cover make it read more: a rare status beside `completed`, a job with
// very many runs. May throw SQLite::Exception.
std::vector<RunKey> select_runs(Connection& connection, ShardId shard, const RunFilter& filter,
                                std::optional<RunKey> before, std::size_t limit);

}  // namespace baton::store::sqlite

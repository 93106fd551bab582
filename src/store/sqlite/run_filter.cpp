#include "store/sqlite/run_filter.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "store/sqlite/run_table.hpp"

namespace baton::store::sqlite {
namespace {

using model::RunStatus;

// Clocks that were set back by more than this hide runs from filters by time.
constexpr Duration kClockSlack = Duration::hours(1);

// Which keys a path reads, and what of them counts that no index covers.
struct Window {
  RunKey from;
  RunKey end;
  std::optional<WallTime> created_from;
  std::optional<WallTime> created_before;
  std::optional<WallTime> ended_before;

  // Of parameters 1 and 2.
  static constexpr const char* kKeys = "key >= ?1 AND key < ?2";
  // Of parameters 7, 8, 9 where there are times.
  std::string condition() const {
    std::string sql = "1";
    if (created_from) sql += " AND created >= ?8";
    if (created_before) sql += " AND created < ?9";
    if (ended_before) sql += " AND status >= 5 AND ended < ?7";
    return sql;
  }
  void bind(Query& query) const {
    query.number(1, from.value).number(2, end.value);
    if (created_from) query.number(8, created_from->us);
    if (created_before) query.number(9, created_before->us);
    if (ended_before) query.number(7, ended_before->us);
  }
};

// Puts together what several paths find.
class Page {
 public:
  Page(std::size_t limit, std::size_t paths)
      : limit_(limit), budget_(std::max(limit, kRunsLookedAt / std::max<std::size_t>(paths, 1))) {}

  // Of rows (key, whether it counts), the newest first.
  void add(Query& query) {
    std::size_t looked = 0;
    std::size_t found = 0;
    while (query.next()) {
      const RunKey key{query.number_at(0)};
      if (query.number_at(1) != 0) {
        keys_.push_back(key);
        ++found;
      }
      if (++looked < budget_ && found < limit_) continue;
      // What this path would find further on is not known: neither is what follows there of the others.
      floor_ = std::max(floor_.value_or(key), key);
      return;
    }
  }

  SelectedRuns take() {
    if (floor_) std::erase_if(keys_, [&](RunKey key) { return key < *floor_; });
    std::ranges::sort(keys_, std::greater<>());
    if (keys_.size() > limit_) {
      keys_.resize(limit_);
      floor_ = keys_.back();
    }
    return {std::move(keys_), floor_};
  }

 private:
  std::size_t limit_;
  std::size_t budget_;
  std::vector<RunKey> keys_;
  std::optional<RunKey> floor_;
};

// The first key from `low` on, below `high`, whose run was made at `at` or later, by halving: keys grow with
// the time.
std::int64_t first_made_at(Connection& connection, std::int64_t low, std::int64_t high, WallTime at) {
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    Query query =
        connection.query("SELECT key, created FROM run WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT 1");
    query.number(1, middle).number(2, high);
    if (!query.next() || query.number_at(1) >= at.us) {
      high = middle;
    } else {
      low = query.number_at(0) + 1;
    }
  }
  return low;
}

void narrow(Connection& connection, Window& window) {
  if (window.created_from) {
    window.from.value =
        first_made_at(connection, window.from.value, window.end.value, *window.created_from - kClockSlack);
  }
  std::optional<WallTime> before = window.created_before;
  // What has ended was made earlier.
  if (window.ended_before) before = std::min(before.value_or(*window.ended_before), *window.ended_before);
  if (before) {
    window.end.value = first_made_at(connection, window.from.value, window.end.value, *before + kClockSlack);
  }
}

// The shard's workflows that have runs of this status: one seek in the index each.
std::vector<std::int64_t> workflows_with(Connection& connection, ShardId shard, RunStatus status) {
  std::vector<std::int64_t> workflows;
  const std::int64_t before = before_workflows(shard);
  while (true) {
    Query query = connection.query(
        "SELECT workflow FROM run INDEXED BY run_status "
        "WHERE status = ?1 AND status <> 5 AND workflow > ?2 AND workflow < ?3 ORDER BY workflow LIMIT 1");
    query.number(1, static_cast<std::int64_t>(status))
        .number(2, workflows.empty() ? before : workflows.back())
        .number(3, before + (std::int64_t{1} << 32));
    if (!query.next()) return workflows;
    workflows.push_back(query.number_at(0));
  }
}

// `workflows`: empty = all.
SelectedRuns select_not_completed(Connection& connection, ShardId shard,
                                  const std::vector<RunStatus>& statuses,
                                  const std::vector<std::int64_t>& workflows, const Window& window,
                                  std::size_t limit) {
  std::vector<std::pair<RunStatus, std::int64_t>> paths;
  for (const RunStatus status : statuses) {
    for (const std::int64_t one : workflows.empty() ? workflows_with(connection, shard, status) : workflows)
      paths.emplace_back(status, one);
  }
  Page page(limit, paths.size());
  for (const auto& [status, workflow] : paths) {
    Query query = connection.query("SELECT key, " + window.condition() +
                                   " FROM run INDEXED BY run_status WHERE " + Window::kKeys +
                                   " AND status = ?4 AND status <> 5 AND workflow = ?5 ORDER BY key DESC");
    window.bind(query);
    query.number(4, static_cast<std::int64_t>(status)).number(5, workflow);
    page.add(query);
  }
  return page.take();
}

// Of one workflow or all, of one job or all.
void select_others(Connection& connection, const std::vector<RunStatus>& statuses,
                   std::optional<std::int64_t> workflow, const std::string& job_id, const Window& window,
                   Page& page) {
  constexpr int kFirstStatus = 10;
  std::string sql = "SELECT key, " + window.condition();
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    sql += i == 0 ? " AND status IN (?" : ", ?";
    sql += std::to_string(kFirstStatus + i);
  }
  if (!statuses.empty()) sql += ")";
  if (!job_id.empty() && workflow) sql += " AND workflow = ?5";
  sql += " FROM run ";
  sql += !job_id.empty() ? "INDEXED BY run_job " : workflow ? "INDEXED BY run_workflow " : "NOT INDEXED ";
  sql += std::string("WHERE ") + Window::kKeys;
  if (!job_id.empty()) {
    sql += " AND job_id = ?4";
  } else if (workflow) {
    sql += " AND workflow = ?5";
  }
  sql += " ORDER BY key DESC";

  Query query = connection.query(sql);
  window.bind(query);
  if (!job_id.empty()) query.text(4, job_id);
  if (workflow) query.number(5, *workflow);
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    query.number(kFirstStatus + static_cast<int>(i), static_cast<std::int64_t>(statuses[i]));
  }
  page.add(query);
}

// Sorted, each once.
template <typename T>
std::vector<T> distinct(std::vector<T> values) {
  std::ranges::sort(values);
  const auto repeated = std::ranges::unique(values);
  values.erase(repeated.begin(), repeated.end());
  return values;
}

}  // namespace

SelectedRuns select_runs(Connection& connection, ShardId shard, const RunFilter& filter,
                         std::optional<RunKey> before, std::size_t limit) {
  std::vector<std::int64_t> workflows;
  for (const std::string& name : distinct(filter.workflows)) {
    if (const auto id = find_workflow(connection, shard, name)) workflows.push_back(*id);
  }
  if (workflows.empty() && !filter.workflows.empty()) return {};
  const std::vector<RunStatus> statuses = distinct(filter.statuses);
  const RunKey end = end_of(shard);
  Window window{RunKey::make(shard, 0), before ? std::min(*before, end) : end, filter.created_from,
                filter.created_before, filter.ended_before};
  narrow(connection, window);
  const bool completed = std::ranges::find(statuses, RunStatus::completed) != statuses.end();
  if (filter.job_ids.empty() && !statuses.empty() && !completed) {
    return select_not_completed(connection, shard, statuses, workflows, window, limit);
  }
  // One query for each workflow and job: each reads in the order of keys and stops at the limit.
  std::vector<std::optional<std::int64_t>> each_workflow(workflows.begin(), workflows.end());
  if (each_workflow.empty()) each_workflow.emplace_back();
  std::vector<std::string> each_job = distinct(filter.job_ids);
  if (each_job.empty()) each_job.emplace_back();
  Page page(limit, each_job.size() * each_workflow.size());
  for (const std::string& job : each_job) {
    for (const auto& workflow : each_workflow) {
      select_others(connection, statuses, workflow, job, window, page);
    }
  }
  return page.take();
}

}  // namespace baton::store::sqlite

#include "store/sqlite/run_filter.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "store/sqlite/run_table.hpp"

namespace baton::store::sqlite {
namespace {

using model::RunStatus;

struct Window {
  RunKey from;
  RunKey end;
  std::int64_t limit;

  void bind(Query& query) const { query.number(1, from.value).number(2, end.value).number(3, limit); }
};

void append_keys(Query& query, std::vector<RunKey>& keys) {
  while (query.next()) keys.push_back({query.number_at(0)});
}

std::optional<std::int64_t> workflow_of(Connection& connection, const std::string& name) {
  Query query = connection.query("SELECT id FROM workflow WHERE name = ?1");
  query.text(1, name);
  return query.next() ? std::optional(query.number_at(0)) : std::nullopt;
}

// The workflows that have runs of this status: one seek in the index each.
std::vector<std::int64_t> workflows_with(Connection& connection, RunStatus status) {
  std::vector<std::int64_t> workflows;
  while (true) {
    Query query = connection.query(
        "SELECT workflow FROM run INDEXED BY run_status "
        "WHERE status = ?1 AND status <> 5 AND workflow > ?2 ORDER BY workflow LIMIT 1");
    query.number(1, static_cast<std::int64_t>(status)).number(2, workflows.empty() ? 0 : workflows.back());
    if (!query.next()) return workflows;
    workflows.push_back(query.number_at(0));
  }
}

std::vector<RunKey> select_not_completed(Connection& connection, const std::vector<RunStatus>& statuses,
                                         std::optional<std::int64_t> workflow, const Window& window) {
  std::vector<RunKey> keys;
  for (const RunStatus status : statuses) {
    for (const std::int64_t one : workflow ? std::vector{*workflow} : workflows_with(connection, status)) {
      Query query = connection.query(
          "SELECT key FROM run INDEXED BY run_status "
          "WHERE key >= ?1 AND key < ?2 AND status = ?4 AND status <> 5 AND workflow = ?5 "
          "ORDER BY key DESC LIMIT ?3");
      window.bind(query);
      query.number(4, static_cast<std::int64_t>(status)).number(5, one);
      append_keys(query, keys);
    }
  }
  std::ranges::sort(keys, std::greater<>());
  if (keys.size() > static_cast<std::size_t>(window.limit))
    keys.resize(static_cast<std::size_t>(window.limit));
  return keys;
}

std::vector<RunKey> select_others(Connection& connection, const std::vector<RunStatus>& statuses,
                                  std::optional<std::int64_t> workflow, const std::string& job_id,
                                  const Window& window) {
  std::string sql = "SELECT key FROM run ";
  sql += !job_id.empty() ? "INDEXED BY run_job " : workflow ? "INDEXED BY run_workflow " : "NOT INDEXED ";
  sql += "WHERE key >= ?1 AND key < ?2";
  if (!job_id.empty()) sql += " AND job_id = ?4";
  if (workflow) sql += " AND workflow = ?5";
  constexpr int kFirstStatus = 6;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    sql += i == 0 ? " AND status IN (?" : ", ?";
    sql += std::to_string(kFirstStatus + i);
  }
  if (!statuses.empty()) sql += ")";
  sql += " ORDER BY key DESC LIMIT ?3";

  Query query = connection.query(sql);
  window.bind(query);
  if (!job_id.empty()) query.text(4, job_id);
  if (workflow) query.number(5, *workflow);
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    query.number(kFirstStatus + static_cast<int>(i), static_cast<std::int64_t>(statuses[i]));
  }
  std::vector<RunKey> keys;
  append_keys(query, keys);
  return keys;
}

}  // namespace

std::vector<RunKey> select_runs(Connection& connection, const RunFilter& filter, std::optional<RunKey> before,
                                std::size_t limit) {
  std::optional<std::int64_t> workflow;
  if (!filter.workflow.empty()) {
    workflow = workflow_of(connection, filter.workflow);
    if (!workflow) return {};
  }
  std::vector<RunStatus> statuses = filter.statuses;
  std::ranges::sort(statuses);
  const auto repeated = std::ranges::unique(statuses);
  statuses.erase(repeated.begin(), repeated.end());

  const RunKey end = end_of(filter.shard);
  const Window window{RunKey::make(filter.shard, 0), before ? std::min(*before, end) : end,
                      static_cast<std::int64_t>(std::min<std::size_t>(limit, INT64_MAX))};
  const bool completed = std::ranges::find(statuses, RunStatus::completed) != statuses.end();
  if (filter.job_id.empty() && !statuses.empty() && !completed) {
    return select_not_completed(connection, statuses, workflow, window);
  }
  return select_others(connection, statuses, workflow, filter.job_id, window);
}

}  // namespace baton::store::sqlite

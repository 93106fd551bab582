#include "api/router.hpp"

#include <array>
#include <utility>

#include "api/event_feed.hpp"
#include "api/handlers.hpp"

namespace baton::api {
namespace {

using net::Method;

constexpr std::array kRoutes = {
    Route{Method::post, "/api/v1/runs", Access::change, submit_run},
    Route{Method::get, "/api/v1/runs", Access::read, list_runs},
    Route{Method::get, "/api/v1/runs/{id}", Access::read, get_run},
    Route{Method::post, "/api/v1/runs/{id}/cancel", Access::change, cancel_run},
    Route{Method::patch, "/api/v1/runs/{id}", Access::change, change_run},
    Route{Method::post, "/api/v1/runs/bulk", Access::change, bulk_runs},
    Route{Method::post, "/api/v1/runs/{id}/terminate", Access::change, terminate_run},
    Route{Method::post, "/api/v1/runs/{id}/pause", Access::change, pause_run},
    Route{Method::post, "/api/v1/runs/{id}/resume", Access::change, resume_run},
    Route{Method::post, "/api/v1/runs/{id}/recover", Access::change, recover_run},
    Route{Method::post, "/api/v1/runs/{id}/retry", Access::change, retry_run},
    Route{Method::post, "/api/v1/runs/{id}/replay", Access::change, replay_run},
    Route{Method::get, "/api/v1/runs/{id}/explain", Access::read, explain_run},
    Route{Method::get, "/api/v1/runs/{id}/progress", Access::read, run_progress},
    Route{Method::get, "/api/v1/runs/{id}/wait", Access::read, wait_for_run},
    Route{Method::get, "/api/v1/runs/{id}/events", Access::read, run_events},
    Route{Method::get, "/api/v1/runs/{id}/history", Access::read, run_history},
    Route{Method::get, "/api/v1/runs/{id}/state", Access::read, run_state},
    Route{Method::get, "/api/v1/runs/{id}/definition", Access::read, run_definition},
    Route{Method::post, "/api/v1/runs/{id}/signals/{name}", Access::change, send_signal},
    Route{Method::post, "/api/v1/workflows", Access::change, apply_workflow},
    Route{Method::get, "/api/v1/workflows", Access::read, list_workflows},
    Route{Method::get, "/api/v1/workflows/{name}", Access::read, get_workflow},
    Route{Method::get, "/api/v1/workflows/{name}/versions", Access::read, list_versions},
    Route{Method::get, "/api/v1/workflows/{name}/diff", Access::read, diff_workflow},
    Route{Method::get, "/api/v1/tasks", Access::read, list_tasks},
    Route{Method::get, "/api/v1/tasks/{id}", Access::read, get_task},
    Route{Method::post, "/api/v1/tasks/{id}/retry", Access::change, retry_task},
    Route{Method::post, "/api/v1/tasks/{id}/skip", Access::change, skip_task},
    Route{Method::post, "/api/v1/tasks/{id}/complete", Access::change, complete_task},
    Route{Method::post, "/api/v1/tasks/{id}/fail", Access::change, fail_task},
    Route{Method::post, "/api/v1/tasks/{id}/approve", Access::change, approve_task},
    Route{Method::post, "/api/v1/tasks/{id}/reject", Access::change, reject_task},
    Route{Method::get, "/api/v1/tasks/{id}/explain", Access::read, explain_task},
    Route{Method::get, "/api/v1/approvals", Access::read, list_approvals},
    Route{Method::get, "/api/v1/queues", Access::read, list_queues},
    Route{Method::get, "/api/v1/queues/{name}", Access::read, get_queue},
    Route{Method::patch, "/api/v1/queues/{name}", Access::change, set_queue},
    Route{Method::post, "/api/v1/queues/{name}/pause", Access::change, pause_queue},
    Route{Method::post, "/api/v1/queues/{name}/resume", Access::change, resume_queue},
    Route{Method::get, "/api/v1/workers", Access::read, list_workers},
    Route{Method::delete_, "/api/v1/workers/{name}", Access::work, forget_worker},
    Route{Method::post, "/api/v1/workers/{name}/register", Access::work, register_worker},
    Route{Method::post, "/api/v1/workers/{name}/claim", Access::work, claim_tasks},
    Route{Method::post, "/api/v1/workers/{name}/report", Access::work, report_tasks},
    Route{Method::post, "/api/v1/workers/{name}/heartbeat", Access::work, worker_heartbeat},
    Route{Method::post, "/api/v1/workers/{name}/release", Access::work, release_task},
    Route{Method::post, "/api/v1/workers/{name}/pause", Access::change, pause_worker},
    Route{Method::post, "/api/v1/workers/{name}/resume", Access::change, resume_worker},
    Route{Method::get, "/api/v1/targets", Access::read, list_targets},
    Route{Method::post, "/api/v1/targets/{name}/pause", Access::change, pause_target},
    Route{Method::post, "/api/v1/targets/{name}/resume", Access::change, resume_target},
    Route{Method::get, "/api/v1/tasks/{id}/logs", Access::read, task_logs},
    Route{Method::get, "/api/v1/routes", Access::read, list_routes},
    Route{Method::put, "/api/v1/routes/{pattern}", Access::change, set_route, true},
    Route{Method::delete_, "/api/v1/routes/{pattern}", Access::change, delete_route, true},
    Route{Method::get, "/api/v1/cache", Access::read, list_cached_results},
    Route{Method::post, "/api/v1/cache/clear", Access::change, clear_cached_results},
    Route{Method::get, "/api/v1/limits", Access::read, list_limits},
    Route{Method::get, "/api/v1/limits/{name}", Access::read, get_limit, true},
    Route{Method::put, "/api/v1/limits/{name}", Access::change, set_limit, true},
    Route{Method::delete_, "/api/v1/limits/{name}", Access::change, delete_limit, true},
    Route{Method::get, "/api/v1/breakers", Access::read, list_breakers},
    Route{Method::get, "/api/v1/breakers/{name}", Access::read, get_breaker},
    Route{Method::post, "/api/v1/breakers/{name}/open", Access::change, open_breaker},
    Route{Method::post, "/api/v1/breakers/{name}/close", Access::change, close_breaker},
    Route{Method::post, "/api/v1/breakers/{name}/reset", Access::change, reset_breaker},
    Route{Method::get, "/api/v1/dead-letters", Access::read, list_dead_letters},
    Route{Method::get, "/api/v1/dead-letters/{id}", Access::read, get_dead_letter},
    Route{Method::get, "/api/v1/dead-letter-groups", Access::read, list_dead_letter_groups},
    Route{Method::post, "/api/v1/dead-letters/{id}/replay", Access::change, replay_dead_letter},
    Route{Method::post, "/api/v1/dead-letters/discard", Access::change, discard_dead_letters},
    Route{Method::get, "/api/v1/resources", Access::read, list_resources},
    Route{Method::get, "/api/v1/resources/{id}", Access::read, get_resource},
    Route{Method::post, "/api/v1/resources/{id}/cleanup", Access::change, clean_resource},
    Route{Method::post, "/api/v1/tasks/{id}/resources", Access::change, register_resource},
    Route{Method::post, "/api/v1/tasks/{id}/resources/{name}/release", Access::change, release_resource},
    Route{Method::post, "/api/v1/tasks/{id}/progress", Access::change, report_progress},
    Route{Method::post, "/api/v1/backups", Access::change, make_backup},
    Route{Method::post, "/api/v1/tasks/{id}/tasks", Access::change, add_tasks},
    Route{Method::get, "/api/v1/events", Access::read, event_feed},
    Route{Method::get, "/api/v1/metrics", Access::read, get_metrics_summary},
    Route{Method::get, "/api/v1/version", Access::read, get_version},
    Route{Method::get, "/metrics", Access::read, get_metrics},
    Route{Method::get, "/livez", Access::anyone, get_alive},
    Route{Method::get, "/readyz", Access::anyone, get_ready},
};

std::string_view take_segment(std::string_view& rest) {
  rest.remove_prefix(1);  // the slash
  const std::string_view segment = rest.substr(0, rest.find('/'));
  rest.remove_prefix(segment.size());
  return segment;
}

bool matches(const Route& route, std::string_view path, std::vector<std::string>& captures) {
  std::string_view pattern = route.pattern;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view wanted = take_segment(pattern);
    const std::string_view given = take_segment(path);
    if (wanted.starts_with('{')) {
      const bool last = route.rest && pattern.empty();
      captures.emplace_back(given);
      if (last) captures.back() += std::exchange(path, {});
      if (captures.back().empty()) return false;
    } else if (wanted != given) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

Match find_route(net::Method method, std::string_view path) {
  Match match;
  for (const Route& route : kRoutes) {
    std::vector<std::string> captures;
    if (!matches(route, path, captures)) continue;
    if (route.method == method) return {&route, std::move(captures), {}};
    match.allowed.push_back(route.method);
  }
  return match;
}

}  // namespace baton::api

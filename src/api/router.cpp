#include "api/router.hpp"

#include <array>
#include <set>
#include <utility>

#include "api/event_feed.hpp"
#include "api/handlers.hpp"
#include "api/submission.hpp"

namespace baton::api {
namespace {

using net::Method;

constexpr auto kAnyone = auth::Permission::anyone();
constexpr auto kSomebody = auth::Permission::somebody();
constexpr auto kViewer = auth::Permission::at_least(model::Role::viewer);
constexpr auto kOperator = auth::Permission::at_least(model::Role::operator_);
constexpr auto kWorker = auth::Permission::at_least(model::Role::worker);
constexpr auto kEditor = auth::Permission::at_least(model::Role::editor);
constexpr auto kAdmin = auth::Permission::at_least(model::Role::admin);
// What belongs to no namespace: only those may who are let into all of them.
constexpr auto kServerViewer = auth::Permission::of_server(model::Role::viewer);
constexpr auto kServerAdmin = auth::Permission::of_server(model::Role::admin);

constexpr Route if_match(Route route) {
  route.conditional = true;
  return route;
}

constexpr std::array kRoutes = {
    Route{Method::post, "/api/v1/runs", kOperator, submit_run},
    Route{Method::get, "/api/v1/runs", kViewer, list_runs},
    Route{Method::post, "/api/v1/runs/batch", kOperator, submit_batch},
    Route{Method::get, "/api/v1/runs/{id}", kViewer, get_run},
    Route{Method::post, "/api/v1/runs/{id}/cancel", kOperator, cancel_run},
    if_match(Route{Method::patch, "/api/v1/runs/{id}", kOperator, change_run}),
    Route{Method::post, "/api/v1/runs/{id}/prune", kAdmin, prune_run},
    Route{Method::post, "/api/v1/runs/bulk", kOperator, bulk_runs},
    Route{Method::get, "/api/v1/removals", kViewer, list_removals},
    Route{Method::post, "/api/v1/runs/{id}/terminate", kOperator, terminate_run},
    Route{Method::post, "/api/v1/runs/{id}/pause", kOperator, pause_run},
    Route{Method::post, "/api/v1/runs/{id}/resume", kOperator, resume_run},
    Route{Method::post, "/api/v1/runs/{id}/recover", kOperator, recover_run},
    Route{Method::post, "/api/v1/runs/{id}/retry", kOperator, retry_run},
    Route{Method::post, "/api/v1/runs/{id}/replay", kOperator, replay_run},
    Route{Method::get, "/api/v1/runs/{id}/explain", kViewer, explain_run},
    Route{Method::get, "/api/v1/runs/{id}/progress", kViewer, run_progress},
    Route{Method::get, "/api/v1/runs/{id}/wait", kViewer, wait_for_run},
    Route{Method::get, "/api/v1/runs/{id}/events", kViewer, run_events},
    Route{Method::get, "/api/v1/runs/{id}/history", kViewer, run_history},
    Route{Method::get, "/api/v1/runs/{id}/state", kViewer, run_state},
    Route{Method::get, "/api/v1/runs/{id}/definition", kViewer, run_definition},
    Route{Method::post, "/api/v1/runs/{id}/signals/{name}", kOperator, send_signal},
    if_match(Route{Method::post, "/api/v1/workflows", kEditor, apply_workflow}),
    Route{Method::get, "/api/v1/workflows", kViewer, list_workflows},
    Route{Method::get, "/api/v1/workflows/{name}", kViewer, get_workflow},
    Route{Method::get, "/api/v1/workflows/{name}/versions", kViewer, list_versions},
    Route{Method::get, "/api/v1/workflows/{name}/diff", kViewer, diff_workflow},
    Route{Method::get, "/api/v1/tasks", kViewer, list_tasks},
    Route{Method::get, "/api/v1/tasks/{id}", kViewer, get_task},
    Route{Method::post, "/api/v1/tasks/{id}/retry", kOperator, retry_task},
    Route{Method::post, "/api/v1/tasks/{id}/skip", kOperator, skip_task},
    Route{Method::post, "/api/v1/tasks/{id}/complete", kOperator, complete_task},
    Route{Method::post, "/api/v1/tasks/{id}/fail", kOperator, fail_task},
    Route{Method::post, "/api/v1/tasks/{id}/approve", kOperator, approve_task},
    Route{Method::post, "/api/v1/tasks/{id}/reject", kOperator, reject_task},
    Route{Method::get, "/api/v1/tasks/{id}/explain", kViewer, explain_task},
    Route{Method::get, "/api/v1/approvals", kViewer, list_approvals},
    Route{Method::get, "/api/v1/queues", kViewer, list_queues},
    Route{Method::get, "/api/v1/queues/{name}", kViewer, get_queue},
    if_match(Route{Method::patch, "/api/v1/queues/{name}", kEditor, set_queue}),
    Route{Method::get, "/api/v1/queues/{name}/events", kViewer, queue_events},
    Route{Method::post, "/api/v1/queues/{name}/pause", kOperator, pause_queue},
    Route{Method::post, "/api/v1/queues/{name}/resume", kOperator, resume_queue},
    Route{Method::get, "/api/v1/workers", kViewer, list_workers},
    Route{Method::get, "/api/v1/workers/{name}", kViewer, get_worker},
    Route{Method::delete_, "/api/v1/workers/{name}", kWorker, forget_worker},
    Route{Method::post, "/api/v1/workers/{name}/register", kWorker, register_worker},
    Route{Method::post, "/api/v1/workers/{name}/claim", kWorker, claim_tasks, .quick = true},
    Route{Method::post, "/api/v1/workers/{name}/report", kWorker, report_tasks, .quick = true},
    Route{Method::post, "/api/v1/workers/{name}/heartbeat", kWorker, worker_heartbeat, .quick = true},
    Route{Method::post, "/api/v1/workers/{name}/release", kWorker, release_task},
    Route{Method::post, "/api/v1/workers/{name}/ended-runs", kWorker, ended_runs},
    Route{Method::post, "/api/v1/workers/{name}/drain", kOperator, drain_worker},
    Route{Method::post, "/api/v1/workers/{name}/pause", kOperator, pause_worker},
    Route{Method::post, "/api/v1/workers/{name}/resume", kOperator, resume_worker},
    Route{Method::get, "/api/v1/targets", kViewer, list_targets},
    Route{Method::post, "/api/v1/targets/{name}/pause", kOperator, pause_target},
    Route{Method::post, "/api/v1/targets/{name}/resume", kOperator, resume_target},
    Route{Method::get, "/api/v1/tasks/{id}/events", kViewer, task_events},
    Route{Method::get, "/api/v1/tasks/{id}/logs", kViewer, task_logs},
    Route{Method::get, "/api/v1/routes", kViewer, list_routes},
    Route{Method::get, "/api/v1/routes/{pattern}", kViewer, get_route, true},
    if_match(Route{Method::put, "/api/v1/routes/{pattern}", kEditor, set_route, true}),
    if_match(Route{Method::delete_, "/api/v1/routes/{pattern}", kEditor, delete_route, true}),
    Route{Method::get, "/api/v1/cache", kViewer, list_cached_results},
    Route{Method::post, "/api/v1/cache/clear", kEditor, clear_cached_results},
    Route{Method::get, "/api/v1/limits", kViewer, list_limits},
    Route{Method::get, "/api/v1/limits/{name}", kViewer, get_limit, true},
    if_match(Route{Method::put, "/api/v1/limits/{name}", kEditor, set_limit, true}),
    if_match(Route{Method::delete_, "/api/v1/limits/{name}", kEditor, delete_limit, true}),
    Route{Method::get, "/api/v1/breakers", kViewer, list_breakers},
    Route{Method::get, "/api/v1/breakers/{name}", kViewer, get_breaker},
    Route{Method::post, "/api/v1/breakers/{name}/open", kOperator, open_breaker},
    Route{Method::post, "/api/v1/breakers/{name}/close", kOperator, close_breaker},
    Route{Method::post, "/api/v1/breakers/{name}/reset", kOperator, reset_breaker},
    Route{Method::get, "/api/v1/dead-letters", kViewer, list_dead_letters},
    Route{Method::get, "/api/v1/dead-letters/{id}", kViewer, get_dead_letter},
    Route{Method::get, "/api/v1/dead-letter-groups", kViewer, list_dead_letter_groups},
    Route{Method::post, "/api/v1/dead-letters/{id}/replay", kOperator, replay_dead_letter},
    Route{Method::post, "/api/v1/dead-letters/discard", kOperator, discard_dead_letters},
    Route{Method::get, "/api/v1/resources", kViewer, list_resources},
    Route{Method::get, "/api/v1/resources/{id}", kViewer, get_resource},
    Route{Method::post, "/api/v1/resources/{id}/cleanup", kOperator, clean_resource},
    Route{Method::post, "/api/v1/tasks/{id}/resources", kWorker, register_resource},
    Route{Method::post, "/api/v1/tasks/{id}/resources/{name}/release", kWorker, release_resource},
    Route{Method::post, "/api/v1/tasks/{id}/progress", kWorker, report_progress},
    Route{Method::post, "/api/v1/backups", kServerAdmin, make_backup},
    Route{Method::post, "/api/v1/tasks/{id}/tasks", kWorker, add_tasks},
    Route{Method::post, "/api/v1/tasks/{id}/runs", kWorker, start_child_run},
    Route{Method::get, "/api/v1/keys", kServerAdmin, list_keys},
    Route{Method::post, "/api/v1/keys", kServerAdmin, create_key},
    Route{Method::delete_, "/api/v1/keys/{name}", kServerAdmin, revoke_key},
    Route{Method::get, "/api/v1/namespaces", kViewer, list_namespaces},
    Route{Method::post, "/api/v1/namespaces", kServerAdmin, create_namespace},
    Route{Method::get, "/api/v1/namespaces/{name}", kViewer, get_namespace},
    Route{Method::delete_, "/api/v1/namespaces/{name}", kServerAdmin, delete_namespace},
    Route{Method::get, "/api/v1/secrets", kViewer, list_secrets},
    Route{Method::get, "/api/v1/secrets/{name}", kViewer, get_secret},
    if_match(Route{Method::put, "/api/v1/secrets/{name}", kAdmin, set_secret}),
    if_match(Route{Method::delete_, "/api/v1/secrets/{name}", kAdmin, delete_secret}),
    Route{Method::get, "/api/v1/audit", kAdmin, list_audit},
    Route{Method::get, "/api/v1/audit/verify", kAdmin, verify_audit},
    Route{Method::get, "/api/v1/events", kViewer, event_feed},
    Route{Method::get, "/api/v1/metrics", kViewer, get_metrics_summary},
    Route{Method::get, "/api/v1/version", kViewer, get_version},
    Route{Method::get, "/api/v1/openapi.json", kViewer, get_openapi},
    Route{Method::get, "/api/v1/reference", kViewer, get_reference},
    Route{Method::get, "/api/v1/session", kSomebody, get_session},
    Route{Method::post, "/api/v1/session", kAnyone, open_session},
    Route{Method::delete_, "/api/v1/session", kSomebody, close_session},
    Route{Method::post, "/api/tasks/submit", kOperator, seed_submit_task},
    Route{Method::get, "/api/tasks/{id}", kViewer, seed_task_state},
    Route{Method::post, "/api/jobs/{id}/cancel", kOperator, seed_cancel_job},
    Route{Method::get, "/api/workflow/{id}/status", kViewer, get_run},
    Route{Method::post, "/api/workflow/{id}/cancel", kOperator, cancel_run},
    Route{Method::get, "/api/workflow/metrics", kViewer, seed_workflow_metrics},
    Route{Method::get, "/api/circuit-breakers/status", kViewer, list_breakers},
    Route{Method::post, "/workflows", kEditor, make_workflow},
    Route{Method::get, "/metrics", kServerViewer, get_metrics},
    Route{Method::get, "/", kAnyone, get_page},
    Route{Method::get, "/style.css", kAnyone, get_style},
    Route{Method::post, "/sign-in", kAnyone, page_sign_in, false, true},
    Route{Method::post, "/sign-out", kAnyone, page_sign_out, false, true},
    Route{Method::get, "/livez", kAnyone, get_alive},
    Route{Method::get, "/readyz", kAnyone, get_ready},
    Route{Method::post, "/api/v1/tasks/{id}/logs", kWorker, append_log},
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
    match.open |= route.permission.anonymous();
  }
  return match;
}

std::string allow_text(const std::vector<net::Method>& allowed) {
  std::set<Method> methods(allowed.begin(), allowed.end());
  if (methods.contains(Method::get)) methods.insert(Method::head);
  methods.insert(Method::options);
  std::string text;
  for (const Method method : methods)
    text += (text.empty() ? "" : ", ") + std::string(net::to_string(method));
  return text;
}

}  // namespace baton::api

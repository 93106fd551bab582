// The handlers, by resource. Each answers its call, now or later; all are called on a worker's thread.
#pragma once

#include "api/core.hpp"

namespace baton::api {

// The table of keys as it is in the store now. Not on the loop's thread.
Status refresh_keys(Core& core);  // keys.cpp

void submit_run(const CorePtr& core, CallPtr call);  // submit.cpp
void start_child_run(const CorePtr& core, CallPtr call);
void list_runs(const CorePtr& core, CallPtr call);   // runs.cpp
void get_run(const CorePtr& core, CallPtr call);
void cancel_run(const CorePtr& core, CallPtr call);
void run_history(const CorePtr& core, CallPtr call);
void run_state(const CorePtr& core, CallPtr call);
void run_definition(const CorePtr& core, CallPtr call);
void terminate_run(const CorePtr& core, CallPtr call);  // control.cpp
void change_run(const CorePtr& core, CallPtr call);
void pause_run(const CorePtr& core, CallPtr call);
void resume_run(const CorePtr& core, CallPtr call);
void recover_run(const CorePtr& core, CallPtr call);
void retry_run(const CorePtr& core, CallPtr call);
void retry_task(const CorePtr& core, CallPtr call);
void skip_task(const CorePtr& core, CallPtr call);
void complete_task(const CorePtr& core, CallPtr call);
void fail_task(const CorePtr& core, CallPtr call);
void replay_run(const CorePtr& core, CallPtr call);  // replay.cpp
void bulk_runs(const CorePtr& core, CallPtr call);   // bulk.cpp
void prune_run(const CorePtr& core, CallPtr call);
void list_removals(const CorePtr& core, CallPtr call);  // removals.cpp
void explain_run(const CorePtr& core, CallPtr call);    // explain.cpp
void explain_task(const CorePtr& core, CallPtr call);
void run_progress(const CorePtr& core, CallPtr call);    // progress.cpp
void apply_workflow(const CorePtr& core, CallPtr call);  // workflows.cpp
void list_workflows(const CorePtr& core, CallPtr call);
void get_workflow(const CorePtr& core, CallPtr call);
void list_versions(const CorePtr& core, CallPtr call);
void diff_workflow(const CorePtr& core, CallPtr call);
void list_queues(const CorePtr& core, CallPtr call);  // queues.cpp
void get_queue(const CorePtr& core, CallPtr call);
void queue_events(const CorePtr& core, CallPtr call);  // queue_feed.cpp
void set_queue(const CorePtr& core, CallPtr call);
void pause_queue(const CorePtr& core, CallPtr call);
void resume_queue(const CorePtr& core, CallPtr call);
void list_workers(const CorePtr& core, CallPtr call);  // worker_views.cpp
void get_worker(const CorePtr& core, CallPtr call);
void drain_worker(const CorePtr& core, CallPtr call);
void pause_worker(const CorePtr& core, CallPtr call);
void resume_worker(const CorePtr& core, CallPtr call);
void register_worker(const CorePtr& core, CallPtr call);  // worker_protocol.cpp
void claim_tasks(const CorePtr& core, CallPtr call);
void report_tasks(const CorePtr& core, CallPtr call);
void worker_heartbeat(const CorePtr& core, CallPtr call);
void release_task(const CorePtr& core, CallPtr call);
void ended_runs(const CorePtr& core, CallPtr call);
void forget_worker(const CorePtr& core, CallPtr call);
void append_log(const CorePtr& core, CallPtr call);  // log_upload.cpp
void list_targets(const CorePtr& core, CallPtr call);
void pause_target(const CorePtr& core, CallPtr call);
void resume_target(const CorePtr& core, CallPtr call);
void wait_for_run(const CorePtr& core, CallPtr call);  // wait.cpp
void task_events(const CorePtr& core, CallPtr call);
void run_events(const CorePtr& core, CallPtr call);  // events.cpp
void list_tasks(const CorePtr& core, CallPtr call);  // tasks.cpp
void get_task(const CorePtr& core, CallPtr call);
void send_signal(const CorePtr& core, CallPtr call);  // signals.cpp
void approve_task(const CorePtr& core, CallPtr call);
void reject_task(const CorePtr& core, CallPtr call);
void list_routes(const CorePtr& core, CallPtr call);  // routes.cpp
void get_route(const CorePtr& core, CallPtr call);
void set_route(const CorePtr& core, CallPtr call);
void delete_route(const CorePtr& core, CallPtr call);
void list_approvals(const CorePtr& core, CallPtr call);       // approvals.cpp
void task_logs(const CorePtr& core, CallPtr call);            // task_logs.cpp
void list_cached_results(const CorePtr& core, CallPtr call);  // cache.cpp
void clear_cached_results(const CorePtr& core, CallPtr call);
void list_limits(const CorePtr& core, CallPtr call);  // limits.cpp
void get_limit(const CorePtr& core, CallPtr call);
void set_limit(const CorePtr& core, CallPtr call);
void delete_limit(const CorePtr& core, CallPtr call);
void list_breakers(const CorePtr& core, CallPtr call);  // breakers.cpp
void get_breaker(const CorePtr& core, CallPtr call);
void open_breaker(const CorePtr& core, CallPtr call);
void close_breaker(const CorePtr& core, CallPtr call);
void reset_breaker(const CorePtr& core, CallPtr call);
void list_dead_letters(const CorePtr& core, CallPtr call);  // dead_letters.cpp
void list_dead_letter_groups(const CorePtr& core, CallPtr call);
void get_dead_letter(const CorePtr& core, CallPtr call);
void discard_dead_letters(const CorePtr& core, CallPtr call);
void replay_dead_letter(const CorePtr& core, CallPtr call);
void list_resources(const CorePtr& core, CallPtr call);  // resources.cpp
void get_resource(const CorePtr& core, CallPtr call);
void clean_resource(const CorePtr& core, CallPtr call);
void register_resource(const CorePtr& core, CallPtr call);
void release_resource(const CorePtr& core, CallPtr call);
void report_progress(const CorePtr& core, CallPtr call);
void make_backup(const CorePtr& core, CallPtr call);  // backups.cpp
void add_tasks(const CorePtr& core, CallPtr call);    // additions.cpp
void list_keys(const CorePtr& core, CallPtr call);    // keys.cpp
void create_key(const CorePtr& core, CallPtr call);
void revoke_key(const CorePtr& core, CallPtr call);
void list_namespaces(const CorePtr& core, CallPtr call);  // namespaces.cpp
void get_namespace(const CorePtr& core, CallPtr call);
void create_namespace(const CorePtr& home, CallPtr call);
void delete_namespace(const CorePtr& home, CallPtr call);
void list_secrets(const CorePtr& core, CallPtr call);  // secrets.cpp
void get_secret(const CorePtr& core, CallPtr call);
void set_secret(const CorePtr& core, CallPtr call);
void delete_secret(const CorePtr& core, CallPtr call);
void list_audit(const CorePtr& core, CallPtr call);  // audit.cpp
void verify_audit(const CorePtr& core, CallPtr call);
void get_metrics(const CorePtr& core, CallPtr call);  // metrics.cpp
void get_metrics_summary(const CorePtr& core, CallPtr call);
void get_openapi(const CorePtr& core, CallPtr call);    // openapi.cpp
void get_reference(const CorePtr& core, CallPtr call);  // reference_page.cpp
void get_session(const CorePtr& core, CallPtr call);    // session.cpp
void open_session(const CorePtr& core, CallPtr call);
void close_session(const CorePtr& core, CallPtr call);
void get_style(const CorePtr& core, CallPtr call);  // page.cpp
void get_page(const CorePtr& core, CallPtr call);   // sign_in.cpp
void page_sign_in(const CorePtr& core, CallPtr call);
void page_sign_out(const CorePtr& core, CallPtr call);
void make_workflow(const CorePtr& core, CallPtr call);          // drafts.cpp
void seed_submit_task(const CorePtr& core, CallPtr call);       // submit.cpp
void seed_workflow_metrics(const CorePtr& core, CallPtr call);  // metrics.cpp
void seed_task_state(const CorePtr& core, CallPtr call);        // seed_routes.cpp
void seed_cancel_job(const CorePtr& core, CallPtr call);
void get_version(const CorePtr& core, CallPtr call);  // health.cpp
void get_alive(const CorePtr& core, CallPtr call);
void get_ready(const CorePtr& core, CallPtr call);

}  // namespace baton::api

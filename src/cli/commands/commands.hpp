// The commands, one file each: they add themselves to the command line.
#pragma once

#include "cli/program.hpp"

namespace baton::cli {

void add_server(Program& program);  // and dev
void add_worker(Program& program);
void add_run(Program& program);
void add_preflight(Program& program);  // run.cpp
void add_apply(Program& program);
void add_start(Program& program);
void add_watch(Program& program);
void add_workflows(Program& program);
void add_runs(Program& program);
void add_run_steering(Program& program);  // after add_runs
void add_tasks(Program& program);
void add_task_steering(Program& program);  // after add_tasks
void add_queues(Program& program);         // and workers, targets
void add_workers(Program& program);        // to what add_queues() has made
void add_explain(Program& program);
void add_cache(Program& program);
void add_limits(Program& program);
void add_routes(Program& program);
void add_breakers(Program& program);
void add_dead_letters(Program& program);
void add_signal(Program& program);
void add_approvals(Program& program);
void add_answers(Program& program, CLI::App& runs);  // runs approve, runs reject
void add_resources(Program& program);
void add_task(Program& program);
void add_logs(Program& program);
void add_validate(Program& program);
void add_graph(Program& program);
void add_test(Program& program);
void add_simulate(Program& program);
void add_fmt(Program& program);
void add_diff(Program& program);
void add_schema(Program& program);
void add_eval(Program& program);
void add_config(Program& program);
void add_context(Program& program);
void add_secrets(Program& program);
void add_keys(Program& program);
void add_namespaces(Program& program);  // and audit
void add_backup(Program& program);      // and restore
void add_doctor(Program& program);
void add_support_bundle(Program& program);
void add_top(Program& program);
void add_version(Program& program);
void add_completion(Program& program);  // and manual

}  // namespace baton::cli

// The handlers, by resource. Each answers its call, now or later; all are called on a worker's thread.
#pragma once

#include "api/core.hpp"

namespace baton::api {

void submit_run(const CorePtr& core, CallPtr call);  // submit.cpp
void list_runs(const CorePtr& core, CallPtr call);   // runs.cpp
void get_run(const CorePtr& core, CallPtr call);
void cancel_run(const CorePtr& core, CallPtr call);
void run_history(const CorePtr& core, CallPtr call);
void run_definition(const CorePtr& core, CallPtr call);
void wait_for_run(const CorePtr& core, CallPtr call);  // wait.cpp
void run_events(const CorePtr& core, CallPtr call);    // events.cpp
void list_tasks(const CorePtr& core, CallPtr call);    // tasks.cpp
void get_task(const CorePtr& core, CallPtr call);
void task_logs(const CorePtr& core, CallPtr call);    // task_logs.cpp
void list_dead_letters(const CorePtr& core, CallPtr call);  // dead_letters.cpp
void list_dead_letter_groups(const CorePtr& core, CallPtr call);
void get_dead_letter(const CorePtr& core, CallPtr call);
void discard_dead_letters(const CorePtr& core, CallPtr call);
void get_version(const CorePtr& core, CallPtr call);  // health.cpp
void get_alive(const CorePtr& core, CallPtr call);
void get_ready(const CorePtr& core, CallPtr call);

}  // namespace baton::api

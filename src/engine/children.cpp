#include "engine/children.hpp"

#include <boost/json/serialize.hpp>

#include "base/text.hpp"
#include "base/trace_context.hpp"
#include "engine/attempts.hpp"
#include "engine/commands/commands.hpp"
#include "engine/deadlines.hpp"
#include "engine/flow.hpp"
#include "engine/phases.hpp"
#include "engine/rendering.hpp"
#include "engine/run_limits.hpp"
#include "engine/submission.hpp"
#include "engine/waiting.hpp"
#include "model/applied.hpp"
#include "schema/inputs.hpp"

namespace baton::engine {
namespace {

namespace json = boost::json;
using model::RunStatus;
using model::TaskStatus;

const model::Child& child_of(const Run& run, const model::TaskRow& row) {
  return *run.program->step(row.step).child;
}

// The version that the step names, or the one that counts.
Result<Hash256> find_version(const State& state, const model::Child& child) {
  const model::Record* record = state.record(model::applied_key(child.workflow));
  if (record == nullptr) {
    std::vector<std::string_view> names;
    for (auto known = state.records.lower_bound({model::RecordKind::workflow, ""});
         known != state.records.end() && known->first.kind == model::RecordKind::workflow &&
         names.size() < 1000;
         ++known) {
      names.push_back(known->first.key);
    }
    const std::string_view near = nearest(child.workflow, names);
    return fail(ErrorCode::not_found, "workflow \"" + child.workflow + "\" was not applied" +
                                          (near.empty() ? "; `baton apply` makes it known"
                                                        : "; did you mean \"" + std::string(near) + "\"?"));
  }
  TRY(const model::AppliedWorkflow applied, model::applied_of(*record));
  const std::uint32_t version = child.version == 0 ? applied.version() : child.version;
  const auto known = state.versions.find(child.workflow);
  if (known == state.versions.end() || version > known->second.size()) {
    return fail(ErrorCode::not_found,
                "workflow " + child.workflow + " has no version " + std::to_string(version));
  }
  return known->second[version - 1];
}

Result<std::shared_ptr<const model::Workflow>> definition_of(const State& state, const model::Child& child) {
  TRY(const Hash256 hash, find_version(state, child));
  if (const auto found = state.programs.find(hash); found != state.programs.end())
    return found->second->shared_workflow();
  const auto damaged = state.unreadable.find(hash);
  return fail(ErrorCode::corrupt, "workflow " + child.workflow + " cannot be read: " +
                                      (damaged != state.unreadable.end() ? damaged->second.message
                                                                         : std::string("it was not loaded")));
}

// Its input, as the step's `with` says.
Result<std::string> input_of_child(State& state, const Run& run, const Task& task,
                                   const model::Workflow& workflow) {
  TRY(const json::value body, recorded_body(state, run, task));
  const json::object* object = body.if_object();
  const json::value* with = object != nullptr ? object->if_contains("with") : nullptr;
  std::vector<schema::Declared> declared;
  declared.reserve(workflow.inputs.size());
  for (const model::Input& input : workflow.inputs) {
    declared.push_back(
        {input.name, &input.schema, input.default_value ? &*input.default_value : nullptr, input.required});
  }
  auto input = schema::complete(declared, with != nullptr ? *with : json::value());
  if (!input) {
    return fail(ErrorCode::invalid_input,
                "the input of workflow " + workflow.name + " (`with`): " + input.error().message);
  }
  return json::serialize(*input);
}

// It works where its parent does, with the same environment, in the same trace.
Result<std::string> context_of_child(State& state, const Run& run, const Task& task,
                                     const model::Workflow& workflow) {
  TRY(const std::shared_ptr<const json::value> parents, state.values.json(context_of(run.row.key)));
  json::object context;
  const json::object* from = parents->if_object();
  const auto part = [&](std::string_view name) -> const json::object* {
    const json::value* value = from != nullptr ? from->if_contains(name) : nullptr;
    return value != nullptr ? value->if_object() : nullptr;
  };
  if (const json::value* place = from != nullptr ? from->if_contains("workdir") : nullptr)
    context["workdir"] = *place;
  const json::object* env = part("env");
  const json::object* vars = part("vars");
  context["env"] = env != nullptr ? *env : json::object();
  context["metadata"] = json::object();
  json::object read;
  for (const std::string& name : workflow.reads_env) {
    const json::value* value = vars != nullptr ? vars->if_contains(name) : nullptr;
    if (value == nullptr && env != nullptr) value = env->if_contains(name);
    if (value != nullptr) read[name] = *value;
  }
  context["vars"] = std::move(read);
  const json::value* trace = from != nullptr ? from->if_contains("traceparent") : nullptr;
  const json::string* submitted = trace != nullptr ? trace->if_string() : nullptr;
  // No worker has the task, so it has no token: its number and start stand for one, far from all real ones.
  const Token span{task.row.key.ordinal, ~std::uint64_t{task.row.starts}};
  context["traceparent"] =
      trace_of_attempt(submitted != nullptr ? std::string_view(*submitted) : "", run.row.id, span).text();
  return json::serialize(context);
}

Result<NewRun> prepare(State& state, const Run& run, const Task& task) {
  const model::Child& child = child_of(run, task.row);
  const std::uint32_t depth = run.row.parent->depth + 1;
  if (depth > model::kMostDepth) {
    return fail(ErrorCode::too_large, "runs that begin runs may be nested " +
                                          std::to_string(model::kMostDepth) + " deep; this would be deeper");
  }
  NewRun made;
  TRY(made.workflow, definition_of(state, child));
  TRY_VOID(can_run(state, *made.workflow));
  TRY(made.input, input_of_child(state, run, task, *made.workflow));
  TRY(made.limit, run_limit_of(state, *made.workflow, made.input));
  TRY(made.context, context_of_child(state, run, task, *made.workflow));
  made.priority = task.row.priority;
  made.parent = {.task = {run.row.id, task.row.key.ordinal},
                 .attempt = task.row.starts + 1,
                 .depth = depth,
                 .detached = child.detach};
  return made;
}

model::Fact fact_of(const Task& task, const Run& child, const Moment& moment) {
  return {.kind = model::FactKind::task_waiting,
          .at = moment.wall,
          .task = task.row.key.ordinal,
          .step = task.row.step,
          .index = task.row.index,
          .attempt = task.row.starts,
          .text = std::string(name(model::Wait::For::run)),
          .other = child.row.id.text()};
}

// The task that waits for the run; null if none does (any more).
Task* waiting_for(State& state, const Run& child, Run*& run) {
  const model::Parent& parent = *child.row.parent;
  if (!parent.any() || parent.detached) return nullptr;
  run = state.find(parent.task.run.key());
  if (run == nullptr || parent.task.ordinal >= run->tasks.size()) return nullptr;
  Task& task = run->tasks[parent.task.ordinal];
  const bool waits = task.row.status == TaskStatus::running && task.row.waiting->child == child.row.id;
  return waits ? &task : nullptr;
}

template <typename Visit>
void each_last_step(const Run& run, Visit visit) {
  for (const Ordinal step : run.program->steps()) {
    if (run.program->step(step).finally) continue;
    bool needed = false;
    run.program->each_successor(step, [&](Ordinal) { needed = true; });
    if (!needed) visit(step);
  }
}

Result<json::value> result_of_step(State& state, const Run& run, Ordinal step) {
  const model::TaskRow& row = run.tasks[step].row;
  if (row.status != TaskStatus::completed) return json::value();
  model::PayloadKey key = result_of(row.key);
  if (row.expanded) {
    if (row.item_count == 0) return json::array();
    key = {run.row.key, model::PayloadSlot::item_results, row.first_item, row.item_count};
  } else if (!row.has_result) {
    return json::value();
  }
  TRY(const std::shared_ptr<const json::value> value, state.values.json(key));
  return *value;
}

Result<std::string> result_of_run(State& state, const Run& run) {
  json::object results;
  std::optional<Error> failed;
  each_last_step(run, [&](Ordinal step) {
    auto value = result_of_step(state, run, step);
    if (!value) {
      failed = value.error();
    } else {
      results[run.program->name(step)] = std::move(*value);
    }
  });
  if (failed) return fail(*failed);
  return json::serialize(results.size() == 1 ? results.begin()->value() : json::value(std::move(results)));
}

model::Failure failure_of(const Run& child) {
  model::Failure failure;
  const bool cancelled = child.row.status == RunStatus::cancelled;
  failure.type =
      cancelled || child.row.error_type.empty() ? model::error_type::kCancelled : child.row.error_type;
  failure.message = "run " + child.row.id.text() + " was cancelled";
  if (!cancelled) {
    failure.message = "run " + child.row.id.text() + " failed: " + child.row.error_message;
  } else if (!child.row.error_message.empty()) {
    failure.message += ": " + child.row.error_message;
  }
  failure.never_retry = cancelled;  // somebody did not want it
  return failure;
}

// Nothing of it is to be started: what the step says is wrong, and will be so the next time.
void refuse(State& state, Run& run, Task& task, const Error& why, const Moment& moment, Effects& effects) {
  const char* type =
      why.code == ErrorCode::expression ? model::error_type::kExpression : model::error_type::kValidation;
  fail_unstarted(state, run, task, {.type = type, .message = why.message, .never_retry = true}, moment,
                 effects);
}

}  // namespace

bool is_child_due(const Run& run, const model::TaskRow& row) {
  return row.status == TaskStatus::retrying && !row.held && row.due.us == 0 &&
         row.role == model::TaskRole::main && run.program->step(row.step).child != nullptr;
}

void add_child_needs(const State& state, const Run& run, const Task& task, Needs& needs) {
  if (!state.values.has(context_of(run.row.key))) needs.payloads.push_back(context_of(run.row.key));
  if (task.row.has_input && !state.values.has(input_of(task.row.key)))
    needs.payloads.push_back(input_of(task.row.key));
  const auto hash = find_version(state, child_of(run, task.row));
  if (hash && !state.programs.contains(*hash) && !state.unreadable.contains(*hash))
    needs.definitions.push_back(*hash);
}

void begin_child(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  start_run(state, run, moment, effects);
  auto prepared = prepare(state, run, task);
  if (!prepared) return refuse(state, run, task, prepared.error(), moment, effects);
  const Run& child = make_run(state, std::move(*prepared), moment, effects);
  model::TaskRow& row = task.row;
  effects.touch(run, row.key.ordinal);
  if (row.status == TaskStatus::retrying) {
    effects.record(run, {.kind = model::FactKind::task_queued,
                         .at = moment.wall,
                         .task = row.key.ordinal,
                         .step = row.step,
                         .index = row.index,
                         .number = row.priority});
  }
  // One that is tried again is active already.
  if (row.index >= 0 && row.status == TaskStatus::pending) ++run.tasks[row.step].items_active;
  row.status = TaskStatus::running;
  row.due = {};
  ++row.attempts;
  ++row.group_attempts;
  ++row.starts;
  row.waiting.edit() = {};
  row.waiting.edit().since = moment.now;
  row.waiting.edit().child = child.row.id;
  if (row.ready_at.us == 0) row.ready_at = moment.wall;
  if (row.started_at.us == 0) row.started_at = moment.wall;
  ++run.row.counts.running;
  start_task_clocks(run, task, moment);
  arm_clock(state, run, task);
  effects.record(run, fact_of(task, child, moment));
  if (!child.row.parent->detached) return;
  json::object result;
  result["run"] = child.row.id.text();
  effects.put(result_of(row.key), json::serialize(result));
  row.has_result = true;
  complete_task(state, run, task, moment, effects);
}

void leave_child(State& state, const Run& run, const Task& task, const Moment& moment, Effects& effects) {
  if (task.row.waiting->child == RunId{} || child_of(run, task.row).detach) return;
  const Run* child = state.find(task.row.waiting->child.key());
  if (child == nullptr || child->row.id != task.row.waiting->child || model::is_terminal(child->row.status))
    return;
  commands::decide(state,
                   model::CancelRun{.run = child->row.id,
                                    .terminate = run.row.terminate,
                                    .reason = "step " + run.program->name(task.row.step) + " of run " +
                                              run.row.id.text() + " has ended without it",
                                    .no_cleanup = run.row.no_cleanup},
                   0, moment, effects);
}

void add_result_needs(const State& state, const Run& child, Needs& needs) {
  Run* run = nullptr;
  if (waiting_for(const_cast<State&>(state), child, run) == nullptr) return;
  if (child.row.outcome != RunStatus::completed || child.finally_failed) return;
  each_last_step(child, [&](Ordinal step) {
    if (child.tasks[step].row.status == TaskStatus::completed) want_result(state, child, step, needs);
  });
}

void end_parent(State& state, const Run& child, const Moment& moment, Effects& effects) {
  Run* run = nullptr;
  Task* task = waiting_for(state, child, run);
  if (task == nullptr) return;
  effects.touch(*run, task->row.key.ordinal);
  model::Outcome outcome;
  if (child.row.status == RunStatus::completed) {
    auto result = result_of_run(state, child);
    if (result) {
      outcome.result = std::move(*result);
      limit_result(state.settings, outcome);
      check_result(*run, *task, task->row.phase, outcome);
    } else {
      outcome.kind = model::Outcome::Kind::failed;
      outcome.failure = {.type = model::error_type::kValidation,
                         .message = "the result of run " + child.row.id.text() +
                                    " cannot be read: " + result.error().message,
                         .never_retry = true};
    }
  } else {
    outcome.kind = model::Outcome::Kind::failed;
    outcome.failure = failure_of(child);
  }
  if (outcome.kind == model::Outcome::Kind::completed) {
    effects.put(result_of(task->row.key), std::move(outcome.result));
    task->row.has_result = true;
    return complete_task(state, *run, *task, moment, effects);
  }
  const bool stops = run->row.cancel_requested || run->row.timed_out;
  if (stops && !run->program->step(task->row.step).finally) {
    return cancel_task(state, *run, *task, moment, effects);
  }
  --run->row.counts.running;
  task->row.status = TaskStatus::retrying;  // nothing of it goes on
  fail_attempt(state, *run, *task, outcome.failure, moment, effects);
}

}  // namespace baton::engine

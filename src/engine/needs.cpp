#include "engine/needs.hpp"

#include <algorithm>

#include "engine/children.hpp"
#include "engine/dispatch.hpp"
#include "engine/endings.hpp"
#include "engine/flow.hpp"

namespace baton::engine {
namespace {

constexpr std::size_t kPiecesAhead = 64;
constexpr std::size_t kPayloadsAhead = 256;
constexpr std::size_t kDefinitionsAhead = 16;  // fewer than programs are kept while no run has them

void want(const State& state, const model::PayloadKey& key, Needs& needs) {
  if (!state.values.has(key)) needs.payloads.push_back(key);
}

}  // namespace

void want_result(const State& state, const Run& run, Ordinal step, Needs& needs) {
  const Task& task = run.tasks[step];
  if (task.row.expanded) {
    if (task.row.item_count == 0) return;
    const model::PayloadKey key{run.row.key, model::PayloadSlot::item_results, task.row.first_item,
                                task.row.item_count};
    if (state.values.has(key)) return;
    want(state, key, needs);
    needs.after = std::max(needs.after, task.ended_in);
  } else if (task.row.has_result) {
    want(state, result_of(task.row.key), needs);
  }
}

namespace {

// `step`: in whose text they stand.
void want_references(const State& state, const Run& run, Ordinal step, const References& refs, Needs& needs) {
  if (refs.input) want(state, input_of(run.row.key), needs);
  if (refs.context) want(state, context_of(run.row.key), needs);
  if (refs.all_steps) {
    run.program->each_name(step,
                           [&](std::string_view, Ordinal other) { want_result(state, run, other, needs); });
  }
  for (const Ordinal other : refs.results) want_result(state, run, run.program->place(step, other), needs);
}

void want_run(const State& state, const RunId& id, Needs& needs) {
  // A run of another shard does not exist here.
  if (id != RunId{} && id.key().shard() == state.shard && state.find(id.key()) == nullptr)
    needs.runs.push_back(id.key());
}

// What its action looks at: the run, and the task that it serves.
void add_helper_needs(const State& state, const Run& run, const Task& helper, Needs& needs) {
  const auto code = run.program->code(helper.row.step, run.program->action(helper.row));
  if (!code) return;  // the evaluation will say why
  const Task& served = subject_of(run, helper);
  want_references(state, run, helper.row.step, (*code)->each, needs);
  if ((*code)->each.self && served.row.has_result) want(state, result_of(served.row.key), needs);
  if ((*code)->each.item && served.row.index >= 0) {
    want(state, input_of(TaskKey{run.row.key, served.row.step}), needs);
  }
}

}  // namespace

namespace {

// What a fallback looks at, with what is recorded already beside it.
void add_fallback_needs(const State& state, const Run& run, const Task& task, Needs& needs) {
  const auto code = run.program->code(task.row.step, run.program->action(task.row));
  if (!code) return;  // the rendering will say why
  want_references(state, run, task.row.step, (*code)->each, needs);
  if ((*code)->each.item && task.row.index >= 0)
    want(state, input_of(TaskKey{run.row.key, task.row.step}), needs);
  if ((*code)->each.self && task.row.has_result) want(state, result_of(task.row.key), needs);
  if (task.row.has_input) want(state, input_of(task.row.key), needs);
}

}  // namespace

void add_needs(const State& state, const Run& run, const Task& task, Needs& needs) {
  if (is_fallback_due(task.row)) return add_fallback_needs(state, run, task, needs);
  if (model::is_terminal(task.row.status)) return;
  if (task.asking && !task.row.has_input) {
    if (const auto lookup = state.lookups.find(task.row.key); lookup != state.lookups.end()) {
      model::RecordKey key{model::RecordKind::cached_result, lookup->second};
      if (!state.records.contains(key)) needs.records.push_back(std::move(key));
    }
  }
  const model::Step& step = run.program->step(task.row.step);
  if (step.child && !is_helper(task) && (task.row.index >= 0 || step.for_each.is_null()))
    add_child_needs(state, run, task, needs);
  if (task.row.has_input) return;
  if (is_helper(task)) return add_helper_needs(state, run, task, needs);
  if (trigger(step.trigger_rule, task.upstream).kind == Trigger::Kind::skip) return;
  const auto code = run.program->code(task.row.step);
  if (!code) return;  // the evaluation will say why
  const bool item = task.row.index >= 0;
  const bool mapped = !run.program->step(task.row.step).for_each.is_null();
  if (!item || (*code)->before.item) want_references(state, run, task.row.step, (*code)->before, needs);
  if (item || !mapped) want_references(state, run, task.row.step, (*code)->each, needs);
  const auto& wait = step.wait;
  bool reads_item = (*code)->each.item || (*code)->before.item;
  // What is rendered together with the step's own body.
  for (const model::Step* action : {wait ? wait->poll.get() : nullptr, step.preflight.get()}) {
    if (action == nullptr || (!item && mapped)) continue;
    if (const auto its_code = run.program->code(task.row.step, *action)) {
      want_references(state, run, task.row.step, (*its_code)->each, needs);
      reads_item |= (*its_code)->each.item;
    }
  }
  if (item && reads_item) {
    want(state, input_of(TaskKey{run.row.key, task.row.step}), needs);
  }
}

void add_dispatch_needs(const State& state, const Run& run, const Task& task, Needs& needs) {
  want(state, context_of(run.row.key), needs);
  if (task.row.has_input) want(state, input_of(task.row.key), needs);
}

void add_cold_needs(const State& state, RunKey run, Needs& needs) {
  needs.runs.push_back(run);
  want(state, context_of(run), needs);
}

namespace {

// What is evaluated when an attempt of the task has succeeded.
void add_report_needs(const State& state, const Run& run, const Task& task, Needs& needs) {
  if (is_helper(task)) return;
  const auto code = run.program->code(task.row.step);
  if (!code || !(*code)->until) return;
  want_references(state, run, task.row.step, (*code)->after, needs);
  if (task.row.index >= 0 && (*code)->after.item)
    want(state, input_of(TaskKey{run.row.key, task.row.step}), needs);
}

}  // namespace

Needs needs_of(const State& state, const model::Command& command) {
  Needs needs;
  if (const auto* submit = std::get_if<model::SubmitRun>(&command.body)) {
    if (!submit->idempotency_key.empty() && !state.idempotency.contains(submit->idempotency_key)) {
      needs.idempotency_keys.push_back(submit->idempotency_key);
    }
  } else if (const auto* cancel = std::get_if<model::CancelRun>(&command.body)) {
    want_run(state, cancel->run, needs);
  } else if (const auto* pause = std::get_if<model::PauseCommand>(&command.body)) {
    want_run(state, pause->target.run, needs);
  } else if (const auto* resume = std::get_if<model::ResumeCommand>(&command.body)) {
    want_run(state, resume->target.run, needs);
  } else if (const auto* recover = std::get_if<model::RecoverRun>(&command.body)) {
    want_run(state, recover->run, needs);
  } else if (const auto* decision = std::get_if<model::DecideTask>(&command.body)) {
    want_run(state, decision->task.run, needs);
  } else if (const auto* explain = std::get_if<model::Explain>(&command.body)) {
    want_run(state, explain->run, needs);
  } else if (const auto* change = std::get_if<model::ChangeRun>(&command.body)) {
    want_run(state, change->run, needs);
    if (!change->metadata.empty() || !change->labels.empty() || !change->expected.empty())
      want(state, context_of(change->run.key()), needs);
  } else if (const auto* report = std::get_if<model::ReportAttempt>(&command.body)) {
    want_run(state, report->task.run, needs);
    const Run* run = state.find(report->task.run.key());
    if (run != nullptr && report->task.ordinal < run->tasks.size()) {
      const Task& task = run->tasks[report->task.ordinal];
      if (has_attempt(task.row)) add_report_needs(state, *run, task, needs);
    }
  } else if (const auto* signal = std::get_if<model::SendSignal>(&command.body)) {
    want_run(state, signal->run, needs);
  } else if (const auto* answer = std::get_if<model::AnswerApproval>(&command.body)) {
    want_run(state, answer->task.run, needs);
  } else if (const auto* release = std::get_if<model::ReleaseAttempt>(&command.body)) {
    want_run(state, release->task.run, needs);
  } else if (const auto* discard = std::get_if<model::DiscardDeadLetters>(&command.body)) {
    for (const std::string& id : discard->ids) {
      model::RecordKey key{model::RecordKind::dead_letter, id};
      if (!state.records.contains(key)) needs.records.push_back(std::move(key));
    }
  } else if (const auto* remove = std::get_if<model::RemoveRuns>(&command.body)) {
    // What this owner has changed is judged by what it knows; what it has not is in the store as it is.
    for (const RunId& id : remove->runs) {
      const RunKey key = id.key();
      const Run* run = state.find(key);
      const bool unchanged = run == nullptr || (run->touched_in == 0 && model::is_terminal(run->row.status));
      if (key.shard() == state.shard && unchanged && !state.cold.contains(key)) needs.heads.push_back(key);
    }
  } else if (const auto* opened = std::get_if<model::RegisterResource>(&command.body)) {
    // What gives it back has the environment of its task.
    const Run* run = state.find(opened->task.run.key());
    if (run != nullptr && opened->task.ordinal < run->tasks.size()) {
      const Task& task = run->tasks[opened->task.ordinal];
      if (task.row.has_input) want(state, input_of(task.row.key), needs);
    }
  } else if (const auto* clean = std::get_if<model::CleanResource>(&command.body)) {
    want_run(state, clean->task.run, needs);
  } else if (std::holds_alternative<model::Continue>(command.body)) {
    std::size_t pieces = 0;
    for (const Work& work : state.work) {
      if (++pieces > kPiecesAhead || needs.payloads.size() >= kPayloadsAhead ||
          needs.definitions.size() >= kDefinitionsAhead) {
        break;
      }
      if (work.kind == WorkKind::dispatch) {
        add_dispatch_needs(state, needs);
      } else if (work.kind == WorkKind::orphans) {
        if (state.find(work.task.run) == nullptr && !state.absent.contains(work.task.run))
          needs.runs.push_back(work.task.run);
      } else if (work.kind == WorkKind::child) {
        if (const Run* run = state.find(work.task.run)) add_result_needs(state, *run, needs);
      } else if (work.kind == WorkKind::ready || work.kind == WorkKind::expand) {
        const Run* run = state.find(work.task.run);
        if (run == nullptr) continue;
        const Task* task = &run->tasks[work.task.ordinal];
        if (work.kind == WorkKind::expand) {
          // All items look at the same payloads.
          if (task->next_item >= task->row.item_count) continue;
          task = &run->tasks[task->row.first_item + task->next_item];
        }
        add_needs(state, *run, *task, needs);
      }
    }
    std::ranges::sort(needs.payloads);
    needs.payloads.erase(std::ranges::unique(needs.payloads).begin(), needs.payloads.end());
    std::ranges::sort(needs.runs);
    needs.runs.erase(std::ranges::unique(needs.runs).begin(), needs.runs.end());
    std::ranges::sort(needs.definitions);
    needs.definitions.erase(std::ranges::unique(needs.definitions).begin(), needs.definitions.end());
  }
  return needs;
}

}  // namespace baton::engine

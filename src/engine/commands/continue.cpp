#include "engine/breakers.hpp"
#include "engine/children.hpp"
#include "engine/commands/commands.hpp"
#include "engine/deadlines.hpp"
#include "engine/decide.hpp"
#include "engine/dispatch.hpp"
#include "engine/endings.hpp"
#include "engine/flow.hpp"
#include "engine/gates.hpp"
#include "engine/generations.hpp"
#include "engine/items.hpp"
#include "engine/pauses.hpp"
#include "engine/phases.hpp"
#include "engine/places.hpp"
#include "engine/queues.hpp"
#include "engine/run_limits.hpp"
#include "engine/stopping.hpp"

namespace baton::engine::commands {
namespace {

// Pieces that change no row (a predecessor of many ended) are cheap, but not free.
constexpr int kPiecesPerDecision = 10'000;

// Does one piece of work. False: a payload is missing, nothing was done.
bool work_on(State& state, Work work, const Moment& moment, Effects& effects, std::size_t row_limit) {
  if (work.kind == WorkKind::dispatch) {
    state.dispatch_pending = false;
    const bool more = dispatch(state, moment, effects, row_limit);
    Needs missing;
    add_dispatch_needs(state, missing);
    if (more || !missing.empty()) want_dispatch(state);
    return more || missing.empty();
  }
  if (work.kind == WorkKind::release) {
    if (release_pending(state)) state.work.push_back(work);
    return true;
  }
  if (work.kind == WorkKind::admit) {
    if (admit_tasks(state, moment, effects, row_limit)) state.work.push_back(work);
    return true;
  }
  if (work.kind == WorkKind::enter) {
    if (let_runs_enter(state, effects, row_limit)) state.work.push_back(work);
    return true;
  }
  if (work.kind == WorkKind::anew) {
    if (begin_waits_anew(state, effects, row_limit)) state.work.push_back(work);
    return true;
  }
  if (work.kind == WorkKind::hold) {
    if (hold_children(state, work, moment, effects, row_limit)) state.work.push_back(work);
    return true;
  }
  if (work.kind == WorkKind::fill) {
    Run* run = state.find(work.task.run);
    if (run == nullptr) return true;
    run->fill_pending = false;
    if (!model::is_terminal(run->row.status)) fill(state, *run, moment, effects);
    return true;
  }
  if (work.kind == WorkKind::child) {
    // It ends as soon as what its result is made of is in memory, unless it goes on after all.
    if (Run* run = state.find(work.task.run); run != nullptr && !model::is_terminal(run->row.status)) {
      Needs missing;
      add_result_needs(state, *run, missing);
      if (!missing.empty()) {
        state.work.push_front(work);
        return false;
      }
      end_phase_if_over(state, *run, moment, effects);
    }
    return true;
  }
  if (work.kind == WorkKind::reset) {
    Run* run = state.find(work.task.run);
    if (run == nullptr || run->row.recovery.scope == model::Recovery::Scope::none) return true;
    if (go_on_recovering(state, *run, work, moment, effects, row_limit)) state.work.push_back(work);
    return true;
  }
  if (work.kind == WorkKind::rank) {
    if (rank_tasks(state, work, effects, row_limit)) state.work.push_back(work);
    return true;
  }
  if (work.kind == WorkKind::sweep) {
    if (sweep(state, work, moment, effects, row_limit)) state.work.push_back(work);
    return true;
  }
  if (is_ending(work.kind)) {
    if (work_on_endings(state, work, moment, effects, row_limit)) state.work.push_back(work);
    return true;
  }
  Run* run = state.find(work.task.run);
  if (run == nullptr) return true;
  Task& task = run->tasks[work.task.ordinal];
  if (model::is_terminal(run->row.status) && !is_helper(task)) return true;
  if (work.kind == WorkKind::reject) {
    reject(state, *run, task, moment, effects);
    return true;
  }
  if (work.kind == WorkKind::expand) {
    const std::uint32_t before = task.next_item;
    expand_items(state, *run, task, moment, effects, row_limit);
    return run->tasks[work.task.ordinal].next_item != before || !run->tasks[work.task.ordinal].refill_pending;
  }
  Needs missing;
  add_needs(state, *run, task, missing);
  if (!missing.empty()) {
    state.work.push_front(work);
    return false;
  }
  advance(state, *run, task, moment, effects);
  return true;
}

}  // namespace

void decide(State& state, const model::Continue&, model::ReplyTo, const Moment& moment, Effects& effects) {
  const std::size_t row_limit = effects.rows() + kRowsPerDecision;
  for (int pieces = 0; pieces < kPiecesPerDecision && !state.work.empty() && effects.rows() < row_limit;
       ++pieces) {
    const Work work = state.work.front();
    state.work.pop_front();
    if (!work_on(state, work, moment, effects, row_limit)) return;
  }
}

}  // namespace baton::engine::commands

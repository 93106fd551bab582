#include "engine/pauses.hpp"

#include <algorithm>

#include "base/seeded_bug.hpp"
#include "base/text.hpp"
#include "engine/deadlines.hpp"
#include "engine/dispatch.hpp"
#include "engine/gates.hpp"
#include "engine/lookup.hpp"
#include "engine/phases.hpp"

namespace baton::engine {
namespace {

using model::Blocker;
using model::BlockerKind;
using model::Pause;
using model::RunStatus;

constexpr std::size_t kReasonLimit = 1000;  // bytes

// One timer stands for all of them: at the time of the first.
void set_resume_timer(State& state, const Moment& moment) {
  std::erase_if(state.timers, [](const Timer& timer) { return timer.kind == TimerKind::resume; });
  std::optional<WallTime> first;
  for (const auto& [what, pause] : state.pauses) {
    if (pause.until && (!first || *pause.until < *first)) first = pause.until;
  }
  if (!first) return;
  const Duration left = std::max(*first - moment.wall, Duration{});
  state.timers.insert({moment.now + left, TimerKind::resume, {}, {}});
}

bool of_run(BlockerKind kind) {
  return kind == BlockerKind::run_paused || kind == BlockerKind::step_paused;
}

// Deadlines and waits stand still, or go on.
void arm_clocks(State& state, Run& run) {
  for (Task& task : run.tasks) arm_clock(state, run, task);
  arm_run_clock(state, run);
}

void want_hold(State& state, RunKey run) {
  state.work.push_back({WorkKind::hold, {run, kWholeRun}, 0});
}

struct Found {
  Run* run = nullptr;  // of a run or step
  Blocker what;
};

Result<Found> locate(State& state, const model::PauseTarget& target) {
  Found place;
  place.what.kind = target.kind;
  if (!of_run(target.kind)) {
    place.what.name = target.name;
    return place;
  }
  TRY(place.run, find_run(state, target.run));
  place.what.run = place.run->row.key;
  if (target.kind == BlockerKind::step_paused) {
    TRY(place.what.step, find_step(*place.run, target.name));
  }
  return place;
}

void forget(State& state, const Pause& pause, Effects& effects) {
  effects.erase(record_key(pause));
  const Blocker what = pause.what;
  state.pauses.erase(what);
  release(state, what);
}

void end_pause(State& state, const Pause& pause, const Moment& moment, Effects& effects) {
  Run* run = of_run(pause.what.kind) ? state.find(pause.what.run) : nullptr;
  const Pause ended = pause;
  forget(state, pause, effects);
  want_waits_anew(state, ended.what, moment);
  if (run == nullptr) return want_dispatch(state);
  effects.record(*run, {.kind = model::FactKind::run_resumed, .at = moment.wall, .other = ended.name});
  if (ended.what.kind != BlockerKind::run_paused || run->row.status != RunStatus::paused) return;
  run->row.status = RunStatus::running;
  end_hold(state, *run, moment);
  end_phase_if_over(state, *run, moment, effects);
}

// The pause of a run, or of a step of it, is noted, and counts from now on.
void put_pause(State& state, Run& run, Pause pause, const Moment& moment, Effects& effects) {
  effects.put(to_record(pause));
  effects.touch(run);
  if (pause.what.kind == BlockerKind::run_paused && run.row.status != RunStatus::paused) {
    run.row.status = RunStatus::paused;
    run.row.paused_at = moment.now;
    arm_clocks(state, run);
    want_hold(state, run.row.key);
  }
  effects.record(run, {.kind = model::FactKind::run_paused,
                       .at = moment.wall,
                       .number = pause.until ? pause.until->us : 0,
                       .text = pause.why,
                       .other = pause.name});
  const Blocker what = pause.what;
  state.pauses.insert_or_assign(what, std::move(pause));
}

// As its parent is: paused with it, or resumed.
void hold_child(State& state, Run& child, const Run& parent, const Moment& moment, Effects& effects) {
  const auto own = state.pauses.find(Blocker::run_paused(child.row.key));
  if (parent.row.status != RunStatus::paused) {
    if (own != state.pauses.end() && own->second.with == parent.row.id)
      end_pause(state, own->second, moment, effects);
    return;
  }
  if (child.row.status != RunStatus::pending && child.row.status != RunStatus::running) return;
  const auto cause = state.pauses.find(Blocker::run_paused(parent.row.key));
  put_pause(state, child,
            {.what = Blocker::run_paused(child.row.key),
             .run = child.row.id,
             .by = cause == state.pauses.end() ? effects.actor() : cause->second.by,
             .why = "the run that waits for it is paused: " + parent.row.id.text(),
             .since = moment.wall,
             .with = parent.row.id},
            moment, effects);
}

}  // namespace

void load_pauses(State& state, const Moment& moment) {
  state.pauses.clear();
  for (const auto& [key, known] : state.records) {
    if (key.kind != model::RecordKind::pause || !known.record || seeded_bug(Bug::forget_pauses_on_reload))
      continue;
    auto pause = model::pause_of(*known.record);
    if (!pause) continue;
    // What an owner before has not carried through.
    if (pause->what.kind == BlockerKind::run_paused) want_hold(state, pause->what.run);
    if (pause->with != RunId{}) want_hold(state, pause->with.key());
    state.pauses.emplace(pause->what, std::move(*pause));
  }
  set_resume_timer(state, moment);
}

Status pause(State& state, const model::PauseCommand& command, const Moment& moment, Effects& effects) {
  TRY(const Found place, locate(state, command.target));
  const std::optional<WallTime> until =
      command.lasts ? std::optional(moment.wall + *command.lasts) : command.until;
  if (until && *until <= moment.wall) {
    return fail(ErrorCode::invalid_request, "a pause must end in the future");
  }
  Run* run = place.run;
  if (run != nullptr) {
    const RunStatus status = run->row.status;
    if (status != RunStatus::pending && status != RunStatus::running && status != RunStatus::paused) {
      return fail(ErrorCode::conflict,
                  "run " + run->row.id.text() + " is " + std::string(name(status)) +
                      "; only a run that is pending or running can be paused",
                  std::string(name(status)));
    }
    if (place.what.kind == BlockerKind::step_paused &&
        model::is_terminal(run->tasks[place.what.step].row.status)) {
      const std::string step(name(run->tasks[place.what.step].row.status));
      return fail(ErrorCode::conflict, "step " + command.target.name + " is " + step + " already", step);
    }
  }
  Pause pause{.what = place.what,
              .run = run != nullptr ? run->row.id : RunId{},
              .name = place.what.kind == BlockerKind::run_paused ? "" : command.target.name,
              .by = effects.actor(),
              .why = std::string(utf8_prefix(command.why, kReasonLimit)),
              .since = moment.wall,
              .until = until};
  if (place.what.kind == BlockerKind::step_paused) pause.name = run->program->name(place.what.step);
  if (run != nullptr) {
    put_pause(state, *run, std::move(pause), moment, effects);
  } else {
    effects.put(to_record(pause));
    state.pauses.insert_or_assign(place.what, std::move(pause));
  }
  set_resume_timer(state, moment);
  return {};
}

Status resume(State& state, const model::PauseTarget& target, const Moment& moment, Effects& effects) {
  TRY(const Found place, locate(state, target));
  if (place.run != nullptr && model::is_terminal(place.run->row.status)) {
    const std::string status(name(place.run->row.status));
    return fail(ErrorCode::conflict,
                "run " + place.run->row.id.text() + " is " + status + "; only a paused run can be resumed",
                status);
  }
  if (target.kind == BlockerKind::worker_paused) end_drain(state, target.name, moment, effects);
  const auto found = state.pauses.find(place.what);
  if (found == state.pauses.end()) return {};
  end_pause(state, found->second, moment, effects);
  set_resume_timer(state, moment);
  return {};
}

void end_drain(State& state, const std::string& worker, const Moment& moment, Effects& effects) {
  const auto found = state.pauses.find(Blocker::worker_draining(worker));
  if (found == state.pauses.end()) return;
  end_pause(state, found->second, moment, effects);
  set_resume_timer(state, moment);
}

bool hold_children(State& state, Work& work, const Moment& moment, Effects& effects, std::size_t row_limit) {
  const Run* run = state.find(work.task.run);
  if (run == nullptr || model::is_terminal(run->row.status)) return false;
  for (; work.cursor < run->tasks.size(); ++work.cursor) {
    if (effects.rows() >= row_limit) return true;
    const model::TaskRow& row = run->tasks[work.cursor].row;
    if (row.status != model::TaskStatus::running || row.waiting->child == RunId{}) continue;
    Run* child = state.find(row.waiting->child.key());
    if (child != nullptr && child->row.id == row.waiting->child && !model::is_terminal(child->row.status))
      hold_child(state, *child, *run, moment, effects);
  }
  return false;
}

void hold_with_parent(State& state, Run& child, const Moment& moment, Effects& effects) {
  const model::Parent& parent = *child.row.parent;
  if (!parent.any() || parent.detached) return;
  const Run* run = state.find(parent.task.run.key());
  if (run == nullptr || run->row.id != parent.task.run || run->row.status != RunStatus::paused) return;
  hold_child(state, child, *run, moment, effects);
}

void end_hold(State& state, Run& run, const Moment& moment) {
  run.row.paused_for = run.row.paused_for + (moment.now - run.row.paused_at);
  run.row.paused_at = {};
  arm_clocks(state, run);
  want_hold(state, run.row.key);
}

void resume_due(State& state, const Moment& moment, Effects& effects) {
  std::vector<Blocker> due;
  for (const auto& [what, pause] : state.pauses) {
    if (pause.until && *pause.until <= moment.wall) due.push_back(what);
  }
  for (const Blocker& what : due) {
    Pause& pause = state.pauses.at(what);
    if (what.kind == BlockerKind::worker_draining && state.workers.contains(what.name)) {
      pause.until = moment.wall + model::kDrainStands;
      effects.put(to_record(pause));
      continue;
    }
    end_pause(state, pause, moment, effects);
  }
  set_resume_timer(state, moment);
}

void drop_pauses(State& state, Run& run, bool steps_too, Effects& effects) {
  std::vector<Pause> of_it;
  const Blocker whole = Blocker::run_paused(run.row.key);
  if (const auto found = state.pauses.find(whole); found != state.pauses.end())
    of_it.push_back(found->second);
  if (steps_too) {
    for (auto at = state.pauses.lower_bound(Blocker::step_paused(run.row.key, 0));
         at != state.pauses.end() && at->first.kind == BlockerKind::step_paused &&
         at->first.run == run.row.key;
         ++at) {
      of_it.push_back(at->second);
    }
  }
  for (const Pause& pause : of_it) forget(state, pause, effects);
}

}  // namespace baton::engine

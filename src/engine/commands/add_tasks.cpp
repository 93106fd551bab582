// A running task adds tasks to its run (model/addition.hpp).
#include <algorithm>
#include <optional>
#include <vector>

#include "base/text.hpp"
#include "engine/attempts.hpp"
#include "engine/commands/commands.hpp"
#include "engine/endings.hpp"
#include "engine/flow.hpp"
#include "engine/load.hpp"
#include "engine/phases.hpp"
#include "engine/stopping.hpp"
#include "model/addition.hpp"

namespace baton::engine::commands {
namespace {

// What a step that is added calls `name`: what stands beside it, then what stands beside those that added it,
// then a step of the definition.
std::optional<Ordinal> resolve(const Run& run, std::string scope, std::string_view name) {
  while (!scope.empty()) {
    if (const auto found = run.program->find(scope + '/' + std::string(name))) return found;
    const std::size_t slash = scope.rfind('/');
    scope.resize(slash == std::string::npos ? 0 : slash);
  }
  return run.program->find(name);
}

// "step", "step[3]", "parent/step"
std::string task_name(const Run& run, const model::TaskRow& task) {
  std::string name = run.program->name(task.step);
  if (task.index >= 0) name += '[' + std::to_string(task.index) + ']';
  return name;
}

std::vector<Ordinal> ordinals(Ordinal first, std::uint32_t count) {
  std::vector<Ordinal> list(count);
  for (std::uint32_t i = 0; i < count; ++i) list[i] = first + i;
  return list;
}

class Adding {
 public:
  Adding(State& state, Run& run, Ordinal parent, const model::AddTasks& command)
      : state_(state),
        run_(run),
        parent_(parent),
        parent_step_(run.tasks[parent].row.step),
        command_(command),
        scope_(task_name(run, run.tasks[parent].row)),
        count_(static_cast<std::uint32_t>(command.steps->steps.size() - command.outside.size())) {}

  Result<model::TasksAdded> add(const Moment& moment, Effects& effects) {
    TRY_VOID(may_add());
    TRY(std::optional<Ordinal> known, added_before());
    if (known) return answer(*known, true);
    TRY_VOID(has_room());
    TRY(std::vector<Ordinal> outside, resolve_outside());
    if (!command_.detach) TRY_VOID(comes_before(outside));
    const Ordinal first = make(std::move(outside), moment, effects);
    start(first);
    return answer(first, false);
  }

 private:
  const model::Step& own(std::uint32_t place) const {
    return command_.steps->steps[command_.outside.size() + place];
  }
  std::string name_of(std::uint32_t place) const { return scope_ + '/' + own(place).name; }

  std::unexpected<Error> conflict(std::string why) const {
    return fail(ErrorCode::conflict, std::move(why), TaskId{run_.row.id, parent_}.text());
  }

  Status may_add() const {
    const Task& task = run_.tasks[parent_];
    if (is_helper(task)) return conflict("a task that gives something back cannot add tasks");
    if (run_.program->step(parent_step_).finally) {
      return conflict("a step under `finally` cannot add tasks: the run is over for all others");
    }
    if (is_closing(run_, task)) return conflict("the run is being stopped; no task is added to it any more");
    return {};
  }

  // The first of these tasks, if they have been added already.
  Result<std::optional<Ordinal>> added_before() const {
    for (std::uint32_t i = 0; i < count_; ++i) {
      const auto found = run_.program->find(name_of(i));
      if (!found) continue;
      const Part* part = run_.program->part_of(*found);
      if (part != nullptr && part->is.hash == command_.steps->hash && part->is.detach == command_.detach &&
          part->is.parent == parent_ && *found == part->is.first + i) {
        return std::optional(part->is.first);
      }
      return conflict("task " + name_of(i) +
                      " was added before, with other content or together with other tasks; use another name, "
                      "or repeat exactly what was added");
    }
    return std::optional<Ordinal>();
  }

  Status has_room() const {
    const std::uint32_t most = state_.settings.max_tasks_per_run;
    if (run_.tasks.size() + count_ <= most) return {};
    return fail(ErrorCode::too_large,
                "the run has " + std::to_string(run_.tasks.size()) + " tasks and would get " +
                    std::to_string(count_) + " more; it may have " + std::to_string(most),
                run_.row.id.text());
  }

  Result<std::vector<Ordinal>> resolve_outside() const {
    std::vector<Ordinal> outside;
    for (const std::string& name : command_.outside) {
      const auto found = resolve(run_, scope_, name);
      if (!found) {
        return fail(ErrorCode::conflict,
                    "the run has no step \"" + printable(name) + "\" that could be needed", name);
      }
      if (run_.program->step(*found).finally) {
        return conflict("\"" + name + "\" stands under `finally`: it starts when all other steps are over");
      }
      outside.push_back(*found);
    }
    return outside;
  }

  // What follows the adding step waits for the new tasks, so they cannot wait for it.
  Status comes_before(const std::vector<Ordinal>& outside) const {
    if (outside.empty()) return {};
    std::vector<bool> seen(run_.program->end());
    std::vector<Ordinal> open = {parent_step_};
    while (!open.empty()) {
      const Ordinal step = open.back();
      open.pop_back();
      run_.program->each_successor(step, [&](Ordinal next) {
        if (seen[next]) return;
        seen[next] = true;
        open.push_back(next);
      });
    }
    for (const Ordinal step : outside) {
      if (!seen[step]) continue;
      return conflict("step " + run_.program->name(step) + " follows " + run_.program->name(parent_step_) +
                      ", and what follows waits for the added tasks: they cannot need it; detach them");
    }
    return {};
  }

  Ordinal make(std::vector<Ordinal> outside, const Moment& moment, Effects& effects) {
    effects.touch(run_);
    const Ordinal first = run_.row.next_ordinal;
    run_.row.next_ordinal += count_;
    run_.row.counts.total += count_;
    ++run_.row.additions;
    run_.open_main += count_;
    run_.tasks.resize(run_.row.next_ordinal);
    model::Addition addition;
    addition.run = run_.row.id;
    addition.first = first;
    addition.count = count_;
    addition.parent = parent_;
    addition.parent_step = parent_step_;
    addition.scope = scope_;
    addition.generation = run_.tasks[parent_].row.generation;
    addition.detach = command_.detach;
    addition.outside = std::move(outside);
    addition.hash = command_.steps->hash;
    addition.text = command_.steps->canonical;
    addition.at = moment.wall;
    effects.put(model::record_of(addition));
    run_.program.add(std::move(addition), program_for(state_, command_.steps));
    for (std::uint32_t i = 0; i < count_; ++i) {
      model::TaskRow& row = run_.tasks[first + i].row;
      row.key = {run_.row.key, first + i};
      row.step = first + i;
      row.priority = priority_of(run_, first + i);
      effects.record(run_, {.kind = model::FactKind::task_added,
                            .at = moment.wall,
                            .task = first + i,
                            .step = first + i,
                            .number = parent_,
                            .text = std::string(name(model::TaskRole::main)),
                            .other = name_of(i)});
    }
    return first;
  }

  void start(Ordinal first) {
    for (const Ordinal step : ordinals(first, count_)) {
      count_upstream(run_, step);
      // What followed the adding step waits for one more.
      run_.program->each_successor(step, [&](Ordinal next) {
        if (next < first || next >= first + count_) ++run_.tasks[next].upstream.waiting;
      });
    }
    update_progress(run_);
    for (const Ordinal step : ordinals(first, count_)) {
      if (trigger(run_.program->step(step).trigger_rule, run_.tasks[step].upstream).kind !=
          Trigger::Kind::wait)
        state_.work.push_back({WorkKind::ready, {run_.row.key, step}, 0});
    }
  }

  model::TasksAdded answer(Ordinal first, bool existing) const {
    model::TasksAdded added{.tasks = {}, .existing = existing};
    for (std::uint32_t i = 0; i < count_; ++i) added.tasks.push_back({{run_.row.id, first + i}, name_of(i)});
    return added;
  }

  State& state_;
  Run& run_;
  const Ordinal parent_;
  const Ordinal parent_step_;
  const model::AddTasks& command_;
  const std::string scope_;  // the adding task's name
  const std::uint32_t count_;
};

}  // namespace

void decide(State& state, const model::AddTasks& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  Run* run = nullptr;
  if (holder(state, command.token, command.task, run) == nullptr) {
    return effects.reply(reply_to, stale(command.token, command.task));
  }
  auto added = Adding(state, *run, command.task.ordinal, command).add(moment, effects);
  if (added) {
    effects.reply(reply_to, std::move(*added));
  } else {
    effects.reply(reply_to, added.error());
  }
}

}  // namespace baton::engine::commands

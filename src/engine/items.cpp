#include "engine/items.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <string>

#include "base/seeded_bug.hpp"
#include "engine/attempts.hpp"
#include "engine/caching.hpp"
#include "engine/deadlines.hpp"
#include "engine/flow.hpp"
#include "engine/needs.hpp"
#include "engine/phases.hpp"
#include "engine/rendering.hpp"

namespace baton::engine {
namespace {

using model::FactKind;
using model::TaskStatus;

model::MaxFailures max_failures(const model::Step& step) {
  return step.failure ? step.failure->max_failures : model::MaxFailures{};
}

// The error of a mapped step: how many items failed, and the first one's. A part that failed in an earlier
// generation has such a text already.
std::string items_failed_text(const Task& group) {
  constexpr std::string_view kBefore = " items failed; ";
  std::string_view first = group.row.error_message;
  if (const auto at = first.find(kBefore); at != std::string_view::npos)
    first.remove_prefix(at + kBefore.size());
  return std::to_string(group.items_failed) + " of " + std::to_string(group.row.item_count) +
         std::string(kBefore) + std::string(first);
}

// Whether as many items of a mapped step are on their way as may be. Child runs stand in no queue: they count
// as long as they last.
bool is_full(const State& state, const Run& run, const Task& group) {
  if (group.items_asking >= kMostAsking) return true;
  const model::Step& step = run.program->step(group.row.step);
  if (step.max_parallel > 0) return group.items_active + group.items_asking >= step.max_parallel;
  return (step.child ? group.items_active : group.items_waiting) + group.items_asking >=
         state.settings.item_window;
}

}  // namespace

void expand(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  start_run(state, run, moment, effects);
  auto items = evaluate_items(state, run, task);
  const auto refuse = [&](const char* type, std::string message) {
    fail_unstarted(state, run, task, {.type = type, .message = std::move(message)}, moment, effects);
  };
  if (!items) return refuse(model::error_type::kExpression, items.error().message);
  if (run.tasks.size() + items->size() > state.settings.max_tasks_per_run) {
    return refuse(model::error_type::kValidation,
                  "`for_each` has " + std::to_string(items->size()) + " items; a run may have " +
                      std::to_string(state.settings.max_tasks_per_run) + " tasks");
  }
  const Ordinal ordinal = task.row.key.ordinal;
  const auto count = static_cast<std::uint32_t>(items->size());
  std::string text = boost::json::serialize(*items);
  if (text.size() > state.settings.max_list) {
    return refuse(model::error_type::kValidation, "the `for_each` list takes " + std::to_string(text.size()) +
                                                      " bytes as JSON; the limit is " +
                                                      std::to_string(state.settings.max_list));
  }
  effects.touch(run, ordinal);
  task.row.expanded = true;
  task.row.first_item = run.row.next_ordinal;
  task.row.item_count = count;
  task.row.started_at = moment.wall;
  start_task_clocks(run, task, moment);
  effects.record(run, {.kind = FactKind::task_expanded,
                       .at = moment.wall,
                       .task = ordinal,
                       .step = ordinal,
                       .number = count,
                       .other = std::to_string(task.row.first_item)});
  if (count == 0) return complete_task(state, run, task, moment, effects);
  task.row.has_input = true;
  task.items_open = count;
  effects.put(input_of(task.row.key), std::move(text));
  run.row.next_ordinal += count;
  run.row.counts.total += count - 1;
  const std::uint8_t priority = task.row.priority;
  const Ordinal first = task.row.first_item;
  run.tasks.resize(run.row.next_ordinal);  // `task` is void from here on
  for (std::uint32_t i = 0; i < count; ++i) {
    model::TaskRow& row = run.tasks[first + i].row;
    row.key = {run.row.key, first + i};
    row.step = ordinal;
    row.index = static_cast<std::int32_t>(i);
    row.priority = priority;
  }
  arm_clock(state, run, run.tasks[ordinal]);
  refill(state, run, run.tasks[ordinal]);
}

void expand_items(State& state, Run& run, Task& group_task, const Moment& moment, Effects& effects,
                  std::size_t row_limit) {
  const Ordinal ordinal = group_task.row.key.ordinal;
  group_task.refill_pending = false;
  for (;;) {
    Task& group = run.tasks[ordinal];
    if (group.sweeping || group.next_item >= group.row.item_count || model::is_terminal(group.row.status))
      return;
    if (is_full(state, run, group)) return;
    Task& item = run.tasks[group.row.first_item + group.next_item];
    // It kept its result, or came here before.
    if (item.row.status != TaskStatus::pending || item.parked || item.asking) {
      ++group.next_item;
      continue;
    }
    Needs missing;
    add_needs(state, run, item, missing);
    if (effects.rows() >= row_limit || !missing.empty()) {
      refill(state, run, group);
      return;
    }
    ++group.next_item;
    advance(state, run, item, moment, effects);
  }
}

bool passes_over(const State& state, Run& run, const Task& item) {
  Task& group = run.tasks[item.row.step];
  if (!is_full(state, run, group)) return false;
  group.next_item = std::min(group.next_item, static_cast<std::uint32_t>(item.row.index));
  return true;
}

void refill(State& state, Run& run, Task& group) {
  if (group.sweeping || group.next_item >= group.row.item_count) return;
  if (is_full(state, run, group)) return;
  if (group.refill_pending) return;
  group.refill_pending = true;
  state.work.push_back({WorkKind::expand, group.row.key, 0});
}

void end_item(State& state, Run& run, Task& item, bool was_active, const Moment& moment, Effects& effects) {
  Task& group = run.tasks[item.row.step];
  const std::uint32_t count = group.row.item_count;
  const std::uint64_t weight = run.program->weight(item.row.step);
  // The step's weight is spread over its items without losing the remainder.
  const std::uint64_t ended = count - group.items_open;
  run.done_weight += weight * (ended + 1) / count - weight * ended / count;
  update_progress(run);
  --group.items_open;
  if (was_active) --group.items_active;
  if (item.row.status == TaskStatus::cancelled || item.row.skip_reason == model::SkipReason::fail_fast) {
    ++group.items_cancelled;
  }
  const model::MaxFailures allowed = max_failures(run.program->step(item.row.step));
  if (item.row.status == TaskStatus::failed && !item.row.ignored) {
    ++group.items_failed;
    if (group.row.error_type.empty()) {
      effects.touch(run, item.row.step);
      set_error(group.row,
                {.type = item.row.error_type,
                 .message = "item " + std::to_string(item.row.index) + ": " + item.row.error_message});
    }
    if (!group.sweeping && group.items_open > 0 &&
        allowed.exceeded_by(group.items_failed - std::min(group.items_failed, group.row.kept_failures),
                            count)) {
      group.sweeping = true;
      state.work.push_back({WorkKind::sweep, group.row.key, 0});
    }
  }
  if (group.items_open > 0) {
    refill(state, run, group);
    return;
  }
  end_group(state, run, group, moment, effects);
}

void end_group(State& state, Run& run, Task& group, const Moment& moment, Effects& effects) {
  group.sweeping = false;
  if (group.row.stop_reason == model::StopReason::deadline && !run.row.cancel_requested &&
      !run.row.timed_out) {
    fail_task(state, run, group, deadline_failure(run.program->step(group.row.step)), moment, effects);
  } else if (max_failures(run.program->step(group.row.step))
                 .exceeded_by(group.items_failed -
                                  (seeded_bug(Bug::one_more_failed_item) && group.items_failed > 0 ? 1 : 0),
                              group.row.item_count)) {
    fail_task(state, run, group, {.type = group.row.error_type, .message = items_failed_text(group)}, moment,
              effects);
  } else if (group.items_cancelled > 0) {
    cancel_task(state, run, group, moment, effects);
  } else {
    complete_task(state, run, group, moment, effects);
  }
}

}  // namespace baton::engine

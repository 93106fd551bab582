#include "engine/queues.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "engine/edits.hpp"
#include "engine/endings.hpp"
#include "engine/gates.hpp"
#include "engine/places.hpp"
#include "model/flow.hpp"

namespace baton::engine {
namespace {

using model::Blocker;

constexpr std::size_t kReasonLimit = 1000;  // bytes
const std::string kNowhere;

const model::QueueRow* settings_of(const State& state, const std::string& queue) {
  const auto found = state.queue_settings.find(queue);
  return found == state.queue_settings.end() ? nullptr : &found->second;
}

// Whether another task may come to be queued there; those that wait before it are not asked.
bool has_room(const State& state, const std::string& queue) {
  const model::QueueRow* set = settings_of(state, queue);
  if (set == nullptr || set->max_waiting == 0) return true;
  const auto its = state.queues.find(queue);
  return its == state.queues.end() || its->second.waiting < set->max_waiting;
}

bool has_line(const State& state, const std::string& queue) {
  return state.blocked.contains(Blocker::queue_full(queue));
}

Status check_weights(const model::SetQueue& command, const model::QueueRow* before) {
  std::size_t count = before == nullptr ? 0 : before->weights.size();
  for (const auto& [key, weight] : command.weights) {
    if (key.size() > model::kMaxFlowName || !is_utf8(key)) {
      return fail(ErrorCode::invalid_request,
                  "a fair key has at most " + std::to_string(model::kMaxFlowName) + " bytes of UTF-8");
    }
    if (weight > model::kMostWeight) {
      return fail(ErrorCode::invalid_request,
                  "the weight of \"" + printable(key) + "\" is over " + std::to_string(model::kMostWeight));
    }
    count += weight > 0 && (before == nullptr || !before->weights.contains(key)) ? 1 : 0;
  }
  if (count > model::kMaxWeights) {
    return fail(ErrorCode::too_large, "queue " + printable(command.name) + " would have " +
                                          std::to_string(count) + " weights; it may have " +
                                          std::to_string(model::kMaxWeights));
  }
  return {};
}

}  // namespace

std::optional<Blocker> full_queue(const State& state, const Run& run, const Task& task) {
  if (state.queue_settings.empty() && state.admitting.empty()) return std::nullopt;
  const std::string& queue = queue_of(run, task);
  Blocker blocker = Blocker::queue_full(queue);
  // Those that stand before it come first, also when there is room again.
  if (!has_room(state, queue) || state.blocked.contains(blocker)) return blocker;
  return std::nullopt;
}

bool needs_worker(const model::Step& step) {
  if (step.kind == model::StepKind::wait) return step.wait->what == model::Wait::For::poll;
  return step.kind != model::StepKind::set && step.kind != model::StepKind::switch_;
}

namespace {

// How many tasks are ready that will join the queue, but have not been seen to yet: submissions of one batch
// stand there beside each other. Counts up to `most`.
std::uint32_t arriving(const State& state, const std::string& queue, std::uint32_t most) {
  std::uint32_t count = 0;
  for (const Work& work : state.work) {
    if (count >= most) break;
    if (work.kind != WorkKind::ready) continue;
    const Run* run = state.find(work.task.run);
    if (run == nullptr || work.task.ordinal >= run->tasks.size()) continue;
    const Task& task = run->tasks[work.task.ordinal];
    if (is_helper(task) || model::is_terminal(task.row.status)) continue;
    const model::Step& step = run->program->step(task.row.step);
    if (!needs_worker(step) || step.kind == model::StepKind::wait) continue;
    const std::string& named =
        step.queue.empty() ? routed(state, run->program->workflow(), step) : step.queue;
    if (model::queue_of(named, {}) == queue) ++count;
  }
  return count;
}

}  // namespace

Status has_room_for(const State& state, const model::Workflow& workflow) {
  if (state.queue_settings.empty()) return {};
  for (const model::Step& step : workflow.steps) {
    // A poll is a wait that goes on: it stands beside the bound.
    if (step.finally || !step.needs.empty() || !needs_worker(step) || step.kind == model::StepKind::wait)
      continue;
    const std::string& named = step.queue.empty() ? routed(state, workflow, step) : step.queue;
    const std::string& queue = model::queue_of(named, {});
    const model::QueueRow* set = settings_of(state, queue);
    if (set == nullptr || set->max_waiting == 0) continue;
    const auto its = state.queues.find(queue);
    std::uint32_t waiting = its == state.queues.end() ? 0 : its->second.waiting;
    if (waiting < set->max_waiting) waiting += arriving(state, queue, set->max_waiting - waiting);
    if (waiting < set->max_waiting && !has_line(state, queue)) continue;
    return fail(ErrorCode::overloaded,
                "queue " + queue + ", which step " + step.name +
                    " would wait in, is full: " + std::to_string(waiting) + " tasks wait there and at most " +
                    std::to_string(set->max_waiting) + " may; try again later",
                queue);
  }
  return {};
}

void count_in(State& state, const Run& run, const Task& task) {
  ++state.queues[queue_of(run, task)].waiting;
}

void count_out(State& state, const Run& run, const Task& task) {
  const std::string& queue = queue_of(run, task);
  --state.queues[queue].waiting;
  admit_if_room(state, queue);
}

void admit_if_room(State& state, const std::string& queue) {
  if (!has_line(state, queue) || !has_room(state, queue)) return;
  Queue& its = state.queues[queue];
  if (its.admitting) return;
  its.admitting = true;
  state.admitting.push_back(queue);
  state.work.push_back({WorkKind::admit, {}, 0});
}

bool admit_tasks(State& state, const Moment& moment, Effects& effects, std::size_t row_limit) {
  const std::string queue = std::move(state.admitting.front());
  state.admitting.pop_front();
  const Blocker full = Blocker::queue_full(queue);
  while (has_room(state, queue)) {
    const auto line = state.blocked.find(full);
    if (line == state.blocked.end()) break;
    if (effects.rows() >= row_limit) {
      state.admitting.push_back(queue);
      return true;
    }
    const TaskKey key = line->second.tasks.begin()->second;
    Run& run = *state.find(key.run);
    enter_queue(state, run, run.tasks[key.ordinal], moment, effects);
  }
  state.queues[queue].admitting = false;
  return false;
}

std::uint32_t weight_of(const State& state, const std::string& queue, const std::string& fair_key) {
  const model::QueueRow* set = settings_of(state, queue);
  if (set == nullptr) return 1;
  const auto found = set->weights.find(fair_key);
  return found == set->weights.end() ? 1 : found->second;
}

const std::string& routed(const State& state, const model::Workflow& workflow, const model::Step& step) {
  const model::RouteRow* best = nullptr;
  for (const auto& [pattern, route] : state.routes) {
    const std::string_view function = model::function_of(step);
    if (!model::matches(pattern, workflow.name, step.name) &&
        (function.empty() || !model::matches(pattern, workflow.name, function))) {
      continue;
    }
    if (best == nullptr || model::says_more(pattern, best->pattern)) best = &route;
  }
  return best == nullptr ? kNowhere : best->queue;
}

Status set_queue(State& state, const model::SetQueue& command, const Moment& moment, Effects& effects) {
  if (!is_name(command.name)) {
    return fail(ErrorCode::invalid_request,
                "\"" + printable(utf8_prefix(command.name, 128)) +
                    "\" is no name of a queue: a name has letters, digits, . _ -");
  }
  if (command.max_waiting.value_or(0) > model::kMostWaiting) {
    return fail(ErrorCode::invalid_request,
                "a bound of a queue is at most " + std::to_string(model::kMostWaiting) + "; 0 is none");
  }
  TRY_VOID(check_unchanged(state, model::queue_key(command.name), command.expected));
  TRY_VOID(check_weights(command, settings_of(state, command.name)));
  model::QueueRow& row = state.queue_settings[command.name];
  row.name = command.name;
  if (command.max_waiting) row.max_waiting = *command.max_waiting;
  for (const auto& [key, weight] : command.weights) {
    if (weight == 0) {
      row.weights.erase(key);
    } else {
      row.weights[key] = weight;
    }
  }
  row.by = effects.actor();
  row.why = std::string(utf8_prefix(command.reason, kReasonLimit));
  row.at = moment.wall;
  if (row.max_waiting == 0 && row.weights.empty()) {
    effects.erase(model::queue_key(command.name));
    state.queue_settings.erase(command.name);
  } else {
    effects.put(to_record(row));
  }
  admit_if_room(state, command.name);
  return {};
}

Status set_route(State& state, const model::SetRoute& command, const Moment& moment, Effects& effects) {
  const std::string& pattern = command.pattern;
  TRY_VOID(check_unchanged(state, model::route_key(pattern), command.expected));
  if (!command.queue) {
    if (state.routes.erase(pattern) == 0) {
      return fail(ErrorCode::not_found,
                  "there is no route \"" + printable(utf8_prefix(pattern, model::kMaxPattern)) + "\"");
    }
    effects.erase(model::route_key(pattern));
    return {};
  }
  const auto is_of_names = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-/*?").find(c) != std::string_view::npos;
  };
  if (pattern.empty() || pattern.size() > model::kMaxPattern || !std::ranges::all_of(pattern, is_of_names) ||
      std::ranges::count(pattern, '/') > 1) {
    return fail(
        ErrorCode::invalid_request,
        "\"" + printable(utf8_prefix(pattern, 128)) +
            "\" is no pattern: it is a step's name or WORKFLOW/STEP, where * stands for any text and ? "
            "for one character");
  }
  if (!is_name(*command.queue)) {
    return fail(ErrorCode::invalid_request,
                "\"" + printable(utf8_prefix(*command.queue, 128)) +
                    "\" is no name of a queue: a name has letters, digits, . _ -",
                "/queue");
  }
  if (!state.routes.contains(pattern) && state.routes.size() >= model::kMaxRoutes) {
    return fail(ErrorCode::too_large,
                "there are " + std::to_string(model::kMaxRoutes) + " routes already; one more is too many");
  }
  model::RouteRow& row = state.routes[pattern];
  row = {.pattern = pattern,
         .queue = *command.queue,
         .by = effects.actor(),
         .why = std::string(utf8_prefix(command.reason, kReasonLimit)),
         .at = moment.wall};
  effects.put(to_record(row));
  return {};
}

void load_queues(State& state) {
  for (const auto& [key, known] : state.records) {
    if (!known.record) continue;
    if (key.kind == model::RecordKind::queue) {
      if (auto row = model::queue_of(*known.record)) state.queue_settings[key.key] = std::move(*row);
    } else if (key.kind == model::RecordKind::route) {
      if (auto row = model::route_of(*known.record)) state.routes[key.key] = std::move(*row);
    }
  }
}

}  // namespace baton::engine

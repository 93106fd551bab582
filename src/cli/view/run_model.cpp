#include "cli/view/run_model.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "cli/output.hpp"
#include "cli/words.hpp"

namespace baton::cli {

namespace json = boost::json;

RunModel::RunModel(const model::Workflow& workflow)
    : workflow_(workflow.name), title_(one_line(workflow.title)) {
  // A step without an estimate counts as the mean of those that have one.
  double sum = 0;
  std::size_t count = 0;
  for (const model::Step& step : workflow.steps) {
    if (!step.estimate) continue;
    sum += step.estimate->as_seconds();
    ++count;
  }
  const double mean = count > 0 && sum > 0 ? sum / static_cast<double>(count) : 1;
  mean_weight_ = mean;
  declared_ = workflow.steps.size();
  steps_.reserve(workflow.steps.size());
  for (const model::Step& step : workflow.steps) {
    StepModel& model = steps_.emplace_back();
    model.name = step.name;
    model.title = one_line(step.title());
    model.finally = step.finally;
    model.waits = step.wait != nullptr;
    model.weight = step.estimate ? std::max(step.estimate->as_seconds(), 0.001) : mean;
    total_weight_ += model.weight;
  }
}

void RunModel::apply(std::string_view type, const json::object& event) {
  const auto parsed = parse_rfc3339(text_of(event, "at"));
  const WallTime at = parsed ? *parsed : WallTime{};
  if (type == "run.submitted") {
    created_at_ = at;
  } else if (type == "run.started") {
    started_at_ = at;
    if (status_ == "pending") status_ = "running";
  } else if (type == "run.cancel_requested") {
    status_ = ending_ && status_ != "cancelling" ? "running" : "cancelling";  // only its endings are dropped
  } else if (type == "run.finalizing") {
    ending_ = true;
  } else if (type == "run.ended") {
    status_ = text_of(event, "status");
    ended_at_ = at;
    ended_ = true;
  } else if (type == "run.paused" || type == "run.resumed") {
    if (text_of(event, "step").empty()) status_ = type == "run.paused" ? "paused" : "running";
  } else if (type == "run.recovering") {
    status_ = "recovering";
    ended_ = ending_ = false;
    ended_at_ = {};
    failures_.clear();
    failed_tasks_ = 0;
  } else if (type == "run.recovered") {
    status_ = "running";
  } else {
    apply_task(type, event, at);
  }
}

void RunModel::apply_task(std::string_view type, const json::object& event, WallTime at) {
  const std::int64_t ordinal = event.contains("step_index") ? whole_number_of(event, "step_index") : -1;
  if (type == "task.added" && text_of(event, "role") == "main") return add_step(ordinal, event);
  const std::optional<std::size_t> place = place_of(ordinal);
  if (!place) return;
  StepModel& step = steps_[*place];
  const bool is_item = event.contains("index");
  const auto index = whole_number_of(event, "index");
  const auto attempt = static_cast<std::uint32_t>(whole_number_of(event, "attempt"));
  // An event's sender may say more of items than this viewer has heard of.
  if (is_item && step.items == nullptr) step.items = std::make_unique<StepModel::Items>();
  StepModel::Items* const items = is_item ? step.items.get() : nullptr;

  if (type == "task.added") {
    const std::string role = text_of(event, "role");
    const std::string name = is_item ? step.name + '[' + std::to_string(index) + ']' : step.name;
    const std::string resource = one_line(text_of(event, "resource"));
    helpers_[text_of(event, "task")] =
        (role == "resource" ? "giving back " + resource : role) + " of " + name;
    return;
  }
  if (type == "resource.leaked" || type == "resource.cleaned" || type == "resource.released") {
    const std::string id = text_of(event, "task");
    const std::string resource = one_line(text_of(event, "resource"));
    std::erase_if(leaks_,
                  [&](const LeakedResource& leak) { return leak.task == id && leak.name == resource; });
    if (type == "resource.leaked") {
      leaks_.push_back({id, resource, is_item ? step.name + '[' + std::to_string(index) + ']' : step.name,
                        one_line(text_of(event, "reason"))});
    }
    return;
  }
  if (const std::string_view helper = helper_of(event); !helper.empty()) {
    // The step stays as it ended; what is done after it stands beside it.
    if (type == "attempt.started" && !is_item) step.note = std::string(helper);
    if (type == "task.ended" && !is_item && step.note == helper) {
      step.note = text_of(event, "status") == "completed" ? "" : std::string(helper) + " failed";
    }
    return;
  }
  if (type == "task.progress") {
    if (is_item) {
      items->active[index].progress = progress_of(event);
      return;
    }
    done_weight_ -= done_of(step);
    step.part = std::clamp(static_cast<double>(number_of(event, "progress")) / 100, 0.0, 1.0);
    done_weight_ += done_of(step);
    step.note = progress_of(event);
    return;
  }
  if (!is_item && step.part > 0 && (type == "attempt.ended" || type == "attempt.started")) {
    done_weight_ -= done_of(step);
    step.part = 0;
    done_weight_ += done_of(step);
  }
  if (type == "task.cached") {
    if (!is_item) {
      step.started_at = at;
      step.note = "cached";
    }
  } else if (type == "task.reset") {
    reset(step, is_item);
  } else if (type == "task.expanded") {
    done_weight_ -= done_of(step);  // of a list before a recovery
    step.items = std::make_unique<StepModel::Items>();
    step.items->count = static_cast<std::uint64_t>(whole_number_of(event, "items"));
    if (step.started_at.us == 0) step.started_at = at;
    step.status = "running";
  } else if (type == "task.queued") {
    if (!is_item) step.status = "queued";
    if (items != nullptr) items->active.erase(index);
  } else if (type == "attempt.started") {
    if (step.started_at.us == 0) step.started_at = at;
    step.attempt = std::max(step.attempt, attempt);
    if (is_item) {
      items->active[index] = {"running", attempt, at};
    } else {
      step.status = "running";
      if (!step.waits) step.note.clear();
    }
  } else if (type == "task.waiting") {
    if (step.started_at.us == 0) step.started_at = at;
    if (is_item) {
      items->active[index] = {"running", attempt, at};
    } else {
      step.status = "running";
      step.note = "waits for " + wait_of(event);
    }
  } else if (type == "task.retrying") {
    if (is_item) {
      items->active[index].status = "retrying";
    } else {
      step.status = "retrying";
      if (event.contains("round")) step.round = static_cast<std::uint32_t>(whole_number_of(event, "round"));
      const std::string first = one_line(text_of(event, "reason"));
      step.note = first.empty() ? "again in " + delay_of(event) : first;
    }
  } else if (type == "task.held" || type == "task.fallback") {
    const bool held = type == "task.held";
    if (is_item) {
      items->active[index].status = "retrying";
    } else {
      step.status = "retrying";
      step.note = (held ? "held, a person decides: " : "fallback after ") + error_of(event);
    }
  } else if (type == "attempt.ended") {
    const std::string outcome = cell_of(event, "outcome");
    if (!is_item && outcome != "completed" && outcome != "failed") step.note = outcome;
  } else if (type == "task.skipped" || type == "task.ended") {
    const std::string status = type == "task.skipped" ? "skipped" : text_of(event, "status");
    const json::object* error = object_of(event, "error");
    if (status == "failed" && (is_item || step.items == nullptr)) {
      ++failed_tasks_;
      if (failures_.size() < kFailures) {
        failures_.push_back({text_of(event, "task"),
                             is_item ? step.name + '[' + std::to_string(index) + ']' : step.name,
                             error != nullptr ? text_of(*error, "type") : "",
                             error != nullptr ? text_of(*error, "message") : ""});
      }
    }
    if (is_item) {
      items->active.erase(index);
      ++items->ended;
      if (status == "failed") ++items->failed;
      if (items->count > 0) done_weight_ += step.weight / static_cast<double>(items->count);
      return;
    }
    if (status != "completed" || step.note != "cached")
      step.note = type == "task.skipped" ? cell_of(event, "reason") : error_of(event);
    end_step(step, status, at);
  }
}

std::optional<std::size_t> RunModel::place_of(std::int64_t ordinal) const {
  if (ordinal >= 0 && std::cmp_less(ordinal, declared_)) return static_cast<std::size_t>(ordinal);
  const auto found = added_.find(ordinal);
  return found == added_.end() ? std::nullopt : std::optional(found->second);
}

// A running task has added one.
void RunModel::add_step(std::int64_t ordinal, const json::object& event) {
  if (ordinal < 0 || place_of(ordinal)) return;
  added_[ordinal] = steps_.size();
  StepModel& step = steps_.emplace_back();
  step.name = one_line(text_of(event, "name"));
  step.title = step.name;
  step.weight = mean_weight_;
  total_weight_ += step.weight;
}

// The task's next generation begins.
void RunModel::reset(StepModel& step, bool is_item) {
  if (is_item) {
    if (step.items->ended == 0) return;
    done_weight_ -= done_of(step);
    --step.items->ended;
    done_weight_ += done_of(step);
    return;
  }
  if (step.ended_at.us != 0) {
    done_weight_ -= step.weight - done_of(step);
    --steps_ended_;
  }
  step.status = "pending";
  step.round = 0;
  step.note.clear();
  step.started_at = step.ended_at = {};
  if (step.items != nullptr) step.items->failed = 0;
}

std::string_view RunModel::helper_of(const json::object& event) const {
  const auto found = helpers_.find(text_of(event, "task"));
  return found == helpers_.end() ? std::string_view() : std::string_view(found->second);
}

void RunModel::end_step(StepModel& step, std::string status, WallTime at) {
  done_weight_ += step.weight - done_of(step);
  step.status = std::move(status);
  step.ended_at = at;
  if (step.items != nullptr) step.items->active.clear();
  ++steps_ended_;
}

double RunModel::done_of(const StepModel& step) const {
  if (step.items == nullptr || step.items->count == 0) return step.weight * step.part;
  return step.weight * static_cast<double>(std::min(step.items->ended, step.items->count)) /
         static_cast<double>(step.items->count);
}

double RunModel::progress() const {
  if (ended_ && status_ == "completed") return 1;
  return total_weight_ > 0 ? std::clamp(done_weight_ / total_weight_, 0.0, 1.0) : 0;
}

Duration RunModel::remaining(WallTime now) const {
  const double done = progress();
  if (started_at_.us == 0 || done < 0.02 || ended_) return Duration::micros(-1);
  const double elapsed = (now - started_at_).as_seconds();
  // Too early to tell anything.
  if (elapsed < 1) return Duration::micros(-1);
  return Duration::micros(static_cast<std::int64_t>(elapsed * (1 - done) / done * 1e6));
}

}  // namespace baton::cli

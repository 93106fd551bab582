#include "runtime/fact_log.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace baton::runtime {
namespace {

using model::Fact;
using model::FactKind;
using telemetry::LogLevel;

// What is said of a fact; nothing of those that are not here.
struct Said {
  LogLevel level = LogLevel::info;
  const char* message = "";
};

std::optional<Said> said_of(const Fact& fact) {
  switch (fact.kind) {
    case FactKind::run_submitted:
      return Said{LogLevel::info, "run submitted"};
    case FactKind::run_started:
      return Said{LogLevel::debug, "run started"};
    case FactKind::run_cancel_requested:
      return Said{LogLevel::info, "run is to be cancelled"};
    case FactKind::run_ended:
      return fact.status == static_cast<std::uint8_t>(model::RunStatus::failed)
                 ? Said{LogLevel::warning, "run failed"}
                 : Said{LogLevel::info, "run ended"};
    case FactKind::run_timed_out:
      return Said{LogLevel::warning, "run is over its deadline"};
    case FactKind::run_sla_missed:
    case FactKind::task_sla_missed:
      return Said{LogLevel::warning, "sla missed"};
    case FactKind::run_paused:
      return Said{LogLevel::info, "run paused"};
    case FactKind::run_resumed:
      return Said{LogLevel::info, "run resumed"};
    case FactKind::run_recovering:
      return Said{LogLevel::info, "run recovers"};
    case FactKind::attempt_started:
      return Said{LogLevel::debug, "attempt started"};
    case FactKind::attempt_ended:
      return fact.other.empty() ? Said{LogLevel::debug, "attempt ended"}
                                : Said{LogLevel::info, "attempt failed"};
    case FactKind::task_retrying:
      return Said{LogLevel::debug, "task waits for its next attempt"};
    case FactKind::task_ended:
      return fact.status == static_cast<std::uint8_t>(model::TaskStatus::failed)
                 ? Said{LogLevel::warning, "task failed"}
                 : Said{LogLevel::debug, "task ended"};
    case FactKind::task_held:
      return Said{LogLevel::warning, "task waits for a person"};
    case FactKind::task_resolved:
      return Said{LogLevel::info, "a person decided about a task"};
    case FactKind::alert_raised:
      return Said{fact.status == static_cast<std::uint8_t>(model::Severity::critical) ? LogLevel::error
                                                                                      : LogLevel::warning,
                  "a rule raised an alert"};
    case FactKind::resource_leaked:
      return Said{LogLevel::error, "a resource could not be given back"};
    default:
      return std::nullopt;
  }
}

// The type of error that a fact is about; "" if it is about none. (Its message is the task's own text.)
std::string_view error_type_of(const Fact& fact) {
  switch (fact.kind) {
    case FactKind::attempt_ended:
      return fact.other;
    case FactKind::run_ended:
    case FactKind::task_ended:
    case FactKind::task_held:
    case FactKind::alert_raised:
      return fact.text;
    default:
      return "";
  }
}

// What it became, in one word.
std::string_view outcome_of(const Fact& fact) {
  switch (fact.kind) {
    case FactKind::run_ended:
      return name(static_cast<model::RunStatus>(fact.status));
    case FactKind::task_ended:
      return name(static_cast<model::TaskStatus>(fact.status));
    case FactKind::attempt_ended:
    case FactKind::task_resolved:
      return fact.text;
    case FactKind::alert_raised:
      return name(static_cast<model::Severity>(fact.status));
    default:
      return "";
  }
}

// The fields of a line, which point to texts of others; what is empty is left out.
class Fields {
 public:
  void add(std::string_view name, std::string_view value) {
    if (!value.empty()) fields_[size_++] = {name, value};
  }
  operator std::span<const telemetry::LogField>() const { return std::span(fields_).first(size_); }

 private:
  std::array<telemetry::LogField, 10> fields_;
  std::size_t size_ = 0;
};

void add_line(telemetry::LogLines& lines, const std::string& space, const Fact& fact, const Said& said,
              const engine::Run& run, const std::string& run_id, const std::string& actor) {
  Fields fields;
  fields.add("namespace", space);
  fields.add("run", run_id);
  fields.add("workflow", run.row.workflow);
  // What the fields point to.
  std::string task;
  std::string step;
  std::string attempt;
  if (model::is_task_fact(fact.kind) && fact.task < run.tasks.size()) {
    task = TaskId{run.row.id, fact.task}.text();
    fields.add("task", task);
    step = run.program->name(run.tasks[fact.task].row.step);
    fields.add("step", step);
    if (fact.attempt > 0) attempt = std::to_string(fact.attempt);
    fields.add("attempt", attempt);
  }
  if (fact.kind == FactKind::attempt_started) fields.add("worker", fact.text);
  fields.add("outcome", outcome_of(fact));
  fields.add("error_type", error_type_of(fact));
  // Who wanted it; the engine's own doings have no author.
  if (!actor.starts_with("worker:") && actor != "engine") fields.add("actor", actor);
  lines.add(said.level, model::name(fact.kind), said.message, fields);
}

// Of a breaker that opened or closed in this batch.
void add_line(telemetry::LogLines& lines, const std::string& space, const model::RecordChange& change,
              const model::Batch& batch) {
  if (change.erased || change.record.id.kind != model::RecordKind::breaker) return;
  const auto row = model::breaker_of(change.record);
  if (!row || row->changed_at != batch.wall_time) return;
  const bool open = row->state == model::BreakerState::open;
  Fields fields;
  fields.add("namespace", space);
  fields.add("breaker", row->settings.name);
  fields.add("state", name(row->state));
  lines.add(open ? LogLevel::warning : LogLevel::info, "breaker.changed",
            "breaker is " + std::string(name(row->state)), fields);
}

}  // namespace

Observer::OnDurable FactLog::sealed(const model::Batch& batch, const engine::State& state) {
  telemetry::LogLines lines = log_.lines(batch.wall_time);
  for (const model::RunFacts& entry : batch.facts) {
    const engine::Run* run = nullptr;
    std::string run_id;
    for (const Fact& fact : entry.facts) {
      const auto said = said_of(fact);
      if (!said || !lines.takes(said->level)) continue;
      if (run == nullptr) {
        run = state.find(entry.run);
        if (run == nullptr) break;
        run_id = run->row.id.text();
      }
      add_line(lines, space_, fact, *said, *run, run_id, entry.actor);
    }
  }
  for (const model::RecordChange& change : batch.records) add_line(lines, space_, change, batch);
  if (lines.empty()) return [] {};
  return [this, lines = std::move(lines)] { log_.write(lines); };
}

void FactLog::refused(const Error& why) {
  log_.write(LogLevel::error, "store.refused", "the store took no write: " + why.message);
}

}  // namespace baton::runtime

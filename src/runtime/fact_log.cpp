#include "runtime/fact_log.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

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

struct Line {
  LogLevel level;
  std::string_view event;
  std::string message;
  std::vector<std::pair<std::string_view, std::string>> fields;  // what is empty is left out
};

Line line_of(const Fact& fact, const Said& said, const engine::Run& run, const std::string& actor) {
  Line line{said.level, model::name(fact.kind), said.message, {}};
  line.fields.reserve(9);
  line.fields.emplace_back("run", run.row.id.text());
  line.fields.emplace_back("workflow", run.row.workflow);
  if (model::is_task_fact(fact.kind) && fact.task < run.tasks.size()) {
    line.fields.emplace_back("task", TaskId{run.row.id, fact.task}.text());
    line.fields.emplace_back("step", run.program->name(run.tasks[fact.task].row.step));
    if (fact.attempt > 0) line.fields.emplace_back("attempt", std::to_string(fact.attempt));
  }
  if (fact.kind == FactKind::attempt_started) line.fields.emplace_back("worker", fact.text);
  line.fields.emplace_back("outcome", std::string(outcome_of(fact)));
  line.fields.emplace_back("error_type", std::string(error_type_of(fact)));
  // Who wanted it; the engine's own doings have no author.
  if (!actor.starts_with("worker:") && actor != "engine") line.fields.emplace_back("actor", actor);
  std::erase_if(line.fields, [](const auto& field) { return field.second.empty(); });
  return line;
}

void write(telemetry::Log& log, const std::string& space, const Line& line) {
  std::vector<telemetry::LogField> fields;
  fields.reserve(line.fields.size() + 1);
  if (!space.empty()) fields.push_back({"namespace", std::string_view(space)});
  for (const auto& [name, value] : line.fields) fields.push_back({name, std::string_view(value)});
  log.write(line.level, line.event, line.message, fields);
}

// Of a breaker that opened or closed in this batch.
std::optional<Line> line_of(const model::RecordChange& change, const model::Batch& batch) {
  if (change.erased || change.record.id.kind != model::RecordKind::breaker) return std::nullopt;
  const auto row = model::breaker_of(change.record);
  if (!row || row->changed_at != batch.wall_time) return std::nullopt;
  const bool open = row->state == model::BreakerState::open;
  return Line{open ? LogLevel::warning : LogLevel::info,
              "breaker.changed",
              "breaker is " + std::string(name(row->state)),
              {{"breaker", row->settings.name}, {"state", std::string(name(row->state))}}};
}

}  // namespace

Observer::OnDurable FactLog::sealed(const model::Batch& batch, const engine::State& state) {
  std::vector<Line> lines;
  for (const model::RunFacts& entry : batch.facts) {
    const engine::Run* run = state.find(entry.run);
    if (run == nullptr) continue;
    for (const Fact& fact : entry.facts) {
      const auto said = said_of(fact);
      if (said && log_.takes(said->level)) lines.push_back(line_of(fact, *said, *run, entry.actor));
    }
  }
  for (const model::RecordChange& change : batch.records) {
    if (auto line = line_of(change, batch); line && log_.takes(line->level))
      lines.push_back(std::move(*line));
  }
  return [this, lines = std::move(lines)] {
    for (const Line& line : lines) write(log_, space_, line);
  };
}

void FactLog::refused(const Error& why) {
  log_.write(LogLevel::error, "store.refused", "the store took no write: " + why.message);
}

}  // namespace baton::runtime

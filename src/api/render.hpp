// Rows as the JSON that clients see (PRODUCT §7, SEMANTICS 46). openapi.yaml describes the fields.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "api/json_text.hpp"
#include "api/run_steps.hpp"
#include "model/api_key.hpp"
#include "model/audit.hpp"
#include "model/breaker.hpp"
#include "model/cached_result.hpp"
#include "model/dead_letter.hpp"
#include "model/definition.hpp"
#include "model/explanation.hpp"
#include "model/fact.hpp"
#include "model/pause.hpp"
#include "model/resource.hpp"
#include "model/rows.hpp"
#include "model/secret.hpp"

namespace baton::api {

struct RunDetails {
  const RunSteps* steps = nullptr;            // null: its definition cannot be read
  std::size_t current_step = 0;               // steps that have ended
  std::string_view metadata = "{}";           // JSON
  std::string_view labels = "{}";             // JSON
  const model::Pause* pause = nullptr;        // of a paused one
  std::optional<std::string_view> input;      // JSON; left out of lists
  std::optional<std::string_view> resources;  // that are not given back; JSON; left out of lists
};
void write_run(const model::RunRow& row, const RunDetails& details, JsonText& out);

// {"by", "reason", "since", "until"}, or null.
void write_pause(const model::Pause* pause, JsonText& out);

struct TaskDetails {
  RunId run;
  const RunSteps& steps;
  std::span<const Ordinal> dependencies;
  std::string_view result = "null";  // JSON
  bool attempt_list = false;
  std::int32_t index = -1;  // of the item; of a task that serves another one: of that one's
};
void write_task(const model::TaskRow& row, const TaskDetails& details, JsonText& out);

// With `details` also the command that gives it back.
void write_resource(const model::Resource& resource, bool details, JsonText& out);

// With its pause, null = it is not paused.
void write_queue(const model::QueueView& queue, const model::Pause* pause, JsonText& out);
void write_route(const model::RouteRow& route, JsonText& out);
void write_cached_result(const model::CachedResult& cached, JsonText& out);
// `text`: of the key, in the answer of its making only.
// `problem`: why it cannot be opened, if so.
void write_secret(const model::SecretRow& row, const std::optional<std::string>& problem, JsonText& out);
void write_api_key(const model::KeyRow& row, WallTime now, std::string_view text, JsonText& out);
// `open`: its shard could be opened.
void write_namespace(const model::SpaceRow& row, bool open, JsonText& out);
void write_audit_entry(const model::AuditEntry& entry, bool tampered, JsonText& out);
void write_limit(const model::LimitView& limit, JsonText& out);
void write_breaker(const model::BreakerRow& row, JsonText& out);

// A dead letter's surroundings, JSON each.
struct DeadLetterDetails {
  std::string task;  // as /tasks/{id} gives it
  std::optional<std::string>
      arguments;  // what its executor got; nullopt if that is the definition's own text
  std::optional<std::string> run_input;
};
void write_dead_letter(const model::DeadLetter& letter, JsonText& out,
                       const DeadLetterDetails* details = nullptr);

// What the journal says, with names instead of numbers. `steps` may be null: then without their names.
void write_fact(const RunId& run, const model::Fact& fact, const RunSteps* steps, JsonText& out);

}  // namespace baton::api

#include "api/render.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "model/states.hpp"

namespace baton::api {
namespace {

std::optional<Duration> span(WallTime from, WallTime to) {
  if (from.us == 0 || to.us == 0) return std::nullopt;
  return std::max(to - from, Duration{});
}

void write_error(std::string_view type, std::string_view message, JsonText& out) {
  if (type.empty()) {
    out.null();
    return;
  }
  out.begin_object();
  out.key("type").string(type);
  out.key("message").string(message);
  out.end_object();
}

// What a program or a server said, where one did.
void write_codes(const std::optional<int>& exit_code, const std::optional<int>& status, JsonText& out) {
  if (exit_code) out.key("exit_code").integer(*exit_code);
  if (status) out.key("status").integer(*status);
}

void write_attempt_error(const model::AttemptRecord& attempt, JsonText& out) {
  if (attempt.error_type.empty()) {
    out.null();
    return;
  }
  out.begin_object();
  out.key("type").string(attempt.error_type);
  out.key("message").string(attempt.error_message);
  write_codes(attempt.exit_code, attempt.status, out);
  out.end_object();
}

// The last failure of the task's fallback; null if there was none.
const model::AttemptRecord* fallback_failure(const model::TaskRow& row) {
  for (auto attempt = row.history.rbegin(); attempt != row.history.rend(); ++attempt) {
    if (attempt->phase != model::Phase::fallback) return nullptr;
    if (attempt->end == model::AttemptEnd::failed) return &*attempt;
  }
  return nullptr;
}

void write_task_error(const model::TaskRow& row, JsonText& out) {
  if (row.error_type.empty()) {
    out.null();
    return;
  }
  out.begin_object();
  out.key("type").string(row.error_type);
  out.key("message").string(row.error_message);
  write_codes(row.error_exit_code, row.error_status, out);
  if (const auto* attempt = fallback_failure(row)) {
    out.key("fallback");
    write_attempt_error(*attempt, out);
  }
  out.end_object();
}

void write_attempt(const model::AttemptRecord& attempt, JsonText& out) {
  out.begin_object();
  out.key("number").integer(attempt.number);
  out.key("phase").string(model::name(attempt.phase));
  out.key("status").string(model::name(attempt.end));
  out.key("worker").string_or_null(attempt.worker);
  out.key("token").string(attempt.token.text());
  out.key("started_at").instant(attempt.started_at);
  out.key("ended_at").instant(attempt.ended_at);
  out.key("duration").seconds(span(attempt.started_at, attempt.ended_at));
  out.key("error");
  write_attempt_error(attempt, out);
  out.end_object();
}

// What a step that is waiting waits for.
void write_wait(const model::TaskRow& row, const model::Step& step, JsonText& out) {
  if (!step.wait || row.status != model::TaskStatus::running) {
    out.null();
    return;
  }
  using For = model::Wait::For;
  out.begin_object();
  out.key("for").string(model::name(step.wait->what));
  switch (step.wait->what) {
    case For::span:
    case For::instant:
      out.key("until").instant(row.waiting->wakes_at);
      break;
    case For::signal:
      out.key("signal").string(row.waiting->awaits);
      break;
    case For::approval:
      out.key("question").string(row.waiting->awaits);
      break;
    case For::poll:
      out.key("polls").integer(row.round);
      break;
    case For::run:
      out.key("run").string(row.waiting->child.text());
      break;
  }
  out.end_object();
}

}  // namespace

void write_pause(const model::Pause* pause, JsonText& out) {
  if (pause == nullptr) {
    out.null();
    return;
  }
  out.begin_object();
  out.key("by").string(pause->by);
  out.key("reason").string_or_null(pause->why);
  out.key("since").instant(pause->since);
  out.key("until").instant(pause->until.value_or(WallTime{}));
  out.end_object();
}

void write_run(const model::RunRow& row, const RunDetails& details, JsonText& out) {
  out.begin_object();
  out.key("id").string(row.id.text());
  out.key("workflow").string(row.workflow);
  out.key("version").integer(row.version);
  out.key("title").string_or_null(details.steps != nullptr ? details.steps->definition().title : "");
  out.key("status").string(model::name(row.status));
  out.key("stage").string(model::name(row.stage));
  out.key("progress").integer(row.progress);
  out.key("current_step").integer(static_cast<std::int64_t>(details.current_step));
  out.key("total_steps");
  if (details.steps != nullptr) {
    out.integer(static_cast<std::int64_t>(details.steps->size()));
  } else {
    out.null();
  }
  out.key("job_id").string_or_null(row.job_id);
  if (details.input) out.key("input").raw(*details.input);
  if (details.resources) out.key("resources").raw(*details.resources);
  out.key("metadata").raw(details.metadata);
  out.key("labels").raw(details.labels);
  out.key("priority").integer(row.priority);
  out.key("created_at").instant(row.created_at);
  out.key("started_at").instant(row.started_at);
  out.key("ended_at").instant(row.ended_at);
  out.key("duration").seconds(span(row.started_at, row.ended_at));
  out.key("recovery_attempts").integer(row.recovery_attempts);
  out.key("parent").string_or_null(row.parent->any() ? row.parent->task.text() : "");
  out.key("replay_of").string_or_null(row.replay_of == RunId{} ? "" : row.replay_of.text());
  out.key("pause");
  write_pause(details.pause, out);
  out.key("counts").begin_object();
  out.key("total").integer(row.counts.total);
  out.key("completed").integer(row.counts.completed);
  out.key("failed").integer(row.counts.failed);
  out.key("skipped").integer(row.counts.skipped);
  out.key("cancelled").integer(row.counts.cancelled);
  out.key("running").integer(row.counts.running);
  out.end_object();
  out.key("error");
  write_error(row.error_type, row.error_message, out);
  out.end_object();
}

void write_task(const model::TaskRow& row, const TaskDetails& details, JsonText& out) {
  const model::Step& step = *details.steps.find(row.step);
  std::string_view worker = row.worker;
  if (worker.empty() && !row.history.empty()) worker = row.history.back().worker;

  out.begin_object();
  out.key("id").string(TaskId{details.run, row.key.ordinal}.text());
  out.key("run").string(details.run.text());
  out.key("step").string(details.steps.name(row.step));
  out.key("title").string(step.title());
  out.key("type").string(step.type());
  out.key("step_index").integer(row.step);
  out.key("index");
  if (details.index >= 0) {
    out.integer(details.index);
  } else {
    out.null();
  }
  out.key("items");
  if (row.expanded) {
    out.integer(row.item_count);
  } else {
    out.null();
  }
  out.key("finally").boolean(step.finally);
  out.key("role").string(model::name(row.role));
  out.key("parent");
  if (row.role != model::TaskRole::main) {
    out.string(TaskId{details.run, row.parent}.text());
  } else if (const RunSteps::Part* part = details.steps.part_of(row.step)) {
    out.string(TaskId{details.run, part->is.parent}.text());
  } else {
    out.null();
  }
  out.key("status").string(model::name(row.status));
  out.key("skip_reason").string_or_null(model::name(row.skip_reason));
  out.key("held").boolean(row.held);
  out.key("ignored").boolean(row.ignored);
  out.key("via").string_or_null(model::name(row.via));
  out.key("cached_from").string_or_null(row.cache->from.run != RunId{} ? row.cache->from.text() : "");
  out.key("generation").integer(row.generation);
  out.key("attempts").integer(row.attempts);
  out.key("retry_count").integer(row.attempts > 0 ? row.attempts - 1 : 0);
  out.key("lost").integer(row.lost);
  out.key("interrupted").integer(row.interrupted);
  out.key("progress");
  if (row.progress->percent >= 0) {
    out.integer(row.progress->percent);
  } else {
    out.null();
  }
  out.key("progress_message").string_or_null(row.progress->message);
  out.key("waits_for");
  write_wait(row, step, out);
  out.key("child_run").string_or_null(row.waiting->child == RunId{} ? "" : row.waiting->child.text());
  out.key("dependencies").begin_array();
  for (const Ordinal dependency : details.dependencies) out.string(TaskId{details.run, dependency}.text());
  out.end_array();
  out.key("queue").string(model::queue_of(step.queue, *row.flow));
  out.key("priority").integer(row.priority);
  out.key("worker").string_or_null(worker);
  out.key("external_id").null();
  out.key("tags").begin_array();
  if (step.notes) {
    for (const std::string& tag : step.notes->tags) out.string(tag);
  }
  out.end_array();
  out.key("metadata");
  if (step.notes && !step.notes->metadata.is_null()) {
    out.value(step.notes->metadata);
  } else {
    out.raw("{}");
  }
  out.key("result").raw(details.result);
  out.key("error");
  write_task_error(row, out);
  out.key("ready_at").instant(row.ready_at);
  out.key("started_at").instant(row.started_at);
  out.key("ended_at").instant(row.ended_at);
  out.key("duration").seconds(span(row.started_at, row.ended_at));
  if (details.attempt_list) {
    out.key("attempt_list").begin_array();
    for (const model::AttemptRecord& attempt : row.history) write_attempt(attempt, out);
    out.end_array();
  }
  out.end_object();
}

void write_resource(const model::Resource& resource, bool details, JsonText& out) {
  out.begin_object();
  out.key("id").string(model::resource_id(resource.task, resource.name));
  out.key("name").string(resource.name);
  out.key("status").string(model::name(resource.status));
  out.key("origin").string(model::name(resource.origin));
  out.key("run").string(resource.task.run.text());
  out.key("task").string(resource.task.text());
  out.key("attempt").integer(resource.attempt);
  out.key("registered_at").instant(resource.at);
  out.key("cleaned_by");
  if (resource.cleaner != 0) {
    out.string(TaskId{resource.task.run, resource.cleaner}.text());
  } else {
    out.null();
  }
  out.key("error").string_or_null(resource.error);
  if (details) {
    // Its command with its directory; the environment may hold what is not for everybody.
    boost::system::error_code error;
    const boost::json::value body = parse_json(resource.body, error, {}, {.max_depth = kReadJsonDepth});
    const auto* object = error ? nullptr : body.if_object();
    const auto member = [&](const char* key) {
      const auto* found = object != nullptr ? object->if_contains(key) : nullptr;
      return found != nullptr ? boost::json::serialize(*found) : std::string("null");
    };
    out.key("argv").raw(member("action"));
    out.key("workdir").raw(member("workdir"));
  }
  out.end_object();
}

void write_queue(const model::QueueView& queue, const model::Pause* pause, JsonText& out) {
  out.begin_object();
  out.key("name").string(queue.name);
  out.key("queued").integer(queue.queued);
  out.key("held").integer(queue.held);
  out.key("pending").integer(static_cast<std::int64_t>(queue.pending));
  out.key("running").integer(queue.running);
  out.key("workers").integer(queue.workers);
  out.key("most_urgent");
  if (queue.most_urgent) {
    out.integer(*queue.most_urgent);
  } else {
    out.null();
  }
  out.key("max_waiting");
  if (queue.set.max_waiting > 0) {
    out.integer(queue.set.max_waiting);
  } else {
    out.null();
  }
  out.key("weights").begin_object();
  for (const auto& [key, weight] : queue.set.weights) out.key(key).integer(weight);
  out.end_object();
  out.key("set_by").string_or_null(queue.set.by);
  out.key("set_at").instant(queue.set.at);
  out.key("reason").string_or_null(queue.set.why);
  out.key("pause");
  write_pause(pause, out);
  out.end_object();
}

void write_route(const model::RouteRow& route, JsonText& out) {
  out.begin_object();
  out.key("pattern").string(route.pattern);
  out.key("queue").string(route.queue);
  out.key("set_by").string_or_null(route.by);
  out.key("set_at").instant(route.at);
  out.key("reason").string_or_null(route.why);
  out.end_object();
}

void write_api_key(const model::KeyRow& row, WallTime now, std::string_view text, JsonText& out) {
  out.begin_object();
  if (!text.empty()) out.key("key").string(text);
  out.key("name").string(row.name);
  out.key("role").string(model::name(row.role));
  out.key("namespace").string(row.space);
  out.key("status").string(row.revoked_at ? "revoked" : row.is_valid(now) ? "valid" : "expired");
  out.key("created_at").instant(row.at);
  out.key("created_by").string_or_null(row.by);
  out.key("reason").string_or_null(row.why);
  out.key("expires_at").instant(row.expires_at.value_or(WallTime{}));
  out.key("revoked_at").instant(row.revoked_at.value_or(WallTime{}));
  out.key("revoked_by").string_or_null(row.revoked_by);
  out.key("last_used_at").instant(row.used_at.value_or(WallTime{}));
  out.end_object();
}

void write_namespace(const model::SpaceRow& row, bool open, JsonText& out) {
  out.begin_object();
  out.key("name").string(row.name);
  out.key("number").integer(static_cast<unsigned>(row.shard));
  out.key("status").string(open ? "open" : "unavailable");
  out.key("created_at").instant(row.at);
  out.key("created_by").string_or_null(row.by);
  out.key("reason").string_or_null(row.why);
  out.end_object();
}

void write_secret(const model::SecretRow& row, const std::optional<std::string>& problem, JsonText& out) {
  out.begin_object();
  out.key("name").string(row.name);
  out.key("status").string(problem ? "unreadable" : "ready");
  out.key("problem").string_or_null(problem.value_or(""));
  out.key("version").integer(row.version);
  out.key("created_at").instant(row.at);
  out.key("changed_at").instant(row.changed_at);
  out.key("changed_by").string_or_null(row.by);
  out.key("reason").string_or_null(row.why);
  out.end_object();
}

void write_audit_entry(const model::AuditEntry& entry, bool tampered, JsonText& out) {
  out.begin_object();
  out.key("number").integer(static_cast<std::int64_t>(entry.number));
  out.key("at").instant(entry.at);
  out.key("actor").string(entry.actor);
  out.key("from").string(entry.from);
  out.key("action").string(entry.action);
  out.key("target").string_or_null(entry.target);
  out.key("detail").string_or_null(entry.detail);
  out.key("tampered").boolean(tampered);
  out.end_object();
}

void write_limit(const model::LimitView& limit, JsonText& out) {
  out.begin_object();
  out.key("name").string(limit.name);
  out.key("limit");
  if (limit.limit) {
    out.integer(*limit.limit);
  } else {
    out.null();
  }
  out.key("in_use").integer(static_cast<std::int64_t>(limit.in_use));
  out.key("waiting").integer(static_cast<std::int64_t>(limit.waiting));
  out.key("holders").begin_array();
  for (const model::LimitView::Holder& holder : limit.holders) {
    out.begin_object();
    // A run has a place as a whole.
    out.key("id").string(holder.step.empty() ? holder.task.run.text() : holder.task.text());
    out.key("run").string(holder.task.run.text());
    out.key("step").string_or_null(holder.step);
    out.key("amount").integer(holder.amount);
    out.end_object();
  }
  out.end_array();
  out.key("set_by").string_or_null(limit.by);
  out.key("set_at").instant(limit.at);
  out.key("reason").string_or_null(limit.why);
  out.end_object();
}

void write_breaker(const model::BreakerRow& row, JsonText& out) {
  out.begin_object();
  out.key("name").string(row.settings.name);
  out.key("state").string(model::name(row.state));
  out.key("forced").string_or_null(model::name(row.force));
  out.key("forced_by").string_or_null(row.forced_by);
  out.key("reason").string_or_null(row.reason);
  out.key("changed_at").instant(row.changed_at);
  out.key("failure_count").integer(row.failure_count);
  out.key("last_failure_time").instant(row.last_failure_at);
  out.key("last_failure").string_or_null(row.last_failure);
  out.key("times_opened").integer(row.times_opened);
  out.key("failure_threshold").integer(row.settings.failures);
  out.key("failure_rate").integer(row.settings.rate_percent);
  out.key("min_calls").integer(row.settings.min_calls);
  out.key("window").seconds(row.settings.window);
  out.key("recovery_timeout").seconds(row.settings.recovery);
  out.key("half_open_probes").integer(row.settings.probes);
  out.key("successes_to_close").integer(row.settings.successes);
  out.end_object();
}

void write_dead_letter(const model::DeadLetter& letter, JsonText& out, const DeadLetterDetails* details) {
  out.begin_object();
  out.key("id").string(model::dead_letter_id(letter.task, letter.generation));
  out.key("group").string(model::failure_signature(letter));
  out.key("run").string(letter.task.run.text());
  out.key("task").string(letter.task.text());
  out.key("generation").integer(letter.generation);
  out.key("workflow").string(letter.workflow);
  out.key("version").integer(letter.version);
  out.key("step").string(letter.step);
  out.key("index");
  if (letter.index < 0) {
    out.null();
  } else {
    out.integer(letter.index);
  }
  out.key("queue").string(letter.queue);
  out.key("job_id").string_or_null(letter.job_id);
  out.key("error");
  write_error(letter.error_type, letter.error_message, out);
  out.key("attempts").integer(letter.attempts);
  out.key("starts").integer(letter.starts);
  out.key("lost").integer(letter.lost);
  out.key("interrupted").integer(letter.interrupted);
  out.key("worker").string_or_null(letter.worker);
  out.key("queued_at").instant(letter.queued_at);
  out.key("started_at").instant(letter.started_at);
  out.key("failed_at").instant(letter.failed_at);
  if (details != nullptr) {
    out.key("task_detail").raw(details->task);
    out.key("arguments").raw(details->arguments.value_or("null"));
    out.key("run_input").raw(details->run_input.value_or("null"));
  }
  out.end_object();
}

void write_cached_result(const model::CachedResult& cached, JsonText& out) {
  std::string_view workflow;
  std::string_view step;
  model::split_cached_key(cached.key, workflow, step);
  out.begin_object();
  out.key("key").string(cached.key);
  out.key("workflow").string(workflow);
  out.key("step").string(step);
  out.key("task").string(cached.task.text());
  out.key("made_at").instant(cached.made_at);
  out.key("expires_at").instant(cached.expires_at);
  out.key("size").integer(static_cast<std::int64_t>(cached.result.size()));
  out.end_object();
}

void write_fact(const RunId& run, const model::Fact& fact, const RunSteps* steps, JsonText& out) {
  using Kind = model::FactKind;
  const auto run_status = [&] { return model::name(static_cast<model::RunStatus>(fact.status)); };
  const auto task_status = [&] { return model::name(static_cast<model::TaskStatus>(fact.status)); };

  out.begin_object();
  out.key("type").string(model::name(fact.kind));
  out.key("at").instant(fact.at);
  if (model::is_task_fact(fact.kind)) {
    out.key("task").string(TaskId{run, fact.task}.text());
    if (steps != nullptr && steps->find(fact.step) != nullptr) {
      out.key("step").string(steps->name(fact.step));
    }
    out.key("step_index").integer(fact.step);
    if (fact.index >= 0) out.key("index").integer(fact.index);
    // Of a newer version it may be another one. `task.added` says it itself.
    if (fact.role > 0 && fact.role <= static_cast<std::uint8_t>(model::TaskRole::resource) &&
        fact.kind != Kind::task_added) {
      out.key("role").string(model::name(static_cast<model::TaskRole>(fact.role)));
    }
    if (fact.attempt > 0) out.key("attempt").integer(fact.attempt);
  }
  switch (fact.kind) {
    case Kind::run_submitted:
      out.key("workflow").string(fact.text);
      out.key("version").integer(fact.number);
      if (!fact.other.empty()) out.key("parent").string(fact.other);
      break;
    case Kind::run_started:
      break;
    case Kind::run_cancel_requested:
      out.key("reason").string(fact.text);
      out.key("terminate").boolean(fact.number != 0);
      out.key("no_cleanup").boolean(fact.number == 2);
      break;
    case Kind::run_finalizing:
      out.key("outcome").string(run_status());
      out.key("stage").string(fact.text);
      break;
    case Kind::run_ended:
      out.key("status").string(run_status());
      out.key("error_type").string_or_null(fact.text);
      break;
    case Kind::task_queued:
      out.key("priority").integer(fact.number);
      break;
    case Kind::task_skipped:
      out.key("reason").string(fact.text);
      break;
    case Kind::task_expanded:
      out.key("items").integer(fact.number);
      break;
    case Kind::attempt_started:
      out.key("worker").string(fact.text);
      break;
    case Kind::attempt_stopping:
      out.key("mode").string(fact.text);
      out.key("reason").string(fact.other);
      break;
    case Kind::attempt_ended:
      out.key("outcome").string(fact.text);
      out.key("error_type").string_or_null(fact.other);
      break;
    case Kind::run_timed_out:
      out.key("deadline").seconds(Duration{fact.number});
      break;
    case Kind::run_sla_missed:
    case Kind::task_sla_missed:
      out.key("sla").seconds(Duration{fact.number});
      break;
    case Kind::task_held:
    case Kind::task_fallback:
      out.key("error");
      write_error(fact.text, fact.other, out);
      break;
    case Kind::task_resolved:
      out.key("decision").string(fact.text);
      out.key("reason").string(fact.other);
      break;
    case Kind::alert_raised:
      out.key("severity").string(model::name(static_cast<model::Severity>(fact.status)));
      out.key("error");
      write_error(fact.text, fact.other, out);
      break;
    case Kind::task_added:
      out.key("role").string(fact.text);
      out.key("parent").string(TaskId{run, static_cast<Ordinal>(fact.number)}.text());
      if (fact.text == model::name(model::TaskRole::main)) {
        out.key("name").string(fact.other);
      } else if (!fact.other.empty()) {
        out.key("resource").string(fact.other);
      }
      break;
    case Kind::resource_opened:
    case Kind::resource_released:
    case Kind::resource_cleaned:
      out.key("resource").string(fact.text);
      break;
    case Kind::resource_leaked:
      out.key("resource").string(fact.text);
      out.key("reason").string(fact.other);
      break;
    case Kind::task_progress:
      out.key("attempt").integer(fact.attempt);
      out.key("progress");
      if (fact.number >= 0) {
        out.integer(fact.number);
      } else {
        out.null();
      }
      out.key("message").string_or_null(fact.text);
      break;
    case Kind::task_retrying:
      out.key("delay").seconds(Duration{fact.number});
      if (!fact.text.empty()) out.key("round").raw(fact.text);
      if (!fact.other.empty()) out.key("reason").string(fact.other);
      break;
    case Kind::task_waiting:
      out.key("for").string(fact.text);
      if (!fact.other.empty()) {
        const bool named = fact.text == "signal" || fact.text == "run";
        out.key(named ? std::string_view(fact.text) : "question").string(fact.other);
      }
      if (fact.text == "poll") {
        out.key("delay").seconds(Duration{fact.number});
      } else if (fact.number != 0) {
        out.key("until").instant(WallTime{fact.number});
      }
      break;
    case Kind::signal_received:
      out.key("signal").string(fact.text);
      out.key("number").integer(fact.number);
      break;
    case Kind::task_cached:
      out.key("from").string(fact.text);
      break;
    case Kind::run_version_changed:
      out.key("version").integer(fact.number);
      break;
    case Kind::run_paused:
      out.key("step").string_or_null(fact.other);
      out.key("reason").string_or_null(fact.text);
      out.key("until").instant(WallTime{fact.number});
      break;
    case Kind::run_resumed:
      out.key("step").string_or_null(fact.other);
      break;
    case Kind::run_recovering:
      out.key("recovery").integer(fact.number);
      out.key("reason").string_or_null(fact.text);
      break;
    case Kind::run_recovered:
      break;
    case Kind::run_changed:
      out.key("changed").string(fact.text);
      out.key("priority").integer(fact.number);
      break;
    case Kind::task_reset:
    case Kind::task_checked:
      break;
    case Kind::task_ended:
      out.key("status").string(task_status());
      out.key("error");
      write_error(fact.text, fact.other, out);
      break;
  }
  out.end_object();
}

}  // namespace baton::api

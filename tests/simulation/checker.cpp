#include "checker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/hash.hpp"
#include "describe.hpp"
#include "scenario/observe.hpp"

namespace baton::simulation {
namespace {

namespace json = boost::json;
using model::FactKind;
using model::Outcome;
using model::TaskStatus;
using model::TriggerRule;

bool starts_early(TriggerRule rule) {
  return rule == TriggerRule::one_success || rule == TriggerRule::one_failed || rule == TriggerRule::one_done;
}

}  // namespace

// ---- What people and workers write down

void Checker::submission_intended(const std::string& key, std::shared_ptr<const model::Workflow> workflow) {
  submissions_.emplace(key, Submission{std::move(workflow), {}});
}

void Checker::submission_answered(const std::string& key, const RunId& run) {
  Submission& submission = submissions_.at(key);
  if (submission.run && *submission.run != run)
    wrong("I9", "the key " + key + " gave run " + submission.run->text() + " and then run " + run.text());
  submission.run = run;
}

void Checker::effect_begins(const model::Assignment& assignment) {
  Effect& effect = effects_[assignment.token];
  if (effect.began) wrong("I3", "token " + assignment.token.text() + " was given to a worker twice");
  effect.began = true;
}

void Checker::effect_ends(const Token& token, const Outcome& outcome) {
  Effect& effect = effects_[token];
  if (outcome.kind != Outcome::Kind::completed) return;
  effect.completed = true;
  effect.result = outcome.result;
}

void Checker::alive(const std::vector<Token>& tokens) {
  for (const Token& token : tokens) effects_[token].alive_at = diary_.now();
}

void Checker::worker_dies(const std::string& worker) {
  for (auto& [token, effect] : effects_) {
    if (effect.worker == worker) effect.forgotten = true;
  }
}

void Checker::worker_gives_up(const std::string& worker) {
  gave_up_.insert(worker);
}

// ---- What leaves the owner's door is stored

void Checker::reply_leaves(const model::CommandBody& command, const model::ReplyBody& reply) {
  if (const auto* submitted = std::get_if<model::Submitted>(&reply)) {
    const auto& request = std::get<model::SubmitRun>(command);
    const auto [first, fresh] = bodies_.emplace(request.idempotency_key, request.body);
    if (!fresh && first->second != request.body)
      wrong("I9", "the key " + request.idempotency_key + " was accepted with two different bodies");
    const auto view = reader_.get_run(submitted->run);
    if (!view || !*view) wrong("I1", "run " + submitted->run.text() + " is acknowledged and not stored");
  } else if (const auto* accepted = std::get_if<model::CancelAccepted>(&reply)) {
    const auto view = reader_.get_run(accepted->run);
    if (!view || !*view || !(*view)->row.cancel_requested)
      wrong("ack", "the cancel of run " + accepted->run.text() + " is acknowledged and not stored");
  } else if (const auto* claimed = std::get_if<model::Claimed>(&reply)) {
    check_claim(std::get<model::ClaimTasks>(command), *claimed);
  } else if (const auto* why = std::get_if<model::Explanation>(&reply)) {
    const bool ended = why->status == "completed" || why->status == "failed" || why->status == "cancelled" ||
                       why->status == "skipped";
    if (!ended && why->status != "running" && why->reasons.empty())
      wrong("I7", fmt::format("explain has no reason why {} {} is {}", why->run.text(),
                              why->task ? std::to_string(*why->task) : "", why->status));
  }
  if (const auto* report = std::get_if<model::ReportAttempt>(&command)) check_reply(*report, reply);
  if (const auto* pause = std::get_if<model::PauseCommand>(&command);
      pause != nullptr && !std::holds_alternative<Error>(reply) &&
      pause->target.kind == model::BlockerKind::run_paused) {
    const auto view = reader_.get_run(pause->target.run);
    if (view && *view && (*view)->row.status == model::RunStatus::running)
      wrong("ack", "the pause of run " + pause->target.run.text() + " is acknowledged and not stored");
  }
}

void Checker::check_claim(const model::ClaimTasks& claim, const model::Claimed& claimed) {
  for (const model::Assignment& a : claimed.tasks) {
    const auto [known, fresh] = tokens_.emplace(std::pair(a.task, a.attempt), a.token);
    if (!fresh && known->second != a.token)
      wrong("I3",
            fmt::format("attempt {} of task {} was given out under two tokens", a.attempt, a.task.text()));
    Effect& effect = effects_[a.token];
    if (effect.attempt != 0 && (effect.task != a.task || effect.attempt != a.attempt))
      wrong("I4", fmt::format("token {} was given to task {} and to task {}", a.token.text(),
                              effect.task.text(), a.task.text()));
    effect.worker = claim.worker;
    effect.task = a.task;
    effect.attempt = a.attempt;
    const auto view = reader_.get_task({a.task.run.key(), a.task.ordinal});
    const bool stored = view && *view &&
                        std::ranges::find((*view)->row.history, a.token, &model::AttemptRecord::token) !=
                            (*view)->row.history.end();
    if (!stored)
      wrong("I3", fmt::format("attempt {} of task {} leaves before it is stored", a.attempt, a.task.text()));
    if (view && *view) {
      // Tokens only grow.
      Token last;
      for (const model::AttemptRecord& record : (*view)->row.history) {
        if (record.token == Token{}) continue;
        if (record.token <= last)
          wrong("I4", fmt::format("the tokens of task {} do not grow: {} after {}", a.task.text(),
                                  record.token.text(), last.text()));
        last = record.token;
      }
    }
  }
}

void Checker::check_reply(const model::ReportAttempt& report, const model::ReplyBody& reply) {
  const auto found = effects_.find(report.token);
  if (const auto* error = std::get_if<Error>(&reply)) {
    // What was accepted once is accepted again.
    if (error->code == ErrorCode::stale_token && found != effects_.end() &&
        found->second.task == report.task && found->second.accepted == report.outcome.kind)
      wrong("ack", "the same report of token " + report.token.text() + " was accepted, and then refused");
    return;
  }
  if (found == effects_.end() || found->second.task != report.task) {
    return wrong("I4",
                 fmt::format("a report with the token {}, which nobody gave out for task {}, was accepted",
                             report.token.text(), report.task.text()));
  }
  Effect& effect = found->second;
  if (effect.accepted && *effect.accepted != report.outcome.kind)
    wrong("I3", "two different outcomes were accepted for token " + report.token.text());
  effect.accepted = report.outcome.kind;
  const auto view = reader_.get_task({report.task.run.key(), report.task.ordinal});
  if (!view || !*view) return wrong("ack", "a report for a task that is not stored was accepted");
  const auto& history = (*view)->row.history;
  const auto record = std::ranges::find(history, report.token, &model::AttemptRecord::token);
  if (record != history.end() && record->end == model::AttemptEnd::running)
    wrong("ack", "the report of token " + report.token.text() + " is acknowledged and not stored");
}

// ---- The journal of facts

void Checker::open_book(RunKey key) {
  RunBook& book = runs_[key];
  const auto rows = reader_.list_runs({}, RunKey{key.value + 1}, 1);
  if (!rows || rows->empty() || rows->front().key != key)
    return wrong("I1", "the journal has a run that is not stored");
  const model::RunRow& row = rows->front();
  book.id = row.id;
  const auto found = submissions_.find(row.job_id);
  if (found == submissions_.end()) return wrong("I9", "nobody asked for run " + row.id.text());
  book.workflow = found->second.workflow;
  if (found->second.run && *found->second.run != row.id)
    wrong("I9",
          "the key " + row.job_id + " made two runs: " + found->second.run->text() + " and " + row.id.text());
  found->second.run = row.id;
}

void Checker::committed(RunKey key, const model::Fact& fact) {
  diary_.note("    {}", describe(key, fact));
  diary_.hit("fact: " + std::string(model::name(fact.kind)));
  if (fact.kind == FactKind::run_submitted) open_book(key);
  const auto found = runs_.find(key);
  if (found == runs_.end() || !found->second.workflow)
    return wrong("I12", "a fact of a run that was never submitted");
  RunBook& run = found->second;
  run.facts.push_back(fact);
  limits_.committed(key, *run.workflow, fact);
  if (run.ended && fact.kind != FactKind::run_recovering && fact.kind != FactKind::run_changed &&
      fact.kind != FactKind::alert_raised)
    wrong("I2", fmt::format("{} after the end of the run", describe(key, fact)));
  switch (fact.kind) {
    case FactKind::run_ended:
      run.ended = true;
      break;
    case FactKind::run_recovering:
      run.ended = run.finalizing = run.cancelled = run.timed_out = false;
      break;
    case FactKind::run_finalizing:
      run.finalizing = true;
      break;
    case FactKind::run_cancel_requested:
      run.cancelled = true;
      run.paused = false;
      break;
    case FactKind::run_timed_out:
      run.timed_out = true;
      break;
    case FactKind::run_paused:
      if (fact.other.empty()) run.paused = true;
      break;
    case FactKind::run_resumed:
      if (fact.other.empty()) run.paused = false;
      break;
    default:
      if (model::is_task_fact(fact.kind)) task_fact(run, run.tasks[fact.task], fact);
  }
}

void Checker::task_fact(RunBook& run, TaskBook& task, const model::Fact& fact) {
  task.step = fact.step;
  task.index = fact.index;
  switch (fact.kind) {
    case FactKind::task_queued:
      check_ready(run, fact);
      if (task.terminal) wrong("I2", "a task that has ended is queued: " + describe(run.id.key(), fact));
      if (task.retry_at && steady_clock_ && fact.at < *task.retry_at)
        wrong("time", "a retry comes too early: " + describe(run.id.key(), fact));
      task.retry_at.reset();
      break;
    case FactKind::task_expanded:
      check_ready(run, fact);
      task.items = static_cast<std::uint32_t>(fact.number);
      task.first_item = static_cast<Ordinal>(std::stoul(fact.other));
      break;
    case FactKind::attempt_started:
      check_ready(run, fact);
      attempt_started(run, task, fact);
      break;
    case FactKind::attempt_ended:
      attempt_ended(run, task, fact);
      break;
    case FactKind::task_retrying:
      task.retry_at = fact.at + Duration{fact.number};
      break;
    case FactKind::task_resolved:
      task.retry_at.reset();
      break;
    case FactKind::task_skipped:
    case FactKind::task_ended:
      end_task(run, task, fact);
      break;
    case FactKind::task_reset:
      if (task.running) wrong("I2", "a running task is reset: " + describe(run.id.key(), fact));
      task.terminal = false;
      task.completions = 0;
      task.completed_by.reset();
      task.retry_at.reset();
      if (fact.text == "items") task.items = 0;
      break;
    default:
      break;
  }
}

// A step starts when what it needs is over, and `finally` when everything is (I5).
void Checker::check_ready(const RunBook& run, const model::Fact& fact) {
  const model::Workflow& workflow = *run.workflow;
  const model::Step& step = workflow.steps[fact.step];
  if (fact.index >= 0) return;  // its step was asked
  if (step.finally) {
    for (Ordinal i = 0; i < workflow.steps.size(); ++i) {
      if (!workflow.steps[i].finally && !run.terminal(i))
        wrong("I5", fmt::format("{} before step {} is over", describe(run.id.key(), fact), i));
    }
  }
  std::size_t over = 0;
  for (const Ordinal before : step.needs) over += run.terminal(before);
  const std::size_t wanted =
      starts_early(step.trigger_rule) ? std::min<std::size_t>(1, step.needs.size()) : step.needs.size();
  if (over < wanted) wrong("I5", describe(run.id.key(), fact) + " before what it needs is over");
}

void Checker::attempt_started(RunBook& run, TaskBook& task, const model::Fact& fact) {
  const std::string what = describe(run.id.key(), fact);
  if (run.paused) wrong("pause", what + " while the run is paused");
  if (task.terminal) wrong("I2", what + " after its task has ended");
  if (task.running) wrong("I3", what + " beside another attempt of its task");
  if (fact.attempt != task.starts + 1) wrong("I3", what + " is not the next one");
  task.running = true;
  task.starts = fact.attempt;
  ++run.open_attempts;
  if (run.workflow->max_parallel > 0 && run.open_attempts > run.workflow->max_parallel)
    wrong("I8", what + " is more than max_parallel allows");
}

void Checker::attempt_ended(RunBook& run, TaskBook& task, const model::Fact& fact) {
  const std::string what = describe(run.id.key(), fact);
  diary_.hit("attempt: " + fact.text + (fact.other.empty() ? "" : ", " + fact.other));
  if (!task.running || fact.attempt != task.starts) wrong("I3", what + " without its beginning");
  task.running = false;
  --run.open_attempts;
  const auto token = tokens_.find({TaskId{run.id, fact.task}, fact.attempt});
  const Effect* effect = token == tokens_.end() ? nullptr : &effects_.at(token->second);
  if (fact.text == "completed") {
    ++task.completions;
    if (task.completions > 1) wrong("I3", what + " for the second time in its generation");
    if (effect == nullptr || !effect->completed) {
      wrong("I4", what + ", but no worker has said so");
    } else {
      task.completed_by = token->second;
    }
  }
  if (fact.text == "lost" && effect != nullptr && effect->alive_at && !effect->forgotten &&
      !gave_up_.contains(effect->worker) && diary_.now() - *effect->alive_at < Duration::seconds(15)) {
    wrong("lease", what + ", though its worker was heard just before");
  }
}

void Checker::end_task(RunBook& run, TaskBook& task, const model::Fact& fact) {
  const std::string what = describe(run.id.key(), fact);
  if (task.terminal) wrong("I2", what + " for the second time in its generation");
  if (task.running) wrong("I2", what + " while its attempt runs");
  task.terminal = true;
  diary_.hit(fact.kind == FactKind::task_skipped
                 ? "skipped: " + fact.text
                 : "ended: " + std::string(model::name(static_cast<TaskStatus>(fact.status))));
}

// ---- The end

std::string Checker::finish() {
  std::string digest;
  for (const auto& [key, submission] : submissions_) {
    if (submission.run && !runs_.contains(submission.run->key()))
      wrong("I1", "run " + submission.run->text() + " was acknowledged and is gone");
  }
  for (const auto& [key, run] : runs_) check_run(run, digest);
  return Hash256::of(digest).hex();
}

void Checker::check_run(const RunBook& run, std::string& digest) {
  const std::string id = "run " + run.id.text();
  const auto seen = scenario::observe(reader_, run.id);
  if (!seen) return wrong("I1", id + " cannot be read: " + seen.error().message);
  digest += json::serialize(seen->run);
  const std::string status(seen->run.at("status").as_string());
  diary_.hit("run: " + status);
  const model::RunHistory history = model::fold(run.facts);
  if (model::name(history.status) != status)
    wrong("I12",
          id + " is " + status + ", and " + std::string(model::name(history.status)) + " by its history");
  if (!run.ended) wrong("I7", id + " does not end: it is " + status);

  bool failed = run.timed_out;
  std::map<Ordinal, const json::object*> tasks;
  for (const scenario::ObservedTask& task : seen->tasks) {
    tasks[task.id.ordinal] = &task.fields;
    digest += json::serialize(task.fields);
    const std::string task_status(task.fields.at("status").as_string());
    const std::string label = "task " + describe(task.id) + " (" + task.name + ")";
    const auto folded = history.tasks.find(task.id.ordinal);
    const TaskStatus expected = folded == history.tasks.end() ? TaskStatus::pending : folded->second.status;
    if (task_status != model::name(expected))
      wrong("I12",
            label + " is " + task_status + ", and " + std::string(model::name(expected)) + " by its history");
    if (folded != history.tasks.end()) {
      if (task.fields.at("generation").to_number<std::uint32_t>() != folded->second.generation)
        wrong("I12", label + " has another generation by its history");
      if (task.fields.at("attempts").to_number<std::uint32_t>() != folded->second.attempts)
        wrong("I12", label + " has other attempts by its history");
    }
    const auto book = run.tasks.find(task.id.ordinal);
    if (run.ended && (book == run.tasks.end() || !book->second.terminal))
      wrong("I13", label + " is " + task_status + " at the end of its run");
    const model::Step& step = run.workflow->steps[task.fields.at("step_index").to_number<Ordinal>()];
    if (task_status == "failed" && task.fields.at("index").is_null() && !step.continue_on_error &&
        !task.fields.at("ignored").as_bool())
      failed = true;
    if (task_status == "completed" && book != run.tasks.end() && book->second.completed_by &&
        json::parse(effects_.at(*book->second.completed_by).result) != task.fields.at("result"))
      wrong("I3", label + " has another result than its worker gave it");
  }
  for (const auto& [ordinal, book] : run.tasks) {
    if (book.items == 0 || !tasks.contains(ordinal) || tasks[ordinal]->at("status") != "completed") continue;
    const json::array& results = tasks[ordinal]->at("result").as_array();
    if (results.size() != book.items) {
      wrong("I5", "task " + describe({run.id, ordinal}) + " has not as many results as items");
      continue;
    }
    for (std::uint32_t i = 0; i < book.items; ++i) {
      if (tasks.contains(book.first_item + i) && results[i] != tasks[book.first_item + i]->at("result"))
        wrong("I5",
              "the results of task " + describe({run.id, ordinal}) + " are not those of its items in order");
    }
  }
  const std::string_view outcome = run.cancelled ? "cancelled" : failed ? "failed" : "completed";
  if (run.ended && status != outcome)
    wrong("outcome", id + " is " + status + " and should be " + std::string(outcome));
}

}  // namespace baton::simulation

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
using model::RunStatus;
using model::TaskStatus;
using model::TriggerRule;

// The engine decides bit by bit, and the owner may be away.
constexpr Duration kTurn = Duration::minutes(3);

// Whether attempts of the task count against max_parallel.
bool takes_place(const RunBook& run, const TaskBook& task) {
  return task.role == model::TaskRole::main && !run.step(task).wait;
}

// The next generation of the task begins.
void reset(TaskBook& task, bool items) {
  ++task.generation;
  task.terminal = task.ready = task.waiting = task.checked = task.fallback = task.undone = false;
  task.ended = TaskStatus::pending;
  task.group_attempts = task.completions = task.completion = 0;
  task.completed_by.reset();
  task.cached_from.clear();
  task.retry_at.reset();
  task.wakes_at.reset();
  if (items) {
    task.expanded = false;
    task.items = 0;
  }
}

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
    if (!view || !*view || !((*view)->row.cancel_requested || (*view)->row.no_cleanup))
      wrong("ack", "the cancel of run " + accepted->run.text() + " is acknowledged and not stored");
  } else if (const auto* claimed = std::get_if<model::Claimed>(&reply)) {
    check_claim(std::get<model::ClaimTasks>(command), *claimed);
  } else if (const auto* why = std::get_if<model::Explanation>(&reply)) {
    check_explanation(*why);
  }
  if (const auto* signal = std::get_if<model::SignalAccepted>(&reply))
    signals_.accepted(signal->run, signal->number, std::get<model::SendSignal>(command).data,
                      signal->existing);
  if (const auto* report = std::get_if<model::ReportAttempt>(&command)) check_reply(*report, reply);
  if (const auto* pause = std::get_if<model::PauseCommand>(&command);
      pause != nullptr && !std::holds_alternative<Error>(reply) &&
      pause->target.kind == model::BlockerKind::run_paused) {
    const auto view = reader_.get_run(pause->target.run);
    if (view && *view && (*view)->row.status == model::RunStatus::running)
      wrong("ack", "the pause of run " + pause->target.run.text() + " is acknowledged and not stored");
  }
}

void Checker::check_explanation(const model::Explanation& why) {
  const std::string what =
      "explain of " + why.run.text() + (why.task ? '.' + std::to_string(*why.task) : "") + ", " + why.status;
  const bool ended = why.status == "completed" || why.status == "failed" || why.status == "cancelled" ||
                     why.status == "skipped";
  if (!ended && why.reasons.empty() && (why.task || why.status != "running"))
    wrong("I7", what + ", has no reason");
  for (const model::Reason& reason : why.reasons) {
    diary_.hit("explain: " + reason.code);
    if (reason.message.empty()) wrong("I7", what + ", has a reason without words: " + reason.code);
    if (reason.code == "needs" && reason.tasks.empty()) wrong("I7", what + ", names nothing that it needs");
    if (reason.code == "retry_delay" && !reason.until) wrong("I7", what + ", waits for no time");
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

void Checker::owner_starts() {
  for (const auto& [key, run] : runs_) {
    if (run.ended) continue;
    const auto view = reader_.get_run(run.id);
    if (!view || !*view) continue;
    const model::RunRow& row = (*view)->row;
    diary_.hit("restart: a run is " + std::string(model::name(row.status)));
    if (row.stage != model::RunStage::main)
      diary_.hit("restart: in stage " + std::string(model::name(row.stage)));
    for (const store::TaskView& task : reader_.list_tasks(key, 0, 1000, 0).value()) {
      if (model::is_terminal(task.row.status)) continue;
      std::string what = "restart: a task is " + std::string(model::name(task.row.status));
      if (task.row.status == TaskStatus::running && !model::has_attempt(task.row)) what += ", waiting";
      if (task.row.stopping == model::Stopping::soft) what += ", stopping soft";
      if (task.row.stopping == model::Stopping::hard) what += ", stopping hard";
      if (task.row.status == TaskStatus::retrying && task.row.held) what += ", held";
      if (task.row.status == TaskStatus::retrying && task.row.giving_back) what += ", giving back";
      diary_.hit(what);
    }
  }
}

void Checker::look() {
  signals_.look();
  limits_.look();
  order_.look();
  gates_.look();
  for (const model::Record& record :
       reader_.list_records({.kind = model::RecordKind::breaker}, std::nullopt, 100).value()) {
    const auto row = model::breaker_of(record);
    if (!row) return wrong("I11", "breaker " + record.id.key + " cannot be read");
    const auto [known, fresh] = breakers_.emplace(record.id.key, model::BreakerState::closed);
    if (known->second == row->state) continue;
    diary_.hit(fmt::format("breaker: {} -> {}", model::name(known->second), model::name(row->state)));
    known->second = row->state;
  }
}

// ---- The journal of facts

void Checker::open_book(RunKey key) {
  RunBook& book = runs_[key];
  const auto page = reader_.list_runs({}, RunKey{key.value + 1}, 1);
  if (!page || page->rows.empty() || page->rows.front().key != key)
    return wrong("I1", "the journal has a run that is not stored");
  const model::RunRow& row = page->rows.front();
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
  limits_.committed(key, *run.workflow, fact);
  deadlines_.committed(run, fact);
  follow(run, fact);
  if (model::is_task_fact(fact.kind)) {
    if (fact.kind == FactKind::task_added) endings_.task_added(run, fact);
    TaskBook& task = run.tasks[fact.task];
    // What is given back later, by a person, or as an orphan, belongs to a run that has ended.
    const bool serves = task.role != model::TaskRole::main || fact.kind == FactKind::resource_cleaned ||
                        fact.kind == FactKind::resource_leaked || fact.kind == FactKind::alert_raised;
    if (run.ended && !serves) wrong("I2", fmt::format("{} after the end of the run", describe(key, fact)));
    task_fact(run, task, fact);
    return order_.committed(run, task, fact);
  }
  if (run.ended && fact.kind != FactKind::run_recovering && fact.kind != FactKind::run_changed)
    wrong("I2", fmt::format("{} after the end of the run", describe(key, fact)));
  run_fact(run, fact);
}

// The history, one fact later: it moves only as the tables of states allow.
void Checker::follow(RunBook& run, const model::Fact& fact) {
  const auto moves = [&](const char* what, auto from, auto to) {
    if (from == to) return;
    diary_.hit(fmt::format("{}: {} -> {}", what, model::name(from), model::name(to)));
    if (!model::is_legal(from, to))
      wrong("I2", fmt::format("{} takes its {} from {} to {}", describe(run.id.key(), fact), what,
                              model::name(from), model::name(to)));
  };
  const RunStatus run_before = run.history.status;
  const auto task_status = [&] {
    const auto task = run.history.tasks.find(fact.task);
    return task == run.history.tasks.end() ? TaskStatus::pending : task->second.status;
  };
  const bool of_task = model::is_task_fact(fact.kind) && fact.kind != FactKind::task_reset;
  const TaskStatus task_before = of_task ? task_status() : TaskStatus::pending;
  model::apply(run.history, fact);
  moves("run", run_before, run.history.status);
  if (of_task) moves("task", task_before, task_status());
}

void Checker::run_fact(RunBook& run, const model::Fact& fact) {
  switch (fact.kind) {
    case FactKind::run_started:
      run.started_at = fact.at;
      break;
    case FactKind::run_finalizing:
      stage_begins(run, fact);
      break;
    case FactKind::run_ended:
      run_ends(run, fact);
      break;
    case FactKind::run_changed:
      run.reranked = true;
      break;
    case FactKind::run_recovered:
      run.recovering = false;
      break;
    case FactKind::run_recovering:
      run.recovering = true;
      run.ended = run.cancelled = run.no_cleanup = run.timed_out = false;
      // One that had really ended has forgotten what nobody had taken.
      if (fact.text != "automatic") signals_.forget(run.id);
      run.stage.reset();
      run.outcome.reset();
      ++run.recoveries;
      break;
    case FactKind::run_cancel_requested:
      // Once its end has begun, what is asked for is only that nothing is given back.
      run.cancelled = run.cancelled || !run.outcome;
      run.no_cleanup = run.no_cleanup || fact.number == 2;
      run.paused = false;
      diary_.hit("cancel: " + std::to_string(fact.number) + (run.outcome ? ", late" : ""));
      break;
    case FactKind::run_timed_out:
      run.timed_out = true;
      break;
    case FactKind::run_sla_missed:
      if (++run.late > 1 + run.recoveries) wrong("time", "the sla of " + run.id.text() + " was missed twice");
      break;
    case FactKind::run_paused:
      run.was_paused = true;
      if (fact.other.empty()) {
        run.paused = true;
      } else {
        run.paused_steps[fact.other] = WallTime{fact.number};
      }
      break;
    case FactKind::run_resumed:
      if (fact.other.empty()) {
        run.paused = false;
      } else {
        run.paused_steps.erase(fact.other);
      }
      break;
    case FactKind::signal_received:
      signals_.received(run, fact);
      break;
    default:
      break;
  }
}

void Checker::stage_begins(RunBook& run, const model::Fact& fact) {
  endings_.stage_begins(run);
  const auto outcome = static_cast<RunStatus>(fact.status);
  if (run.outcome && *run.outcome != outcome)
    wrong("outcome", describe(run.id.key(), fact) + " is another outcome than before");
  run.outcome = outcome;
  for (const model::RunStage stage : {model::RunStage::finally, model::RunStage::compensate,
                                      model::RunStage::cleanup, model::RunStage::leftovers}) {
    if (model::name(stage) == fact.text) run.stage = stage;
  }
  diary_.hit("stage: " + fact.text + " of a run that is " + std::string(model::name(outcome)));
}

void Checker::run_ends(RunBook& run, const model::Fact& fact) {
  endings_.stage_begins(run);
  endings_.run_ends(run);
  run.ended = true;
  run.paused_steps.clear();
  const auto& deadline = run.workflow->deadline;
  const bool plain = steady_clock_ && run.recoveries == 0 && !run.was_paused && run.started_at;
  if (plain && run.workflow->sla && fact.at - *run.started_at > *run.workflow->sla + kTurn && run.late == 0)
    wrong("time", run.id.text() + " missed its sla, and nobody was told");
  if (plain && deadline && run.timed_out && fact.at - *run.started_at < *deadline)
    wrong("time", run.id.text() + " ended by its deadline before that was over");
}

void Checker::task_fact(RunBook& run, TaskBook& task, const model::Fact& fact) {
  task.step = fact.step;
  task.index = fact.index;
  switch (fact.kind) {
    case FactKind::task_queued:
      get_ready(run, task, fact);
      if (task.terminal) wrong("I2", "a task that has ended is queued: " + describe(run.id.key(), fact));
      if (task.retry_at && steady_clock_ && fact.at < *task.retry_at)
        wrong("time", "a retry comes too early: " + describe(run.id.key(), fact));
      task.retry_at.reset();
      break;
    case FactKind::task_expanded:
      get_ready(run, task, fact);
      task.expanded = true;
      task.items = static_cast<std::uint32_t>(fact.number);
      task.first_item = static_cast<Ordinal>(std::stoul(fact.other));
      break;
    case FactKind::task_waiting:
      wait_begins(run, task, fact);
      break;
    case FactKind::attempt_started:
      get_ready(run, task, fact);
      attempt_started(run, task, fact);
      break;
    case FactKind::attempt_ended:
      attempt_ended(run, task, fact);
      break;
    case FactKind::attempt_stopping:
      diary_.hit("stopping: " + fact.text + ", " + fact.other);
      break;
    case FactKind::task_retrying:
      retries(run, task, fact);
      break;
    case FactKind::task_held:
      diary_.hit("held: " + std::string(model::name(phase_of(run, task))));
      break;
    case FactKind::task_checked:
      task.checked = true;
      task.group_attempts = 0;
      task.completions = 0;
      task.completed_by.reset();
      break;
    case FactKind::task_fallback:
      if (run.cancelled && !run.step(task).finally)
        wrong("cancel", describe(run.id.key(), fact) + " after its run was cancelled");
      task.fallback = true;
      task.group_attempts = 0;
      task.completions = 0;
      task.completed_by.reset();
      break;
    case FactKind::task_cached:
      get_ready(run, task, fact);
      task.cached_from = fact.text;
      break;
    case FactKind::task_resolved:
      diary_.hit("decided: " + fact.text);
      task.retry_at.reset();
      task.completed_by.reset();
      task.completions = 0;
      task.decided = true;
      break;
    case FactKind::task_skipped:
    case FactKind::task_ended:
      end_task(run, task, fact);
      break;
    case FactKind::task_reset:
      if (task.running) wrong("I2", "a running task is reset: " + describe(run.id.key(), fact));
      reset(task, fact.text == "items");
      break;
    case FactKind::resource_opened:
    case FactKind::resource_released:
    case FactKind::resource_cleaned:
    case FactKind::resource_leaked:
      endings_.resource_fact(run, task, fact);
      break;
    default:
      break;
  }
}

// A step starts when what it needs is over, and `finally` when everything is (I5). What is done again later,
// by a person who decided about a task before it, does not hold back one that was ready.
void Checker::get_ready(const RunBook& run, TaskBook& task, const model::Fact& fact) {
  if (std::exchange(task.ready, true) || task.role != model::TaskRole::main) return;
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

void Checker::wait_begins(RunBook& run, TaskBook& task, const model::Fact& fact) {
  const std::string what = describe(run.id.key(), fact);
  const model::Wait& wait = *run.step(task).wait;
  if (task.terminal) wrong("I2", what + " after its task has ended");
  if (!task.waiting) {
    get_ready(run, task, fact);
    diary_.hit("wait: " + fact.text);
  }
  task.completions = 0;
  task.completed_by.reset();
  if (wait.what == model::Wait::For::poll) return;
  task.starts = fact.attempt;
  if (wait.what == model::Wait::For::signal) signals_.wait_begins(run, fact);
  if (wait.what == model::Wait::For::span || wait.what == model::Wait::For::instant)
    task.wakes_at = WallTime{fact.number};
  task.waiting = true;
}

void Checker::retries(RunBook& run, TaskBook& task, const model::Fact& fact) {
  const std::string what = describe(run.id.key(), fact);
  task.completions = 0;
  task.completed_by.reset();
  const model::Phase phase = phase_of(run, task);
  if (!fact.text.empty()) {
    task.group_attempts = 0;  // the next round
    diary_.hit("retry: another round");
  } else if (!fact.other.empty()) {
    diary_.hit("retry: " + fact.other);
    return;
  } else {
    const model::Step* action = action_of(run, task);
    if (action != nullptr && action->retry) {
      static constexpr const char* kBackoffs[] = {"fixed", "linear", "exponential"};
      static constexpr const char* kJitters[] = {"none", "full", "equal", "decorrelated", "add"};
      diary_.hit(fmt::format("retry: {} with jitter {}",
                             kBackoffs[static_cast<std::size_t>(action->retry->backoff)],
                             kJitters[static_cast<std::size_t>(action->retry->jitter)]));
    }
    diary_.hit("retry: " +
               std::string(task.role == model::TaskRole::main ? model::name(phase) : model::name(task.role)));
    run.retries += task.role == model::TaskRole::main;
    if (run.workflow->retry_budget && run.retries > *run.workflow->retry_budget && run.recoveries == 0)
      wrong("retry", what + " is beyond the retry budget of its run");
  }
  task.retry_at = fact.at + Duration{fact.number};
}

void Checker::attempt_started(RunBook& run, TaskBook& task, const model::Fact& fact) {
  const std::string what = describe(run.id.key(), fact);
  const model::Phase phase = phase_of(run, task);
  diary_.hit("attempt starts: " +
             std::string(task.role == model::TaskRole::main ? model::name(phase) : model::name(task.role)));
  gates_.attempt_starts(run, task, fact);
  endings_.attempt_starts(task, what);
  if (task.terminal) wrong("I2", what + " after its task has ended");
  if (task.running) wrong("I3", what + " beside another attempt of its task");
  if (fact.attempt != task.starts + 1) wrong("I3", what + " is not the next one");
  const model::Step* action = action_of(run, task);
  const std::uint32_t most = action == nullptr || !action->retry ? 1 : action->retry->max_attempts;
  if (phase != model::Phase::poll && action != nullptr && task.group_attempts >= most && !task.decided)
    wrong("retry", fmt::format("{} although {} have failed already", what, task.group_attempts));
  task.running = true;
  task.starts = fact.attempt;
  if (task.role == model::TaskRole::main && phase != model::Phase::preflight) task.effects = fact.attempt;
  if (!takes_place(run, task)) return;
  ++run.open_attempts;
  if (run.workflow->max_parallel > 0 && run.open_attempts > run.workflow->max_parallel)
    wrong("I8", what + " is more than max_parallel allows");
  std::uint32_t beside = 0;
  for (const auto& [ordinal, other] : run.tasks)
    beside +=
        other.running && other.role == model::TaskRole::main && other.step == task.step && other.index >= 0;
  const std::uint32_t items = run.step(task).max_parallel;
  if (task.index >= 0 && items > 0 && beside > items) wrong("I8", what + " is more than its step allows");
}

void Checker::attempt_ended(RunBook& run, TaskBook& task, const model::Fact& fact) {
  const std::string what = describe(run.id.key(), fact);
  diary_.hit("attempt ends: " + fact.text);
  const std::string serves(task.role == model::TaskRole::main ? model::name(phase_of(run, task))
                                                              : model::name(task.role));
  if (fact.text == "lost") diary_.hit("lost: " + serves);
  if (!fact.other.empty()) diary_.hit("error: " + fact.other);
  if (!task.running || fact.attempt != task.starts) wrong("I3", what + " without its beginning");
  gates_.attempt_ends(run, fact);
  task.running = false;
  task.last_end = fact.text;
  if (takes_place(run, task)) --run.open_attempts;
  const auto token = tokens_.find({TaskId{run.id, fact.task}, fact.attempt});
  const Effect* effect = token == tokens_.end() ? nullptr : &effects_.at(token->second);
  if (fact.text == "failed") task.decided = false;
  task.group_attempts += fact.text == "failed" || fact.text == "completed";
  if (fact.text == "completed") {
    ++task.completions;
    if (task.completions > 1) wrong("I3", what + " for the second time in its generation");
    if (effect == nullptr || !effect->completed) {
      wrong("I4", what + ", but no worker has said so");
    } else {
      task.completed_by = token->second;
      results_[TaskId{run.id, fact.task}.text()].insert(json::serialize(json::parse(effect->result)));
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
  task.ended =
      fact.kind == FactKind::task_skipped ? TaskStatus::skipped : static_cast<TaskStatus>(fact.status);
  task.ended_at = fact.at;
  if (task.ended == TaskStatus::completed) task.completion = ++run.completions;
  if (run.step(task).wait) signals_.wait_ends(run, fact);
  if (task.wakes_at && steady_clock_ && task.ended == TaskStatus::completed && fact.at < *task.wakes_at)
    wrong("time", what + " before its wait is over");
  task.waiting = false;
  if (task.role != model::TaskRole::main) {
    TaskBook& parent = run.tasks[task.parent];
    if (task.role == model::TaskRole::cleanup) parent.cleaned = std::max(parent.cleaned, task.covers);
    diary_.hit(fmt::format("{}: {}", model::name(task.role), model::name(task.ended)));
    return;
  }
  diary_.hit(fact.kind == FactKind::task_skipped ? "skipped: " + fact.text
                                                 : "ended: " + std::string(model::name(task.ended)) +
                                                       (fact.text.empty() ? "" : ", " + fact.text));
}

// ---- The end

std::string Checker::finish() {
  std::string digest;
  for (const auto& [key, submission] : submissions_) {
    if (submission.run && !runs_.contains(submission.run->key()))
      wrong("I1", "run " + submission.run->text() + " was acknowledged and is gone");
  }
  for (const auto& [key, run] : runs_) check_run(run, digest);
  endings_.finish();
  return Hash256::of(digest).hex();
}

void Checker::check_run(const RunBook& run, std::string& digest) {
  const std::string id = "run " + run.id.text();
  const auto seen = scenario::observe(reader_, run.id);
  if (!seen) return wrong("I1", id + " cannot be read: " + seen.error().message);
  digest += json::serialize(seen->run);
  const std::string status(seen->run.at("status").as_string());
  diary_.hit("run: " + status);
  const model::RunHistory& history = run.history;
  if (model::name(history.status) != status)
    wrong("I12",
          id + " is " + status + ", and " + std::string(model::name(history.status)) + " by its history");
  if (!run.ended) wrong("I7", id + " does not end: it is " + status);

  bool failed = run.timed_out;
  bool failed_finally = false;
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
    if (task_status == "completed" && book != run.tasks.end() && book->second.completed_by &&
        json::parse(effects_.at(*book->second.completed_by).result) != task.fields.at("result"))
      wrong("I3", label + " has another result than its worker gave it");
    if (book != run.tasks.end() && !book->second.cached_from.empty() && task_status == "completed" &&
        !results_[book->second.cached_from].contains(json::serialize(task.fields.at("result"))))
      wrong("I3", label + " has a result of task " + book->second.cached_from + " that nobody has made");
    if (task.fields.at("role") != "main") continue;
    const model::Step& step = run.workflow->steps[task.fields.at("step_index").to_number<Ordinal>()];
    if (task_status == "failed" && task.fields.at("index").is_null() && !step.continue_on_error &&
        !task.fields.at("ignored").as_bool())
      (step.finally ? failed_finally : failed) = true;
    // Nobody did it again after its run had been cancelled or failed fast.
    const auto& skipped = task.fields.at("skip_reason");
    if (!step.finally && task.fields.at("index").is_null() &&
        (task_status == "cancelled" || (skipped.is_string() && skipped.as_string() == "fail_fast")))
      failed = true;
  }
  check_items(run, tasks);
  letters_.finish(run, *seen);
  const std::string_view outcome = run.cancelled              ? "cancelled"
                                   : failed || failed_finally ? "failed"
                                                              : "completed";
  if (run.ended && status != outcome)
    wrong("outcome", id + " is " + status + " and should be " + std::string(outcome));
}

// The results of items stand in order, and a step has completed only if not too many of them failed.
void Checker::check_items(const RunBook& run, const std::map<Ordinal, const json::object*>& tasks) {
  for (const auto& [ordinal, book] : run.tasks) {
    if (book.items == 0 || !tasks.contains(ordinal) || tasks.at(ordinal)->at("status") != "completed")
      continue;
    const std::string label = "task " + describe(TaskId{run.id, ordinal});
    const json::array& results = tasks.at(ordinal)->at("result").as_array();
    if (results.size() != book.items) {
      wrong("I5", label + " has not as many results as items");
      continue;
    }
    std::uint32_t failed = 0;
    for (std::uint32_t i = 0; i < book.items; ++i) {
      const auto item = tasks.find(book.first_item + i);
      if (item == tasks.end()) continue;
      if (results[i] != item->second->at("result"))
        wrong("I5", "the results of " + label + " are not those of its items in order");
      failed += item->second->at("status") == "failed" && !item->second->at("ignored").as_bool();
    }
    const model::Step& step = run.step(book);
    const bool too_many =
        step.failure ? step.failure->max_failures.exceeded_by(failed, book.items) : failed > 0;
    if (too_many && !step.continue_on_error)
      wrong("outcome", label + " completed although too many items failed");
  }
}

}  // namespace baton::simulation

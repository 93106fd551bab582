#include "scenario/performance.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/duration.hpp"
#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "base/text.hpp"
#include "scenario/reader.hpp"
#include "spec/inputs.hpp"

namespace baton::scenario {
namespace {

namespace json = boost::json;

constexpr const char* kActor = "scenario";

simulate::WorldOptions world_options(const Scenario& scenario, const RunOptions& options) {
  simulate::WorldOptions world;
  world.begin = scenario.begin;
  world.seed = scenario.seed;
  world.restart_every = options.restart_every;
  return world;
}

std::string text_of(const json::object& options, std::string_view key) {
  const auto* value = options.if_contains(key);
  if (value == nullptr || value->is_null()) return "";
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

Result<model::SubmitRun> submission(const Action& action) {
  model::SubmitRun command;
  command.workflow = action.workflow;
  const auto* given = action.options.if_contains("input");
  TRY(const json::object input,
      spec::resolve_inputs(*action.workflow, given != nullptr ? *given : json::object()));
  command.input = json::serialize(input);
  const auto* metadata = action.options.if_contains("metadata");
  json::object vars;
  for (const std::string& name : action.workflow->reads_env) vars[name] = nullptr;
  command.context =
      json::serialize(json::object{{"workdir", "/scenario"},
                                   {"env", json::object()},
                                   {"metadata", metadata != nullptr ? *metadata : json::object()},
                                   {"vars", std::move(vars)}});
  command.job_id = text_of(action.options, "job_id");
  if (const auto* priority = action.options.if_contains("priority")) {
    if (!priority->is_int64() || priority->get_int64() < 0 || priority->get_int64() > 255) {
      return baton::fail(ErrorCode::invalid_request, "a priority is a number from 0 to 9");
    }
    command.priority = static_cast<std::uint8_t>(priority->get_int64());
  }
  command.idempotency_key = text_of(action.options, "key");
  command.body = Hash256::of(action.workflow->hash.hex() + command.input + command.context + command.job_id +
                             text_of(action.options, "priority"));
  return command;
}

}  // namespace

Performance::Performance(const Scenario& scenario, const RunOptions& options)
    : scenario_(scenario), options_(options), world_(world_options(scenario, options)) {
  add_workers(options.restart_every > 0);
  for (const Action& action : scenario.actions) {
    world_.at(action.at, [this, &action] {
      perform(action);
      ++done_;
    });
  }
}

void Performance::play(Duration end) {
  world_.events();
  while (!world_.failure()) {
    const bool more = world_.step(end);
    world_.events();
    take_answers(false);
    if (!more) break;
    if (done_ == scenario_.actions.size() && all_ended()) break;
  }
  if (world_.failure()) {
    fail(scenario_.place, "the engine gave up: " + world_.failure()->message);
    return;
  }
  take_answers(true);
  if (!scenario_.until && !all_ended()) {
    fail(scenario_.place, "it had not ended after " + to_display(world_.now()),
         "if it need not end, say until: TIME");
  }
  expect(scenario_.expect);
}

bool Performance::all_ended() {
  if (!open_.empty()) return false;
  // Also those that steps have begun.
  using enum model::RunStatus;
  const auto going_on = world_.reader().list_runs(
      {.statuses = {pending, running, paused, cancelling, recovering}}, std::nullopt, 1);
  return going_on && going_on->rows.empty();
}

void Performance::fail(const Place& place, std::string message, std::string suggestion) {
  Failure failure{place, ""};
  failure.diagnostic.message = std::move(message);
  failure.diagnostic.suggestion = std::move(suggestion);
  failures_.push_back(std::move(failure));
}

// ---- Workers

void Performance::add_workers(bool remote) {
  std::vector<simulate::WorkerOptions> workers = scenario_.workers;
  if (workers.empty()) workers.push_back({});
  for (simulate::WorkerOptions& worker : workers) {
    worker.in_process &= !remote;
    world_.add_worker(std::move(worker), [this](const model::Assignment& task) { return behave(task); });
  }
}

// What the attempt shall do: of its item and phase if the scenario says so, else of its step.
const Mocks* Performance::find_mocks(const model::Assignment& assignment, std::string& name) {
  const auto row_of = [&](Ordinal ordinal) {
    const auto view = world_.reader().get_task({assignment.task.run.key(), ordinal});
    return view && *view ? (*view)->row : model::TaskRow{};
  };
  const model::TaskRow row = row_of(assignment.task.ordinal);
  const bool helper = row.role != model::TaskRole::main;
  const std::int32_t index = helper ? row_of(row.parent).index : row.index;
  const std::string item = index >= 0 ? '[' + std::to_string(index) + ']' : "";
  const std::string part = helper                               ? '.' + std::string(model::name(row.role))
                           : row.phase != model::Phase::primary ? '.' + std::string(model::name(row.phase))
                                                                : "";
  std::vector<std::string> candidates = {assignment.step + part + item, assignment.step + part};
  // What gives back what a step made is no other try of that step.
  if (!helper) candidates.insert(candidates.end(), {assignment.step + item, assignment.step});
  for (const std::string& candidate : candidates) {
    if (const auto found = scenario_.steps.find(candidate); found != scenario_.steps.end()) {
      name = candidate;
      return &found->second;
    }
  }
  return nullptr;
}

// What is wrong with the steps is what the attempt fails with, as it would where `baton task add` does.
void Performance::add(const model::Assignment& assignment, const Mock::Addition& addition,
                      simulate::Behaviour& behaviour) {
  api::Queries queries(world_.reader());
  auto read = api::read_addition(queries, assignment.task, addition.steps, "adds.json");
  std::string wrong;
  if (!read) {
    wrong = read.error().message;
  } else if (!read->workflow) {
    wrong = spec::to_error(read->diagnostics).message;
  } else {
    behaviour.adds.push_back({.token = {},
                              .task = {},
                              .steps = std::move(read->workflow),
                              .outside = std::move(read->outside),
                              .detach = addition.detach});
    return;
  }
  behaviour.takes = Duration{};
  behaviour.outcome = {.kind = model::Outcome::Kind::failed,
                       .failure = {.type = model::error_type::kExit, .message = wrong, .exit_code = 1}};
}

simulate::Behaviour Performance::behave(const model::Assignment& assignment) {
  boost::system::error_code error;
  given_[assignment.task] = parse_json(assignment.spec, error, {}, {.max_depth = kReadJsonDepth});
  std::string name;
  if (const Mocks* mocks = find_mocks(assignment, name); mocks != nullptr) {
    const std::size_t n = starts_[{assignment.task, name}]++;
    return behaviour_of(assignment, (*mocks)[std::min(n, mocks->size() - 1)]);
  }
  if (options_.carry_out && assignment.kind == model::StepKind::task) return carry_out(assignment);
  return behaviour_of(assignment, {});
}

simulate::Behaviour Performance::behaviour_of(const model::Assignment& assignment, const Mock& mock) {
  simulate::Behaviour behaviour = mock.behaviour;
  if (mock.default_result) behaviour.outcome.result = simulate::default_result(assignment.kind);
  for (const Mock::Addition& addition : mock.adds) add(assignment, addition, behaviour);
  return behaviour;
}

// A function that is really carried out. That takes no time here, but what its answer says.
simulate::Behaviour Performance::carry_out(const model::Assignment& assignment) {
  const auto give_up = [&](const std::string& why) {
    if (!std::exchange(mute_, true))
      fail(scenario_.place,
           "the functions could not be carried out: " + why + " (step " + assignment.step + ")");
    simulate::Behaviour gone;
    gone.outcome = {.kind = model::Outcome::Kind::failed,
                    .failure = {.type = model::error_type::kConnection, .message = why, .never_retry = true}};
    return gone;
  };
  if (mute_) return give_up("not again");
  json::object attempt{{"task", assignment.task.text()},    {"token", assignment.token.text()},
                       {"run", assignment.task.run.text()}, {"step", assignment.step},
                       {"attempt", assignment.attempt},     {"kind", "task"},
                       {"spec", given_[assignment.task]},   {"queued_at", to_rfc3339(assignment.queued_at)},
                       {"now", to_rfc3339(world_.wall())}};
  if (assignment.soft_end.us != 0 || assignment.hard_end.us != 0) {
    attempt["timeout"] =
        json::object{{"soft", assignment.soft_end.as_seconds()}, {"hard", assignment.hard_end.as_seconds()}};
  }
  const auto answer = options_.carry_out(json::serialize(attempt));
  if (!answer) return give_up(answer.error().message);
  const auto mock = read_mock(*answer);
  if (!mock) return give_up(mock.error().message);
  return behaviour_of(assignment, *mock);
}

// ---- Actions

void Performance::perform(const Action& action) {
  if (action.verb == "start") return start(action);
  if (action.verb == "expect") return expect(action.expect);
  if (action.verb == "kill owner") return kill_owner(action);
  if (action.verb.ends_with(" worker")) return control_worker(action);
  if (action.verb == "apply")
    return send(action, model::ApplyWorkflow{.workflow = action.workflow, .note = {}});
  if (action.verb == "limit") {
    model::SetLimit command{.name = text_of({{"name", action.argument}}, "name"),
                            .reason = text_of(action.options, "reason")};
    if (const auto* to = action.options.if_contains("to"); to != nullptr && to->is_int64())
      command.limit = static_cast<std::uint32_t>(to->get_int64());
    return send(action, std::move(command));
  }
  if (action.verb == "set queue") return set_queue(action);
  if (action.verb == "set route") {
    model::SetRoute command{.pattern = text_of({{"name", action.argument}}, "name"),
                            .reason = text_of(action.options, "reason")};
    if (action.options.contains("to")) command.queue = text_of(action.options, "to");
    return send(action, std::move(command));
  }
  if (action.verb == "jump clock") {
    const std::string text = text_of({{"by", action.argument}}, "by");
    const bool back = text.starts_with('-');
    const auto by = parse_duration(std::string_view(text).substr(back ? 1 : 0));
    if (!by) return fail(action.place, by.error().message);
    world_.jump_wall(back ? *by * -1 : *by);
    return;
  }
  auto found = runs_.find(action.run);
  if (found == runs_.end() && find_child(action.run)) found = runs_.find(action.run);
  if (found == runs_.end())
    return fail(action.place, "there is no run \"" + printable(action.run) + "\" at this time");
  control(action, found->second);
}

void Performance::set_queue(const Action& action) {
  model::SetQueue command{.name = text_of({{"name", action.argument}}, "name"),
                          .reason = text_of(action.options, "reason")};
  const auto number = [&](const json::value& value, std::int64_t most) -> std::optional<std::uint32_t> {
    if (const auto* n = value.if_int64(); n != nullptr && *n >= 0 && *n <= most) {
      return static_cast<std::uint32_t>(*n);
    }
    return std::nullopt;
  };
  if (const auto* most = action.options.if_contains("max_waiting")) {
    command.max_waiting = number(*most, model::kMostWaiting);
    if (!command.max_waiting) return fail(action.place, "`max_waiting` is a number from 0");
  }
  if (const auto* weights = action.options.if_contains("weights")) {
    if (!weights->is_object()) return fail(action.place, "`weights` is a map of fair keys to numbers");
    for (const auto& [key, value] : weights->get_object()) {
      const auto weight = number(value, model::kMostWeight);
      if (!weight) return fail(action.place, "the weight of \"" + printable(key) + "\" is a number from 1");
      command.weights[std::string(key)] = *weight;
    }
  }
  send(action, std::move(command));
}

void Performance::send(const Action& action, model::CommandBody body) {
  const auto answer = std::make_shared<std::optional<model::ReplyBody>>();
  open_.push_back({&action, answer});
  world_.send(std::move(body), kActor, [answer](model::ReplyBody reply) { *answer = std::move(reply); });
}

void Performance::start(const Action& action) {
  auto command = submission(action);
  if (!command) return take_answer(action, command.error());
  send(action, std::move(*command));
}

void Performance::control(const Action& action, const Run& run) {
  const auto option = [&](std::string_view name) { return text_of(action.options, name); };
  const std::string& verb = action.verb;
  if (verb == "cancel" || verb == "terminate") {
    send(action,
         model::CancelRun{run.id, verb == "terminate", option("reason"), option("cleanup") == "false"});
  } else if (verb == "pause" || verb == "resume") {
    pause(action, run);
  } else if (verb == "recover") {
    model::RecoverRun command{.run = run.id, .from = option("from"), .reason = option("reason")};
    if (const auto* keep = action.options.if_contains("keep"); keep != nullptr && keep->is_array()) {
      for (const json::value& step : keep->get_array())
        command.keep.push_back(text_of({{"step", step}}, "step"));
    }
    command.failed_only = option("failed_only") == "true";
    command.force = option("force") == "true";
    send(action, std::move(command));
  } else if (verb == "replay") {
    replay(action, run);
  } else if (verb == "change") {
    model::ChangeRun command{.run = run.id, .metadata = option("metadata"), .labels = option("labels")};
    if (const auto* priority = action.options.if_contains("priority");
        priority != nullptr && priority->is_int64()) {
      command.priority = static_cast<std::uint8_t>(priority->get_int64());
    }
    send(action, std::move(command));
  } else if (verb == "signal") {
    const auto* data = action.options.if_contains("data");
    model::SendSignal command{.run = run.id, .name = text_of({{"name", action.argument}}, "name")};
    if (data != nullptr) command.data = json::serialize(*data);
    command.key = option("key");
    command.body = Hash256::of(command.name + ' ' + command.data);
    send(action, std::move(command));
  } else if (verb == "approve" || verb == "reject") {
    const auto task = task_of(action, run);
    if (!task) return;
    model::AnswerApproval command{.task = *task, .approved = verb == "approve", .reason = option("reason")};
    if (const auto* value = action.options.if_contains("value")) command.value = json::serialize(*value);
    send(action, std::move(command));
  } else if (verb == "report again") {
    report_again(action, run);
  } else {
    decide(action, run);
  }
}

std::optional<TaskId> Performance::task_of(const Action& action, const Run& run) {
  const std::string name = text_of({{"task", action.argument}}, "task");
  const auto seen = observe(world_.reader(), run.id);
  if (seen) {
    const auto found = std::ranges::find(seen->tasks, name, &ObservedTask::name);
    if (found != seen->tasks.end()) return found->id;
  }
  fail(action.place, "there is no task \"" + printable(name) + "\" at this time");
  return std::nullopt;
}

void Performance::decide(const Action& action, const Run& run) {
  using Verdict = model::DecideTask::Verdict;
  const auto task = task_of(action, run);
  if (!task) return;
  model::DecideTask command{.task = *task};
  command.verdict = action.verb == "retry"  ? Verdict::retry
                    : action.verb == "skip" ? Verdict::skip
                    : action.verb == "fail" ? Verdict::fail
                                            : Verdict::complete;
  if (const auto* result = action.options.if_contains("result")) command.result = json::serialize(*result);
  command.force = text_of(action.options, "force") == "true";
  command.reason = text_of(action.options, "reason");
  send(action, std::move(command));
}

void Performance::pause(const Action& action, const Run& run) {
  using Kind = model::BlockerKind;
  constexpr std::pair<std::string_view, Kind> kTargets[] = {{"step", Kind::step_paused},
                                                            {"queue", Kind::queue_paused},
                                                            {"worker", Kind::worker_paused},
                                                            {"target", Kind::target_paused}};
  model::PauseTarget target{.run = run.id};
  for (const auto& [word, kind] : kTargets) {
    if (!action.options.contains(word)) continue;
    target.kind = kind;
    target.name = text_of(action.options, word);
    if (kind != Kind::step_paused) target.run = {};
  }
  if (action.verb == "resume") return send(action, model::ResumeCommand{std::move(target)});
  model::PauseCommand command{.target = std::move(target), .why = text_of(action.options, "reason")};
  if (action.options.contains("for")) {
    const auto lasts = parse_duration(text_of(action.options, "for"));
    if (!lasts) return fail(action.place, lasts.error().message);
    command.lasts = *lasts;
  }
  send(action, std::move(command));
}

void Performance::replay(const Action& action, const Run& run) {
  const auto earlier = world_.reader().get_payload({run.id.key(), model::PayloadSlot::run_input});
  Action again = action;
  json::object input;
  if (earlier && *earlier) input = parse_json(**earlier, {}, {.max_depth = kReadJsonDepth}).as_object();
  if (const auto* given = action.options.if_contains("input"); given != nullptr && given->is_object()) {
    for (const auto& [name, value] : given->get_object()) input[name] = value;
  }
  again.options["input"] = std::move(input);
  again.workflow = run.workflow;
  auto command = submission(again);
  if (!command) return take_answer(action, command.error());
  command->replay_of = run.id;
  send(action, std::move(*command));
}

void Performance::kill_owner(const Action& action) {
  Duration down;
  if (!action.argument.is_null() && !action.argument.is_bool()) {
    const auto given = parse_duration(text_of({{"for", action.argument}}, "for"));
    if (!given) return fail(action.place, given.error().message);
    down = *given;
  }
  world_.kill_owner();
  if (down == Duration{}) return world_.start_owner();
  world_.after(down, [this] { world_.start_owner(); });
}

void Performance::control_worker(const Action& action) {
  const std::string name = text_of({{"name", action.argument}}, "name");
  simulate::Worker* worker = world_.find_worker(name);
  if (worker == nullptr) return fail(action.place, "there is no worker \"" + printable(name) + "\"");
  if (action.verb != "drain worker" && worker->options().in_process) {
    return fail(action.place, "worker " + name + " lives in the owner's process", "give it remote: true");
  }
  if (action.verb == "kill worker") {
    worker->kill();
    worker->start();
  } else if (action.verb == "cut worker") {
    worker->cut();
  } else if (action.verb == "reconnect worker") {
    worker->reconnect();
  } else {
    worker->drain();
  }
}

void Performance::report_again(const Action& action, const Run& run) {
  const auto task = task_of(action, run);
  if (!task) return;
  std::vector<model::ReportAttempt> reports;
  for (const model::ReportAttempt& report : world_.reports()) {
    if (report.task == *task) reports.push_back(report);
  }
  std::size_t n = reports.size();
  if (const auto* attempt = action.options.if_contains("attempt");
      attempt != nullptr && attempt->is_int64()) {
    n = static_cast<std::size_t>(attempt->get_int64());
  }
  if (n == 0 || n > reports.size()) return fail(action.place, "no such attempt was reported yet");
  model::ReportAttempt report = reports[n - 1];
  if (const auto* result = action.options.if_contains("result")) {
    report.outcome = {.result = json::serialize(*result)};
  }
  if (action.options.contains("error")) {
    report.outcome = {.kind = model::Outcome::Kind::failed,
                      .result = {},
                      .failure = {.type = text_of(action.options, "error"), .message = "it failed"}};
  }
  send(action, std::move(report));
}

// ---- Answers

void Performance::take_answers(bool last) {
  for (auto open = std::exchange(open_, {}); const Open& one : open) {
    if (one.answer->has_value()) {
      take_answer(*one.action, **one.answer);
    } else if (last) {
      fail(one.action->place, "`" + one.action->verb + "` got no answer");
    } else {
      open_.push_back(one);
    }
  }
}

void Performance::take_answer(const Action& action, const model::ReplyBody& reply) {
  if (const auto* error = std::get_if<Error>(&reply)) {
    const std::string code(info(error->code).name);
    if (action.refused == code) return;
    fail(action.place,
         "`" + action.verb + "` was refused: " + error->message + " (" + code + ")" +
             (action.refused ? ", not as expected: " + *action.refused : ""),
         action.refused ? "" : "if that is expected, say refused: " + code);
    return;
  }
  if (action.refused) {
    fail(action.place,
         "`" + action.verb + "` was expected to be refused (" + *action.refused + "), but was accepted");
  }
  if (const auto* submitted = std::get_if<model::Submitted>(&reply)) {
    const auto of = runs_.find(action.run);
    if (action.verb == "replay") {
      runs_.emplace(text_of({{"name", action.argument}}, "name"), Run{submitted->run, of->second.workflow});
    } else {
      runs_.emplace(action.run, Run{submitted->run, action.workflow});
    }
  }
}

// ---- What is expected

std::vector<EventLine> Performance::history() {
  std::vector<EventLine> lines;
  const bool several = runs_.size() > 1;
  std::map<RunId, Narrator> narrators;
  for (const auto& event : world_.events()) {
    for (const auto& [name, run] : runs_) {
      if (run.id.key() != event.run) continue;
      Narrator& narrator = narrators.try_emplace(run.id, run.id, steps_of(run.id)).first->second;
      EventLine line = narrator.tell(event.at, event.fact);
      if (several) line.words.push_back("(" + name + ")");
      lines.push_back(std::move(line));
      break;
    }
  }
  return lines;
}

void Performance::look_back(Report& report) {
  const auto main = runs_.find(kMainRun);
  if (main == runs_.end()) return;
  auto seen = observe(world_.reader(), main->second.id);
  if (!seen) return;
  report.run = std::move(seen->run);
  for (ObservedTask& task : seen->tasks) report.tasks.push_back(std::move(task.fields));
  boost::system::error_code error;
  report.definition = parse_json(main->second.workflow->canonical, error, {}, {.max_depth = kReadJsonDepth});
}

std::shared_ptr<const api::RunSteps> Performance::steps_of(const RunId& run) {
  api::Queries queries(world_.reader());
  const auto view = queries.find(run);
  return view ? queries.known_steps_of(view->row) : nullptr;
}

// A run that a step has begun goes by the name of the step's task.
bool Performance::find_child(const std::string& name) {
  for (const auto& [other, run] : runs_) {
    const auto seen = observe(world_.reader(), run.id);
    if (!seen) continue;
    const auto task = std::ranges::find(seen->tasks, name, &ObservedTask::name);
    if (task == seen->tasks.end()) continue;
    const json::value& child = task->fields.at("child_run");
    const auto id = child.is_string() ? RunId::parse(std::string_view(child.get_string())) : std::nullopt;
    if (!id) continue;
    runs_[name] = {*id, run.workflow};
    return true;
  }
  return false;
}

void Performance::expect(const std::vector<Expectation>& expectations) {
  for (const Expectation& expected : expectations) {
    auto found = runs_.find(expected.run);
    if (found == runs_.end() && find_child(expected.run)) found = runs_.find(expected.run);
    if (found == runs_.end()) {
      if (expected.run == kMainRun && expected.is_empty()) continue;  // `expect` is about other runs only
      fail(expected.place, "there is no run \"" + printable(expected.run) + "\"");
      continue;
    }
    const Run& run = found->second;
    auto seen = observe(world_.reader(), run.id);
    if (!seen) {
      fail(expected.place, "run " + expected.run + " cannot be read: " + seen.error().message);
      continue;
    }
    Evidence evidence{std::move(*seen), {}, {}, scenario_.begin};
    Narrator narrator(run.id, steps_of(run.id));
    for (const auto& event : world_.events()) {
      if (event.run == run.id.key()) evidence.events.push_back(narrator.tell(event.at, event.fact));
    }
    for (const ObservedTask& task : evidence.seen.tasks) {
      if (const auto given = given_.find(task.id); given != given_.end())
        evidence.given[task.name] = given->second;
    }
    std::ranges::move(check(expected, evidence), std::back_inserter(failures_));
  }
}

}  // namespace baton::scenario

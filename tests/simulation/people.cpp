#include "people.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "flows.hpp"
#include "limits.hpp"
#include "model/breaker.hpp"
#include "model/dead_letter.hpp"
#include "model/flow.hpp"
#include "model/pause.hpp"
#include "model/queue.hpp"
#include "model/resource.hpp"
#include "model/signal.hpp"

namespace baton::simulation {
namespace {

constexpr Duration kPatience = Duration::seconds(5);

}  // namespace

People::People(simulate::World& world, const Options& options, Diary& diary, Checker& checker,
               Network& network, std::function<void()> crash)
    : world_(world),
      options_(options),
      diary_(diary),
      checker_(checker),
      network_(network),
      crash_(std::move(crash)),
      random_(stream(options.seed, Stream::users)) {}

void People::plan() {
  for (std::uint32_t i = 0; i < options_.runs; ++i) {
    engine::Random plans = stream(options_.seed, Stream::users, i + 1);
    // Some runs are of the same workflow, some of another version of it.
    const std::string name = "flow-" + std::to_string(plans.up_to(1));
    Submission submission{
        .key = "key-" + std::to_string(i), .workflow = random_flow(options_, i, name), .input = "{}"};
    checker_.submission_intended(submission.key, submission.workflow);
    diary_.note("{} is {}", submission.key, submission.workflow->canonical);
    submissions_.push_back(std::move(submission));
    const Duration when{plans.up_to(options_.storm.us / 2)};
    world_.at(when, [this, i] { submit(i); });
    // Somebody who does not trust the answer.
    if (plans.up_to(2) == 0)
      world_.at(when + Duration::millis(plans.up_to(60'000)), [this, i] { submit(i); });
  }
  world_.at(Duration::millis(random_.up_to(5000)), [this] { set_limits(); });
  const auto actions = static_cast<std::uint32_t>(random_.up_to(60));
  for (std::uint32_t i = 0; i < actions; ++i)
    world_.at(Duration{random_.up_to(options_.storm.us)}, [this] { do_something(); });
}

model::SubmitRun People::submission_of(std::size_t which) const {
  const Submission& submission = submissions_[which];
  return {.workflow = submission.workflow,
          .input = submission.input,
          .job_id = submission.key,
          .replay_of = submission.replay_of,
          .idempotency_key = submission.key,
          .body = Hash256::of(submission.key)};
}

void People::submit(std::size_t which) {
  model::SubmitRun command = submission_of(which);
  if (options_.has(Switch::nonsense) && one_in(6)) {
    model::SubmitRun other = command;
    other.body = Hash256::of("another body");
    // Only where the key is used already: otherwise it would be the one that counts.
    if (submissions_[which].run) ask(other);
  }
  network_.call(std::move(command), "cli:alice", kPatience,
                [this, which](const std::optional<model::ReplyBody>& reply) {
                  const auto* submitted = reply ? std::get_if<model::Submitted>(&*reply) : nullptr;
                  if (submitted == nullptr) {
                    world_.after(Duration::millis(200 + random_.up_to(3000)),
                                 [this, which] { submit(which); });
                    return;
                  }
                  if (submitted->existing) diary_.hit("submit: the same key again");
                  submissions_[which].run = submitted->run;
                  checker_.submission_answered(submissions_[which].key, submitted->run);
                });
}

void People::ask(model::CommandBody body) {
  network_.call(std::move(body), "cli:bob", kPatience, [](const auto&) {});
}

void People::set_limits() {
  for (model::SetLimit& limit : limits_that_are_set()) ask(std::move(limit));
}

void People::bound_a_queue() {
  model::SetQueue command{.name = one_in(2) ? "default" : "other", .reason = "enough"};
  if (one_in(2)) command.max_waiting = static_cast<std::uint32_t>(random_.up_to(3));
  if (one_in(2)) command.weights["key-0"] = static_cast<std::uint32_t>(random_.up_to(4));
  ask(std::move(command));
}

void People::apply_a_workflow() {
  const Submission& submission = submissions_[static_cast<std::size_t>(
      random_.up_to(static_cast<std::int64_t>(submissions_.size()) - 1))];
  model::ApplyWorkflow command{.workflow = submission.workflow, .note = "as it should be"};
  if (one_in(2)) command.expected = static_cast<std::uint32_t>(random_.up_to(2));
  ask(std::move(command));
}

void People::nonsense_about_queues() {
  switch (random_.up_to(9)) {
    case 0:
      return ask(model::SetQueue{.name = "no name!"});
    case 1:
      return ask(model::SetQueue{.name = "default", .max_waiting = model::kMostWaiting + 1});
    case 2:
      return ask(model::SetQueue{.name = "default", .weights = {{"a", model::kMostWeight + 1}}});
    case 3:
      return ask(
          model::SetQueue{.name = "default", .weights = {{std::string(model::kMaxFlowName + 1, 'k'), 1}}});
    case 4:
      return ask(model::SetRoute{.pattern = "no pattern!", .queue = "default"});
    case 5:
      return ask(model::SetRoute{.pattern = "nothing"});
    case 6:
      return ask(model::SetRoute{.pattern = "nothing", .queue = "no name!"});
    case 7:
      return ask(model::SetLimit{.name = "", .limit = 1});
    case 8:
      return ask(model::SetLimit{.name = "nothing"});
    default: {
      model::SetQueue command{.name = "default"};
      for (std::size_t i = 0; i <= model::kMaxWeights; ++i) command.weights["k" + std::to_string(i)] = 1;
      return ask(std::move(command));
    }
  }
}

// What the engine does in pieces: a good moment to die.
void People::ask_for_long_work(model::CommandBody body) {
  ask(std::move(body));
  if (one_in(2) && options_.has(Switch::crashes))
    world_.after(Duration::micros(random_.up_to(100'000)), crash_);
}

void People::do_something() {
  const Submission& submission = submissions_[static_cast<std::size_t>(
      random_.up_to(static_cast<std::int64_t>(submissions_.size()) - 1))];
  const auto what = random_.up_to(17);
  if (!submission.run) return;
  const RunId run = *submission.run;
  switch (what) {
    case 0:
      if (!options_.has(Switch::cancels)) break;
      ask_for_long_work(model::CancelRun{.run = run,
                                         .terminate = one_in(3),
                                         .reason = "enough",
                                         .no_cleanup = one_in(3) && options_.has(Switch::drops)});
      break;
    case 1:
    case 2:
      if (options_.has(Switch::pauses)) pause_or_resume(run);
      break;
    case 3:
    case 4:
      if (options_.has(Switch::recoveries)) recover(run);
      break;
    case 5:
    case 6:
      if (options_.has(Switch::decisions)) decide(run);
      break;
    case 7:
      if (!options_.has(Switch::changes)) break;
      ask(model::ChangeRun{
          .run = run,
          .priority = one_in(2) ? std::optional(static_cast<std::uint8_t>(random_.up_to(9))) : std::nullopt,
          .metadata = one_in(2) ? R"({"note":"changed"})" : "",
          .labels = one_in(2) ? R"({"team":"night"})" : ""});
      break;
    case 8:
      if (!options_.has(Switch::signals)) break;
      for (auto left = random_.up_to(3); left >= 0; --left) signal(run, one_in(3) ? "stop" : "go");
      break;
    case 9:
      if (options_.has(Switch::answers))
        answer({run, static_cast<Ordinal>(random_.up_to(static_cast<std::int64_t>(options_.steps)))},
               !one_in(3));
      break;
    case 10:
      if (options_.has(Switch::breakers)) force_a_breaker();
      break;
    case 11:
      if (options_.has(Switch::letters)) see_to_letters(run);
      break;
    case 12:
      if (options_.has(Switch::cleaning)) see_to_resources();
      break;
    case 13:
      ask_why(run);
      break;
    case 14:
      if (options_.has(Switch::limits)) bound_a_queue();
      break;
    case 15:
      apply_a_workflow();
      break;
    case 16:
      // Before anybody waits for them.
      if (options_.has(Switch::signals)) signal(run, "go");
      break;
    default:
      if (options_.has(Switch::nonsense)) nonsense(run);
  }
}

void People::pause_or_resume(const RunId& run) {
  model::PauseTarget target{model::BlockerKind::run_paused, run, ""};
  const auto kind = random_.up_to(4);
  if (kind == 1) target = {model::BlockerKind::step_paused, run, std::to_string(random_.up_to(3))};
  if (kind == 2) target = {model::BlockerKind::queue_paused, {}, one_in(2) ? "default" : "other"};
  if (kind == 3) target = {model::BlockerKind::worker_paused, {}, one_in(2) ? "w1-1" : "local"};
  if (kind == 4) target = {model::BlockerKind::target_paused, {}, "nlp"};
  if (one_in(3)) return ask(model::ResumeCommand{target});
  model::PauseCommand command{.target = target, .why = "maintenance"};
  if (one_in(2)) {
    command.lasts = Duration::seconds(1 + random_.up_to(60));
  } else if (one_in(4)) {
    command.until = world_.wall() + Duration::seconds(random_.up_to(60));
  }
  ask(std::move(command));
}

void People::recover(const RunId& run) {
  model::RecoverRun command{.run = run,
                            .from = one_in(2) ? std::to_string(random_.up_to(3)) : "",
                            .failed_only = one_in(3),
                            .force = one_in(3)};
  if (one_in(4)) command.keep.push_back(std::to_string(random_.up_to(3)));
  ask_for_long_work(std::move(command));
}

void People::decide(const RunId& run) {
  model::DecideTask command{.task = {run, static_cast<Ordinal>(random_.up_to(8))}};
  // Mostly about one that somebody should see to.
  if (!one_in(3)) {
    const auto tasks = world_.reader().list_tasks(run.key(), 0, 1000, 0).value();
    for (const store::TaskView& task : tasks) {
      const bool bad = task.row.held || task.row.status == model::TaskStatus::failed;
      if (bad && one_in(2)) command.task.ordinal = task.row.key.ordinal;
    }
  }
  command.verdict = static_cast<model::DecideTask::Verdict>(random_.up_to(3));
  command.result = R"({"n":0,"list":[7],"done":true})";
  command.force = one_in(3);
  // Other arguments for what has none of its own, or where something else is next: refused.
  const auto view = world_.reader().get_task({run.key(), command.task.ordinal});
  const auto submission = std::ranges::find(submissions_, std::optional(run), &Submission::run);
  if (view && *view && options_.has(Switch::nonsense)) {
    const model::StepKind kind = submission->workflow->steps[(*view)->row.step].kind;
    const bool takes =
        kind == model::StepKind::run || kind == model::StepKind::exec || kind == model::StepKind::http;
    const bool serves =
        (*view)->row.status == model::TaskStatus::retrying && (*view)->row.phase != model::Phase::primary;
    if (!takes || serves) command.input = "{}";
  }
  command.generation = one_in(4) ? static_cast<std::uint32_t>(1 + random_.up_to(1)) : 0;
  ask(std::move(command));
}

void People::signal(const RunId& run, const std::string& name) {
  model::SendSignal command{.run = run, .name = name, .data = fmt::format(R"({{"sent":{}}})", ++signals_)};
  command.body = Hash256::of(name + command.data);
  if (one_in(2)) {
    // Again with the same key, or the key for something else.
    command.key = "signal-" + std::to_string(signals_);
    model::SendSignal again = command;
    if (one_in(3)) {
      again.data = fmt::format(R"({{"sent":{}}})", ++signals_);
      again.body = Hash256::of(name + again.data);
    }
    if (one_in(2)) world_.after(Duration::millis(random_.up_to(20'000)), [this, again] { ask(again); });
  }
  ask(std::move(command));
}

void People::answer(const TaskId& task, bool approved) {
  ask(model::AnswerApproval{
      .task = task, .approved = approved, .reason = approved ? "" : "not today", .value = R"({"n":1})"});
}

void People::force_a_breaker() {
  static constexpr const char* kNames[] = {"mirror", "archive", "nlp", "nothing"};
  ask(model::ForceBreaker{.name = kNames[random_.up_to(3)],
                          .force = static_cast<model::BreakerForce>(random_.up_to(2)),
                          .by = "bob",
                          .reason = "maintenance"});
}

// Throws one away, does its task again, perhaps with other arguments, or starts its run anew.
void People::see_to_letters(const RunId& run) {
  const auto page =
      world_.reader().list_records({.kind = model::RecordKind::dead_letter}, std::nullopt, 100).value();
  if (page.empty()) return;
  const model::Record& record =
      page[static_cast<std::size_t>(random_.up_to(static_cast<std::int64_t>(page.size()) - 1))];
  const auto letter = model::dead_letter_of(record);
  if (!letter) return diary_.wrong("I11", "a dead letter cannot be read: " + record.id.key);
  switch (random_.up_to(2)) {
    case 0:
      checker_.discard_intended(record.id.key);
      return ask(model::DiscardDeadLetters{{record.id.key, record.id.key}});
    case 1:
      return ask(model::DecideTask{.task = letter->task,
                                   .verdict = model::DecideTask::Verdict::retry,
                                   .generation = letter->generation,
                                   .force = one_in(2),
                                   .reason = "replayed"});
    default: {
      const auto same = std::ranges::find(submissions_, std::optional(run), &Submission::run);
      const std::string key = same->key + "-again-" + std::to_string(submissions_.size());
      if (submissions_.size() >= 8) return;
      submissions_.push_back(
          {.key = key, .workflow = same->workflow, .input = same->input, .run = {}, .replay_of = run});
      checker_.submission_intended(key, submissions_.back().workflow);
      submit(submissions_.size() - 1);
    }
  }
}

void People::see_to_resources() {
  const auto page =
      world_.reader().list_records({.kind = model::RecordKind::resource}, std::nullopt, 100).value();
  if (page.empty()) return;
  const auto resource = model::resource_of(
      page[static_cast<std::size_t>(random_.up_to(static_cast<std::int64_t>(page.size()) - 1))]);
  if (!resource) return diary_.wrong("I11", "a resource cannot be read");
  ask(model::CleanResource{resource->task, resource->name});
}

void People::ask_why(const RunId& run) {
  if (one_in(6)) return ask(model::AskSurvey{});
  ask(model::Explain{run, one_in(3) ? std::nullopt : std::optional<Ordinal>(random_.up_to(10))});
}

void People::nonsense(const RunId& run) {
  diary_.hit("people: nonsense");
  RunId nobody = run;
  nobody.bytes[15] ^= 0x5A;
  const TaskId none{run, 1'000};
  switch (random_.up_to(21)) {
    case 0:
      return ask(model::CancelRun{nobody});
    case 1:
      return ask(model::ReportAttempt{Token{1, 1'000'000}, none, {}});
    case 2:
      return ask(model::DecideTask{.task = {nobody, 7}});
    case 3:
      return ask(model::RecoverRun{.run = run, .from = "no such step"});
    case 4:
      return ask(model::LoseWorker{"nobody"});
    case 5:
      return ask(model::DiscardDeadLetters{{"nonsense", run.text() + ".0-1"}});
    case 6:
      return one_in(2) ? signal(nobody, "go") : signal(run, "no name!");
    case 7:
      return ask(
          model::SendSignal{.run = run, .name = "go", .data = std::string(model::kMaxSignalBytes + 1, ' ')});
    case 8:
      return ask(model::AnswerApproval{.task = one_in(2) ? none : TaskId{nobody, 0}});
    case 9:
      return ask(
          model::AnswerApproval{.task = {run, 0}, .value = std::string(model::kMaxSignalBytes + 1, ' ')});
    case 10:
      return ask(model::RegisterResource{{1, 1'000'000}, none, "thing", {"give-back", "thing"}, ""});
    case 11:
      return ask(model::ReleaseResource{{1, 1'000'000}, none, "thing"});
    case 12:
      return ask(model::CleanResource{one_in(2) ? none : TaskId{nobody, 0}, "thing"});
    case 13:
      return ask(
          model::ReportProgress{{1, 1'000'000}, none, static_cast<std::uint8_t>(one_in(2) ? 50 : 101), ""});
    case 14:
      return ask(model::ReleaseAttempt{{1, 1'000'000}, none});
    case 15:
      return ask(model::ChangeRun{.run = nobody, .priority = 3});
    case 16:
      return ask(model::ChangeRun{.run = run, .priority = 10});
    case 17:
      return ask(model::ChangeRun{.run = run, .labels = "[1]"});
    case 18: {
      const Submission& other = submissions_[static_cast<std::size_t>(
          random_.up_to(static_cast<std::int64_t>(submissions_.size()) - 1))];
      const auto own = std::ranges::find(submissions_, std::optional(run), &Submission::run);
      if (other.workflow->name == own->workflow->name) return;
      return ask(model::RecoverRun{.run = run, .force = true, .onto = other.workflow});
    }
    case 19:
    case 20:
      return nonsense_about_queues();
    default:
      return ask(model::PauseCommand{.target = {model::BlockerKind::run_paused, nobody, ""}});
  }
}

// What lets the run come to its end.
bool People::go_on(const RunId& run) {
  const auto view = world_.reader().get_run(run);
  if (view && *view && model::is_terminal((*view)->row.status)) return true;
  for (const store::TaskView& task : world_.reader().list_tasks(run.key(), 0, 1000, 0).value()) {
    const TaskId id{run, task.row.key.ordinal};
    if (model::is_terminal(task.row.status)) continue;
    ask(model::Explain{run, id.ordinal});
    if (task.row.held) {
      ask(model::DecideTask{.task = id, .verdict = model::DecideTask::Verdict::fail});
    } else if (task.row.status == model::TaskStatus::running && !model::has_attempt(task.row)) {
      const std::string& awaits = task.row.waiting->awaits;
      if (awaits == "go" || awaits == "stop") {
        signal(run, awaits);
      } else if (!awaits.empty()) {
        answer(id, true);
      }
    }
  }
  return false;
}

bool People::clean_up() {
  set_limits();
  for (const char* queue : {"default", "other"}) ask(model::SetQueue{.name = queue, .max_waiting = 0});
  for (const auto& record :
       world_.reader().list_records({.kind = model::RecordKind::pause}, std::nullopt, 100).value()) {
    const auto pause = model::pause_of(record);
    if (pause) ask(model::ResumeCommand{{pause->what.kind, pause->run, pause->name}});
  }
  bool over = true;
  for (const auto& record :
       world_.reader().list_records({.kind = model::RecordKind::resource}, std::nullopt, 1000).value()) {
    const auto resource = model::resource_of(record);
    over = over && resource && resource->status == model::ResourceStatus::leaked;
  }
  for (const auto& record :
       world_.reader().list_records({.kind = model::RecordKind::breaker}, std::nullopt, 100).value()) {
    const auto breaker = model::breaker_of(record);
    if (breaker && breaker->force == model::BreakerForce::open)
      ask(model::ForceBreaker{.name = breaker->settings.name, .by = "bob"});
  }
  for (const Submission& submission : submissions_) {
    if (!submission.run || !go_on(*submission.run)) over = false;
  }
  return over;
}

}  // namespace baton::simulation

#include "people.hpp"

#include <fmt/format.h>

#include "flows.hpp"
#include "limits.hpp"
#include "model/pause.hpp"

namespace baton::simulation {
namespace {

constexpr Duration kPatience = Duration::seconds(5);

}  // namespace

People::People(simulate::World& world, const Options& options, Diary& diary, Checker& checker,
               Network& network)
    : world_(world),
      options_(options),
      diary_(diary),
      checker_(checker),
      network_(network),
      random_(stream(options.seed, Stream::users)) {}

void People::plan() {
  for (std::uint32_t i = 0; i < options_.runs; ++i) {
    engine::Random flows = stream(options_.seed, Stream::flows, i);
    // Some runs are of the same workflow, some of another version of it.
    const std::string name = "flow-" + std::to_string(flows.up_to(1));
    Submission submission{.key = "key-" + std::to_string(i),
                          .workflow = random_flow(flows, name, options_.steps),
                          .input = "{}"};
    checker_.submission_intended(submission.key, submission.workflow);
    submissions_.push_back(std::move(submission));
    const Duration when{flows.up_to(options_.storm.us / 2)};
    world_.at(when, [this, i] { submit(i); });
    // Somebody who does not trust the answer.
    if (flows.up_to(2) == 0)
      world_.at(when + Duration::millis(flows.up_to(60'000)), [this, i] { submit(i); });
  }
  world_.at(Duration::millis(random_.up_to(5000)), [this] { set_limits(); });
  const auto actions = static_cast<std::uint32_t>(random_.up_to(30));
  for (std::uint32_t i = 0; i < actions; ++i)
    world_.at(Duration{random_.up_to(options_.storm.us)}, [this] { do_something(); });
}

void People::submit(std::size_t which) {
  const Submission& submission = submissions_[which];
  model::SubmitRun command{.workflow = submission.workflow,
                           .input = submission.input,
                           .job_id = submission.key,
                           .idempotency_key = submission.key,
                           .body = Hash256::of(submission.key)};
  if (options_.has(Fault::nonsense) && one_in(6)) {
    model::SubmitRun other = command;
    other.body = Hash256::of("another body");
    // Only where the key is used already: otherwise it would be the one that counts.
    if (submission.run) ask(other);
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

void People::do_something() {
  const Submission& submission = submissions_[static_cast<std::size_t>(
      random_.up_to(static_cast<std::int64_t>(submissions_.size()) - 1))];
  if (!submission.run) return;
  const RunId run = *submission.run;
  switch (random_.up_to(7)) {
    case 0:
      if (options_.has(Fault::cancels)) ask(model::CancelRun{run, one_in(3), "enough"});
      break;
    case 1:
    case 2:
      if (options_.has(Fault::pauses)) pause_or_resume(run);
      break;
    case 3:
      if (!options_.has(Fault::recoveries)) break;
      ask(model::RecoverRun{.run = run,
                            .from = one_in(2) ? std::to_string(random_.up_to(3)) : "",
                            .failed_only = one_in(3),
                            .force = one_in(3)});
      break;
    case 4:
      if (options_.has(Fault::decisions)) decide(run);
      break;
    case 5:
      if (!options_.has(Fault::changes)) break;
      ask(model::ChangeRun{.run = run,
                           .priority = static_cast<std::uint8_t>(random_.up_to(9)),
                           .metadata = one_in(2) ? R"({"note":"changed"})" : ""});
      break;
    case 6:
      ask(model::Explain{run, one_in(2) ? std::optional<Ordinal>(random_.up_to(3)) : std::nullopt});
      break;
    default:
      if (options_.has(Fault::nonsense)) nonsense(run);
  }
}

void People::pause_or_resume(const RunId& run) {
  model::PauseTarget target{model::BlockerKind::run_paused, run, ""};
  const auto kind = random_.up_to(3);
  if (kind == 1) target = {model::BlockerKind::step_paused, run, std::to_string(random_.up_to(3))};
  if (kind == 2) target = {model::BlockerKind::queue_paused, {}, one_in(2) ? "default" : "other"};
  if (kind == 3) target = {model::BlockerKind::worker_paused, {}, "w1-1"};
  if (one_in(3)) return ask(model::ResumeCommand{target});
  model::PauseCommand command{.target = target, .why = "maintenance"};
  if (one_in(2)) command.lasts = Duration::seconds(1 + random_.up_to(60));
  ask(std::move(command));
}

void People::decide(const RunId& run) {
  model::DecideTask command{.task = {run, static_cast<Ordinal>(random_.up_to(8))}};
  command.verdict = static_cast<model::DecideTask::Verdict>(random_.up_to(3));
  command.result = R"({"n":0,"list":[7]})";
  command.force = one_in(3);
  ask(std::move(command));
}

void People::nonsense(const RunId& run) {
  diary_.hit("people: nonsense");
  RunId nobody = run;
  nobody.bytes[15] ^= 0x5A;
  switch (random_.up_to(5)) {
    case 0:
      return ask(model::CancelRun{nobody});
    case 1:
      return ask(model::ReportAttempt{Token{1, 1'000'000}, {run, 1'000}, {}});
    case 2:
      return ask(model::DecideTask{.task = {nobody, 7}});
    case 3:
      return ask(model::RecoverRun{.run = run, .from = "no such step"});
    case 4:
      return ask(model::LoseWorker{"nobody"});
    default:
      return ask(model::DiscardDeadLetters{{"nonsense", run.text() + ".0-1"}});
  }
}

bool People::clean_up() {
  set_limits();
  for (const auto& record :
       world_.reader().list_records({.kind = model::RecordKind::pause}, std::nullopt, 100).value()) {
    const auto pause = model::pause_of(record);
    if (pause) ask(model::ResumeCommand{{pause->what.kind, pause->run, pause->name}});
  }
  bool over = true;
  for (const Submission& submission : submissions_) {
    if (!submission.run) {
      over = false;
      continue;
    }
    const auto view = world_.reader().get_run(*submission.run);
    if (view && *view && model::is_terminal((*view)->row.status)) continue;
    over = false;
    for (const store::TaskView& task :
         world_.reader().list_tasks(submission.run->key(), 0, 1000, 0).value()) {
      if (task.row.held)
        ask(model::DecideTask{.task = {*submission.run, task.row.key.ordinal},
                              .verdict = model::DecideTask::Verdict::fail});
    }
  }
  return over;
}

}  // namespace baton::simulation

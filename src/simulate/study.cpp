#include "simulate/study.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "simulate/world.hpp"

namespace baton::simulate {
namespace {

constexpr Duration kLongest = Duration::hours(10 * 365 * 24);

double between_0_and_1(engine::Random& random) {
  return (static_cast<double>(random.next() >> 11) + 0.5) / 9007199254740992.0;
}

// Plays one run and takes down what happened to each task.
class Play {
 public:
  Play(const StudyOptions& options, std::uint64_t seed)
      : options_(options), random_(Seed{seed, 0xA55E55}), world_({.seed = seed}) {
    trace_.seed = seed;
    world_.add_worker({.concurrency = options.workers},
                      [this](const model::Assignment& assignment) { return behave(assignment); });
  }

  Result<RunTrace> run() {
    // There is enough of what operators set limits for: how much is not known here.
    constexpr std::uint32_t kEnough = 1'000'000;
    for (const model::Step& step : options_.workflow->steps) {
      if (!step.flow) continue;
      for (const model::LimitUse& use : step.flow->flow.limits) {
        if (use.otherwise != 0 || options_.limits.contains(use.name)) continue;
        world_.send(model::SetLimit{use.name, kEnough, ""}, "simulate", [](const model::ReplyBody&) {});
      }
    }
    for (const auto& [name, limit] : options_.limits)
      world_.send(model::SetLimit{name, limit, ""}, "simulate", [](const model::ReplyBody&) {});
    std::optional<model::ReplyBody> answer;
    model::SubmitRun submit{.workflow = options_.workflow, .input = options_.input};
    submit.context = R"({"workdir":"/simulated","env":{},"metadata":{},"vars":{}})";
    world_.send(std::move(submit), "simulate", [&](model::ReplyBody reply) { answer = std::move(reply); });
    world_.settle();
    if (!answer) return fail(ErrorCode::internal, "the engine does not answer");
    if (const auto* error = std::get_if<Error>(&*answer)) return fail(*error);
    id_ = std::get<model::Submitted>(*answer).run;
    while (!ended()) {
      if (!world_.step(kLongest))
        return fail(
            ErrorCode::conflict,
            "the run does not end: it waits for something that never comes; give its steps a `timeout`");
    }
    follow();
    find_critical_path();
    return std::move(trace_);
  }

 private:
  Behaviour behave(const model::Assignment& assignment) {
    Behaviour behaviour;
    behaviour.outcome.result = default_result(assignment.kind);
    // What is assumed of a step says nothing about what gives back what it made.
    const auto view = world_.reader().get_task({assignment.task.run.key(), assignment.task.ordinal});
    if (view && *view && (*view)->row.role != model::TaskRole::main) return behaviour;
    const auto found = options_.steps.find(assignment.step);
    if (found == options_.steps.end()) return behaviour;
    const Assumption& assumed = found->second;
    behaviour.takes = assumed.takes.draw(random_);
    if (!assumed.result.empty()) behaviour.outcome.result = assumed.result;
    if (random_.up_to(999'999) < static_cast<std::int64_t>(assumed.failures_ppm)) {
      behaviour.outcome = {.kind = model::Outcome::Kind::failed,
                           .result = {},
                           .failure = {.type = assumed.error, .message = "assumed failure"}};
    }
    return behaviour;
  }

  // What people and other programs do about waits, as it is assumed of them.
  void see_to_waits() {
    const auto& events = world_.events();  // what happens is taken down when it does
    for (; seen_ < events.size(); ++seen_) {
      const model::Fact& fact = events[seen_].fact;
      if (fact.kind != model::FactKind::task_waiting) continue;
      const model::Step& step = options_.workflow->steps[fact.step];
      using For = model::Wait::For;
      if (!step.wait || (step.wait->what != For::signal && step.wait->what != For::approval)) continue;
      Assumption assumed;
      if (const auto found = options_.steps.find(step.name); found != options_.steps.end())
        assumed = found->second;
      const Duration takes = assumed.takes.draw(random_);
      const bool fails = random_.up_to(999'999) < static_cast<std::int64_t>(assumed.failures_ppm);
      const std::string value = assumed.result.empty() ? "null" : assumed.result;
      if (step.wait->what == For::approval) {
        tell(takes, model::AnswerApproval{{id_, fact.task}, !fails, "", value});
      } else if (!fails) {
        tell(takes, model::SendSignal{.run = id_, .name = fact.other, .data = value});
      }
    }
  }

  // What comes when the run has ended is refused, as it would be.
  void tell(Duration delay, model::CommandBody command) {
    world_.after(delay, [this, command = std::move(command)]() mutable {
      world_.send(std::move(command), "simulate", [](const model::ReplyBody&) {});
    });
  }

  bool ended() {
    see_to_waits();
    const auto view = world_.reader().get_run(id_);
    if (!view || !*view) return false;
    const model::RunRow& row = (*view)->row;
    if (!model::is_terminal(row.status)) return false;
    trace_.status = row.status;
    if (!row.error_type.empty()) trace_.error = row.error_type + ": " + row.error_message;
    trace_.took = row.ended_at - row.created_at;
    return true;
  }

  void follow() {
    for (const World::Event& event : world_.events()) {
      const model::Fact& fact = event.fact;
      if (!model::is_task_fact(fact.kind)) continue;
      if (fact.kind == model::FactKind::task_added) helpers_.insert(fact.task);
      if (helpers_.contains(fact.task)) continue;
      TaskTrace& task = tasks_[fact.task];
      task.step = fact.step;
      const bool begins_to_wait = fact.kind == model::FactKind::task_waiting;
      if ((fact.kind == model::FactKind::task_queued || begins_to_wait) && task.name.empty()) {
        task.waits = begins_to_wait;
        if (begins_to_wait) task.attempts.emplace_back(event.at, event.at);
        task.name = options_.workflow->steps[fact.step].name;
        if (fact.index >= 0) task.name += '[' + std::to_string(fact.index) + ']';
        task.ready = event.at;
        order_.push_back(fact.task);
      } else if (fact.kind == model::FactKind::attempt_started) {
        task.begun = event.at;
        if (!task.waits) task.attempts.emplace_back(event.at, event.at);
      } else if (fact.kind == model::FactKind::attempt_ended) {
        if (!task.waits) task.attempts.back().second = event.at;
        trace_.busy = trace_.busy + (event.at - task.begun);
        if (fact.text != "completed") {
          trace_.wasted = trace_.wasted + (event.at - task.begun);
          trace_.failed_attempts = true;
        }
      } else if (fact.kind == model::FactKind::task_ended) {
        task.ended = event.at;
        if (task.waits) task.attempts.back().second = event.at;
        task.status = static_cast<model::TaskStatus>(fact.status);
      }
    }
  }

  // From the task that ended last back to the start: each time to that one of the tasks before it that ended
  // last.
  void find_critical_path() {
    for (const Ordinal ordinal : order_) last_of_step(tasks_[ordinal].step, ordinal);
    std::optional<Ordinal> at;
    for (const Ordinal ordinal : order_) {
      if (tasks_[ordinal].started() && (!at || tasks_[ordinal].ended > tasks_[*at].ended)) at = ordinal;
    }
    while (at && !tasks_[*at].critical) {
      TaskTrace& task = tasks_[*at];
      task.critical = true;
      const std::optional<Ordinal> before = predecessor(task.step);
      const Duration begin = before ? tasks_[*before].ended : Duration{};
      const auto& [last_from, last_to] = task.attempts.back();
      Shares& shares = trace_.shares;
      shares.limits = shares.limits + std::max(task.ready - begin, Duration{});
      shares.workers = shares.workers + (task.attempts.front().first - task.ready);
      shares.retries = shares.retries + (last_from - task.attempts.front().first);
      Duration& share = task.waits ? shares.waits : shares.work;
      share = share + (last_to - last_from);
      at = before;
    }
    for (const Ordinal ordinal : order_) trace_.tasks.push_back(std::move(tasks_[ordinal]));
  }

  void last_of_step(Ordinal step, Ordinal ordinal) {
    if (!tasks_[ordinal].started()) return;
    const auto [found, added] = last_.emplace(step, ordinal);
    if (!added && tasks_[ordinal].ended > tasks_[found->second].ended) found->second = ordinal;
  }

  // The task that ended last of those that the step waited for, through steps that were not executed.
  std::optional<Ordinal> predecessor(Ordinal step) {
    std::optional<Ordinal> best;
    std::vector<Ordinal> pending = options_.workflow->steps[step].needs;
    if (options_.workflow->steps[step].finally && pending.empty()) {
      for (const auto& [other, task] : last_) {
        if (!options_.workflow->steps[other].finally) pending.push_back(other);
      }
    }
    std::vector<bool> seen(options_.workflow->steps.size());
    while (!pending.empty()) {
      const Ordinal needed = pending.back();
      pending.pop_back();
      if (seen[needed]) continue;
      seen[needed] = true;
      const auto found = last_.find(needed);
      if (found == last_.end()) {
        const auto& further = options_.workflow->steps[needed].needs;
        pending.insert(pending.end(), further.begin(), further.end());
      } else if (!best || tasks_[found->second].ended > tasks_[*best].ended) {
        best = found->second;
      }
    }
    return best;
  }

  const StudyOptions& options_;
  engine::Random random_;
  World world_;
  RunId id_;
  RunTrace trace_;
  std::map<Ordinal, TaskTrace> tasks_;
  std::set<Ordinal> helpers_;        // tasks that serve others
  std::size_t seen_ = 0;             // of the world's events, by see_to_waits()
  std::vector<Ordinal> order_;       // in which they were ready
  std::map<Ordinal, Ordinal> last_;  // of each step, the task that ended last
};

void add(Study& study, const RunTrace& run) {
  study.took.push_back(run.took);
  ++study.outcomes[std::string(name(run.status))];
  if (study.first_error.empty()) study.first_error = run.error;
  study.busy = study.busy + run.busy;
  study.wasted = study.wasted + run.wasted;
  study.saved += run.failed_attempts && run.status == model::RunStatus::completed;
  study.total = study.total + run.took;
  study.shares.work = study.shares.work + run.shares.work;
  study.shares.retries = study.shares.retries + run.shares.retries;
  study.shares.workers = study.shares.workers + run.shares.workers;
  study.shares.limits = study.shares.limits + run.shares.limits;
  study.shares.waits = study.shares.waits + run.shares.waits;
  std::vector<bool> critical(study.steps.size());
  for (const TaskTrace& task : run.tasks) {
    if (!task.started()) continue;
    StepFigures& step = study.steps[task.step];
    ++step.tasks;
    step.attempts += task.attempts.size();
    step.took = step.took + (task.ended - task.attempts.front().first);
    step.waited = step.waited + (task.attempts.front().first - task.ready);
    if (task.critical) critical[task.step] = true;
  }
  for (std::size_t i = 0; i < critical.size(); ++i) study.steps[i].critical += critical[i] ? 1 : 0;
}

}  // namespace

Duration Spread::draw(engine::Random& random) const {
  if (kind == Kind::fixed) return low;
  if (kind == Kind::seen)
    return seen[static_cast<std::size_t>(random.up_to(static_cast<std::int64_t>(seen.size()) - 1))];
  const double u = between_0_and_1(random);
  if (kind == Kind::even) {
    return {low.us + static_cast<std::int64_t>(u * static_cast<double>((high - low).us))};
  }
  // Box and Muller (1958); 1.6449 is the 95th percentile of the normal distribution.
  const double normal =
      std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * 3.14159265358979323846 * between_0_and_1(random));
  const double median = std::max<double>(1.0, static_cast<double>(low.us));
  const double sigma = std::log(std::max(1.0, static_cast<double>(high.us) / median)) / 1.6449;
  const double drawn = median * std::exp(sigma * normal);
  return {
      static_cast<std::int64_t>(std::min(drawn, static_cast<double>(Duration::hours(100 * 365 * 24).us)))};
}

Duration Study::percentile(std::uint32_t percent) const {
  if (took.empty()) return {};
  const std::size_t rank = (took.size() * percent + 99) / 100;
  return took[std::clamp<std::size_t>(rank, 1, took.size()) - 1];
}

std::string_view Study::binding() const {
  const Duration most = std::max({shares.workers, shares.limits, shares.retries, shares.waits});
  if (most.us * 20 < shares.total().us || most == Duration{}) return "the work itself";
  if (most == shares.workers) return "workers";
  if (most == shares.limits) return "limits";
  return most == shares.retries ? "retries" : "waits";
}

Result<Study> study(const StudyOptions& options) {
  Study study;
  for (const model::Step& step : options.workflow->steps) study.steps.push_back({.step = step.name});
  std::vector<std::pair<Duration, std::uint64_t>> order;  // how long, with which seed
  for (std::uint32_t i = 0; i < options.runs; ++i) {
    TRY(const RunTrace trace, Play(options, options.seed + i).run());
    order.emplace_back(trace.took, trace.seed);
    add(study, trace);
  }
  std::ranges::sort(study.took);
  std::ranges::sort(order);
  TRY(study.example, Play(options, order[(order.size() - 1) / 2].second).run());
  return study;
}

}  // namespace baton::simulate

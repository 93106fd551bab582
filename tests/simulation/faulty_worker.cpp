#include "faulty_worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <string_view>

#include "model/resource.hpp"
#include "spec/parse.hpp"

namespace baton::simulation {
namespace {

constexpr std::uint32_t kConcurrency = 4;
constexpr Duration kHeartbeat = Duration::seconds(10);
constexpr Duration kPatience = Duration::seconds(5);
constexpr Duration kClaimWait = Duration::seconds(20);

// Of a program; the definitions' first words say what it is for (flows.hpp).
void read_command(const std::string& spec, std::string& chore, std::string& about) {
  namespace json = boost::json;
  const json::value value = json::parse(spec);
  const json::value* argv = value.is_object() ? value.get_object().if_contains("argv") : nullptr;
  chore = "work";
  if (argv == nullptr || !argv->is_array() || argv->get_array().size() < 2) return;
  chore = std::string_view(argv->get_array()[0].as_string());
  about = std::string_view(argv->get_array()[1].as_string());
}

model::Outcome killed(int signal) {
  return {.kind = model::Outcome::Kind::failed,
          .failure = {.type = model::error_type::kSignal, .message = "killed", .signal = signal}};
}

}  // namespace

FaultyWorker::FaultyWorker(simulate::World& world, const Options& options, Diary& diary, Checker& checker,
                           Network& network, std::uint32_t number, bool inside)
    : world_(world),
      options_(options),
      diary_(diary),
      checker_(checker),
      network_(network),
      random_(stream(options.seed, Stream::workers, number)),
      base_(inside ? "local" : "w" + std::to_string(number)),
      inside_(inside) {}

// ---- Life and death

void FaultyWorker::start() {
  if (alive_) return;
  alive_ = true;
  ++life_;
  claiming_ = false;
  silent_until_ = {};
  name_ = inside_ ? base_ : fmt::format("{}-{}", base_, life_);
  diary_.note("worker {} starts", name_);
  if (!inside_) beat();
  claim();
}

void FaultyWorker::kill() {
  if (!alive_) return;
  diary_.note("worker {} dies with {} attempts", name_, attempts_.size());
  alive_ = false;
  ++life_;
  attempts_.clear();
  unreported_.clear();
  checker_.worker_dies(name_);
}

void FaultyWorker::later(Duration delay, std::function<void()> what) {
  world_.after(delay, [this, life = life_, what = std::move(what)] {
    if (alive_ && life == life_) what();
  });
}

void FaultyWorker::call(model::CommandBody body, Duration patience, Network::Answer answer) {
  const auto guarded = [this, life = life_,
                        answer = std::move(answer)](const std::optional<model::ReplyBody>& reply) {
    if (alive_ && life == life_) answer(reply);
  };
  if (inside_) {
    network_.call_inside(std::move(body), "worker:" + name_, guarded);
  } else {
    network_.call(std::move(body), "worker:" + name_, patience, guarded);
  }
}

void FaultyWorker::fall_silent() {
  silent_until_ = world_.now() + Duration::seconds(5 + random_.up_to(90));
  diary_.hit("worker: falls silent");
  diary_.note("worker {} falls silent until {:.3f}", name_, silent_until_.as_seconds());
}

void FaultyWorker::calm() {
  calm_ = true;
  silent_until_ = {};
  if (!alive_) return;
  for (const auto& [token, attempt] : std::map(attempts_))
    plan_end(token, Duration::seconds(1), draw_outcome(attempt.assignment));
}

// ---- Claims and lease

void FaultyWorker::beat() {
  later(kHeartbeat, [this] { beat(); });
  if (has(Switch::worker_crashes) && one_in(40)) {
    diary_.hit("worker: dies");
    kill();
    world_.after(Duration::seconds(random_.up_to(60)), [this] { start(); });
    return;
  }
  if (has(Switch::stalls) && one_in(25)) fall_silent();
  if (silent()) return;
  model::Heartbeat heartbeat{name_, {}};
  for (const auto& [token, attempt] : attempts_) heartbeat.running.push_back(token);
  for (const auto& [token, report] : unreported_) heartbeat.running.push_back(token);
  const std::vector<Token> tokens = heartbeat.running;
  const std::string name = name_;
  const Duration sent = world_.now();
  call(std::move(heartbeat), kPatience, [this, tokens, sent](const std::optional<model::ReplyBody>& reply) {
    const auto* answer = reply ? std::get_if<model::HeartbeatAnswer>(&*reply) : nullptr;
    if (answer == nullptr || silent()) return;
    if (world_.now() - sent < Duration::seconds(2)) checker_.alive(tokens);
    for (const auto& [token, mode] : answer->stop) stop(token, mode);
  });
}

void FaultyWorker::claim() {
  if (claiming_ || silent() || attempts_.size() >= kConcurrency) {
    if (silent()) later(silent_until_ - world_.now(), [this] { claim(); });
    return;
  }
  claiming_ = true;
  const auto room = kConcurrency - static_cast<std::uint32_t>(attempts_.size());
  call(model::ClaimTasks{name_, inside_, {}, room, kClaimWait}, kClaimWait + kPatience,
       [this](const std::optional<model::ReplyBody>& reply) {
         claiming_ = false;
         const auto* claimed = reply ? std::get_if<model::Claimed>(&*reply) : nullptr;
         if (claimed == nullptr) {
           later(Duration::millis(500 + random_.up_to(1000)), [this] { claim(); });
           return;
         }
         for (const model::Assignment& assignment : claimed->tasks) begin(assignment);
         later(Duration{}, [this] { claim(); });
       });
}

// ---- Attempts

model::Outcome FaultyWorker::draw_outcome(const model::Assignment& assignment) {
  if (options_.has(Switch::failures) && random_.up_to(3) == 0) {
    static constexpr const char* kTypes[] = {"exit", "http", "connection", "quota", "own"};
    model::Outcome outcome{.kind = model::Outcome::Kind::failed};
    outcome.failure.type = kTypes[random_.up_to(4)];
    outcome.failure.message = "it did not work";
    if (outcome.failure.type == "exit") outcome.failure.exit_code = static_cast<int>(1 + random_.up_to(3));
    if (outcome.failure.type == "http") outcome.failure.status = one_in(2) ? 503 : 404;
    if (one_in(10)) outcome.failure.retry_after = Duration::seconds(random_.up_to(30));
    if (one_in(10)) outcome.failure.never_retry = true;
    if (!calm_ && one_in(12)) outcome = {.kind = model::Outcome::Kind::interrupted};
    return outcome;
  }
  // Different for each attempt, so that no result can be taken for another one.
  return {.result = fmt::format(R"({{"n":{},"by":"{}","list":[1,2,3],"done":{}}})", assignment.token.sequence,
                                assignment.token.text(), calm_ || one_in(2))};
}

void FaultyWorker::begin(model::Assignment assignment) {
  const Token token = assignment.token;
  if (attempts_.contains(token) || unreported_.contains(token)) return;
  if (has(Switch::releases) && one_in(15) && !inside_) {  // one in the owner never loses its answer
    diary_.hit("worker: gives an attempt back");
    call(model::ReleaseAttempt{token, assignment.task}, kPatience, [](const auto&) {});
    return;
  }
  checker_.effect_begins(assignment);
  Attempt& attempt = attempts_[token];
  attempt.ignores_soft = has(Switch::hanging) && one_in(3);
  attempt.assignment = std::move(assignment);
  read_command(attempt.assignment.spec, attempt.chore, attempt.about);
  const bool works = attempt.chore == "work" || attempt.chore == "poll" || attempt.chore == "instead";
  if (works && options_.has(Switch::resources) && one_in(3)) {
    register_thing(token, "disk");
    if (one_in(2)) register_thing(token, "machine");
  }
  if (options_.has(Switch::signs) && one_in(2)) give_signs(token);
  if (options_.has(Switch::nonsense) && one_in(6)) ask_for_nonsense(token);
  const model::Outcome outcome = draw_outcome(attempt.assignment);
  if (has(Switch::hanging) && one_in(12)) {
    diary_.hit("attempt: hangs");
    return;
  }
  plan_end(token, Duration::millis(random_.up_to(one_in(8) ? 90'000 : 8'000)), outcome);
}

void FaultyWorker::register_thing(const Token& token, const std::string& name) {
  const auto found = attempts_.find(token);
  if (found == attempts_.end()) return;
  const TaskId task = found->second.assignment.task;
  const std::string id = model::resource_id(task, name);
  call(
      model::RegisterResource{token, task, name, {"give-back", id}, ""}, kPatience,
      [this, token, task, name, id](const std::optional<model::ReplyBody>& reply) {
        const auto attempt = attempts_.find(token);
        if (attempt == attempts_.end()) return;
        if (reply && std::holds_alternative<model::ResourceRegistered>(*reply)) {
          checker_.made(token, task, id);
          attempt->second.things.push_back(name);
          // By another command: which one would be the right one?
          if (options_.has(Switch::nonsense) && one_in(6))
            call(model::RegisterResource{token, task, name, {"give-back", id, "twice"}, ""}, kPatience,
                 [](const auto&) {});
          return;
        }
        const auto* error = reply ? std::get_if<Error>(&*reply) : nullptr;
        if (error != nullptr && (error->code == ErrorCode::stale_token || error->code == ErrorCode::conflict))
          return;
        later(Duration::seconds(1), [this, token, name] { register_thing(token, name); });
      });
}

void FaultyWorker::ask_for_nonsense(const Token& token) {
  const Attempt& attempt = attempts_.at(token);
  const TaskId task = attempt.assignment.task;
  const auto send = [this](auto command) { call(std::move(command), kPatience, [](const auto&) {}); };
  switch (random_.up_to(6)) {
    case 0:
      return send(model::RegisterResource{token, task, "no name!", {"give-back", "it"}, ""});
    case 1:
      return send(model::RegisterResource{token, task, "thing", {}, ""});
    case 2:
      return send(model::RegisterResource{token, task, "thing", {"give-back", "\xff"}, ""});
    case 3:
      return send(model::RegisterResource{
          token, task, "thing", {"give-back", std::string(model::kResourceBody, 'x')}, ""});
    case 4:
      // Only what serves another task has no right to it; of all others it would be a thing like any.
      if (attempt.chore == "give-back" || attempt.chore == "cleanup" || attempt.chore == "compensate")
        send(model::RegisterResource{token, task, "thing", {"give-back", "it"}, ""});
      return;
    case 5:
      return ask_to_add(token, "nothing");
    default:
      return ask_to_add(token, "f0");
  }
}

// A task that needs what is not there, or what begins when everything else is over.
void FaultyWorker::ask_to_add(const Token& token, const char* needed) {
  static const auto kNone =
      spec::parse_workflow(R"({"name":"none","steps":{"s0":{"set":{"n":1}}}})").workflow;
  const std::string text = fmt::format(R"({{"steps":{{"more":{{"run":"work","needs":["{}"]}}}}}})", needed);
  auto parsed = spec::parse_addition(text, {.definition = *kNone, .names = {needed}});
  call(model::AddTasks{token, attempts_.at(token).assignment.task, std::move(parsed.workflow),
                       std::move(parsed.outside), false},
       kPatience, [](const auto&) {});
}

void FaultyWorker::release_things(const Token& token) {
  const Attempt& attempt = attempts_.at(token);
  const TaskId task = attempt.assignment.task;
  for (const std::string& name : attempt.things) {
    checker_.given_back(model::resource_id(task, name));
    call(model::ReleaseResource{token, task, name}, kPatience, [](const auto&) {});
  }
}

void FaultyWorker::give_signs(const Token& token) {
  const auto found = attempts_.find(token);
  if (found == attempts_.end()) return;
  Attempt& attempt = found->second;
  if (!silent()) {
    model::ReportProgress report{.token = token, .task = attempt.assignment.task};
    if (one_in(2))
      report.percent = static_cast<std::uint8_t>(attempt.percent = std::min(100, attempt.percent + 20));
    call(std::move(report), kPatience, [](const auto&) {});
  }
  later(Duration::seconds(3 + random_.up_to(10)), [this, token] { give_signs(token); });
}

void FaultyWorker::plan_end(const Token& token, Duration after, model::Outcome outcome) {
  const std::uint64_t plan = ++last_plan_;
  attempts_.at(token).plan = plan;
  later(after, [this, token, plan, outcome = std::move(outcome)] {
    const auto found = attempts_.find(token);
    if (found != attempts_.end() && found->second.plan == plan) end(token, outcome);
  });
}

void FaultyWorker::stop(const Token& token, model::Stopping mode) {
  const auto found = attempts_.find(token);
  if (!alive_ || found == attempts_.end()) return;
  if (options_.has(Switch::nonsense) && one_in(3)) ask_to_add(token, "nothing");
  if (mode == model::Stopping::hard) return plan_end(token, Duration::millis(random_.up_to(200)), killed(9));
  if (found->second.ignores_soft) return;
  // Some use the time to end well.
  if (one_in(3))
    return plan_end(token, Duration::millis(random_.up_to(5'000)), draw_outcome(found->second.assignment));
  plan_end(token, Duration::millis(random_.up_to(2'000)), killed(15));
}

void FaultyWorker::end(const Token& token, const model::Outcome& outcome) {
  const Attempt& attempt = attempts_.at(token);
  const TaskId task = attempt.assignment.task;
  const bool completed = outcome.kind == model::Outcome::Kind::completed;
  if (attempt.chore == "give-back") {
    honest_.insert(token);
    if (completed) checker_.given_back(attempt.about);
  }
  if (completed && one_in(2)) release_things(token);
  attempts_.erase(token);
  checker_.effect_ends(token, outcome);
  if (has(Switch::unreported_effects) && one_in(15) && !inside_) {
    diary_.hit("worker: dies between effect and report");
    kill();
    world_.after(Duration::seconds(random_.up_to(40)), [this] { start(); });
    return;
  }
  unreported_[token] = {token, task, outcome};
  report(token);
  claim();
}

// Until it is answered: a report that was accepted gets the same answer again.
void FaultyWorker::report(const Token& token) {
  const auto found = unreported_.find(token);
  if (found == unreported_.end()) return;
  if (silent()) return later(silent_until_ - world_.now(), [this, token] { report(token); });
  const model::ReportAttempt report = found->second;
  mischief(token, report);
  call(report, kPatience, [this, token](const std::optional<model::ReplyBody>& reply) {
    const auto* error = reply ? std::get_if<Error>(&*reply) : nullptr;
    if (reply && (error == nullptr || error->code == ErrorCode::stale_token)) {
      if (error != nullptr) diary_.hit("worker: a report came too late");
      unreported_.erase(token);
      claim();
      return;
    }
    later(Duration::millis(500 + random_.up_to(1000)), [this, token] { this->report(token); });
  });
}

void FaultyWorker::mischief(const Token& token, const model::ReportAttempt& report) {
  const auto send = [this](model::ReportAttempt what) {
    call(std::move(what), kPatience, [](const auto&) {});
  };
  if (has(Switch::repeated_reports) && one_in(8)) {
    diary_.hit("worker: reports twice");
    later(Duration::millis(random_.up_to(30'000)), [send, report] { send(report); });
  }
  if (has(Switch::contradictions) && one_in(8) && !honest_.contains(token)) {
    diary_.hit("worker: contradicts itself");
    model::ReportAttempt other = report;
    const bool completed = report.outcome.kind == model::Outcome::Kind::completed;
    other.outcome = completed ? killed(11) : model::Outcome{.result = R"({"n":-1})"};
    checker_.effect_ends(token, other.outcome);
    later(Duration::millis(one_in(2) ? 0 : random_.up_to(30'000)), [send, other] { send(other); });
  }
  if (has(Switch::wrong_tokens) && one_in(8)) {
    diary_.hit("worker: reports with a wrong token");
    model::ReportAttempt other = report;
    // One that will never be given out: whoever has the right one is who it says.
    if (one_in(2)) {
      other.token.incarnation += static_cast<std::uint32_t>(1000 + random_.up_to(1));
    } else {
      other.token.sequence += static_cast<std::uint64_t>(1'000'000 + random_.up_to(3));
    }
    later(Duration::millis(random_.up_to(20'000)), [send, other] { send(other); });
  }
}

}  // namespace baton::simulation

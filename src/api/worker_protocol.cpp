// What workers in other processes ask and tell: docs/reference/worker-protocol.md. Every call may be repeated
// after a lost answer (SEMANTICS 49).
#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <mutex>
#include <utility>

#include "api/admission.hpp"
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "api/problem.hpp"
#include "api/request_body.hpp"
#include "base/duration.hpp"
#include "base/text.hpp"
#include "base/trace_context.hpp"
#include "secrets/outcome.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t kProtocol = 1;
constexpr std::size_t kMostTasks = 1000;  // of one claim, and reports of one call
constexpr std::size_t kMostNames = 1000;
constexpr std::size_t kAnsweredOnLoop = 16;  // tasks and reports
constexpr std::size_t kBytesPerTask = 400;   // of an answer
constexpr std::size_t kBytesPerReport = 50;
constexpr std::size_t kMostRunning = 10'000;  // that one heartbeat names
constexpr std::int64_t kLongestWait = 60;     // seconds
constexpr std::size_t kErrorType = 128;
constexpr std::size_t kErrorMessage = 64 << 10;
// Of the worker in the owner's own process, which is told apart by its name.
constexpr std::string_view kOwn = "local";

std::unexpected<Error> invalid(std::string message, std::string where) {
  return fail(ErrorCode::invalid_request, std::move(message), std::move(where));
}

Result<std::string> worker_name(Core& core, const Call& call) {
  std::string name = call.captures.at(0);
  if (!is_name(name)) {
    return invalid("\"" + printable(utf8_prefix(name, 128)) +
                       "\" is no name of a worker: a name has letters, digits, . _ -",
                   "");
  }
  if (name == kOwn) return invalid("\"local\" is the worker in Baton's own process; take another name", "");
  TRY_VOID(core.worker_names.use(name, call.principal, call.begun));
  return name;
}

Status check_protocol(const RequestBody& body) {
  TRY(const auto protocol, body.integer("protocol", 1, 1'000'000));
  if (protocol.value_or(kProtocol) != kProtocol) {
    return fail(ErrorCode::unsupported,
                "this server speaks version " + std::to_string(kProtocol) +
                    " of the worker protocol, not version " + std::to_string(*protocol),
                "/protocol");
  }
  return {};
}

// A list of names, ascending and distinct. `any`: the word that stands for all of them, "" = none does.
Result<std::vector<std::string>> read_names(const RequestBody& body, const std::string& member,
                                            std::string_view any) {
  std::vector<std::string> names;
  const json::value* list = body.find(member);
  if (list == nullptr) return names;
  if (!list->is_array() || list->get_array().size() > kMostNames) {
    return invalid("\"" + member + "\" must be a list of at most " + std::to_string(kMostNames) + " names",
                   "/" + member);
  }
  for (const json::value& name : list->get_array()) {
    if (!name.is_string() || (name.get_string() != any && !is_name(name.get_string()))) {
      return invalid("\"" + member + "\" must be a list of names: letters, digits, . _ -", "/" + member);
    }
    names.emplace_back(name.get_string());
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

// What the worker takes: members queues, functions, steps.
Result<model::ClaimTasks> read_offer(Core& core, const Call& call, const RequestBody& body) {
  model::ClaimTasks claim;
  TRY(claim.worker, worker_name(core, call));
  TRY(claim.queues, read_names(body, "queues", ""));
  TRY(claim.abilities.functions, read_names(body, "functions", "*"));
  TRY(claim.abilities.steps, body.boolean("steps", false));
  if (!claim.abilities.steps && claim.abilities.functions.empty()) {
    return invalid("a worker needs \"functions\" that it has, or \"steps\": true", "/functions");
  }
  return claim;
}

// ---- Reports

struct Report {
  std::string token;  // as the worker wrote it, for the answer
  Result<std::variant<model::ReportAttempt, model::ReleaseAttempt>> command;
};

const json::value* member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* value = member(object, name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

constexpr std::array<std::string_view, 7> kErrorMembers = {"type",      "message", "retry", "retry_after",
                                                           "exit_code", "signal",  "status"};

Status read_code(const json::object& error, std::string_view name, std::optional<int>& code) {
  const json::value* value = member(error, name);
  if (value == nullptr) return {};
  if (!value->is_int64() || value->get_int64() < 0 || value->get_int64() > 999)
    return invalid("\"" + std::string(name) + "\" must be a number from 0 to 999",
                   "/error/" + std::string(name));
  code = static_cast<int>(value->get_int64());
  return {};
}

Result<model::Failure> read_failure(const json::object& report, const secrets::Redactor* redactor) {
  const json::value* error = member(report, "error");
  if (error == nullptr || !error->is_object())
    return invalid("a failed attempt needs an \"error\" with \"type\" and \"message\"", "/error");
  const json::object& members = error->get_object();
  for (const auto& [name, value] : members) {
    if (std::ranges::find(kErrorMembers, std::string_view(name)) == kErrorMembers.end())
      return invalid("unknown member \"" + printable(name) + "\"", "/error/" + printable(name));
  }
  model::Failure failure;
  failure.type = text_member(members, "type");
  if (failure.type.empty() || failure.type.size() > kErrorType || !is_utf8(failure.type))
    return invalid("\"type\" of an error must be a text of 1 to 128 bytes", "/error/type");
  failure.message = text_member(members, "message");
  if (redactor != nullptr) failure.message = redactor->mask(failure.message);  // before it is cut
  failure.message.resize(utf8_prefix(failure.message, kErrorMessage).size());
  TRY_VOID(read_code(members, "exit_code", failure.exit_code));
  TRY_VOID(read_code(members, "signal", failure.signal));
  TRY_VOID(read_code(members, "status", failure.status));
  if (const json::value* retry = member(members, "retry")) {
    if (!retry->is_bool()) return invalid("\"retry\" must be true or false", "/error/retry");
    failure.never_retry = !retry->get_bool();
  }
  if (const json::value* after = member(members, "retry_after")) {
    const auto wrong = [] {
      return invalid("\"retry_after\" must be a number of seconds", "/error/retry_after");
    };
    if (!after->is_number()) return wrong();
    const auto delay = duration_from_seconds(after->to_number<double>());
    if (!delay || delay->us < 0) return wrong();
    failure.retry_after = *delay;
  }
  return failure;
}

Result<std::variant<model::ReportAttempt, model::ReleaseAttempt>> read_report(
    const json::object& report, const secrets::Redactor* redactor) {
  for (const auto& [name, value] : report) {
    if (name != "task" && name != "token" && name != "status" && name != "result" && name != "error")
      return invalid("unknown member \"" + printable(name) + "\"", "/" + printable(name));
  }
  model::ReportAttempt command;
  const auto task = TaskId::parse(text_member(report, "task"));
  const auto token = Token::parse(text_member(report, "token"));
  if (!task) return invalid("\"task\" must be the id of the task", "/task");
  if (!token) return invalid("\"token\" must be the token that came with the task", "/token");
  command.task = *task;
  command.token = *token;
  const json::value* result = member(report, "result");
  const std::string status = text_member(report, "status");
  if (status == "released") return model::ReleaseAttempt{*token, *task};
  if (status == "completed") {
    command.outcome.result = result != nullptr ? json::serialize(*result) : "null";
    secrets::mask(redactor, command.outcome);
    return command;
  }
  if (result != nullptr) command.outcome.result = json::serialize(*result);
  if (status == "failed") {
    command.outcome.kind = model::Outcome::Kind::failed;
    TRY(command.outcome.failure, read_failure(report, redactor));
  } else if (status == "interrupted") {
    command.outcome.kind = model::Outcome::Kind::interrupted;
    command.outcome.failure = {.type = model::error_type::kInterrupted,
                               .message = "the worker ended before it was done"};
  } else {
    return invalid("\"status\" must be completed, failed, interrupted or released", "/status");
  }
  secrets::mask(redactor, command.outcome);
  return command;
}

Result<std::vector<Report>> read_reports(const Core& core, const RequestBody& body) {
  std::vector<Report> reports;
  const json::value* list = body.find("reports");
  if (list == nullptr) return reports;
  if (!list->is_array() || list->get_array().size() > kMostTasks) {
    return invalid("\"reports\" must be a list of at most " + std::to_string(kMostTasks), "/reports");
  }
  const auto redactor = redactor_of(core);
  reports.reserve(list->get_array().size());
  for (const json::value& entry : list->get_array()) {
    if (!entry.is_object()) return invalid("\"reports\" must be a list of objects", "/reports");
    // One that is wrong keeps no other from being told.
    reports.push_back(
        {text_member(entry.get_object(), "token"), read_report(entry.get_object(), redactor.get())});
  }
  return reports;
}

void write_error(const Error& error, JsonText& out) {
  out.begin_object();
  out.key("code").string(info(error.code).name);
  out.key("message").string(error.message);
  out.end_object();
}

// ---- Answers

// `secrets`: values in the spec, which are to be masked in what the attempt prints.
void write_task(const model::Assignment& task, const std::vector<std::string>& secrets, JsonText& out) {
  const std::string id = task.task.text();
  out.begin_object();
  out.key("task").string(id);
  out.key("token").string(task.token.text());
  out.key("run").string(std::string_view(id).substr(0, id.find('.')));
  out.key("step").string(task.step);
  out.key("attempt").integer(task.attempt);
  out.key("kind").string(name(task.kind));
  out.key("queued_at").instant(task.queued_at);
  if (task.kind == model::StepKind::task)
    out.key("traceparent").string(trace_of_attempt(task.trace, task.task.run, task.token).text());
  if (task.soft_end.us > 0) {
    out.key("timeout").begin_object();
    out.key("soft").number(static_cast<double>(task.soft_end.us) / 1e6);
    out.key("hard").number(static_cast<double>(task.hard_end.us) / 1e6);
    out.end_object();
  }
  out.key("spec").raw(task.spec);
  if (!secrets.empty()) {
    out.key("secrets").begin_array();
    for (const std::string& value : secrets) out.string(value);
    out.end_array();
  }
  out.end_object();
}

// The answer to a call that reports and claims: complete when all of its commands are. Commands answer on the
// loop's thread, one after the other, or at once on the thread that sends them.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(CorePtr core, CallPtr call, std::string actor, std::vector<Report> reports, bool claims)
      : core_(std::move(core)),
        call_(std::move(call)),
        actor_(std::move(actor)),
        reports_(std::move(reports)),
        became_(reports_.size()),
        left_(reports_.size() + (claims ? 1 : 0)) {}

  // `claim`: what to ask for, none = only reports.
  static void begin(const std::shared_ptr<Exchange>& self, std::optional<model::ClaimTasks> claim) {
    if (self->reports_.empty() && !claim) return self->answer();
    for (std::size_t i = 0; i < self->reports_.size(); ++i) {
      auto& command = self->reports_[i].command;
      if (!command) {
        self->reported(i, command.error());
        continue;
      }
      const auto reported = [self, i](model::ReplyBody reply) { self->reported(i, std::move(reply)); };
      if (auto* released = std::get_if<model::ReleaseAttempt>(&*command)) {
        self->core_->runs.send(*released, self->actor_, reported);
        continue;
      }
      auto& report = std::get<model::ReportAttempt>(*command);
      // What it has printed is complete.
      self->core_->attempt_logs.finish(report.token, wall_now(*self->core_));
      self->core_->runs.send(std::move(report), self->actor_, reported);
    }
    if (!claim) return;
    self->core_->claims.add(claim->worker);
    self->core_->runs.send(std::move(*claim), self->actor_,
                           [self](model::ReplyBody reply) { self->claimed(std::move(reply)); });
  }

 private:
  void reported(std::size_t at, model::ReplyBody reply) {
    {
      const std::lock_guard lock(mutex_);
      became_[at] = std::move(reply);
    }
    settle();
  }

  void claimed(model::ReplyBody reply) {
    core_->claims.remove(call_->captures.at(0));
    {
      const std::lock_guard lock(mutex_);
      if (auto* tasks = std::get_if<model::Claimed>(&reply)) {
        claimed_ = std::move(*tasks);
      } else if (auto* error = std::get_if<Error>(&reply)) {
        refused_ = std::move(*error);
      }
    }
    settle();
  }

  void settle() {
    {
      const std::lock_guard lock(mutex_);
      if (--left_ > 0) return;
    }
    // Writing a long answer must not keep the loop.
    if (claimed_.tasks.size() + reports_.size() <= kAnsweredOnLoop) return answer();
    core_->workers.post([self = shared_from_this()] { self->answer(); });
  }

  void answer() {
    if (call_->responder.disconnected() || (!claimed_.tasks.empty() && turn_away(*core_, *call_))) {
      // Nobody hears of these tasks; without this they would wait for the end of a lease.
      for (const model::Assignment& task : claimed_.tasks) {
        core_->runs.send(model::ReleaseAttempt{task.token, task.task}, actor_,
                         [](const model::ReplyBody&) {});
      }
      return;
    }
    if (refused_ && reports_.empty()) return call_->fail(*refused_);
    JsonText out(claimed_.tasks.size() * kBytesPerTask + reports_.size() * kBytesPerReport);
    out.begin_object();
    out.key("tasks").begin_array();
    for (model::Assignment& task : claimed_.tasks) write_claimed(task, out);
    out.end_array();
    out.key("reports").begin_array();
    for (std::size_t i = 0; i < reports_.size(); ++i) {
      out.begin_object();
      out.key("token").string(reports_[i].token);
      if (const auto* accepted = std::get_if<model::ReportAccepted>(&became_[i])) {
        out.key("status").string(name(accepted->status));
      } else if (std::holds_alternative<model::Done>(became_[i])) {
        out.key("status").string("queued");  // it was released
      } else if (const auto* error = std::get_if<Error>(&became_[i])) {
        out.key("error");
        write_error(*error, out);
      }
      out.end_object();
    }
    out.end_array().end_object();
    call_->json(200, out.take());
  }

  // Secrets are put in place here, in the answer alone. An attempt that cannot have them ends before it
  // began.
  void write_claimed(model::Assignment& task, JsonText& out) {
    std::vector<std::string> values;
    if (task.sealed) {
      auto revealed = core_->vault != nullptr
                          ? core_->vault->reveal(task.spec)
                          : Result<std::string>(fail(ErrorCode::unsupported, "this server keeps no secrets"));
      if (!revealed) {
        core_->runs.send(model::ReportAttempt{task.token, task.task, secrets::refused(revealed.error())},
                         actor_, [](const model::ReplyBody&) {});
        return;
      }
      values = core_->vault->values_in(task.spec);
      task.spec = std::move(*revealed);
    }
    write_task(task, values, out);
  }

  CorePtr core_;
  CallPtr call_;
  std::string actor_;
  std::vector<Report> reports_;
  std::mutex mutex_;  // guards what follows until nothing is left
  std::vector<model::ReplyBody> became_;
  model::Claimed claimed_;
  std::optional<Error> refused_;
  std::size_t left_;
};

// Tokens, ascending; nullopt: it says nothing of it.
Result<std::optional<std::vector<Token>>> read_running(const RequestBody& body) {
  const json::value* list = body.find("running");
  if (list == nullptr) return std::nullopt;
  if (!list->is_array() || list->get_array().size() > kMostRunning) {
    return invalid("\"running\" must be a list of at most " + std::to_string(kMostRunning) + " tokens",
                   "/running");
  }
  std::vector<Token> running;
  running.reserve(list->get_array().size());
  for (const json::value& entry : list->get_array()) {
    const auto token = entry.is_string() ? Token::parse(entry.get_string()) : std::optional<Token>();
    if (!token) return invalid("\"running\" must be a list of tokens", "/running");
    running.push_back(*token);
  }
  std::ranges::sort(running);
  return running;
}

struct Asked {
  std::optional<model::ClaimTasks> claim;
  std::vector<Report> reports;
};

Result<Asked> read_claim(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const RequestBody body, RequestBody::parse(call.request));
  // First: what else is unknown here may belong to the version that it speaks.
  TRY_VOID(check_protocol(body));
  TRY_VOID(body.only({"protocol", "queues", "functions", "steps", "max", "wait", "running", "reports"}));
  Asked asked;
  TRY(asked.claim, read_offer(core, call, body));
  TRY(const auto most, body.integer("max", 0, kMostTasks));
  asked.claim->max = static_cast<std::uint32_t>(most.value_or(1));
  TRY(const auto wait, body.integer("wait", 0, kLongestWait));
  TRY(asked.claim->running, read_running(body));
  TRY(asked.reports, read_reports(core, body));
  // Who reports hears at once what became of it.
  if (asked.reports.empty()) asked.claim->wait = Duration::seconds(wait.value_or(0));
  return asked;
}

Result<Asked> read_report_call(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const std::string worker, worker_name(core, call));
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"reports"}));
  Asked asked;
  TRY(asked.reports, read_reports(core, body));
  if (asked.reports.empty()) return invalid("\"reports\" is missing, or empty", "/reports");
  return asked;
}

void exchange(const CorePtr& core, const CallPtr& call, Result<Asked> asked) {
  if (!asked) return call->fail(asked.error());
  auto both = std::make_shared<Exchange>(core, call, "worker:" + call->captures.at(0),
                                         std::move(asked->reports), asked->claim.has_value());
  Exchange::begin(both, std::move(asked->claim));
}

void write_heartbeat(Core& core, const std::string& worker, const model::HeartbeatAnswer& answer,
                     JsonText& out) {
  core.known_workers.keep_until(worker, wall_now(core) + answer.lease);
  out.key("lease").number(static_cast<double>(answer.lease.us) / 1e6);
  out.key("stop").begin_array();
  for (const auto& [token, mode] : answer.stop) {
    out.begin_object();
    out.key("token").string(token.text());
    out.key("mode").string(mode == model::Stopping::hard ? "hard" : "soft");
    out.end_object();
  }
  out.end_array();
  out.key("paused").boolean(answer.paused);
  out.key("drain").boolean(answer.draining);
}

Result<model::Heartbeat> read_heartbeat(Core& core, const Call& call, WorkerFacts& facts) {
  TRY_VOID(call.only({}));
  model::Heartbeat command;
  TRY(command.worker, worker_name(core, call));
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"running", "tags", "concurrency", "cpu_percent", "memory_bytes"}));
  TRY(facts, read_facts(body));
  TRY(std::optional<std::vector<Token>> running, read_running(body));
  if (running) command.running = std::move(*running);
  return command;
}

}  // namespace

void register_worker(const CorePtr& core, CallPtr call) {
  WorkerFacts facts;
  const auto read = [&]() -> Result<model::ClaimTasks> {
    TRY_VOID(call->only({}));
    TRY(const RequestBody body, RequestBody::parse(call->request));
    TRY_VOID(check_protocol(body));
    TRY_VOID(body.only({"protocol", "queues", "functions", "steps", "tags", "concurrency"}));
    TRY(facts, read_facts(body));
    return read_offer(*core, *call, body);
  };
  auto offer = read();
  if (!offer) return call->fail(offer.error());
  offer->max = 0;
  const std::string worker = offer->worker;
  const std::string actor = "worker:" + worker;
  facts.heard = wall_now(*core);
  core->known_workers.begin(worker, std::move(facts));
  // What a process of this name has had before died with it.
  core->runs.send(model::LoseWorker{worker}, actor, [](const model::ReplyBody&) {});
  core->runs.send(std::move(*offer), actor, [](const model::ReplyBody&) {});
  core->runs.send(model::Heartbeat{worker, {}}, actor, [core, call, worker](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    JsonText out;
    out.begin_object();
    out.key("worker").string(worker);
    out.key("protocol").integer(kProtocol);
    write_heartbeat(*core, worker, std::get<model::HeartbeatAnswer>(reply), out);
    out.end_object();
    call->json(200, out.take());
  });
}

void claim_tasks(const CorePtr& core, CallPtr call) {
  call->waits = true;
  exchange(core, call, read_claim(*core, *call));
}

void report_tasks(const CorePtr& core, CallPtr call) {
  exchange(core, call, read_report_call(*core, *call));
}

void worker_heartbeat(const CorePtr& core, CallPtr call) {
  WorkerFacts facts;
  auto command = read_heartbeat(*core, *call, facts);
  if (!command) return call->fail(command.error());
  const std::string worker = command->worker;
  facts.heard = wall_now(*core);
  core->known_workers.update(worker, std::move(facts));
  core->runs.send(std::move(*command), "worker:" + worker, [core, call, worker](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    JsonText out;
    out.begin_object();
    write_heartbeat(*core, worker, std::get<model::HeartbeatAnswer>(reply), out);
    out.end_object();
    call->json(200, out.take());
  });
}

void release_task(const CorePtr& core, CallPtr call) {
  const auto read = [&]() -> Result<model::ReleaseAttempt> {
    TRY_VOID(call->only({}));
    TRY(const RequestBody body, RequestBody::parse(call->request));
    TRY_VOID(body.only({"task", "token"}));
    TRY(const std::string task, body.text("task", 100));
    TRY(const std::string token, body.text("token", 100));
    const auto id = TaskId::parse(task);
    const auto holder = Token::parse(token);
    if (!id) return invalid("\"task\" must be the id of the task", "/task");
    if (!holder) return invalid("\"token\" must be the token that came with the task", "/token");
    return model::ReleaseAttempt{*holder, *id};
  };
  const auto command = read();
  if (!command) return call->fail(command.error());
  const auto worker = worker_name(*core, *call);
  if (!worker) return call->fail(worker.error());
  core->runs.send(*command, "worker:" + *worker, [call](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    call->json(200, "{}");
  });
}

// What a worker may know of runs: which of those whose files it keeps are over.
void ended_runs(const CorePtr& core, CallPtr call) {
  const auto read = [&]() -> Result<std::vector<RunId>> {
    TRY_VOID(call->only({}));
    TRY_VOID(worker_name(*core, *call));
    TRY(const RequestBody body, RequestBody::parse(call->request));
    TRY_VOID(body.only({"runs"}));
    const json::value* list = body.find("runs");
    const auto wrong = [] {
      return invalid("\"runs\" must be a list of at most " + std::to_string(kMostNames) + " ids of runs",
                     "/runs");
    };
    if (list == nullptr || !list->is_array() || list->get_array().size() > kMostNames) return wrong();
    std::vector<RunId> runs;
    for (const json::value& entry : list->get_array()) {
      const auto run = entry.is_string() ? RunId::parse(entry.get_string()) : std::nullopt;
      if (!run) return wrong();
      runs.push_back(*run);
    }
    return runs;
  };
  const auto render = [&](const std::vector<RunId>& runs) -> Result<std::string> {
    const WallTime now = wall_now(*core);
    JsonText out;
    out.begin_object().key("items").begin_array();
    for (const RunId& id : runs) {
      const auto run = core->queries.find(id);
      if (!run && run.error().code != ErrorCode::not_found) return fail(run.error());
      if (run && !is_terminal(run->row.status)) continue;
      out.begin_object().key("run").string(id.text());
      out.key("ended_for");
      if (run) {
        out.number(static_cast<double>(std::max(now - run->row.ended_at, Duration{}).us) / 1e6);
      } else {
        out.null();
      }
      out.end_object();
    }
    out.end_array().end_object();
    return out.take();
  };
  const auto runs = read();
  if (!runs) return call->fail(runs.error());
  answer(*call, render(*runs));
}

void forget_worker(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  const auto worker = worker_name(*core, *call);
  if (!worker) return call->fail(worker.error());
  core->known_workers.forget(*worker);
  core->runs.send(model::LoseWorker{*worker}, "worker:" + *worker,
                  [core, call, name = *worker](model::ReplyBody reply) {
                    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
                    core->worker_names.forget(name);
                    call->json(200, "{}");
                  });
}

}  // namespace baton::api

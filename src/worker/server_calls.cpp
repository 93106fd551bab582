#include "worker/server_calls.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <optional>

#include "base/duration.hpp"
#include "base/json.hpp"
#include "base/json_depth.hpp"

namespace baton::worker {
namespace {

namespace json = boost::json;

constexpr std::int64_t kProtocol = 1;
constexpr std::int64_t kLongestAsked = 60;  // seconds; a server cannot send a worker away for longer

constexpr Duration kLongestLimit = Duration::hours(24 * 365 * 30);  // beyond that, nobody waits for it

Result<json::object> parse(std::string_view text) {
  json::parse_options options;
  options.max_depth = kReadJsonDepth;
  boost::system::error_code error;
  json::value parsed = parse_json(text, error, {}, options);
  if (error || !parsed.is_object())
    return fail(ErrorCode::io, "the server answered with something else than a JSON object");
  return std::move(parsed.get_object());
}

std::string_view text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

const json::array& list_of(const json::object& object, std::string_view name) {
  static const json::array kNone;
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

bool truth_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

Error error_of(const json::object& problem, std::string_view text_member) {
  const auto code = error_code_from_name(text_of(problem, "code"));
  return {code.value_or(ErrorCode::io), std::string(text_of(problem, text_member)), ""};
}

Error error_of(const net::Response& response) {
  if (const auto problem = parse(response.body); problem && !text_of(*problem, "detail").empty())
    return error_of(*problem, "detail");
  return {response.status >= 500 ? ErrorCode::unavailable : ErrorCode::io,
          "the server answered with status " + std::to_string(response.status), ""};
}

std::optional<model::StepKind> kind_of(std::string_view name) {
  for (const model::StepKind kind :
       {model::StepKind::run, model::StepKind::exec, model::StepKind::http, model::StepKind::task}) {
    if (model::name(kind) == name) return kind;
  }
  return std::nullopt;
}

// `seconds` from now.
std::optional<std::chrono::steady_clock::time_point> time_of(const json::object& limits,
                                                             std::string_view name) {
  const json::value* seconds = limits.if_contains(name);
  if (seconds == nullptr || !seconds->is_number()) return std::nullopt;
  const auto length = duration_from_seconds(seconds->to_number<double>());
  if (!length || length->us < 0 || *length > kLongestLimit) return std::nullopt;
  return std::chrono::steady_clock::now() + length->chrono();
}

Result<Task> task_of(const json::value& entry) {
  const auto wrong = [] { return fail(ErrorCode::io, "the server sent a task that cannot be read"); };
  const json::object* object = entry.if_object();
  if (object == nullptr) return wrong();
  const auto token = Token::parse(text_of(*object, "token"));
  const auto id = TaskId::parse(text_of(*object, "task"));
  const auto kind = kind_of(text_of(*object, "kind"));
  const json::value* attempt = object->if_contains("attempt");
  const json::value* spec = object->if_contains("spec");
  if (!token || !id || !kind || attempt == nullptr || !attempt->is_int64() || attempt->get_int64() < 1 ||
      spec == nullptr) {
    return wrong();
  }
  Task task{*token,
            *id,
            std::string(text_of(*object, "step")),
            static_cast<std::uint32_t>(attempt->get_int64()),
            *kind,
            json::serialize(*spec)};
  for (const json::value& value : list_of(*object, "secrets")) {
    if (value.is_string()) task.secrets.emplace_back(value.get_string());
  }
  if (const json::value* limits = object->if_contains("timeout"); limits != nullptr && limits->is_object()) {
    task.soft_end = time_of(limits->get_object(), "soft");
    task.hard_end = time_of(limits->get_object(), "hard");
  }
  return task;
}

Result<Heartbeat> heartbeat_of(std::string_view text) {
  TRY(const json::object body, parse(text));
  Heartbeat answer;
  const json::value* lease = body.if_contains("lease");
  if (lease == nullptr || !lease->is_number() || lease->to_number<double>() <= 0)
    return fail(ErrorCode::io, "the server named no lease");
  answer.lease = Duration{static_cast<std::int64_t>(lease->to_number<double>() * 1e6)};
  for (const json::value& entry : list_of(body, "stop")) {
    if (!entry.is_object()) continue;
    if (const auto token = Token::parse(text_of(entry.get_object(), "token")))
      answer.stop.push_back({*token, text_of(entry.get_object(), "mode") == "hard"});
  }
  answer.paused = truth_of(body, "paused");
  answer.drain = truth_of(body, "drain");
  return answer;
}

Result<Exchange> exchange_of(std::string_view text, std::size_t reports) {
  TRY(const json::object answer, parse(text));
  Exchange exchange;
  const json::array& tasks = list_of(answer, "tasks");
  exchange.tasks.reserve(tasks.size());
  for (const json::value& entry : tasks) {
    TRY(Task task, task_of(entry));
    exchange.tasks.push_back(std::move(task));
  }
  for (const json::value& entry : list_of(answer, "reports")) {
    const json::object* object = entry.if_object();
    const json::value* error = object != nullptr ? object->if_contains("error") : nullptr;
    if (error != nullptr && error->is_object()) {
      exchange.reports.emplace_back(fail(error_of(error->get_object(), "message")));
    } else {
      exchange.reports.emplace_back();
    }
  }
  if (exchange.reports.size() != reports) return fail(ErrorCode::io, "the server did not answer all reports");
  return exchange;
}

json::object error_json(const model::Failure& failure) {
  json::object error{{"type", failure.type}, {"message", failure.message}};
  if (failure.never_retry) error["retry"] = false;
  if (failure.retry_after) error["retry_after"] = static_cast<double>(failure.retry_after->us) / 1e6;
  if (failure.exit_code) error["exit_code"] = *failure.exit_code;
  if (failure.signal) error["signal"] = *failure.signal;
  if (failure.status) error["status"] = *failure.status;
  return error;
}

// `result` is JSON already and goes out as it is.
void add_report(const Report& report, std::string& out) {
  using Kind = model::Outcome::Kind;
  const model::Outcome& outcome = report.outcome;
  json::object head{{"task", report.task.text()}, {"token", report.token.text()}};
  head["status"] = report.unbegun                    ? "released"
                   : outcome.kind == Kind::completed ? "completed"
                   : outcome.kind == Kind::failed    ? "failed"
                                                     : "interrupted";
  if (outcome.kind == Kind::failed && !report.unbegun) head["error"] = error_json(outcome.failure);
  std::string text = json::serialize(head);
  if (!outcome.result.empty()) {
    text.back() = ',';
    text += "\"result\":" + outcome.result + '}';
  }
  out += text;
}

void add_list(std::string_view name, const std::vector<std::string>& words, std::string& out) {
  json::array list;
  for (const std::string& word : words) list.emplace_back(word);
  out += "\"" + std::string(name) + "\":" + json::serialize(list) + ',';
}

json::array list_of_tokens(const std::vector<Token>& tokens) {
  json::array list;
  list.reserve(tokens.size());
  for (const Token& token : tokens) list.emplace_back(token.text());
  return list;
}

void add_offer(const Offer& offer, std::string& out) {
  if (!offer.queues.empty()) add_list("queues", offer.queues, out);
  if (!offer.functions.empty()) add_list("functions", offer.functions, out);
  if (offer.steps) out += "\"steps\":true,";
}

void add_about(const About& about, std::string& out) {
  if (!about.tags.empty()) add_list("tags", about.tags, out);
  out += "\"concurrency\":" + std::to_string(about.concurrency) + ',';
}

// Seconds; the other form, a date, is none that Baton writes.
Duration pause_of(const net::Response& response) {
  std::int64_t seconds = 0;
  const std::string_view text = response.headers.find("Retry-After").value_or("");
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return Duration::seconds(std::clamp<std::int64_t>(seconds, 0, kLongestAsked));
}

}  // namespace

ServerCalls::ServerCalls(client::Server server, std::string worker, const net::Cancellation* cancel)
    : server_(std::move(server)),
      path_("/api/v1/workers/" + net::percent_encode(worker)),
      http_(server_.endpoint, net::ClientOptions{.tls = server_.tls}),
      cancel_(cancel) {}

Result<std::string> ServerCalls::send(net::Method method, std::string target, std::string body,
                                      Duration timeout, bool idempotent) {
  net::ClientRequest request{method, std::move(target), {}, std::move(body), idempotent};
  request.headers.set("User-Agent", "baton-worker");
  if (!request.body.empty()) request.headers.set("Content-Type", "application/json");
  if (!server_.key.empty()) request.headers.set("Authorization", "Bearer " + server_.key);
  if (!server_.space.empty()) request.headers.set("X-Baton-Namespace", server_.space);
  asked_pause_ = {};
  TRY(net::Response response, http_.request(request, timeout, cancel_));
  if (response.status < 200 || response.status >= 300) {
    asked_pause_ = pause_of(response);
    return fail(error_of(response));
  }
  return std::move(response.body);
}

Result<Heartbeat> ServerCalls::register_worker(const Offer& offer, const About& about) {
  std::string body = "{";
  add_offer(offer, body);
  add_about(about, body);
  body += "\"protocol\":" + std::to_string(kProtocol) + '}';
  TRY(const std::string answer, send(net::Method::post, path_ + "/register", std::move(body), kPatience));
  return heartbeat_of(answer);
}

Result<Exchange> ServerCalls::claim(const Offer& offer, std::uint32_t max, Duration wait,
                                    const std::vector<Report>& reports,
                                    const std::optional<std::vector<Token>>& running) {
  std::string body = "{";
  add_offer(offer, body);
  if (running) body += "\"running\":" + json::serialize(list_of_tokens(*running)) + ',';
  body += "\"max\":" + std::to_string(max) + ",\"wait\":" + std::to_string(wait.us / 1'000'000) + ',';
  return exchange("/claim", std::move(body), wait, reports);
}

Result<Exchange> ServerCalls::report(const std::vector<Report>& reports) {
  return exchange("/report", "{", Duration{}, reports);
}

Result<Exchange> ServerCalls::exchange(std::string_view call, std::string body, Duration wait,
                                       const std::vector<Report>& reports) {
  body += "\"reports\":[";
  for (const Report& report : reports) {
    if (body.back() != '[') body += ',';
    add_report(report, body);
  }
  body += "]}";
  // What a lost answer of a claim has handed out is found by a repetition that names what the worker has:
  // this one does not, if the connection repeats it by itself.
  const bool idempotent = call != "/claim";
  TRY(const std::string text,
      send(net::Method::post, path_ + std::string(call), std::move(body), wait + kPatience, idempotent));
  return exchange_of(text, reports.size());
}

Result<Heartbeat> ServerCalls::heartbeat(const std::vector<Token>& running, const About& about,
                                         const executors::process::Usage& usage, Duration patience) {
  std::string body = "{";
  add_about(about, body);
  if (usage.cpu_percent) body += "\"cpu_percent\":" + json::serialize(json::value(*usage.cpu_percent)) + ',';
  if (usage.memory_bytes) body += "\"memory_bytes\":" + std::to_string(*usage.memory_bytes) + ',';
  body += "\"running\":" + json::serialize(list_of_tokens(running)) + '}';
  TRY(const std::string answer, send(net::Method::post, path_ + "/heartbeat", std::move(body), patience));
  return heartbeat_of(answer);
}

Result<Exchange> ServerCalls::release(const std::vector<Task>& tasks) {
  json::array reports;
  for (const Task& task : tasks) {
    reports.push_back(
        json::object{{"task", task.id.text()}, {"token", task.token.text()}, {"status", "released"}});
  }
  TRY(const std::string text,
      send(net::Method::post, path_ + "/report",
           json::serialize(json::object{{"reports", std::move(reports)}}), kPatience));
  return exchange_of(text, tasks.size());
}

Result<std::uint64_t> ServerCalls::append_log(const Task& task, std::uint64_t offset,
                                              const std::vector<Output>& output) {
  json::array entries;
  for (const Output& piece : output)
    entries.push_back(json::object{{"stream", logs::name(piece.stream)}, {"text", piece.text}});
  const json::object body{{"token", task.token.text()}, {"offset", offset}, {"entries", std::move(entries)}};
  TRY(const std::string text,
      send(net::Method::post, "/api/v1/tasks/" + task.id.text() + "/logs", json::serialize(body), kPatience));
  TRY(const json::object answer, parse(text));
  const json::value* size = answer.if_contains("offset");
  if (size == nullptr || !size->is_int64() || size->get_int64() < 0)
    return fail(ErrorCode::io, "the server did not say how much of the log it has");
  return static_cast<std::uint64_t>(size->get_int64());
}

Result<std::vector<RunEnd>> ServerCalls::ended_runs(const std::vector<RunId>& runs) {
  json::array asked;
  for (const RunId& run : runs) asked.emplace_back(run.text());
  TRY(const std::string text, send(net::Method::post, path_ + "/ended-runs",
                                   json::serialize(json::object{{"runs", std::move(asked)}}), kPatience));
  TRY(const json::object answer, parse(text));
  std::vector<RunEnd> ends;
  for (const json::value& entry : list_of(answer, "items")) {
    const json::object* object = entry.if_object();
    const auto run = object != nullptr ? RunId::parse(text_of(*object, "run")) : std::nullopt;
    if (!run) continue;
    RunEnd end{*run, std::nullopt};
    if (const json::value* ago = object->if_contains("ended_for"); ago != nullptr && ago->is_number()) {
      TRY(end.ago, duration_from_seconds(ago->to_number<double>()));
    }
    ends.push_back(end);
  }
  return ends;
}

Status ServerCalls::leave() {
  TRY_VOID(send(net::Method::delete_, path_, "", kPatience));
  return {};
}

}  // namespace baton::worker

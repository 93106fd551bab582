#include <algorithm>
#include <baton/client.hpp>
#include <baton/workflow.hpp>
#include <chrono>
#include <exception>
#include <mutex>
#include <random>
#include <thread>

#include "bridge.hpp"
#include "net/http_client.hpp"
#include "net/url.hpp"

namespace baton::v0 {
namespace {

using Clock = std::chrono::steady_clock;
namespace json = boost::json;

constexpr double kLongestWait = 300;  // of one request, in seconds
constexpr baton::Duration kFirstPause = baton::Duration::millis(50);
constexpr baton::Duration kLongestPause = baton::Duration::seconds(2);
constexpr baton::Duration kRequestPatience = baton::Duration::seconds(60);
constexpr std::size_t kPage = 1000;

std::string random_key() {
  constexpr char kHex[] = "0123456789abcdef";
  std::random_device random;
  std::string key;
  for (int i = 0; i < 4; ++i) {
    std::uint32_t bits = random();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4) key += kHex[bits & 15];
  }
  return key;
}

std::string text_of(const Json& json) {
  const std::string* text = json.if_string();
  return text != nullptr ? *text : std::string();
}
std::uint32_t number_of(const Json& json) {
  return json.is_integer() ? json.try_get<std::uint32_t>().value_or(0U) : 0;
}
std::optional<FailureInfo> failure_of(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  return FailureInfo{text_of(json["type"]), text_of(json["message"])};
}

Run run_of(Json shown) {
  Run run;
  run.raw = std::move(shown);
  const Json& raw = run.raw;
  run.id = text_of(raw["id"]);
  run.workflow = text_of(raw["workflow"]);
  run.version = number_of(raw["version"]);
  run.status = text_of(raw["status"]);
  if (raw["progress"].is_number()) run.progress = raw["progress"].get<double>();
  run.job_id = text_of(raw["job_id"]);
  run.error = failure_of(raw["error"]);
  run.input = raw["input"];
  run.metadata = raw["metadata"];
  run.recovery_attempts = number_of(raw["recovery_attempts"]);
  return run;
}

TaskRow task_of(Json shown) {
  TaskRow task;
  task.raw = std::move(shown);
  const Json& raw = task.raw;
  task.id = text_of(raw["id"]);
  task.step = text_of(raw["step"]);
  if (raw["index"].is_integer()) task.index = number_of(raw["index"]);
  task.status = text_of(raw["status"]);
  task.attempts = number_of(raw["attempts"]);
  task.result = raw["result"];
  task.error = failure_of(raw["error"]);
  return task;
}

bool may_pass(baton::ErrorCode code) {
  return code == baton::ErrorCode::unavailable || code == baton::ErrorCode::io ||
         code == baton::ErrorCode::overloaded;
}

void put(json::object& body, std::string_view name, std::string_view value) {
  if (!value.empty()) body[name] = value;
}

// What an answer says that is none of success.
Error refusal_of(const baton::net::Response& response) {
  const Result<Json> problem = Json::parse(response.body);
  if (problem && (*problem)["detail"].is_string()) {
    const auto code = baton::error_code_from_name(text_of((*problem)["code"]));
    return {static_cast<Code>(code.value_or(baton::ErrorCode::io)), text_of((*problem)["detail"]),
            text_of((*problem)["pointer"])};
  }
  return {response.status >= 500 ? Code::unavailable : Code::io,
          "the server answered with status " + std::to_string(response.status), ""};
}

// "/api/v1/tasks/ID/retry"
std::string path_of(std::string_view nouns, std::string_view id, std::string_view verb = {}) {
  std::string path = "/api/v1/" + std::string(nouns) + '/' + baton::net::percent_encode(id);
  if (!verb.empty()) path += '/' + std::string(verb);
  return path;
}

// Members that are said.
Json body_of(std::initializer_list<JsonObject::Member> members) {
  Json body = Json::object();
  for (const auto& [name, value] : members) {
    const std::string* text = value.if_string();
    if (!value.is_null() && (text == nullptr || !text->empty())) body.set(name, value);
  }
  return body;
}

std::string query_of(std::initializer_list<std::pair<const char*, std::string_view>> words) {
  std::string query;
  for (const auto& [name, value] : words) {
    if (value.empty()) continue;
    query += query.empty() ? '?' : '&';
    query += std::string(name) + '=' + baton::net::percent_encode(value);
  }
  return query;
}

}  // namespace

struct Client::Impl {
  struct Line {
    explicit Line(const baton::client::Server& server)
        : typed(server), plain(server.endpoint, baton::net::ClientOptions{.tls = server.tls}) {}
    baton::client::Client typed;
    baton::net::HttpClient plain;  // of calls that `typed` has no function for
  };
  using Connection = std::unique_ptr<Line>;

  Impl(ServerAddress where, Seconds how_long) : address(std::move(where)), patience(how_long) {}

  // A connection for one call; the address is looked up at the first.
  baton::Result<Connection> connect() {
    const std::lock_guard lock(mutex);
    if (!server) {
      TRY(server, server_of(address));
    }
    if (idle.empty()) return std::make_unique<Line>(*server);
    Connection connection = std::move(idle.back());
    idle.pop_back();
    return connection;
  }

  // `request` may be made again while nobody answers, unless it is `once`.
  template <typename Request>
  auto call(Request request, bool once = false) -> decltype(request(std::declval<baton::client::Client&>())) {
    return on_a_line([&](Line& line) { return request(line.typed); }, once);
  }
  // Who has no server yet is told how to get one.
  void add_hint(baton::Error& error) const {
    if (error.code != baton::ErrorCode::unavailable || !server || !server->endpoint.unix_socket) return;
    error.message += "; start `baton server`, or say where one is: BATON_URL, BATON_SOCKET, BATON_DATA";
  }
  template <typename Request>
  auto on_a_line(Request request, bool once) -> decltype(request(std::declval<Line&>())) {
    TRY(Connection connection, connect());
    const auto end = Clock::now() + duration_of(patience).chrono();
    for (baton::Duration pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
      auto answer = request(*connection);
      const bool again =
          !answer && !once && may_pass(answer.error().code) && Clock::now() + pause.chrono() < end;
      if (!again) {
        const std::lock_guard lock(mutex);
        idle.push_back(std::move(connection));
        if (!answer) add_hint(answer.error());
        return answer;
      }
      std::this_thread::sleep_for(pause.chrono());
    }
  }

  // A call by its path. `key`: it may be repeated, since the server knows the key.
  Result<Json> ask(baton::net::Method method, std::string path, const Json& body, std::string_view key,
                   bool once) {
    baton::net::ClientRequest request{
        method, std::move(path), {}, body.is_null() ? "" : body.text(), !key.empty()};
    if (!request.body.empty()) request.headers.set("Content-Type", "application/json");
    if (!key.empty()) request.headers.set("Idempotency-Key", std::string(key));
    return send(std::move(request), once);
  }
  Result<Json> send(baton::net::ClientRequest request, bool once) {
    request.headers.set("User-Agent", "baton-cpp");
    const auto response = on_a_line(
        [&](Line& line) -> baton::Result<baton::net::Response> {
          if (!server->key.empty()) request.headers.set("Authorization", "Bearer " + server->key);
          if (!server->space.empty()) request.headers.set("X-Baton-Namespace", server->space);
          TRY(baton::net::Response answer, line.plain.request(request, kRequestPatience));
          // Asks for patience as a server does that is not there.
          if (answer.status == 429 || answer.status == 503) {
            const Error refusal = refusal_of(answer);
            return baton::fail(static_cast<baton::ErrorCode>(refusal.code), refusal.message, refusal.where);
          }
          return answer;
        },
        once);
    if (!response) return error_of(response.error());
    if (response->status < 200 || response->status >= 300) return refusal_of(*response);
    if (response->body.empty()) return Json();
    Result<Json> parsed = Json::parse(response->body);
    return parsed ? std::move(parsed) : Result<Json>(Json(response->body));
  }
  Result<Json> get(std::string path) { return ask(baton::net::Method::get, std::move(path), {}, {}, false); }
  Result<Json> post(std::string path, const Json& body, std::string_view key = {}) {
    return ask(baton::net::Method::post, std::move(path), body, key.empty() ? random_key() : std::string(key),
               false);
  }
  Status done(const Result<Json>& answer) {
    if (!answer) return answer.error();
    return {};
  }
  // All pages of a list.
  Result<std::vector<Json>> items(const std::string& path, bool paged = true) {
    std::vector<Json> found;
    for (std::string cursor;;) {
      std::string more = paged ? std::string(path.find('?') == std::string::npos ? "?" : "&") +
                                     "limit=" + std::to_string(kPage)
                               : "";
      if (!cursor.empty()) more += "&cursor=" + baton::net::percent_encode(cursor);
      const Result<Json> page = get(path + more);
      if (!page) return page.error();
      if (const auto* list = (*page)["items"].if_array())
        found.insert(found.end(), list->begin(), list->end());
      cursor = text_of((*page)["next"]);
      if (cursor.empty()) return found;
    }
  }
  Result<TaskRow> decide(std::string_view task, std::string_view verb, const Json& body) {
    const Result<Json> answer = post(path_of("tasks", task, verb), body);
    if (!answer) return answer.error();
    return task_of(*answer);
  }

  template <typename Request>
  Result<Run> run(Request request, bool once = false) {
    const auto answer = call(std::move(request), once);
    if (!answer) return error_of(answer.error());
    return run_of(json_of(*answer));
  }

  Result<Run> submit(baton::client::Submission submission, const Start& start) {
    auto input = members_of(start.input, "the input of a run");
    if (!input) return error_of(input.error());
    auto metadata = members_of(start.metadata, "metadata");
    if (!metadata) return error_of(metadata.error());
    submission.input = std::move(*input);
    submission.metadata = std::move(*metadata);
    submission.job_id = start.job_id;
    submission.priority = start.priority;
    submission.workdir = start.workdir;
    for (const auto& [name, value] : start.env) submission.env[name] = value;
    submission.idempotency_key = start.idempotency_key.empty() ? random_key() : start.idempotency_key;
    const auto answer = call([&](baton::client::Client& client) { return client.submit(submission); });
    if (!answer) return error_of(answer.error());
    Run run = run_of(json_of(answer->run));
    run.existing = answer->existing;
    return run;
  }

  // All pages of a list.
  template <typename Row, typename Page, typename Make>
  Result<std::vector<Row>> list(Page page, Make make, std::size_t most) {
    std::vector<Row> rows;
    for (std::string cursor; rows.size() < most;) {
      const auto answer = call([&](baton::client::Client& client) {
        return page(client, std::min(most - rows.size(), kPage), cursor);
      });
      if (!answer) return error_of(answer.error());
      for (const json::object& item : answer->items) rows.push_back(make(json_of(item)));
      if (answer->next.empty()) break;
      cursor = answer->next;
    }
    return rows;
  }

  Result<Run> steer(std::string_view id, std::string_view verb, const Json& body, std::string_view key = {}) {
    const Result<Json> answer = post(path_of("runs", id, verb), body, key);
    if (!answer) return answer.error();
    return run_of(*answer);
  }

  const ServerAddress address;
  const Seconds patience;
  std::mutex mutex;
  // Guarded by mutex.
  std::optional<baton::client::Server> server;
  std::vector<Connection> idle;
};

Definition::Definition(const Workflow& workflow) : text_(workflow.text()) {}

Client::Client(ServerAddress server, Seconds patience)
    : impl_(std::make_unique<Impl>(std::move(server), patience)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

// ---- Making runs

Result<Run> Client::submit(const Definition& definition, const Start& start) {
  baton::client::Submission submission;
  submission.definition = definition.text();
  return impl_->submit(std::move(submission), start);
}

Result<Run> Client::start(std::string_view workflow, const Start& start) {
  baton::client::Submission submission;
  submission.workflow = workflow;
  submission.version = start.version;
  return impl_->submit(std::move(submission), start);
}

Result<Run> Client::call(std::string_view function, const Json& input, const Start& start) {
  const std::size_t dot = function.rfind('.');
  Workflow flow(function);
  Step& step = flow.step(dot == std::string_view::npos ? function : function.substr(dot + 1));
  step.task(std::string(function));
  if (!input.is_null()) step.with(input);
  return submit(flow, start);
}

Result<Applied> Client::apply(const Definition& definition, const ApplyOptions& options) {
  const Json body = body_of({{"definition", definition.text()},
                             {"note", options.note},
                             {"dry_run", options.dry_run ? Json(true) : Json()}});
  baton::net::ClientRequest request{baton::net::Method::post, "/api/v1/workflows", {}, body.text(), true};
  request.headers.set("Content-Type", "application/json");
  request.headers.set("Idempotency-Key",
                      random_key());  // with `expected`, a repetition would meet its first try
  if (options.expected) request.headers.set("If-Match", '"' + std::to_string(*options.expected) + '"');
  const Result<Json> answer = impl_->send(std::move(request), false);
  if (!answer) return answer.error();
  Applied applied;
  applied.raw = *answer;
  applied.workflow = text_of(applied.raw["workflow"]);
  applied.version = number_of(applied.raw["version"]);
  applied.hash = text_of(applied.raw["hash"]);
  applied.outcome = text_of(applied.raw["outcome"]);
  return applied;
}

Result<std::vector<std::string>> Client::submit_many(const Definition& definition,
                                                     const std::vector<Json>& inputs,
                                                     std::string_view idempotency_key) {
  Json runs = Json::array();
  for (const Json& input : inputs) runs.push_back(body_of({{"input", input}}));
  const Result<Json> answer =
      impl_->post("/api/v1/runs/batch", Json::object({{"definition", definition.text()}, {"runs", runs}}),
                  idempotency_key);
  if (!answer) return answer.error();
  std::vector<std::string> ids;
  const Json& made = (*answer)["runs"];
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (const Json& wrong = made.at(i)["error"]; wrong.is_object()) {
      const auto code = baton::error_code_from_name(text_of(wrong["code"]));
      return Error{static_cast<Code>(code.value_or(baton::ErrorCode::io)),
                   "run " + std::to_string(i) + " of " + std::to_string(made.size()) + ": " +
                       text_of(wrong["message"]),
                   "/runs/" + std::to_string(i)};
    }
    ids.push_back(text_of(made.at(i)["id"]));
  }
  return ids;
}

// ---- Looking at runs

Result<Run> Client::get(std::string_view run) {
  return impl_->run([&](baton::client::Client& client) { return client.run(run); });
}

Result<std::vector<Run>> Client::list(const RunFilter& filter) {
  return impl_->list<Run>(
      [&](baton::client::Client& client, std::size_t limit, const std::string& cursor) {
        baton::client::RunQuery query;
        query.status = filter.status;
        query.state = filter.state;
        query.workflow = filter.workflow;
        query.job_id = filter.job_id;
        query.where = filter.where;
        query.limit = limit;
        query.cursor = cursor;
        return client.runs(query);
      },
      run_of, filter.limit);
}

Result<std::vector<TaskRow>> Client::tasks(std::string_view run) {
  return impl_->list<TaskRow>([&](baton::client::Client& client, std::size_t limit,
                                  const std::string& cursor) { return client.tasks(run, limit, cursor); },
                              task_of, SIZE_MAX);
}

Result<TaskRow> Client::task(std::string_view task) {
  const auto answer = impl_->call([&](baton::client::Client& client) { return client.task(task); });
  if (!answer) return error_of(answer.error());
  return task_of(json_of(*answer));
}

Result<Json> Client::progress(std::string_view run) {
  const auto answer = impl_->call([&](baton::client::Client& client) { return client.progress(run); });
  if (!answer) return error_of(answer.error());
  return json_of(*answer);
}

Result<std::vector<std::string>> Client::explain(std::string_view run) {
  const auto answer = impl_->call([&](baton::client::Client& client) { return client.explain_run(run); });
  if (!answer) return error_of(answer.error());
  std::vector<std::string> sentences;
  const Json reasons = json_of(*answer)["reasons"];
  for (std::size_t i = 0; i < reasons.size(); ++i) sentences.push_back(text_of(reasons.at(i)["message"]));
  return sentences;
}

Result<Run> Client::wait(std::string_view run, std::optional<Seconds> timeout) {
  const auto begin = Clock::now();
  for (;;) {
    const double left = timeout
                            ? timeout->count() - std::chrono::duration<double>(Clock::now() - begin).count()
                            : kLongestWait;
    // Whole seconds; the last piece of a short time is waited for in full.
    const double piece = std::clamp(left, 0.0, kLongestWait);
    const auto rounded = baton::Duration::seconds(static_cast<std::int64_t>(piece + 0.999));
    Result<Run> found = impl_->run([&](baton::client::Client& client) { return client.wait(run, rounded); });
    if (!found || found->ended()) return found;
    if (timeout && left <= piece) {
      return Error{Code::timed_out, "run " + found->id + " is still " + found->status + "; it goes on", ""};
    }
  }
}

Result<Json> Client::results(std::string_view run) {
  Result<std::vector<TaskRow>> rows = tasks(run);
  if (!rows) return std::move(rows).error();
  Json results = Json::object();
  for (TaskRow& task : *rows) {
    if (text_of(task.raw["role"]) != "main") continue;
    if (task.index) {
      results.set(task.step).push_back(std::move(task.result));
    } else {
      results.set(task.step) = std::move(task.result);
    }
  }
  return results;
}

Result<Json> Client::result(std::string_view run, std::optional<Seconds> timeout) {
  const Result<Run> ended = wait(run, timeout);
  if (!ended) return ended.error();
  if (!ended->completed()) {
    std::string why = ended->error ? ": " + ended->error->message : "";
    return Error{Code::conflict, "run " + ended->id + " of " + ended->workflow + " is " + ended->status + why,
                 ended->id};
  }
  const auto text = impl_->call([&](baton::client::Client& client) { return client.definition(run); });
  if (!text) return error_of(text.error());
  const Result<Json> definition = Json::parse(*text);
  if (!definition) return definition.error();
  const Result<Json> all = results(run);
  if (!all) return all.error();
  const Json& steps = (*definition)["steps"];
  Json needed = Json::object();
  Json last = Json::object();
  if (steps.is_object()) {
    for (const auto& [name, step] : *steps.if_object()) {
      const Json& needs = step["needs"];
      for (std::size_t i = 0; i < needs.size(); ++i) needed.set(text_of(needs.at(i)), true);
    }
    for (const auto& [name, step] : *steps.if_object()) {
      if (needed[name].is_null()) last.set(name, (*all)[name]);
    }
  }
  if (last.size() == 1) return last.if_object()->begin()->second;
  return last;
}

Status Client::events(std::string_view run, const std::function<bool(const Event&)>& on_event,
                      std::string_view after) {
  std::string place(after);
  bool over = false;
  std::exception_ptr thrown;
  const auto handle = [&](baton::client::Event got) {
    const Event event{std::move(got.id), std::move(got.type), json_of(got.data)};
    try {
      over = !on_event(event);
    } catch (...) {  // not through the connection
      thrown = std::current_exception();
      over = true;
    }
    over = over || event.type == "run.ended";
    if (!event.id.empty()) place = event.id;
    return !over;
  };
  auto connection = impl_->connect();
  if (!connection) return error_of(connection.error());
  auto end = Clock::now() + duration_of(impl_->patience).chrono();
  for (baton::Duration pause = kFirstPause;;) {
    const std::string before = place;
    const auto streamed = (*connection)->typed.events(run, place, handle);
    if (thrown) std::rethrow_exception(thrown);
    if (over) return {};
    if (place != before) {
      pause = kFirstPause;
      end = Clock::now() + duration_of(impl_->patience).chrono();
    }
    if (streamed) {
      // The server has ended the stream: the run is over, or the server ends.
      const Result<Run> now = get(run);
      if (!now) return now.error();
      if (now->ended()) return {};
    } else if (!may_pass(streamed.error().code) || Clock::now() + pause.chrono() >= end) {
      return error_of(streamed.error());
    }
    std::this_thread::sleep_for(pause.chrono());
    pause = std::min(pause * 2, kLongestPause);
  }
}

Result<std::string> Client::logs(std::string_view task, const LogOptions& options) {
  baton::client::LogQuery query;
  query.attempt = options.attempt;
  query.tail = options.tail;
  query.raw = true;
  std::string text;
  const auto status = impl_->call([&](baton::client::Client& client) {
    text.clear();
    return client.logs(task, query, [&](std::string_view piece) {
      text += piece;
      return true;
    });
  });
  if (!status) return error_of(status.error());
  return text;
}

// ---- Steering runs

Result<Run> Client::cancel(std::string_view run, std::string_view reason) {
  return impl_->run([&](baton::client::Client& client) { return client.cancel(run, false, reason); });
}
Result<Run> Client::terminate(std::string_view run, std::string_view reason) {
  return impl_->run([&](baton::client::Client& client) { return client.cancel(run, true, reason); });
}
Result<Run> Client::pause(std::string_view run, std::string_view reason) {
  return impl_->steer(run, "pause", body_of({{"reason", reason}}));
}
Result<Run> Client::resume(std::string_view run) {
  return impl_->steer(run, "resume", Json::object());
}

Result<Run> Client::recover(std::string_view run, const Recover& how) {
  Json body = body_of({{"reason", how.reason}});
  if (how.from) body.set("from", *how.from);
  if (!how.keep.empty()) body.set("keep", Json::of(how.keep));
  if (how.failed_only) body.set("failed_only", true);
  if (how.force) body.set("force", true);
  return impl_->steer(run, "recover", body);
}

Result<Run> Client::retry(std::string_view run, bool force) {
  return impl_->steer(run, "retry", force ? Json::object({{"force", true}}) : Json::object());
}

Result<Run> Client::replay(std::string_view run, const Replay& how) {
  Json body = body_of({{"input", how.input}, {"job_id", how.job_id}});
  if (how.version != 0) body.set("version", how.version);
  return impl_->steer(run, "replay", body, how.idempotency_key);
}

Result<Run> Client::change(std::string_view run, const RunChange& what) {
  Json body = body_of({{"metadata", what.metadata}, {"labels", what.labels}});
  if (what.priority) body.set("priority", *what.priority);
  const Result<Json> answer = impl_->ask(baton::net::Method::patch, path_of("runs", run), body, {}, false);
  if (!answer) return answer.error();
  return run_of(*answer);
}

Result<std::uint64_t> Client::signal(std::string_view run, std::string_view signal_name, const Json& data,
                                     std::string_view idempotency_key) {
  const std::string key = idempotency_key.empty() ? random_key() : std::string(idempotency_key);
  const json::value value = boost_of(data);
  const auto answer =
      impl_->call([&](baton::client::Client& client) { return client.signal(run, signal_name, value, key); });
  if (!answer) return error_of(answer.error());
  return json_of(*answer)["number"].try_get<std::uint64_t>();
}

// ---- Deciding about tasks

Result<TaskRow> Client::retry_task(std::string_view task, std::string_view reason) {
  return impl_->decide(task, "retry", body_of({{"reason", reason}}));
}
Result<TaskRow> Client::skip_task(std::string_view task, std::string_view reason) {
  return impl_->decide(task, "skip", body_of({{"reason", reason}}));
}
Result<TaskRow> Client::complete_task(std::string_view task, const Json& result, std::string_view reason) {
  Json body = body_of({{"reason", reason}});
  body.set("result", result);
  return impl_->decide(task, "complete", body);
}
Result<TaskRow> Client::fail_task(std::string_view task, std::string_view reason) {
  return impl_->decide(task, "fail", body_of({{"reason", reason}}));
}
Result<std::vector<Json>> Client::approvals(std::string_view run) {
  return impl_->items("/api/v1/approvals" + query_of({{"run", run}}));
}
Result<TaskRow> Client::approve(std::string_view task, const Json& value, std::string_view reason) {
  Json body = body_of({{"reason", reason}});
  if (!value.is_null()) body.set("value", value);
  return impl_->decide(task, "approve", body);
}
Result<TaskRow> Client::reject(std::string_view task, std::string_view reason) {
  return impl_->decide(task, "reject", body_of({{"reason", reason}}));
}

// ---- What failed for good

Result<std::vector<Json>> Client::dead_letters(const DeadLetterFilter& filter) {
  return impl_->items("/api/v1/dead-letters" + query_of({{"workflow", filter.workflow},
                                                         {"step", filter.step},
                                                         {"error_type", filter.error_type},
                                                         {"group", filter.group}}));
}
Result<Json> Client::dead_letter(std::string_view letter) {
  return impl_->get(path_of("dead-letters", letter));
}
Result<Json> Client::replay_dead_letter(std::string_view letter, const Json& arguments,
                                        std::string_view reason) {
  return impl_->post(path_of("dead-letters", letter, "replay"),
                     body_of({{"arguments", arguments}, {"reason", reason}}));
}
Result<std::uint64_t> Client::discard_dead_letters(const std::vector<std::string>& letters) {
  const Result<Json> answer =
      impl_->post("/api/v1/dead-letters/discard", Json::object({{"ids", Json::of(letters)}}));
  if (!answer) return answer.error();
  return (*answer)["discarded"].try_get<std::uint64_t>();
}

// ---- Workflows, queues, workers, secrets

Result<std::vector<Json>> Client::workflows() {
  return impl_->items("/api/v1/workflows");
}
Result<Json> Client::workflow(std::string_view name, std::uint32_t version) {
  return impl_->get(path_of("workflows", name) + (version == 0 ? "" : "?version=" + std::to_string(version)));
}
Result<std::vector<Json>> Client::versions(std::string_view workflow) {
  return impl_->items(path_of("workflows", workflow, "versions"));
}
Result<std::vector<Json>> Client::queues() {
  return impl_->items("/api/v1/queues", false);
}
Status Client::pause_queue(std::string_view queue, std::string_view reason) {
  return impl_->done(impl_->post(path_of("queues", queue, "pause"), body_of({{"reason", reason}})));
}
Status Client::resume_queue(std::string_view queue) {
  return impl_->done(impl_->post(path_of("queues", queue, "resume"), Json::object()));
}
Result<std::vector<Json>> Client::workers(std::string_view tag) {
  return impl_->items("/api/v1/workers" + query_of({{"tag", tag}}), false);
}
Status Client::pause_worker(std::string_view worker, std::string_view reason) {
  return impl_->done(impl_->post(path_of("workers", worker, "pause"), body_of({{"reason", reason}})));
}
Status Client::resume_worker(std::string_view worker) {
  return impl_->done(impl_->post(path_of("workers", worker, "resume"), Json::object()));
}
Status Client::drain_worker(std::string_view worker) {
  return impl_->done(impl_->post(path_of("workers", worker, "drain"), Json::object()));
}
Result<std::vector<Json>> Client::secrets() {
  return impl_->items("/api/v1/secrets", false);
}
Status Client::set_secret(std::string_view name, std::string_view value, std::string_view reason) {
  return impl_->done(impl_->ask(baton::net::Method::put, path_of("secrets", name),
                                body_of({{"value", value}, {"reason", reason}}), {}, false));
}
Status Client::delete_secret(std::string_view name) {  // once: a repetition would find nothing
  return impl_->done(impl_->ask(baton::net::Method::delete_, path_of("secrets", name), {}, {}, true));
}

// ---- Everything else

Result<Json> Client::request(std::string_view method, std::string_view path, const Json& body) {
  const auto verb = baton::net::method_from(method);
  if (!verb || !path.starts_with('/')) {
    return Error{Code::usage, "a request has a method, as GET or POST, and a path that begins with /", ""};
  }
  return impl_->ask(*verb, std::string(path), body, {}, true);
}

}  // namespace baton::v0

// How calls of a Client are made: over connections that are kept, again while nobody answers.
#pragma once

#include <algorithm>
#include <baton/client.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "answers.hpp"
#include "bridge.hpp"
#include "client/client.hpp"
#include "net/http_client.hpp"
#include "net/url.hpp"

namespace baton::v0 {

struct Client::Impl {
  using Clock = std::chrono::steady_clock;
  static constexpr baton::Duration kFirstPause = baton::Duration::millis(50);
  static constexpr baton::Duration kLongestPause = baton::Duration::seconds(2);
  static constexpr baton::Duration kRequestPatience = baton::Duration::seconds(60);
  static constexpr std::size_t kPage = 1000;

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
      for (const boost::json::object& item : answer->items) rows.push_back(make(json_of(item)));
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

}  // namespace baton::v0

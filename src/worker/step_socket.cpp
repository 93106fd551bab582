#include "worker/step_socket.hpp"

#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "net/http_server.hpp"
#include "net/loop.hpp"

namespace baton::worker {
namespace {

namespace json = boost::json;

constexpr std::size_t kThreads = 2;
constexpr std::size_t kMostWaiting = 1000;  // calls, of all steps together
constexpr Duration kPatience = Duration::seconds(30);
constexpr std::string_view kTasks = "/api/v1/tasks/";

net::Response refusal(int status, ErrorCode code, std::string_view detail) {
  const json::object problem{{"type", "about:blank"},
                             {"title", net::reason_phrase(status)},
                             {"status", status},
                             {"code", info(code).name},
                             {"detail", detail}};
  return {status, {{"Content-Type", "application/problem+json"}}, json::serialize(problem)};
}

// What a step may ask for, written anew so that nothing else of its path comes through.
struct Asked {
  TaskId task;
  std::string target;
};
std::optional<Asked> asked_of(const net::Request& request) {
  std::string_view rest = request.path;
  if (request.method != net::Method::post || !request.query.empty() || !rest.starts_with(kTasks))
    return std::nullopt;
  rest.remove_prefix(kTasks.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto task = TaskId::parse(rest.substr(0, slash));
  if (!task) return std::nullopt;
  rest.remove_prefix(slash + 1);
  std::string target = std::string(kTasks) + task->text() + '/';
  if (rest == "progress" || rest == "resources" || rest == "tasks" || rest == "runs")
    return Asked{*task, target + std::string(rest)};
  constexpr std::string_view kResources = "resources/";
  constexpr std::string_view kRelease = "/release";
  if (!rest.starts_with(kResources) || !rest.ends_with(kRelease) ||
      rest.size() <= kResources.size() + kRelease.size())
    return std::nullopt;
  const std::string_view name =
      rest.substr(kResources.size(), rest.size() - kResources.size() - kRelease.size());
  return Asked{*task, target + "resources/" + net::percent_encode(name) + "/release"};
}

std::optional<Token> token_of(const std::string& body) {
  boost::system::error_code error;
  const json::value parsed = parse_json(body, error, {}, {.max_depth = kReadJsonDepth});
  const json::object* members = error ? nullptr : parsed.if_object();
  const json::value* token = members != nullptr ? members->if_contains("token") : nullptr;
  return token != nullptr && token->is_string() ? Token::parse(token->get_string()) : std::nullopt;
}

class Forwarder final : public StepSocket {
 public:
  Forwarder(client::Server server, std::function<bool(const TaskId&, const Token&)> runs_here)
      : server_(std::move(server)),
        runs_here_(std::move(runs_here)),
        http_(loop_, {}, [this](net::Request request, net::Responder responder) {
          take(std::move(request), std::move(responder));
        }) {}

  ~Forwarder() override {
    http_.close();
    cancel_.cancel();
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    loop_.stop();
    loop_.join();
  }

  Status open(const std::string& directory) {
    path_ = directory + "/steps.sock";
    loop_.start();
    TRY_VOID(http_.listen_unix(path_, 0600, net::IfExists::replace));
    for (std::size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { forward_all(); });
    return {};
  }

  const std::string& path() const override { return path_; }

 private:
  struct Call {
    net::ClientRequest request;
    net::Responder responder;
  };

  // On the loop's thread.
  void take(net::Request request, net::Responder responder) {
    if (!request.peer.local || request.peer.uid != ::getuid())
      return responder.respond(
          refusal(403, ErrorCode::not_allowed, "this socket is for the steps of its own user"));
    const auto asked = asked_of(request);
    if (!asked) {
      return responder.respond(
          refusal(403, ErrorCode::not_allowed,
                  "a step may say here what `baton task` says for it, and nothing else"));
    }
    const auto token = token_of(request.body);
    if (!token || !runs_here_(asked->task, *token)) {
      return responder.respond(refusal(409, ErrorCode::stale_token,
                                       "task " + asked->task.text() + " does not run here with this token"));
    }
    net::ClientRequest onward{net::Method::post, asked->target, {}, std::move(request.body)};
    onward.headers.set("User-Agent", "baton-worker");
    onward.headers.set("Content-Type", "application/json");
    for (const char* name : {"Idempotency-Key", "traceparent"}) {
      if (const auto value = request.headers.find(name)) onward.headers.set(name, std::string(*value));
    }
    if (!server_.key.empty()) onward.headers.set("Authorization", "Bearer " + server_.key);
    if (!server_.space.empty()) onward.headers.set("X-Baton-Namespace", server_.space);
    {
      const std::lock_guard lock(mutex_);
      if (calls_.size() >= kMostWaiting) {
        return responder.respond(
            refusal(503, ErrorCode::overloaded, "too many steps of this worker speak to the server at once"));
      }
      calls_.push_back({std::move(onward), std::move(responder)});
    }
    changed_.notify_one();
  }

  void forward_all() {
    net::HttpClient client(server_.endpoint, net::ClientOptions{.tls = server_.tls});
    for (;;) {
      Call call;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopped_ || !calls_.empty(); });
        if (stopped_) return;
        call = std::move(calls_.front());
        calls_.pop_front();
      }
      auto answer = client.request(call.request, kPatience, &cancel_);
      if (!answer) {
        call.responder.respond(refusal(503, ErrorCode::unavailable, answer.error().message));
        continue;
      }
      net::Response response{answer->status, {}, std::move(answer->body)};
      for (const char* name : {"Content-Type", "Retry-After"}) {
        if (const auto value = answer->headers.find(name)) response.headers.set(name, std::string(*value));
      }
      call.responder.respond(std::move(response));
    }
  }

  const client::Server server_;
  const std::function<bool(const TaskId&, const Token&)> runs_here_;
  std::string path_;
  net::Cancellation cancel_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Call> calls_;  // guarded by mutex_
  bool stopped_ = false;    // guarded by mutex_
  std::vector<std::thread> threads_;
  net::Loop loop_;
  net::HttpServer http_;
};

}  // namespace

Result<std::unique_ptr<StepSocket>> StepSocket::open(
    const std::string& directory, client::Server server,
    std::function<bool(const TaskId&, const Token&)> runs_here) {
  auto made = std::make_unique<Forwarder>(std::move(server), std::move(runs_here));
  TRY_VOID(made->open(directory));
  return std::unique_ptr<StepSocket>(std::move(made));
}

}  // namespace baton::worker

#include "api/api.hpp"

#include <atomic>
#include <expected>
#include <mutex>
#include <optional>
#include <vector>

#include "api/event_feed.hpp"
#include "api/handlers.hpp"
#include "api/namespaces.hpp"
#include "api/problem.hpp"
#include "api/router.hpp"
#include "api/submission.hpp"
#include "base/text.hpp"

namespace baton::api {
namespace {

// How long stop() waits for what only has to be answered. A commit takes far less; a thread that hangs in the
// database must not keep the process.
constexpr Duration kAnswerPatience = Duration::seconds(2);

// Bytes; a few reports. Reading more takes longer than handing it to another thread.
constexpr std::size_t kQuickBody = 4096;

bool is_of(const net::Request& request, std::string_view wanted) {
  const std::string_view type = request.headers.find("Content-Type").value_or("");
  std::string_view media = type.substr(0, type.find(';'));
  media = media.substr(0, media.find_last_not_of(' ') + 1);
  return net::equals_ignoring_case(media, wanted);
}

// What a path answers that has no route for the method.
net::Response without_route(const net::Request& request, const Match& match) {
  if (match.allowed.empty())
    return problem({ErrorCode::not_found, "there is nothing at " + printable(request.path), ""});
  const std::string allow = allow_text(match.allowed);
  net::Response response;
  if (request.method == net::Method::options) {
    response.status = 204;
  } else {
    response = problem({ErrorCode::invalid_request, "this path takes " + allow, ""}, 405);
  }
  response.headers.add("Allow", allow);
  return response;
}

// The answer to a browser that asks whether a page elsewhere may send what it wants to.
net::Response preflight() {
  return {204,
          {{"Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE"},
           {"Access-Control-Allow-Headers",
            "Authorization, Content-Type, Idempotency-Key, If-Match, Last-Event-ID, traceparent, X-API-Key, "
            "X-Baton-Namespace"},
           {"Access-Control-Max-Age", "600"}},
          ""};
}

// A change that comes with a cookie has to carry what no other site can know.
Status check_csrf(const net::Request& request, const auth::Session& session) {
  const bool reads = request.method == net::Method::get || request.method == net::Method::options;
  if (reads || request.headers.find("X-CSRF-Token") == session.csrf) return {};
  return fail(ErrorCode::not_allowed,
              "a change in a session needs the field X-CSRF-Token, as GET /api/v1/session says it");
}

// Which request this is, if it came with an idempotency key: what it asks for, and of what.
Result<model::RequestKey> request_key(const net::Request& request) {
  const std::string_view key = request.headers.find("Idempotency-Key").value_or("");
  if (key.empty() || request.method != net::Method::post) return model::RequestKey{};
  if (key.size() > kMaxKey)
    return fail(ErrorCode::invalid_request,
                "an Idempotency-Key has at most " + std::to_string(kMaxKey) + " bytes");
  return model::RequestKey{std::string(key), Hash256::of(request.target + '\n' + request.body)};
}

}  // namespace

struct Api::Impl {
  Impl(Services services, Space space)
      : common(std::make_shared<Common>(std::move(services))), home(open(std::move(space))) {}

  CorePtr open(Space space);

  // What a request is about; or why not, as an answer.
  std::expected<CorePtr, net::Response> space_of(const Call& call, const auth::Permission& permission) const;

  std::shared_ptr<Common> common;
  std::mutex mutex;
  std::vector<std::pair<CorePtr, std::uint64_t>> cores;  // with their subscriptions; guarded by mutex
  CorePtr home;
  std::shared_ptr<UnderWay> under_way = std::make_shared<UnderWay>();
  std::atomic<bool> stopped = false;
};

CorePtr Api::Impl::open(Space space) {
  auto core = std::make_shared<Core>(common, std::move(space));
  const std::uint64_t subscription =
      core->runs.subscribe([weak = std::weak_ptr(core)](const std::vector<RunKey>& changed) {
        const auto held = weak.lock();
        if (!held) return;
        held->watches.wake(changed);
        held->watches.wake({kAnyRun});
      });
  {
    const std::lock_guard lock(mutex);
    cores.emplace_back(core, subscription);
  }
  common->spaces.add(core->name, core);
  return core;
}

std::expected<CorePtr, net::Response> Api::Impl::space_of(const Call& call,
                                                          const auth::Permission& permission) const {
  std::optional<std::string_view> asked;
  for (const auto& [field, value] : call.request.headers) {
    if (!net::equals_ignoring_case(field, kNamespaceHeader)) continue;
    if (asked && *asked != value) {
      return std::unexpected(
          problem({ErrorCode::invalid_request, "the request names two namespaces in X-Baton-Namespace", ""}));
    }
    asked = value;
  }
  if (permission.anonymous() || permission.of_server()) return home;
  const std::string name(asked.value_or(call.principal.home()));
  if (!call.principal.may_enter(name)) {
    return std::unexpected(problem({ErrorCode::not_allowed,
                                    call.principal.name + " is for the namespace " + call.principal.space +
                                        " only, not for \"" + printable(utf8_prefix(name, 128)) + "\"",
                                    ""}));
  }
  if (CorePtr found = common->spaces.find(name)) return found;
  if (const auto why = common->spaces.why_unavailable(name)) return std::unexpected(problem(*why));
  return std::unexpected(problem(no_such_namespace(*common, call.principal, name)));
}

Api::Api(Services services, Space home)
    : impl_(std::make_unique<Impl>(std::move(services), std::move(home))) {}

void Api::add(Space space) {
  impl_->open(std::move(space));
}

void Api::add_unavailable(const std::string& name, Error why) {
  impl_->common->spaces.add_unavailable(
      name, {why.code, "the namespace " + name + " cannot be opened: " + why.message, why.where});
}

void Api::remove(const std::string& name) {
  if (const CorePtr core = impl_->common->spaces.take(name)) core->watches.clear();
}

Status Api::read_keys() {
  return refresh_keys(*impl_->home);
}

Api::~Api() {
  stop();
  impl_->common->spaces.clear();  // they and what they share hold each other
}

void Api::handle(net::Request request, net::Responder responder) {
  auto call = std::make_shared<Call>(std::move(request), std::move(responder), Ticket(impl_->under_way));
  Common& common = *impl_->common;
  call->meter = common.services.meter;
  if (impl_->stopped) return;  // the call says so
  const CorePtr& home = impl_->home;
  const net::Request& asked = call->request;
  if (!asked.peer.local) {
    auto place = common.entrance.place(asked);
    if (!place) return call->respond(std::move(place).error());
    call->page = std::move(*place);
    if (!call->page.empty() && asked.method == net::Method::options &&
        asked.headers.find("Access-Control-Request-Method"))
      return call->respond(preflight());
  }
  Match match = find_route(asked.method, asked.path);
  if (match.route == nullptr ? !match.open : !match.route->permission.anonymous()) {
    // Who may not come in is not told what there is.
    auto visitor = common.entrance.who(asked, wall_now(*home));
    if (!visitor) return call->respond(std::move(visitor).error());
    if (!visitor->key.empty())
      home->runs.send(model::NoteKeyUse{visitor->key}, "server", [](const model::ReplyBody&) {});
    call->principal = std::move(visitor->principal);
    call->actor = {call->principal.name, std::move(visitor->from)};
    call->credential = visitor->credential;
    call->session = std::move(visitor->session);
    if (call->session) {
      if (const auto own = check_csrf(asked, *call->session); !own) return call->fail(own.error());
    }
  }
  if (match.route == nullptr) return call->respond(without_route(asked, match));
  const auth::Permission& permission = match.route->permission;
  if (!permission.allows(call->principal)) {
    return call->fail({ErrorCode::not_allowed, auth::refusal(permission, call->principal), ""});
  }
  auto core = impl_->space_of(*call, permission);
  if (!core) return call->respond(std::move(core).error());
  const std::string_view media = match.route->form ? "application/x-www-form-urlencoded" : "application/json";
  if (!asked.body.empty() && !is_of(asked, media)) {
    return call->respond(problem(
        {ErrorCode::invalid_request, "the body must be of the Content-Type " + std::string(media), ""}, 415));
  }
  if (asked.method != net::Method::get && !match.route->conditional && asked.headers.find("If-Match")) {
    return call->fail(
        {ErrorCode::invalid_request, "this takes no If-Match: it would be done whatever the state is", ""});
  }
  auto key = request_key(asked);
  if (!key) return call->fail(key.error());
  call->actor.request = std::move(*key);
  call->captures = std::move(match.captures);
  call->route = match.route->pattern;
  auto work = [core = std::move(*core), call, handler = match.route->handler] {
    try {
      handler(core, call);
    } catch (const std::exception& error) {  // a library's: out of memory, say
      if (call->responder) call->fail({ErrorCode::internal, error.what(), ""});
    }
  };
  if (match.route->quick && asked.body.size() <= kQuickBody) return work();
  common.workers.post(std::move(work));
}

std::size_t Api::under_way() const {
  return impl_->under_way->count();
}

void Api::stop() {
  if (impl_->stopped.exchange(true)) return;
  Common& common = *impl_->common;
  std::vector<std::pair<CorePtr, std::uint64_t>> cores;
  {
    const std::lock_guard lock(impl_->mutex);
    cores = impl_->cores;
  }
  common.services.loop.invoke([&] {
    for (const auto& [core, subscription] : cores) core->runs.unsubscribe(subscription);
  });
  common.stopping = true;
  for (const auto& [core, subscription] : cores) core->watches.clear();
  common.alarms.clear();
  for (const auto& [core, subscription] : cores) {
    // Only the engine can take a claim back, so that no task is given to a worker that does not hear of it.
    for (const std::string& worker : core->claims.all()) {
      core->runs.send(model::ClaimTasks{.worker = worker, .max = 0}, "worker:" + worker,
                      [](const model::ReplyBody&) {});
    }
  }
  // A command that was begun is committed: who sent it must hear of that, or would send it to the next owner.
  impl_->under_way->wait_for_none(kAnswerPatience);
  common.workers.stop();
}

}  // namespace baton::api

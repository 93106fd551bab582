#include "api/api.hpp"

#include <pwd.h>
#include <unistd.h>

#include <atomic>

#include "api/event_feed.hpp"
#include "api/handlers.hpp"
#include "api/problem.hpp"
#include "api/router.hpp"
#include "base/text.hpp"

namespace baton::api {
namespace {

// How long stop() waits for what only has to be answered. A commit takes far less; a thread that hangs in the
// database must not keep the process.
constexpr Duration kAnswerPatience = Duration::seconds(2);

std::string user_name(uid_t uid) {
  char buffer[4096];
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) return entry.pw_name;
  return "uid " + std::to_string(uid);
}

}  // namespace

struct Api::Impl {
  explicit Impl(Services services)
      : core(std::make_shared<Core>(std::move(services))),
        own_uid(::geteuid()),
        own_name(user_name(own_uid)) {}

  std::string actor_of(const net::Request& request) const {
    const bool cli = request.headers.find("User-Agent").value_or("").starts_with("baton-cli");
    return (cli ? "cli:" : "api:") + (request.peer.uid == own_uid ? own_name : std::string("root"));
  }

  CorePtr core;
  const uid_t own_uid;
  const std::string own_name;
  std::uint64_t subscription = 0;
  std::shared_ptr<UnderWay> under_way = std::make_shared<UnderWay>();
  std::atomic<bool> stopped = false;
};

Api::Api(Services services) : impl_(std::make_unique<Impl>(std::move(services))) {
  impl_->subscription = impl_->core->services.runs.subscribe(
      [core = std::weak_ptr(impl_->core)](const std::vector<RunKey>& changed) {
        const auto held = core.lock();
        if (!held) return;
        held->watches.wake(changed);
        held->watches.wake({kAnyRun});
      });
}

Api::~Api() {
  stop();
}

void Api::handle(net::Request request, net::Responder responder) {
  auto call = std::make_shared<Call>(std::move(request), std::move(responder), Ticket(impl_->under_way));
  call->meter = impl_->core->services.meter;
  if (impl_->stopped) return;  // the call says so
  const net::Peer& peer = call->request.peer;
  if (peer.local && peer.uid != impl_->own_uid && peer.uid != 0) {
    return call->fail(
        {ErrorCode::not_allowed, "only processes of the user who runs Baton may use this socket", ""});
  }
  Match match = find_route(call->request.method, call->request.path);
  if (!peer.local && (match.route == nullptr || match.route->access != Access::anyone)) {
    net::Response response = net::problem(401, "a key is needed here");
    response.headers.add("WWW-Authenticate", "Bearer realm=\"baton\"");
    return call->respond(std::move(response));
  }
  if (match.route == nullptr) {
    Error error{ErrorCode::not_found, "there is nothing at " + printable(call->request.path), ""};
    if (match.allowed.empty()) return call->fail(error);
    std::string allowed;
    for (const net::Method method : match.allowed) {
      allowed += (allowed.empty() ? "" : ", ") + std::string(net::to_string(method));
    }
    net::Response response = net::problem(405, "this path takes " + allowed);
    response.headers.add("Allow", allowed);
    return call->respond(std::move(response));
  }
  call->captures = std::move(match.captures);
  call->route = match.route->pattern;
  call->actor = impl_->actor_of(call->request);
  const CorePtr& core = impl_->core;
  core->workers.post([core, call, handler = match.route->handler] {
    try {
      handler(core, call);
    } catch (const std::exception& error) {  // a library's: out of memory, say
      if (call->responder) call->fail({ErrorCode::internal, error.what(), ""});
    }
  });
}

std::size_t Api::under_way() const {
  return impl_->under_way->count();
}

void Api::stop() {
  if (impl_->stopped.exchange(true)) return;
  Core& core = *impl_->core;
  core.services.loop.invoke([&] { core.services.runs.unsubscribe(impl_->subscription); });
  core.stopping = true;
  core.watches.clear();
  core.alarms.clear();
  // Only the engine can take a claim back, so that no task is given to a worker that does not hear of it.
  for (const std::string& worker : core.claims.all()) {
    core.services.runs.send(model::ClaimTasks{.worker = worker, .max = 0}, "worker:" + worker,
                            [](const model::ReplyBody&) {});
  }
  // A command that was begun is committed: who sent it must hear of that, or would send it to the next owner.
  impl_->under_way->wait_for_none(kAnswerPatience);
  core.workers.stop();
}

}  // namespace baton::api

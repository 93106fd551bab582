// One request on its way through a handler.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/principal.hpp"
#include "auth/sessions.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/command.hpp"
#include "net/http.hpp"
#include "net/http_server.hpp"
#include "net/loop.hpp"
#include "telemetry/meter.hpp"

namespace baton::api {

// How many requests have not been answered. Any thread.
class UnderWay {
 public:
  std::size_t count() const;
  // Until all are answered, or `patience` is over.
  void wait_for_none(Duration patience) const;

 private:
  friend class Ticket;
  mutable std::mutex mutex_;
  mutable std::condition_variable none_;
  std::size_t count_ = 0;  // guarded by mutex_
};

// One request among them, from its arrival to its answer.
class Ticket {
 public:
  explicit Ticket(std::shared_ptr<UnderWay> counter);
  Ticket(Ticket&&) noexcept = default;
  Ticket& operator=(Ticket&&) = delete;
  ~Ticket();

 private:
  std::shared_ptr<UnderWay> counter_;
};

// A call is answered once; destroyed unanswered it says 503, which happens when the API stops.
struct Call {
  Call(net::Request r, net::Responder p, Ticket t)
      : request(std::move(r)), responder(std::move(p)), ticket(std::move(t)) {}
  ~Call();

  net::Request request;
  net::Responder responder;
  Ticket ticket;
  std::vector<std::string> captures;     // of the route's pattern, in order
  model::Sender actor;                   // for journal and audit
  auth::Principal principal;             // who it is; of an anonymous route: nobody
  std::optional<Hash256> credential;     // the key that counts, its own or its session's; none: the socket
  std::optional<auth::Session> session;  // that it came with, instead of a key
  std::string page;                      // of another origin that may read the answer; "" = none
  std::string_view route;                // its pattern; "" = none matched
  telemetry::Meter* meter = nullptr;     // counts it, unless null
  net::MonoTime begun = net::Loop::now();
  bool waits = false;  // on purpose, for something to happen: how long says nothing

  // All answers leave by one of these two.
  void respond(net::Response response);
  net::StreamWriter stream(int status, net::Headers headers, std::size_t limit);

  void json(int status, std::string body, net::Headers more = {});
  void text(int status, std::string body);
  void fail(const Error& error);

  // Ids in the path. A text that is no id is the same as an id that does not exist: not_found.
  Result<RunId> run_id() const;
  Result<TaskId> task_id() const;

  // Query parameters; each fails with invalid_request and the parameter's name.
  Status only(std::initializer_list<std::string_view> known) const;
  std::optional<std::string_view> query(std::string_view name) const {
    return net::find_query(request.query, name);
  }
  Result<std::size_t> number(std::string_view name, std::size_t fallback, std::size_t low,
                             std::size_t high) const;
  Result<bool> flag(std::string_view name) const;  // 1|true|0|false; false if it is missing
};
using CallPtr = std::shared_ptr<Call>;

// 200 with the body, or the problem.
void answer(Call& call, Result<std::string> body);

}  // namespace baton::api

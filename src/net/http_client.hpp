// A blocking HTTP/1.1 client for one server, with or without TLS: what the command line and workers speak to
// the API with, and steps to the world. It works on the calling thread, keeps one connection and uses it
// again.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "net/address_policy.hpp"
#include "net/http.hpp"
#include "net/tls.hpp"
#include "net/url.hpp"

namespace baton::net {

// Ends the waits of clients from another thread or from a signal handler.
class Cancellation {
 public:
  Cancellation();  // without a free descriptor: cancel() is seen only between waits
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  void cancel() noexcept;  // async-signal-safe; for good
  bool cancelled() const noexcept;

 private:
  friend class HttpClient;
  int event_ = -1;  // an eventfd
  std::atomic<bool> cancelled_ = false;
};

struct ClientRequest {
  Method method = Method::get;
  std::string target = "/";  // with its query, percent-encoded
  Headers headers;  // Host, Content-Length, Transfer-Encoding and Connection are the client's to write
  std::string body;
  // The server answers a repetition as it answered the first (an Idempotency-Key, say). Implied by every
  // method but POST and PATCH.
  bool idempotent = false;
};

struct ClientLimits {
  std::size_t max_header = 64 * 1024;
  std::uint64_t max_body = 256 * 1024 * 1024;  // of answers that are collected, not streamed ones
};

struct ClientOptions {
  ClientLimits limits;
  Duration connect_timeout = Duration::max();      // for finding the host, connecting and agreeing on TLS
  std::shared_ptr<const TlsContext> tls;           // needed if the endpoint is one of TLS
  std::shared_ptr<const AddressPolicy> addresses;  // null = all are allowed
};

// Not thread-safe: one client per thread, or one call at a time.
//
// Failures: unavailable: no connection (also within `connect_timeout`, or because of its certificate), or it
// broke before a byte of the answer; not_allowed: the policy denies the address; timed_out; interrupted: by
// the cancellation; io: the connection broke within the answer, or the answer is not HTTP; too_large: over
// the limits; invalid_request: the request cannot be written as HTTP. An answer with an error status is a
// success.
//
// Retry: a request that went out on a kept connection which turns out to be closed, before any byte of the
// answer, is sent once more on a new connection if it is idempotent. A kept connection that is known to be
// closed before anything is sent is replaced silently for every request. Nothing else is repeated.
class HttpClient {
 public:
  explicit HttpClient(Endpoint endpoint, ClientOptions options = {});
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  // The whole answer. `timeout` covers everything: connecting, sending, the last byte.
  Result<Response> request(const ClientRequest& request, Duration timeout,
                           const Cancellation* cancel = nullptr);

  // An answer whose body comes piece by piece. If its status is 2xx, every piece goes to `on_piece` (false
  // from it ends the call, as a success) and the result's body is empty; otherwise the body is collected as
  // by request(). `timeout` is the longest silence: it starts again with every byte. The connection is not
  // kept if `on_piece` ended it.
  Result<Response> stream(const ClientRequest& request, const std::function<bool(std::string_view)>& on_piece,
                          Duration timeout, const Cancellation* cancel = nullptr);

  // Closes the kept connection.
  void disconnect();
  const Endpoint& endpoint() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton::net

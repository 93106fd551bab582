#include "net/http_client.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/http_parser.hpp"
#include "net/poll.hpp"
#include "net/socket.hpp"

namespace baton::net {
namespace {

constexpr std::size_t kReadSize = 64 * 1024;

using OnPiece = std::function<bool(std::string_view)>;

bool is_clients_own(std::string_view name) {
  return equals_ignoring_case(name, "Host") || equals_ignoring_case(name, "Content-Length") ||
         equals_ignoring_case(name, "Transfer-Encoding") || equals_ignoring_case(name, "Connection");
}

Result<std::string> serialise(const ClientRequest& request, const Endpoint& endpoint) {
  for (char c : request.target) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      return fail(ErrorCode::invalid_request, "the request target is not percent-encoded: " + request.target);
    }
  }
  if (!request.target.starts_with('/')) {
    return fail(ErrorCode::invalid_request, "the request target must start with \"/\": " + request.target);
  }
  if (!request.headers.valid()) {
    return fail(ErrorCode::invalid_request,
                "a header of the request has characters that headers cannot have");
  }
  std::string out(to_string(request.method));
  out.reserve(256 + request.target.size() + request.body.size());
  out.append(" ")
      .append(request.target)
      .append(" HTTP/1.1\r\nHost: ")
      .append(endpoint.authority())
      .append("\r\n");
  for (const auto& [name, value] : request.headers) {
    if (!is_clients_own(name)) out.append(name).append(": ").append(value).append("\r\n");
  }
  const bool wants_length = request.method == Method::post || request.method == Method::put ||
                            request.method == Method::patch || !request.body.empty();
  if (wants_length) out.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  out.append("\r\n").append(request.body);
  return out;
}

bool is_idempotent(const ClientRequest& request) {
  return request.idempotent || (request.method != Method::post && request.method != Method::patch);
}

}  // namespace

Cancellation::Cancellation() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Cancellation::~Cancellation() {
  if (event_ >= 0) ::close(event_);
}

void Cancellation::cancel() noexcept {
  cancelled_.store(true, std::memory_order_release);
  const int saved = errno;
  const std::uint64_t one = 1;
  // The counter cannot overflow in practice, and a failed write changes nothing for who looks at the flag.
  [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
  errno = saved;
}

bool Cancellation::cancelled() const noexcept {
  return cancelled_.load(std::memory_order_acquire);
}

// What limits the waits of one call.
struct Waits {
  Duration timeout;
  bool restarts = false;  // with every byte
  int cancel_fd = -1;
  MonoTime deadline = Loop::now() + timeout;

  void progress() {
    if (restarts) deadline = Loop::now() + timeout;
  }
};

struct HttpClient::Impl {
  Endpoint endpoint;
  ClientLimits limits;
  HttpParser parser;
  Fd socket;
  bool any_answer = false;  // a byte of the current answer has arrived
  std::string buffer = std::string(kReadSize, '\0');
  std::size_t begin = 0;  // bytes in the buffer that the parser has not taken
  std::size_t end = 0;

  Impl(Endpoint to, ClientLimits l)
      : endpoint(std::move(to)),
        limits(l),
        parser(HttpParser::Kind::response, {0, limits.max_header, limits.max_body}) {}

  void disconnect() {
    socket.reset();
    begin = end = 0;
  }

  // A server that closed an idle connection, or sent something nobody asked for, has made it readable.
  bool kept_connection_is_usable() const {
    pollfd state{socket.get(), POLLIN, 0};
    return begin == end && ::poll(&state, 1, 0) == 0;
  }

  Result<Response> exchange(const ClientRequest& request, const OnPiece* on_piece, Duration timeout,
                            const Cancellation* cancel) {
    if (cancel != nullptr && cancel->cancelled())
      return fail(ErrorCode::interrupted, "the wait was cancelled");
    Waits waits{timeout, on_piece != nullptr, cancel != nullptr ? cancel->event_ : -1};
    TRY(const auto message, serialise(request, endpoint));
    if (socket && !kept_connection_is_usable()) disconnect();
    for (;;) {
      const bool reused = static_cast<bool>(socket);
      if (!socket) {
        TRY(socket, connect_to(endpoint, waits.deadline, waits.cancel_fd));
      }
      auto answer = attempt_or_disconnect(request, message, on_piece, waits);
      if (answer) return answer;
      const bool lost_unanswered = answer.error().code == ErrorCode::unavailable;
      if (!(reused && lost_unanswered && is_idempotent(request))) return answer;
    }
  }

  // Whatever ends an attempt early, also an exception of `on_piece`, leaves a connection in the middle of an
  // answer.
  Result<Response> attempt_or_disconnect(const ClientRequest& request, std::string_view message,
                                         const OnPiece* on_piece, Waits& waits) {
    try {
      auto answer = attempt(request, message, on_piece, waits);
      if (!answer) disconnect();
      return answer;
    } catch (...) {
      disconnect();
      throw;
    }
  }

  Result<Response> attempt(const ClientRequest& request, std::string_view message, const OnPiece* on_piece,
                           Waits& waits) {
    parser = HttpParser(HttpParser::Kind::response,
                        {0, limits.max_header, on_piece != nullptr ? UINT64_MAX : limits.max_body});
    parser.reset(request.method == Method::head);
    any_answer = false;
    begin = end = 0;
    TRY(const bool sent_all, send(message, waits));
    Response response;
    for (;;) {
      TRY_VOID(parse(waits));
      // 1xx answers come before the real one.
      if (parser.done() && parser.head().status / 100 == 1) {
        parser.reset(request.method == Method::head);
        continue;
      }
      if (on_piece != nullptr && parser.header_done() && parser.head().status / 100 == 2) {
        const auto piece = std::exchange(parser.body(), {});
        if (!piece.empty() && !(*on_piece)(piece)) {
          response = take_response();
          disconnect();
          return response;
        }
      } else if (parser.body().size() > limits.max_body) {
        return fail(ErrorCode::too_large, "the answer of " + endpoint.text() + " is larger than " +
                                              std::to_string(limits.max_body) + " bytes");
      }
      if (parser.done()) break;
    }
    const bool keep = sent_all && parser.head().keep_alive && begin == end;
    response = take_response();
    if (!keep) disconnect();
    return response;
  }

  Response take_response() {
    return {parser.head().status, std::move(parser.head().headers), std::move(parser.body())};
  }

  // Sends all of it (true), or stops when the server begins to answer before: it may refuse a large body
  // early.
  Result<bool> send(std::string_view message, Waits& waits) {
    while (!message.empty()) {
      const auto n = ::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL);
      if (n >= 0) {
        message.remove_prefix(static_cast<std::size_t>(n));
        waits.progress();
        continue;
      }
      if (errno == EINTR) continue;
      // A server that refused and closed has perhaps said why: reading will tell.
      if (errno == EPIPE || errno == ECONNRESET) return false;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return fail(lost(errno_text(errno)));
      TRY(const short ready, wait(POLLIN | POLLOUT, waits));
      if ((ready & POLLIN) != 0) return false;
    }
    return true;
  }

  // Takes bytes, from the buffer or from the socket, until the parser has moved on.
  Status parse(Waits& waits) {
    for (;;) {
      if (begin < end) {
        const auto taken = parser.feed({buffer.data() + begin, end - begin});
        begin += taken;
        if (parser.failed()) return malformed();
        if (taken > 0) return {};
      }
      TRY(const auto n, receive(waits));
      if (n > 0) continue;
      if (!any_answer) return fail(lost("the server closed the connection"));
      parser.feed_end();
      return parser.failed() ? malformed() : Status{};
    }
  }

  Result<std::size_t> receive(Waits& waits) {
    if (begin > 0) {
      std::memmove(buffer.data(), buffer.data() + begin, end - begin);
      end -= begin;
      begin = 0;
    }
    // The parser takes a head in one piece.
    if (end == buffer.size()) buffer.resize(std::max(buffer.size() * 2, limits.max_header + kReadSize));
    for (;;) {
      const auto n = ::recv(socket.get(), buffer.data() + end, buffer.size() - end, 0);
      if (n > 0) {
        end += static_cast<std::size_t>(n);
        any_answer = true;
        waits.progress();
        return static_cast<std::size_t>(n);
      }
      if (n == 0) return 0;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        TRY(const short ready, wait(POLLIN, waits));
        (void)ready;
      } else if (errno != EINTR) {
        return fail(lost(errno_text(errno)));
      }
    }
  }

  Result<short> wait(short events, const Waits& waits) const {
    auto ready = poll_for(socket.get(), events, waits.deadline, waits.cancel_fd);
    if (!ready && ready.error().code == ErrorCode::timed_out) {
      return fail(ErrorCode::timed_out, endpoint.text() + " did not answer within the time allowed");
    }
    return ready;
  }

  Error lost(std::string_view why) const {
    return {any_answer ? ErrorCode::io : ErrorCode::unavailable,
            "lost the connection to " + endpoint.text() + ": " + std::string(why),
            {}};
  }

  Status malformed() const {
    const auto& failure = parser.failure();
    const bool large = failure.status == 413 || failure.status == 431;
    return fail(large ? ErrorCode::too_large : ErrorCode::io,
                "cannot read the answer of " + endpoint.text() + ": " + failure.detail);
  }
};

HttpClient::HttpClient(Endpoint endpoint, ClientLimits limits)
    : impl_(std::make_unique<Impl>(std::move(endpoint), limits)) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<Response> HttpClient::request(const ClientRequest& request, Duration timeout,
                                     const Cancellation* cancel) {
  return impl_->exchange(request, nullptr, timeout, cancel);
}

Result<Response> HttpClient::stream(const ClientRequest& request, const OnPiece& on_piece, Duration timeout,
                                    const Cancellation* cancel) {
  return impl_->exchange(request, &on_piece, timeout, cancel);
}

void HttpClient::disconnect() {
  impl_->disconnect();
}

const Endpoint& HttpClient::endpoint() const {
  return impl_->endpoint;
}

}  // namespace baton::net

#include "net/http_client.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "net/http_parser.hpp"
#include "net/poll.hpp"
#include "net/socket.hpp"

namespace baton::net {
namespace {

constexpr std::size_t kReadSize = 64 * 1024;
constexpr int kMaxInterim = 100;  // answers that come before the real one

using OnPiece = std::function<bool(std::string_view)>;

bool is_clients_own(std::string_view name) {
  return equals_ignoring_case(name, "Host") || equals_ignoring_case(name, "Content-Length") ||
         equals_ignoring_case(name, "Transfer-Encoding") || equals_ignoring_case(name, "Connection");
}

// A body up to this size is sent together with its head; a larger one from where it lies.
constexpr std::size_t kJoinedBody = std::size_t{64} << 10;

// The head, and the body if it is joined.
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
  const bool joined = request.body.size() <= kJoinedBody;
  out.reserve(256 + request.target.size() + (joined ? request.body.size() : 0));
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
  out.append("\r\n");
  if (joined) out.append(request.body);
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
  ClientOptions options;
  HttpParser parser;
  Fd socket;
  std::optional<TlsSession> tls;  // of the socket, if the endpoint is one of TLS
  bool any_answer = false;        // a byte of the current answer has arrived
  std::string buffer = std::string(kReadSize, '\0');
  std::size_t begin = 0;  // bytes in the buffer that the parser has not taken
  std::size_t end = 0;

  Impl(Endpoint to, ClientOptions o)
      : endpoint(std::move(to)),
        options(std::move(o)),
        parser(HttpParser::Kind::response, {0, options.limits.max_header, options.limits.max_body}) {}

  void disconnect() {
    if (tls && socket) {
      tls->end();  // a courtesy: whether it arrives does not matter
      const std::string farewell = tls->take_output();
      [[maybe_unused]] const auto sent =
          ::send(socket.get(), farewell.data(), farewell.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    tls.reset();
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
      if (!socket) TRY_VOID(connect(waits));
      auto answer = attempt_or_disconnect(request, message, on_piece, waits);
      if (answer) return answer;
      const bool lost_unanswered = answer.error().code == ErrorCode::unavailable;
      if (!(reused && lost_unanswered && is_idempotent(request))) return answer;
    }
  }

  Status connect(const Waits& waits) {
    Waits limits = waits;
    limits.deadline = std::min(waits.deadline, Loop::now() + options.connect_timeout);
    auto connected = connect_once(limits);
    if (connected) return connected;
    disconnect();
    // Nobody there in time is nobody there; out of time is only who has used up all of it.
    Error error = std::move(connected).error();
    if (error.code == ErrorCode::timed_out && Loop::now() < waits.deadline)
      error.code = ErrorCode::unavailable;
    return fail(std::move(error));
  }

  Status connect_once(const Waits& waits) {
    TRY(socket, connect_to(endpoint, waits.deadline, waits.cancel_fd, options.addresses.get()));
    if (!endpoint.tls) return {};
    if (!options.tls)
      return fail(ErrorCode::invalid_request, endpoint.text() + " needs TLS, which is not set up");
    TRY(tls, TlsSession::client(options.tls, endpoint.host));
    for (;;) {
      const auto done = tls->handshake();
      // Also what an error gives: it tells the server why.
      auto sent = send_raw(tls->take_output(), waits);
      if (!done) return fail(handshake_failed(done.error().code, done.error().message));
      if (!sent) return fail(handshake_failed(sent.error().code, sent.error().message));
      if (*done) return {};
      const auto got = receive_raw(waits);
      if (!got) return fail(handshake_failed(got.error().code, got.error().message));
      if (*got == 0)
        return fail(handshake_failed(ErrorCode::unavailable, "the server closed the connection"));
    }
  }

  Error handshake_failed(ErrorCode code, const std::string& why) const {
    return {code, "cannot agree on TLS with " + endpoint.text() + ": " + why, {}};
  }

  Status send_raw(std::string_view bytes, const Waits& waits) {
    while (!bytes.empty()) {
      const auto n = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        TRY(const short ready, wait(POLLOUT, waits));
        (void)ready;
      } else if (errno != EINTR) {
        return fail(ErrorCode::unavailable, errno_text(errno));
      }
    }
    return {};
  }

  // Takes encrypted bytes from the network into the session; 0 at the connection's end.
  Result<std::size_t> receive_raw(const Waits& waits) {
    char bytes[16 * 1024];
    for (;;) {
      const auto n = ::recv(socket.get(), bytes, sizeof bytes, 0);
      if (n >= 0) {
        tls->receive({bytes, static_cast<std::size_t>(n)});
        return static_cast<std::size_t>(n);
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        TRY(const short ready, wait(POLLIN, waits));
        (void)ready;
      } else if (errno != EINTR) {
        return fail(ErrorCode::unavailable, errno_text(errno));
      }
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
    parser = HttpParser(
        HttpParser::Kind::response,
        {0, options.limits.max_header, on_piece != nullptr ? UINT64_MAX : options.limits.max_body});
    parser.reset(request.method == Method::head);
    any_answer = false;
    begin = end = 0;
    TRY(bool sent_all, send(message, waits));
    if (sent_all && request.body.size() > kJoinedBody) {
      TRY(sent_all, send(request.body, waits));
    }
    Response response;
    int interim = 0;
    for (;;) {
      TRY_VOID(parse(waits));
      // 1xx answers come before the real one.
      if (parser.done() && parser.head().status / 100 == 1) {
        if (++interim > kMaxInterim) {
          return fail(ErrorCode::io, endpoint.text() + " sends interim answers (1xx) only");
        }
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
      } else if (parser.body().size() > options.limits.max_body) {
        return fail(ErrorCode::too_large, "the answer of " + endpoint.text() + " is larger than " +
                                              std::to_string(options.limits.max_body) + " bytes");
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
    std::string encrypted;
    if (tls) {
      TRY_VOID(tls->write(message));
      encrypted = tls->take_output();
      message = encrypted;
    }
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
      if ((ready & POLLIN) == 0) continue;
      if (!tls) return false;
      // Bytes of TLS are not an answer yet: new session tickets come at any time.
      TRY(const bool begun, answer_begins(waits));
      if (begun) return false;
    }
    return true;
  }

  // Takes what is there of TLS; true if there is plain text among it, or an end.
  Result<bool> answer_begins(Waits& waits) {
    const auto got = receive_raw(waits);
    if (!got) return fail(lost(got.error().message));
    if (*got == 0) return true;
    TRY(const auto n, tls->read(buffer.data() + end, buffer.size() - end));
    end += n;
    any_answer = any_answer || n > 0;
    return n > 0 || tls->ended();
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
    if (end == buffer.size())
      buffer.resize(std::max(buffer.size() * 2, options.limits.max_header + kReadSize));
    if (tls) return receive_decrypted(waits);
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

  Result<std::size_t> receive_decrypted(Waits& waits) {
    for (;;) {
      const auto n = tls->read(buffer.data() + end, buffer.size() - end);
      if (!n) return fail(lost(n.error().message));
      if (*n > 0) {
        end += *n;
        any_answer = true;
        waits.progress();
        return *n;
      }
      if (tls->ended()) return std::size_t{0};
      const auto got = receive_raw(waits);
      if (!got && got.error().code != ErrorCode::unavailable) return fail(got.error());
      if (!got) return fail(lost(got.error().message));
      // Whoever cuts the connection could cut the answer: the end has to be said within TLS.
      if (*got == 0) return fail(lost("the connection was cut"));
      // An answer to what was received (a renewed key); if it cannot be sent, reading will tell.
      const std::string output = tls->take_output();
      [[maybe_unused]] const auto sent = ::send(socket.get(), output.data(), output.size(), MSG_NOSIGNAL);
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

HttpClient::HttpClient(Endpoint endpoint, ClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(endpoint), std::move(options))) {}
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

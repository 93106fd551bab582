#include "net/connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <exception>

#include "net/content_coding.hpp"
#include "net/server_state.hpp"
#include "net/stream_state.hpp"

namespace baton::net {
namespace {

constexpr std::size_t kBodyBuffer = 64 * 1024;  // while a body arrives
constexpr std::size_t kOutBacklog =
    256 * 1024;  // no further request is parsed while so much waits to be sent
constexpr std::size_t kEncryptedAtOnce = 64 * 1024;
constexpr std::size_t kKeepOut = 64 * 1024;  // memory that an idle connection may keep for its next answer

bool is_framing(std::string_view name) {
  return equals_ignoring_case(name, "Content-Length") || equals_ignoring_case(name, "Transfer-Encoding") ||
         equals_ignoring_case(name, "Connection");
}

void append_number(std::string& out, std::uint64_t n) {
  std::array<char, 20> digits;
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr);
}

}  // namespace

Connection::Connection(std::shared_ptr<ServerState> server, StreamSocket socket, Peer peer,
                       std::optional<TlsSession> tls)
    : server_(std::move(server)),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      parser_(HttpParser::Kind::request,
              {server_->options.max_target, server_->options.max_header, server_->options.max_body}),
      since_(Loop::now()) {
  if (tls) tls_.emplace(std::move(*tls));
}

const Mailbox& Connection::mailbox() const {
  return server_->mailbox;
}

std::size_t Connection::default_stream_limit() const {
  return server_->options.stream_buffer;
}

void Connection::start() {
  in_.resize(InputBuffer::kSmall);
  start_read();
}

void Connection::turn_away(std::string_view detail) {
  if (tls_) return break_off();  // agreeing on TLS first would cost what there is too little of
  in_.resize(InputBuffer::kSmall);
  refuse(503, detail);
  advance();
}

void Connection::break_off() {
  if (phase_ == Phase::closed) return;
  phase_ = Phase::closed;
  gone_ = true;
  socket_.reset();
  set_receiving(0);
  if (const auto stream = std::exchange(stream_, nullptr)) stream->over();
  server_->remove(shared_from_this());
}

void Connection::close_if_idle() {
  if (phase_ == Phase::reading && !request_begun_ && in_.empty() && unsent() == 0) break_off();
}

void Connection::sweep(MonoTime now) {
  const auto& options = server_->options;
  if (write_pending_ && now - last_progress_ > options.write_timeout) return break_off();
  const auto spent = now - since_;
  if (phase_ == Phase::lingering && spent > options.linger) return break_off();
  if (phase_ != Phase::reading) return;
  if (!request_begun_) {
    const bool agreeing = tls_ && !tls_->agreed;
    const Duration patience = agreeing ? options.header_deadline : options.idle_timeout;
    if (spent > patience && unsent() == 0) break_off();
  } else if (!parser_.header_done()) {
    if (spent <= options.header_deadline) return;
    refuse(408, "the header did not arrive in time");
    advance();
  } else {
    const auto rate = std::max<std::uint64_t>(options.body_min_rate, 1);
    const auto earned = Duration::seconds(static_cast<std::int64_t>(receiving_ / rate));
    if (spent <= options.body_grace + earned) return;
    refuse(408, "the body did not arrive in time");
    advance();
  }
}

void Connection::advance() {
  if (advancing_) return;
  advancing_ = true;
  do {
    parse_input();
  } while (flush() && settle());
  advancing_ = false;
  start_read();
}

// Takes requests out of the input until one waits for its answer or more bytes are needed.
void Connection::parse_input() {
  starved_ = false;
  while (phase_ == Phase::reading && !in_.empty() && unsent() < kOutBacklog) {
    const auto consumed = parser_.feed(in_.view());
    in_.consume(consumed);
    note_input(consumed);
    if (parser_.failed()) return refuse(parser_.failure().status, parser_.failure().detail);
    if (server_->receiving > server_->options.max_receiving && parser_.expects_more()) {
      return refuse(503, "too many large requests at the same time");
    }
    if (parser_.done()) {
      dispatch();
    } else if (consumed == 0) {
      starved_ = true;
      break;
    }
  }
  if (phase_ == Phase::reading && peer_ended_ && unsent() < kOutBacklog) phase_ = Phase::closing;
}

void Connection::note_input(std::size_t consumed) {
  if (!request_begun_ && parser_.started()) {
    request_begun_ = true;
    since_ = Loop::now();
  }
  if (!parser_.expects_more()) return;
  if (receiving_ > 0 || !parser_.body().empty()) {
    set_receiving(receiving_ + consumed);
  } else if (parser_.head().expect_continue && !continued_) {
    continued_ = true;
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
  }
}

void Connection::set_receiving(std::uint64_t bytes) {
  server_->receiving = server_->receiving - receiving_ + bytes;
  receiving_ = bytes;
}

void Connection::dispatch() {
  auto& head = parser_.head();
  const auto method = method_from(head.method);
  if (!method) return refuse(501, "this server does not know the method");
  auto target = parse_target(head.target);
  if (!target) return refuse(400, target.error().message);

  Request request;
  request.head_only = *method == Method::head;
  request.method = request.head_only ? Method::get : *method;
  request.target = std::move(head.target);
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  request.headers = std::move(head.headers);
  request.body = std::move(parser_.body());
  request.peer = peer_;
  keep_alive_ = head.keep_alive && head.minor_version == 1;
  const bool chunked = head.minor_version == 1;
  parser_.reset();
  set_receiving(0);
  continued_ = false;
  phase_ = Phase::handling;
  ++exchange_;
  ++server_->stats.requests;
  // If the handler throws, the Responder is destroyed on the way and answers 500.
  const bool head_only = request.head_only;
  const bool gzip = takes_gzip(request.headers);
  restore_tags(request.headers);
  try {
    server_->handler(std::move(request), Responder(shared_from_this(), exchange_, head_only, chunked, gzip));
  } catch (const std::exception& e) {
    server_->report(std::string("a request handler threw: ") + e.what());
  } catch (...) {
    server_->report("a request handler threw");
  }
}

void Connection::answer(std::uint64_t exchange, bool head_only, Response response) {
  if (phase_ != Phase::handling || exchange != exchange_) return;
  if (response.status < 200 || response.status > 599 || !response.headers.valid()) {
    server_->report("a handler answered with an invalid status or header");
    response = problem(500, "the server made an invalid answer");
  }
  const bool bodiless = response.status == 204 || response.status == 304;
  put_head(response.status, response.headers, bodiless ? std::nullopt : std::optional(response.body.size()),
           false);
  if (!bodiless && !head_only) out_ += response.body;
  end_exchange();
  advance();
}

void Connection::begin_stream(std::uint64_t exchange, bool head_only, int status, const Headers& headers,
                              std::shared_ptr<StreamState> stream) {
  if (phase_ != Phase::handling || exchange != exchange_) return stream->over();
  if (status < 200 || status > 599 || status == 204 || status == 304 || !headers.valid()) {
    stream->over();
    server_->report("a handler streamed with an invalid status or header");
    return answer(exchange, head_only, problem(500, "the server made an invalid answer"));
  }
  put_head(status, headers, std::nullopt, stream->chunked());
  if (head_only) {
    stream->over();
    end_exchange();
  } else {
    phase_ = Phase::streaming;
    stream_ = std::move(stream);
    stream_finished_ = false;
  }
  advance();
}

void Connection::pump(const std::shared_ptr<StreamState>& stream) {
  if (stream != stream_) return;
  auto pieces = stream->take();
  if (pieces.broken) return break_off();
  out_ += pieces.bytes;
  stream_unsent_ += pieces.bytes.size();
  stream_finished_ = pieces.finished;
  advance();
}

bool Connection::keeps_alive() const {
  return keep_alive_ && !server_->draining;
}

// The request has its whole answer in out_.
void Connection::end_exchange() {
  request_begun_ = false;
  since_ = Loop::now();
  phase_ = keeps_alive() ? Phase::reading : Phase::closing;
}

void Connection::refuse(int status, std::string_view detail) {
  ++server_->stats.refused;
  set_receiving(0);
  keep_alive_ = false;
  auto response = problem(status, detail);
  if (status == 503) response.headers.add("Retry-After", "1");
  put_head(status, response.headers, response.body.size(), false);
  out_ += response.body;
  phase_ = Phase::closing;
}

void Connection::put_head(int status, const Headers& headers, std::optional<std::size_t> length,
                          bool chunked) {
  out_ += "HTTP/1.1 ";
  append_number(out_, static_cast<std::uint64_t>(status));
  out_ += ' ';
  out_ += reason_phrase(status);
  out_ += "\r\n";
  for (const auto& [name, value] : headers) {
    if (is_framing(name)) continue;
    out_.append(name).append(": ").append(value).append("\r\n");
  }
  for (const auto& [name, value] : server_->options.headers) {
    if (!headers.find(name)) out_.append(name).append(": ").append(value).append("\r\n");
  }
  if (server_->options.now && !headers.find("Date"))
    out_.append("Date: ").append(server_->date()).append("\r\n");
  if (length) {
    out_ += "Content-Length: ";
    append_number(out_, *length);
    out_ += "\r\n";
  }
  if (chunked) out_ += "Transfer-Encoding: chunked\r\n";
  if (!keeps_alive()) out_ += "Connection: close\r\n";
  out_ += "\r\n";
}

// Hands output to the socket; true when all is gone.
bool Connection::flush() {
  if (phase_ == Phase::closed || write_pending_) return false;
  if (tls_) {
    if (!flush_encrypted()) return false;
  } else {
    while (unsent() > 0) {
      std::size_t sent = out_sent_;
      const bool all = send_bytes(out_, sent);
      if (phase_ == Phase::closed) return false;
      note_sent(sent - out_sent_);
      if (!all) return false;
    }
  }
  out_.clear();
  out_sent_ = 0;
  if (out_.capacity() > kKeepOut) out_.shrink_to_fit();
  return true;
}

// Sends what stands behind the first `sent` bytes, and counts them there. False: the socket is full, or
// closed.
bool Connection::send_bytes(const std::string& bytes, std::size_t& sent) {
  while (sent < bytes.size()) {
    const auto n = ::send(socket_->native_handle(), bytes.data() + sent, bytes.size() - sent,
                          MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      sent += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      write_pending_ = true;
      last_progress_ = Loop::now();
      socket_->async_wait(
          StreamSocket::wait_write,
          [self = shared_from_this()](const boost::system::error_code& ec) { self->on_writable(ec); });
      return false;
    } else if (errno != EINTR) {
      break_off();
      return false;
    }
  }
  return true;
}

bool Connection::flush_encrypted() {
  for (;;) {
    if (!send_bytes(tls_->output, tls_->output_sent)) return false;
    tls_->output_sent = 0;
    if (const std::size_t plain = std::exchange(tls_->plain, 0); plain > 0) note_sent(plain);
    tls_->output = tls_->session.take_output();
    if (!tls_->output.empty()) continue;
    if (unsent() == 0) return true;
    if (!tls_->agreed) return false;
    const std::size_t size = std::min(unsent(), kEncryptedAtOnce);
    if (!tls_->session.write(std::string_view(out_).substr(out_sent_, size))) {
      break_off();
      return false;
    }
    tls_->plain = size;
    tls_->output = tls_->session.take_output();
  }
}

void Connection::note_sent(std::size_t bytes) {
  const auto before_stream = unsent() - stream_unsent_;
  out_sent_ += bytes;
  if (bytes > before_stream) {
    stream_unsent_ -= bytes - before_stream;
    stream_->sent(bytes - before_stream);
  }
}

// All output is gone: takes the step that waited for it. True if input may be parsed again.
bool Connection::settle() {
  if (phase_ == Phase::closing) {
    if (tls_ && !std::exchange(tls_->said_end, true)) {
      tls_->session.end();
      return true;  // comes back when that is sent
    }
    linger();
    return false;
  }
  if (phase_ == Phase::streaming && stream_finished_) {
    const auto stream = std::exchange(stream_, nullptr);
    stream->over();
    end_exchange();
    return true;
  }
  return phase_ == Phase::reading && !in_.empty() && !starved_;
}

// Closing a socket with unread input resets the connection, and the client might never see the answer. So
// only our side is closed at first.
void Connection::linger() {
  if (peer_ended_) return break_off();
  ::shutdown(socket_->native_handle(), SHUT_WR);
  phase_ = Phase::lingering;
  since_ = Loop::now();
  in_.consume(in_.view().size());
}

// Whether anything can be read into in_.
bool Connection::make_room() {
  if (phase_ == Phase::reading) {
    if (parser_.expects_more()) {
      in_.resize(std::max(in_.capacity(), kBodyBuffer));
    } else if (in_.space().empty()) {
      in_.resize(std::min(in_.capacity() * 2, server_->options.max_header + InputBuffer::kSmall));
    } else if (in_.empty() && in_.capacity() > InputBuffer::kSmall) {
      in_.resize(InputBuffer::kSmall);
    }
  }
  return !in_.space().empty();  // otherwise read-ahead is full; goes on when the current request is answered
}

void Connection::start_read() {
  if (phase_ == Phase::closed || read_pending_ || peer_ended_) return;
  if (tls_) {
    if (tls_->decrypting) return;
    take_decrypted();
    if (phase_ == Phase::closed || read_pending_ || peer_ended_) return;
  }
  if (!make_room()) return;
  read_pending_ = true;
  const auto space = in_.space();
  if (tls_) tls_->received.resize(kEncryptedAtOnce);
  const auto where = tls_ ? boost::asio::buffer(tls_->received.data(), tls_->received.size())
                          : boost::asio::buffer(space.data(), space.size());
  socket_->async_read_some(where, [self = shared_from_this()](const boost::system::error_code& ec,
                                                              std::size_t size) { self->on_read(ec, size); });
}

void Connection::on_read(const boost::system::error_code& ec, std::size_t size) {
  read_pending_ = false;
  if (phase_ == Phase::closed) return;
  if (ec && ec != boost::asio::error::eof) return break_off();
  if (ec) {
    peer_ended();
    if (phase_ == Phase::closed) return;
  }
  if (tls_) return take_encrypted(std::string_view(tls_->received).substr(0, size));
  in_.commit(size);
  if (phase_ == Phase::lingering) {
    in_.consume(in_.view().size());
    return start_read();
  }
  advance();
}

void Connection::peer_ended() {
  peer_ended_ = true;
  gone_ = true;
  // A client that half-closes still reads the answer to a request; nobody does that to a stream.
  if (phase_ == Phase::streaming || phase_ == Phase::lingering) break_off();
}

void Connection::take_encrypted(std::string_view bytes) {
  tls_->session.receive(bytes);
  if (!tls_->agreed) {
    const auto agreed = tls_->session.handshake();
    if (!agreed) {
      // Why, as far as the socket takes it now.
      const std::string alert = tls_->session.take_output();
      [[maybe_unused]] const auto sent =
          ::send(socket_->native_handle(), alert.data(), alert.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      return break_off();
    }
    tls_->agreed = *agreed;
  }
  advance();  // which takes what was decrypted
}

// Decrypts as far as there is room, and handles what comes out.
void Connection::take_decrypted() {
  if (!tls_->agreed) return;
  tls_->decrypting = true;
  while (phase_ != Phase::closed && !peer_ended_ && make_room()) {
    const auto space = in_.space();
    const auto size = tls_->session.read(space.data(), space.size());
    if (!size) {
      break_off();
      break;
    }
    if (*size == 0) {
      if (tls_->session.ended()) {
        peer_ended();
        advance();
      }
      break;
    }
    in_.commit(*size);
    if (phase_ == Phase::lingering) {
      in_.consume(in_.view().size());
    } else {
      advance();
    }
  }
  tls_->decrypting = false;
}

void Connection::on_writable(const boost::system::error_code& ec) {
  write_pending_ = false;
  if (phase_ == Phase::closed) return;
  if (ec) return break_off();
  advance();
}

}  // namespace baton::net

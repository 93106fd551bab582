// The handles through which a handler answers, from any thread.
#include <utility>

#include "net/connection.hpp"
#include "net/content_coding.hpp"
#include "net/http_server.hpp"
#include "net/stream_state.hpp"

namespace baton::net {

Responder::Responder(std::shared_ptr<Connection> connection, std::uint64_t exchange, bool head_only,
                     bool chunked, bool gzip)
    : connection_(std::move(connection)),
      exchange_(exchange),
      head_only_(head_only),
      chunked_(chunked),
      gzip_(gzip) {}

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    const Responder unanswered(std::move(*this));  // answers 500 at the end of this scope
    connection_ = std::move(other.connection_);
    exchange_ = other.exchange_;
    head_only_ = other.head_only_;
    chunked_ = other.chunked_;
    gzip_ = other.gzip_;
  }
  return *this;
}

Responder::~Responder() {
  if (connection_) respond(problem(500, "the server lost this request"));
}

void Responder::respond(Response response) {
  auto connection = std::exchange(connection_, nullptr);
  if (!connection) return;
  const auto& mailbox = connection->mailbox();
  if (mailbox.on_loop_thread()) return connection->answer(exchange_, head_only_, std::move(response));
  encode(response, gzip_);
  mailbox.post(
      [connection, exchange = exchange_, head_only = head_only_, answer = std::move(response)]() mutable {
        connection->answer(exchange, head_only, std::move(answer));
      });
}

StreamWriter Responder::stream(int status, Headers headers, std::size_t limit) {
  auto connection = std::exchange(connection_, nullptr);
  if (!connection) return StreamWriter();
  const auto& mailbox = connection->mailbox();
  if (limit == 0) limit = connection->default_stream_limit();
  auto state = std::make_shared<StreamState>(connection, mailbox, limit, chunked_);
  if (head_only_) state->over();
  if (mailbox.on_loop_thread()) {
    connection->begin_stream(exchange_, head_only_, status, headers, state);
  } else {
    mailbox.post([connection, exchange = exchange_, head_only = head_only_, status,
                  fields = std::move(headers),
                  state] { connection->begin_stream(exchange, head_only, status, fields, state); });
  }
  return StreamWriter(std::move(state));
}

bool Responder::disconnected() const {
  return !connection_ || connection_->gone();
}

StreamWriter::StreamWriter(std::shared_ptr<StreamState> state) : state_(std::move(state)) {}

StreamWriter& StreamWriter::operator=(StreamWriter&& other) noexcept {
  if (this != &other) {
    if (state_) state_->abandon();
    state_ = std::move(other.state_);
  }
  return *this;
}

StreamWriter::~StreamWriter() {
  if (state_) state_->abandon();
}

bool StreamWriter::write(std::string_view piece) {
  return state_ && state_->write(piece);
}

std::size_t StreamWriter::buffered() const {
  return state_ ? state_->buffered() : 0;
}

bool StreamWriter::open() const {
  return state_ && state_->open();
}

void StreamWriter::on_close(Task callback) {
  if (state_) state_->on_close(std::move(callback));
}

void StreamWriter::when_drained(std::size_t level, Task callback) {
  if (state_) state_->when_drained(level, std::move(callback));
}

void StreamWriter::close() {
  if (state_) state_->finish();
}

}  // namespace baton::net

// An HTTP/1.1 server on a Loop: Unix and TCP sockets, keep-alive, pipelining, streamed answers, limits,
// answers compressed by gzip.
//
// Requests reach the handler complete (body included) and checked (http_parser.hpp says what is refused).
// What the server refuses by itself it answers as application/problem+json and then closes the connection:
// 400 malformed, 408 too slow, 413 body, 414 target, 417 expectation, 431 header, 501 method or transfer
// coding, 503 too many connections or too much in flight. Requests of one connection are answered in order,
// one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "net/http.hpp"
#include "net/loop.hpp"
#include "net/socket.hpp"
#include "net/tls.hpp"

namespace baton::net {

class Connection;
class StreamState;
struct ServerState;

struct ServerOptions {
  std::size_t max_target = 8 * 1024;                // 414
  std::size_t max_header = 16 * 1024;               // 431
  std::uint64_t max_body = 32 * 1024 * 1024;        // 413
  std::uint64_t max_receiving = 512 * 1024 * 1024;  // bodies being received, all connections together; 503
  std::size_t max_connections = 10'000;             // 503
  std::size_t stream_buffer = 256 * 1024;           // default of Responder::stream
  Duration header_deadline =
      Duration::seconds(10);                       // from the first byte of a request to its head's end; 408
  Duration idle_timeout = Duration::seconds(60);   // between requests; closed without an answer
  Duration body_grace = Duration::seconds(20);     // a body has this long plus its size / body_min_rate; 408
  std::uint64_t body_min_rate = 4 * 1024;          // bytes per second
  Duration write_timeout = Duration::seconds(30);  // a client that takes nothing for so long is cut off
  Duration linger =
      Duration::seconds(2);  // for a refused client to read why, while the rest it sends is dropped
  // For TCP listeners; null = without TLS.
  std::shared_ptr<const TlsContext> tls;
  // Fields of every answer that does not have them itself, those of the server's own refusals included.
  Headers headers;
  // The time of day, for the field Date; none = no such field. On the loop's thread.
  std::function<WallTime()> now;
  // Told of what is wrong inside (a handler threw, accept() fails), one sentence each, on the loop's thread.
  std::function<void(std::string_view)> report;
};

// The body of an answer whose length is not known yet. A movable handle; all functions may be called from any
// thread, also at the same time. Destroying it without close() breaks the connection off, so that a client
// cannot mistake half an answer for a whole one.
class StreamWriter {
 public:
  StreamWriter() = default;
  explicit StreamWriter(std::shared_ptr<StreamState> state);
  StreamWriter(StreamWriter&&) noexcept = default;
  StreamWriter& operator=(StreamWriter&&) noexcept;
  ~StreamWriter();

  // Queues a piece and returns whether the stream is still open. Never blocks. Where more than the stream's
  // limit would be waiting, the client is taken for too slow and cut off: false, and the stream is over. An
  // empty piece is not sent (but tells whether the stream is open).
  bool write(std::string_view piece);
  // Bytes that wait to be taken by the client's socket.
  std::size_t buffered() const;
  bool open() const;
  // Calls `callback` once, on the loop's thread, when the stream is over: the client left or was cut off, the
  // server closes, or after close() when the last byte was handed to the socket. At once (posted) if it is
  // over already.
  void on_close(Task callback);
  // Calls `callback` once, on the loop's thread, when at most `level` bytes wait, or the stream is over: how
  // a long answer is written at the client's pace. Replaces one that still waits.
  void when_drained(std::size_t level, Task callback);
  // The answer is complete. Further writes return false.
  void close();

 private:
  std::shared_ptr<StreamState> state_;
};

// The obligation to answer one request: a movable handle that any thread may use, now or later, also after
// the server or the loop is gone (then without effect). Destroyed unanswered, it answers 500.
class Responder {
 public:
  Responder() = default;
  Responder(std::shared_ptr<Connection> connection, std::uint64_t exchange, bool head_only, bool chunked,
            bool gzip);
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&&) noexcept;
  ~Responder();

  // Answers; the handle is empty afterwards. A response with a header that is not valid becomes a 500.
  // Content-Length and Connection are added; those that stand in the response are replaced. Called on another
  // thread than the loop's, it compresses the body for a client that asks for that (content_coding.hpp).
  void respond(Response response);
  // Begins an answer whose body follows piece by piece (chunked; delimited by the connection's end for an
  // HTTP/1.0 client). `limit`: the most bytes that may wait for a slow reader; 0 = ServerOptions' default.
  // For a HEAD request the writer is closed from the start.
  StreamWriter stream(int status, Headers headers, std::size_t limit = 0);
  // The client has gone (or has closed its sending side): nobody may be there to read the answer.
  bool disconnected() const;
  explicit operator bool() const { return connection_ != nullptr; }

 private:
  std::shared_ptr<Connection> connection_;
  std::uint64_t exchange_ = 0;
  bool head_only_ = false;
  bool chunked_ = true;
  bool gzip_ = false;  // the client takes it
};

// Called on the loop's thread; must not block. It may throw: the client gets a 500.
using Handler = std::function<void(Request, Responder)>;

struct ServerStats {
  std::size_t connections = 0;  // open now
  std::uint64_t accepted = 0;   // since the start, with those turned away
  std::uint64_t requests = 0;   // handed to the handler
  std::uint64_t refused = 0;    // answered by the server itself, with an error
};

// All functions may be called from any thread while the loop runs, and wait for the loop.
class HttpServer {
 public:
  // The loop must outlive the server.
  HttpServer(Loop& loop, ServerOptions options, Handler handler);
  ~HttpServer();  // close()
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Any number of listeners. Errors: those of net::listen_unix and net::listen_tcp.
  Status listen_unix(const std::string& path, std::uint32_t mode = 0600, IfExists if_exists = IfExists::fail);
  // Returns the real port.
  Result<std::uint16_t> listen_tcp(const std::string& address, std::uint16_t port);

  // For connections that are accepted from here on; a server without TLS stays one.
  void use_tls(std::shared_ptr<const TlsContext> tls);

  // Closes the listeners and removes the names of the Unix sockets (if they are still ours).
  void stop_accepting();
  // stop_accepting(), then lets every request that has begun be answered and closes connections as they
  // become idle; what is left after `deadline` is broken off. Calls `done` once, on the loop, with no
  // connection left.
  void drain(Duration deadline, Task done);
  // stop_accepting() and breaks all connections off. Afterwards the handler is not called any more. Twice is
  // fine.
  void close();

  ServerStats stats() const;

 private:
  std::shared_ptr<ServerState> state_;
};

}  // namespace baton::net

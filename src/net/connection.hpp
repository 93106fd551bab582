// One connection of the server. Everything here runs on the loop's thread, except where it says otherwise.
// Internal to net.
//
//   reading ──request complete──▶ handling ──respond──▶ reading
//      │                             └──stream──▶ streaming ──finished and sent──▶ reading
//      └─refused─▶ closing ◀─ the exchange was the last one
//                     └─output sent─▶ lingering ─client closed, or time is up─▶ closed
//
// With TLS, bytes go through a session on their way: what was received is decrypted into the input buffer as
// far as there is room, what is to be sent is encrypted piece by piece. Nothing else knows of it.
//
// advance() drives all of it; a read, a write, an answer and the sweep only change something and call it.
// Time-outs are checked by the server's periodic sweep: no operation arms a timer of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/asio_types.hpp"
#include "net/http.hpp"
#include "net/http_parser.hpp"
#include "net/input_buffer.hpp"
#include "net/loop.hpp"
#include "net/tls.hpp"

namespace baton::net {

class StreamState;
struct ServerState;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<ServerState> server, StreamSocket socket, Peer peer,
             std::optional<TlsSession> tls);

  void start();
  // Answers 503 instead of reading anything.
  void turn_away(std::string_view detail);
  // Ends it now; what was not sent is lost. Any number of times.
  void break_off();
  // Breaks off if no request has begun (for drain).
  void close_if_idle();
  // Looks whether something has taken too long.
  void sweep(MonoTime now);

  // For Responder. Without effect unless `exchange` is the one that waits for an answer.
  void answer(std::uint64_t exchange, bool head_only, Response response);
  void begin_stream(std::uint64_t exchange, bool head_only, int status, const Headers& headers,
                    std::shared_ptr<StreamState> stream);
  // For StreamState: there is something to take from it.
  void pump(const std::shared_ptr<StreamState>& stream);

  // Any thread.
  bool gone() const { return gone_.load(std::memory_order_relaxed); }
  const Mailbox& mailbox() const;
  std::size_t default_stream_limit() const;

 private:
  enum class Phase : std::uint8_t { reading, handling, streaming, closing, lingering, closed };

  void advance();
  void parse_input();
  void note_input(std::size_t consumed);
  void dispatch();
  void refuse(int status, std::string_view detail);
  void end_exchange();
  bool flush();
  bool settle();
  void linger();

  bool send_bytes(const std::string& bytes, std::size_t& sent);
  bool flush_encrypted();
  void take_encrypted(std::string_view bytes);
  void take_decrypted();
  void peer_ended();

  void start_read();
  bool make_room();
  void on_read(const boost::system::error_code& ec, std::size_t size);
  void on_writable(const boost::system::error_code& ec);

  void put_head(int status, const Headers& headers, std::optional<std::size_t> length, bool chunked);
  void note_sent(std::size_t bytes);
  std::size_t unsent() const { return out_.size() - out_sent_; }
  bool keeps_alive() const;
  void set_receiving(std::uint64_t bytes);

  const std::shared_ptr<ServerState> server_;
  std::optional<StreamSocket> socket_;  // empty once closed: a Responder may keep us beyond the loop's life
  const Peer peer_;
  Phase phase_ = Phase::reading;
  std::atomic<bool> gone_ = false;
  bool advancing_ = false;
  bool read_pending_ = false;
  bool write_pending_ = false;
  bool peer_ended_ = false;  // it sends nothing more

  struct Tls {
    explicit Tls(TlsSession s) : session(std::move(s)) {}
    TlsSession session;
    bool agreed = false;      // the handshake is done
    bool decrypting = false;  // take_decrypted() is at work
    bool said_end = false;
    std::string received;  // room for bytes of the network
    std::string output;    // encrypted
    std::size_t output_sent = 0;
    std::size_t plain = 0;  // bytes of out_ that `output` stands for
  };
  std::optional<Tls> tls_;

  InputBuffer in_;
  HttpParser parser_;
  bool starved_ = false;         // what is in in_ is too little to go on
  bool request_begun_ = false;   // since_ is the time of the request's first byte
  bool continued_ = false;       // 100 Continue was sent
  std::uint64_t receiving_ = 0;  // bytes of the unfinished body, counted in the server's total
  std::uint64_t exchange_ = 0;
  bool keep_alive_ = true;  // as the current request wants it
  MonoTime since_;          // start of what the current time-out measures

  std::string out_;
  std::size_t out_sent_ = 0;
  MonoTime last_progress_;  // of writing

  std::shared_ptr<StreamState> stream_;
  std::size_t stream_unsent_ = 0;  // the end of out_ that came from stream_
  bool stream_finished_ = false;
};

}  // namespace baton::net

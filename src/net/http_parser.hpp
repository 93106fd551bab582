// HTTP/1.1 messages out of bytes (RFC 9112), without I/O: Boost.Beast's parser reads the head, behind checks
// that make it strict; body_decoder.hpp reads the body. Everything that could let two readers of the same
// bytes disagree about where a message ends is refused (request smuggling): Content-Length beside
// Transfer-Encoding, either of them twice, any transfer coding but a sole `chunked`, folded header lines,
// bare CR or LF, blanks before a colon. Internal to net.
//
// Not thread-safe; one parser per connection and direction, reset() between messages.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/http.hpp"

namespace baton::net {

struct ParserLimits {
  std::size_t target = 8 * 1024;   // request target; beyond it 414
  std::size_t header = 16 * 1024;  // start line and header fields with their line ends; beyond it 431
  std::uint64_t body =
      32 * 1024 * 1024;  // after removing the chunked coding; beyond it 413; UINT64_MAX = any
};

struct ParserFailure {
  int status = 0;      // what a server answers (400, 413, 414, 417, 431, 501); 0 = no failure
  std::string detail;  // a sentence for people
};

// What a message says before its body.
struct MessageHead {
  std::string method;  // requests
  std::string target;  // requests
  int status = 0;      // responses
  int minor_version = 1;
  Headers headers;
  bool keep_alive = true;
  bool chunked = false;
  bool expect_continue = false;
};

class HttpParser {
 public:
  enum class Kind : std::uint8_t { request, response };

  HttpParser(Kind kind, ParserLimits limits);
  ~HttpParser();
  HttpParser(HttpParser&&) noexcept;
  HttpParser& operator=(HttpParser&&) noexcept;

  // Reads from the front of `input` and returns how many bytes it took; the caller presents the rest again
  // together with what follows. Stops behind the head (header_done() turns true; call again for the body),
  // at the end of the message, at a failure, or where it needs more. The head is taken in one piece: until
  // then nothing is consumed, so the caller's buffer must be able to hold limits.header bytes.
  std::size_t feed(std::string_view input);
  // The connection ended. A response that is delimited by that becomes done(), anything unfinished failed().
  void feed_end();

  bool started() const;  // some byte of the message was seen
  bool header_done() const;
  bool done() const;
  bool failed() const;
  const ParserFailure& failure() const;

  MessageHead& head();        // valid once header_done()
  std::string& body();        // what arrived and was not taken out yet
  bool expects_more() const;  // header_done() and not done(): a body is on its way

  // Back to the start of the next message. `skip_body`: the response is to a HEAD request.
  void reset(bool skip_body = false);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton::net

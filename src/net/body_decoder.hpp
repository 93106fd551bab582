// Where the body of an HTTP/1.1 message ends (RFC 9112 §6.3, §7.1), and its bytes without the chunked coding.
// Strict: a chunk's size is 1–15 hex digits, lines end with CR LF, extensions and trailers are bounded and
// dropped. (Beast's own chunk parser asserts when the last chunk arrives in pieces.) Internal to net.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace baton::net {

class BodyDecoder {
 public:
  enum class Framing : std::uint8_t { none, length, chunked, until_end };
  enum class State : std::uint8_t { more, done, malformed, too_large };

  void start(Framing framing, std::uint64_t length, std::uint64_t limit);
  State state() const { return state_; }

  // Appends what `input` holds of the body to `out`; returns how many bytes were taken, 0 if more are needed
  // or state() is not `more`.
  std::size_t feed(std::string_view input, std::string& out);
  // The connection ended: done if that delimits the body, malformed if it was cut.
  void feed_end();

 private:
  enum class Part : std::uint8_t { size, data, data_end, trailer };

  std::size_t feed_chunked(std::string_view input, std::string& out);
  void size_line(std::string_view line);

  Framing framing_ = Framing::none;
  State state_ = State::done;
  Part part_ = Part::size;
  std::uint64_t left_ = 0;     // of the body (length) or of the chunk
  std::uint64_t allowed_ = 0;  // further body bytes until too_large
  std::size_t trailer_ = 0;    // bytes of trailer lines so far
};

}  // namespace baton::net

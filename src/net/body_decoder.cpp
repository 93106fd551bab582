#include "net/body_decoder.hpp"

#include <algorithm>
#include <charconv>

namespace baton::net {
namespace {

// A chunk's size line with its extension, or the whole trailer section.
constexpr std::size_t kLineLimit = 4 * 1024;

bool has_forbidden(std::string_view line) {
  return std::any_of(line.begin(), line.end(),
                     [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

}  // namespace

void BodyDecoder::start(Framing framing, std::uint64_t length, std::uint64_t limit) {
  framing_ = framing;
  part_ = Part::size;
  left_ = framing == Framing::length ? length : 0;
  allowed_ = limit;
  trailer_ = 0;
  state_ = State::more;
  if (framing == Framing::none || (framing == Framing::length && length == 0)) state_ = State::done;
  if (framing == Framing::length && length > limit) state_ = State::too_large;
}

std::size_t BodyDecoder::feed(std::string_view input, std::string& out) {
  if (state_ != State::more) return 0;
  if (framing_ == Framing::chunked) {
    std::size_t used = 0;
    while (state_ == State::more && used < input.size()) {
      const auto n = feed_chunked(input.substr(used), out);
      if (n == 0) break;
      used += n;
    }
    return used;
  }
  auto n = input.size();
  if (framing_ == Framing::length) {
    n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, n));
    left_ -= n;
    if (left_ == 0) state_ = State::done;
  } else if (n > allowed_) {
    state_ = State::too_large;
    return 0;
  } else {
    allowed_ -= n;
  }
  out.append(input.substr(0, n));
  return n;
}

void BodyDecoder::feed_end() {
  if (state_ == State::more) state_ = framing_ == Framing::until_end ? State::done : State::malformed;
}

// One line, or one piece of data.
std::size_t BodyDecoder::feed_chunked(std::string_view input, std::string& out) {
  if (part_ == Part::data) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
    out.append(input.substr(0, n));
    left_ -= n;
    if (left_ == 0) part_ = Part::data_end;
    return n;
  }
  const auto end = input.find('\n');
  const auto line_size = std::min(end, input.size());
  if (line_size + trailer_ > kLineLimit || (part_ == Part::data_end && line_size > 1)) {
    state_ = State::malformed;
    return 0;
  }
  if (end == input.npos) return 0;
  const bool has_cr = end > 0 && input[end - 1] == '\r';
  const auto line = input.substr(0, has_cr ? end - 1 : 0);
  if (!has_cr || has_forbidden(line)) {
    state_ = State::malformed;
    return 0;
  }
  switch (part_) {
    case Part::size:
      size_line(line);
      break;
    case Part::data_end:
      if (line.empty()) {
        part_ = Part::size;
      } else {
        state_ = State::malformed;
      }
      break;
    case Part::trailer:
      trailer_ += line.size() + 2;
      if (line.empty()) state_ = State::done;
      break;
    case Part::data:
      break;  // handled above
  }
  return end + 1;
}

void BodyDecoder::size_line(std::string_view line) {
  const auto digits = line.substr(0, line.find_first_of("; \t"));
  const auto extension = line.substr(digits.size());
  const auto* const last = digits.data() + digits.size();
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(digits.data(), last, size, 16);
  // from_chars takes a sign for signed types only; 15 digits cannot overflow.
  const bool is_size = !digits.empty() && digits.size() <= 15 && end == last && error == std::errc();
  const auto first = extension.find_first_not_of(" \t");
  const bool is_extension = extension.empty() || (first != extension.npos && extension[first] == ';');
  if (!is_size || !is_extension) {
    state_ = State::malformed;
  } else if (size > allowed_) {
    state_ = State::too_large;
  } else if (size == 0) {
    part_ = Part::trailer;
  } else {
    allowed_ -= size;
    left_ = size;
    part_ = Part::data;
  }
}

}  // namespace baton::net

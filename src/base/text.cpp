#include "base/text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace baton {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Length of the well-formed sequence at `at`, or 0; `bad` is the length of the maximal ill-formed subpart
// then. Unicode 15, table 3-7.
std::size_t sequence_length(std::string_view s, std::size_t at, std::size_t& bad) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char first = byte(at);
  bad = 1;
  if (first < 0x80) return 1;
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (at + i >= s.size() || byte(at + i) < low || byte(at + i) > high) return 0;
    low = 0x80;
    high = 0xBF;
    bad = i + 1;
  }
  return length;
}

// How many ASCII characters follow from there: nearly all text is nothing else, and is passed over by words.
std::size_t ascii_length(std::string_view s, std::size_t at) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
  const std::size_t begin = at;
  for (std::uint64_t word = 0; at + sizeof word <= s.size(); at += sizeof word) {
    std::memcpy(&word, s.data() + at, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  while (at < s.size() && static_cast<unsigned char>(s[at]) < 0x80) ++at;
  return at - begin;
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 128 || !is_letter_or_digit(text[0])) return false;
  return std::ranges::all_of(
      text, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_utf8(std::string_view text) {
  std::size_t bad = 0;
  for (std::size_t at = ascii_length(text, 0); at < text.size(); at += ascii_length(text, at)) {
    const std::size_t length = sequence_length(text, at, bad);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string to_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  std::size_t bad = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t plain = ascii_length(bytes, at);
    text += bytes.substr(at, plain);
    at += plain;
    if (at == bytes.size()) break;
    const std::size_t length = sequence_length(bytes, at, bad);
    if (length == 0) {
      text += "\xEF\xBF\xBD";
      at += bad;
    } else {
      text += bytes.substr(at, length);
      at += length;
    }
  }
  return text;
}

std::string_view utf8_prefix(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.size() > 64) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > 64) continue;
    const std::size_t d = distance(word, candidate);
    if (d < best_distance) {
      best_distance = d;
      best = candidate;
    }
  }
  return best;
}

std::string printable(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  std::size_t bad = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    while (at < text.size() && text[at] >= 0x20 && text[at] < 0x7F) ++at;
    out += text.substr(begin, at - begin);
    if (at == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::size_t length = sequence_length(text, at, bad);
    // C1 controls (U+0080–U+009F) steer terminals as well: in UTF-8 they are C2 80–C2 9F.
    const bool c1 = length == 2 && byte == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0;
    if (length == 0 || c1 || byte < 0x20 || byte == 0x7F) {
      const std::size_t count = std::max(length, bad);
      for (std::size_t i = 0; i < count; ++i) {
        const auto b = static_cast<unsigned char>(text[at + i]);
        out += "\\x";
        out += kHex[b >> 4];
        out += kHex[b & 15];
      }
      at += count;
    } else {
      out += text.substr(at, length);
      at += length;
    }
  }
  return out;
}

}  // namespace baton

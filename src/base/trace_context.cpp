#include "base/trace_context.hpp"

#include <algorithm>
#include <array>

namespace baton {
namespace {

constexpr std::size_t kLength = 55;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '0'; });
}

std::string hex(std::uint64_t number) {
  std::array<char, 16> digits{};
  for (std::size_t i = digits.size(); i-- > 0; number >>= 4) digits[i] = "0123456789abcdef"[number & 0xF];
  return {digits.data(), digits.size()};
}

// SplitMix64's finalizer (Steele, Lea, Flood 2014): neighbouring numbers become unlike ones, none the same.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

}  // namespace

std::optional<TraceContext> TraceContext::parse(std::string_view text) {
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  if (!is_hex(version) || version == "ff") return std::nullopt;
  if (text.size() > kLength && (version == "00" || text[kLength] != '-')) return std::nullopt;
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!is_hex(trace) || is_zero(trace) || !is_hex(parent) || is_zero(parent) || !is_hex(flags)) {
    return std::nullopt;
  }
  return TraceContext{std::string(trace), std::string(parent), std::string(flags)};
}

std::string TraceContext::text() const {
  return "00-" + trace + "-" + parent + "-" + flags;
}

TraceContext trace_of_attempt(std::string_view submitted, const RunId& run, const Token& attempt) {
  std::uint64_t low = 0;  // of the run's id: its random part and its number
  std::uint64_t high = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    high = high << 8 | run.bytes[i];
    low = low << 8 | run.bytes[i + 8];
  }
  TraceContext context;
  if (auto known = TraceContext::parse(submitted)) {
    context = std::move(*known);
  } else {
    context.trace = hex(high) + hex(low);
  }
  const std::uint64_t span = mixed(mixed(low ^ attempt.incarnation) + attempt.sequence);
  context.parent = hex(span != 0 ? span : 1);
  return context;
}

}  // namespace baton

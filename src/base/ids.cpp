#include "base/ids.hpp"

#include <charconv>

namespace baton {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

template <typename T>
bool parse_number(std::string_view text, T& out) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return false;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failure == std::errc() && end == text.data() + text.size() && text[0] != '-';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

RunId RunId::make(RunKey key, WallTime created, const Seed& seed) {
  RunId id;
  const std::uint64_t ms = static_cast<std::uint64_t>(created.us / 1000);
  for (int i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  const auto shard = static_cast<std::uint16_t>(key.shard());
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (shard >> 8));
  id.bytes[7] = static_cast<std::uint8_t>(shard);
  const std::uint64_t random = seed.low & ((1u << 22) - 1);
  const std::uint64_t tail = (std::uint64_t{2} << 62) | (random << RunKey::kSequenceBits) |
                             static_cast<std::uint64_t>(key.sequence());
  for (int i = 0; i < 8; ++i) id.bytes[8 + i] = static_cast<std::uint8_t>(tail >> (56 - 8 * i));
  return id;
}

RunKey RunId::key() const {
  const int shard = (bytes[6] & 0x0F) << 8 | bytes[7];
  std::int64_t sequence = 0;
  for (int i = 11; i < 16; ++i) sequence = sequence << 8 | bytes[i];
  return RunKey::make(static_cast<ShardId>(shard), sequence);
}

std::string RunId::text() const {
  std::string text(36, '-');
  char* at = text.data();
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) ++at;
    *at++ = kHex[bytes[i] >> 4];
    *at++ = kHex[bytes[i] & 15];
  }
  return text;
}

std::optional<RunId> RunId::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  RunId id;
  std::size_t at = 0;
  for (int i = 0; i < 16; ++i) {
    if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return std::nullopt;
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    at += 2;
  }
  if (id.bytes[6] >> 4 != 7 || id.bytes[8] >> 6 != 2) return std::nullopt;
  return id;
}

std::string TaskId::text() const {
  std::string text = run.text();
  text += '.';
  text += std::to_string(ordinal);
  return text;
}

std::optional<TaskId> TaskId::parse(std::string_view text) {
  if (text.size() < 38 || text[36] != '.') return std::nullopt;
  auto run = RunId::parse(text.substr(0, 36));
  TaskId id;
  if (!run || !parse_number(text.substr(37), id.ordinal)) return std::nullopt;
  id.run = *run;
  return id;
}

std::string Token::text() const {
  return std::to_string(incarnation) + "-" + std::to_string(sequence);
}

std::optional<Token> Token::parse(std::string_view text) {
  const auto dash = text.find('-');
  Token token;
  if (dash == std::string_view::npos || !parse_number(text.substr(0, dash), token.incarnation) ||
      !parse_number(text.substr(dash + 1), token.sequence)) {
    return std::nullopt;
  }
  return token;
}

}  // namespace baton

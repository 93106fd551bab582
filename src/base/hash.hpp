// Content hashes.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace baton {

// SHA-256 (FIPS 180-4), by libsodium.
struct Hash256 {
  std::array<std::uint8_t, 32> bytes{};
  static Hash256 of(std::string_view content);
  std::string hex() const;
  friend auto operator<=>(const Hash256&, const Hash256&) = default;
};

}  // namespace baton

template <>
struct std::hash<baton::Hash256> {
  std::size_t operator()(const baton::Hash256& h) const noexcept {
    std::size_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | h.bytes[i];
    return value;
  }
};

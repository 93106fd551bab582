#include "base/hash.hpp"

#include <sodium.h>

namespace baton {

Hash256 Hash256::of(std::string_view content) {
  Hash256 hash;
  ::crypto_hash_sha256(hash.bytes.data(), reinterpret_cast<const unsigned char*>(content.data()),
                       content.size());
  return hash;
}

std::string Hash256::hex() const {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  text.reserve(64);
  for (const std::uint8_t byte : bytes) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

}  // namespace baton

#include "base/hash.hpp"

#include <openssl/evp.h>

namespace baton {

Hash256 Hash256::of(std::string_view content) {
  Hash256 hash;
  unsigned int size = 0;
  EVP_Digest(content.data(), content.size(), hash.bytes.data(), &size, EVP_sha256(), nullptr);
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

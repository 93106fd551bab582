#include "cli/random_key.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <string_view>

namespace baton::cli {

std::string random_key() {
  unsigned char bytes[16];
  if (::getentropy(bytes, sizeof bytes) != 0) return "";
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string key = "cli-";
  for (const unsigned char byte : bytes) {
    key += kHex[byte >> 4];
    key += kHex[byte & 15];
  }
  return key;
}

}  // namespace baton::cli

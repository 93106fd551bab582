#include "auth/key_text.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

namespace baton::auth {
namespace {

constexpr std::string_view kPrefix = "baton_";
constexpr std::string_view kHex = "0123456789abcdef";

}  // namespace

Result<std::string> new_key_text() {
  std::array<unsigned char, 32> bytes{};
  if (::getentropy(bytes.data(), bytes.size()) != 0)
    return fail(ErrorCode::io, "the system gives no random numbers");
  std::string text(kPrefix);
  for (const unsigned char byte : bytes) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

bool is_key_text(std::string_view text) {
  if (!text.starts_with(kPrefix) || text.size() != kPrefix.size() + 64) return false;
  return std::ranges::all_of(text.substr(kPrefix.size()), [](char c) { return kHex.find(c) != kHex.npos; });
}

}  // namespace baton::auth

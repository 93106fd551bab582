#include "api/credentials.hpp"

#include <array>
#include <cstdint>

namespace baton::api {
namespace {

// RFC 4648, with its padding.
std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == kAlphabet.npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  return out;
}

std::unexpected<Error> unreadable() {
  return fail(
      ErrorCode::not_allowed,
      "the field Authorization cannot be read: it must be \"Bearer KEY\", or basic auth with the key as the "
      "password");
}

Result<std::string> read_authorization(std::string_view value) {
  const std::size_t blank = value.find(' ');
  if (blank == value.npos) return unreadable();
  const std::string_view scheme = value.substr(0, blank);
  std::string_view rest = value.substr(blank + 1);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (net::equals_ignoring_case(scheme, "Bearer")) return std::string(rest);
  if (!net::equals_ignoring_case(scheme, "Basic")) return unreadable();
  const auto pair = from_base64(rest);
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos) return unreadable();
  return pair->substr(colon + 1);
}

}  // namespace

Result<std::optional<std::string>> key_of(const net::Headers& headers) {
  std::optional<std::string> key;
  for (const auto& [name, value] : headers) {
    std::string given;
    if (net::equals_ignoring_case(name, "Authorization")) {
      TRY(given, read_authorization(value));
    } else if (net::equals_ignoring_case(name, "X-API-Key")) {
      given = value;
    } else {
      continue;
    }
    if (key && *key != given) return fail(ErrorCode::not_allowed, "the request carries two different keys");
    key = std::move(given);
  }
  return key;
}

}  // namespace baton::api

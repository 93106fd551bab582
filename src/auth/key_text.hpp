// The text of a key: "baton_" and 64 hexadecimal digits, 256 random bits.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace baton::auth {

// io: the system has no randomness.
Result<std::string> new_key_text();
bool is_key_text(std::string_view text);

}  // namespace baton::auth

// The cookie of a session.
#pragma once

#include <string>
#include <string_view>

#include "api/core.hpp"

namespace baton::api {

// The field Set-Cookie: no script reads it, no other site has it sent. "" takes it away.
std::string session_cookie(const Core& core, std::string_view text);

}  // namespace baton::api

// Errors as application/problem+json (RFC 9457).
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "net/http.hpp"

namespace baton::api {

// {"type","title","status","detail","code"} and "pointer" if the error's `where` is a JSON pointer. `more` is
// appended as it is: members in JSON, without braces.
net::Response problem(const Error& error, std::string_view more = {});
// With another status than the code has.
net::Response problem(const Error& error, int status, std::string_view more = {});

}  // namespace baton::api

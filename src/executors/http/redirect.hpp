// What follows a redirect (RFC 9110, 15.4). Pure.
#pragma once

#include <optional>

#include "base/error.hpp"
#include "executors/http/request.hpp"
#include "net/http.hpp"

namespace baton::executors::http {

// The request that `response` sends the client on to; nothing if it is no redirect, or one that the request
// expects. 301 and 302 turn a POST into a GET, 303 everything but HEAD; 307 and 308 repeat the request.
// Header fields that may be credentials do not go to another origin: only those stay that are known to be
// harmless. invalid_request: it leads to a place that is not followed (from https to http, another scheme, no
// URL).
std::optional<Result<Request>> redirected(const Request& request, const net::Response& response);

}  // namespace baton::executors::http

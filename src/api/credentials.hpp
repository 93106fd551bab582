// The key that a request carries.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "net/http.hpp"

namespace baton::api {

// From `Authorization: Bearer KEY`, `X-API-Key: KEY`, or basic auth with the key as its password. Nothing: it
// carries none. not_allowed: it cannot be read, or there are two that differ.
Result<std::optional<std::string>> key_of(const net::Headers& headers);

}  // namespace baton::api

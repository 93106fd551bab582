// Percent-encoding, query strings and request targets (RFC 3986). Strict: what does not decode is an error,
// never a guess. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace baton::net {

using QueryPairs = std::vector<std::pair<std::string, std::string>>;

// Encodes everything except the unreserved characters A–Z a–z 0–9 - . _ ~ ; the result can stand as one path
// segment or one query name or value.
std::string percent_encode(std::string_view text);
// Nothing if a '%' is not followed by two hex digits. Does not judge the bytes that come out.
std::optional<std::string> percent_decode(std::string_view text);

// "a=1&b=x%20y", pairs in order. Without pairs: "".
std::string build_query(const QueryPairs& pairs);
// Splits at '&', then at the first '='; '+' is a space; empty pieces ("a&&b") are skipped; a piece without
// '=' has an empty value. invalid_request: bad percent-encoding, not UTF-8, a control character, or more than
// `max_pairs` pieces.
Result<QueryPairs> parse_query(std::string_view query, std::size_t max_pairs = 256);
// The first value of that name.
std::optional<std::string_view> find_query(const QueryPairs& pairs, std::string_view name);

// The target of a request line in origin form, decoded.
struct Target {
  std::string path;  // starts with '/'; UTF-8; see parse_target for what it cannot contain
  QueryPairs query;
};
// invalid_request unless `target` is "/…" with an optional query and without a fragment. The decoded path
// contains no control character, no "." or ".." segment and no '/' or '\' that came out of a
// percent-encoding, so that nothing behind a router can read it differently than the router did. Empty
// segments ("//") are kept: they match no route.
Result<Target> parse_target(std::string_view target);

// Where a client connects to.
struct Endpoint {
  bool unix_socket = false;
  std::string path;  // of the Unix socket
  std::string host;  // name or address, without the brackets of an IPv6 address
  std::uint16_t port = 0;
  bool tls = false;

  std::string text() const;  // "unix:/run/x.sock", "http://127.0.0.1:7711", "https://example.org"
  // For the Host field: "localhost", "[::1]:7711"; without the port that the scheme has anyway.
  std::string authority() const;
};
// Accepts "unix:/path", "http://host[:port][/]", "https://host[:port][/]" and "host:port".
// usage: anything else.
Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace baton::net

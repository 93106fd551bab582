// http and https URLs (RFC 3986) as a client uses them. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "net/url.hpp"

namespace baton::net {

struct WebUrl {
  bool tls = false;  // https
  std::string host;  // lower case; a name or an address, without the brackets of an IPv6 address
  std::uint16_t port = 0;
  std::string target;  // "/path?query", percent-encoded; without the fragment, which no server gets

  Endpoint endpoint() const;
  std::string origin() const;  // "https://api.example.org", with the port unless it is the scheme's own
  std::string text() const;    // all of it
  // Without the query, where credentials often stand: for messages and logs.
  std::string shown() const;

  friend bool operator==(const WebUrl&, const WebUrl&) = default;
};

// An absolute URL. What is not allowed in a path or query but harmless (blanks, letters beyond ASCII, a '%'
// that begins nothing) is percent-encoded, as browsers do. invalid_request, with a sentence, for everything
// else: another scheme, a user or password, a host that is neither an address nor a name of letters, digits,
// '-', '_' and '.', a bad port, a control character, more than 8 KiB.
Result<WebUrl> parse_web_url(std::string_view text);

// What a reference (of a Location field, say) means that stands in the document at `base` (RFC 3986, 5.2).
Result<WebUrl> resolve_reference(const WebUrl& base, std::string_view reference);

// Adds parameters behind those that are there.
void add_query(WebUrl& url, const QueryPairs& pairs);

}  // namespace baton::net

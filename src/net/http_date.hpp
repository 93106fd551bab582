// Instants as HTTP writes them (RFC 9110, 5.6.7). Pure functions, any thread, independent of the locale.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace baton::net {

// "Sun, 06 Nov 1994 08:49:37 GMT"; fractions of a second are cut off.
std::string to_http_date(WallTime t);

// That form and the two obsolete ones ("Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"); the day
// of the week is not checked. `now` says which century two digits of a year mean: never more than 50 years
// ahead.
std::optional<WallTime> parse_http_date(std::string_view text, WallTime now);

}  // namespace baton::net

// The text form of durations in definitions, flags and output: "90s", "5m", "1h30m", "250ms", "2d", or a
// number of seconds.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"

namespace baton {

// Units: us, ms, s, m, h, d, w; each at most once and from large to small; decimals allowed ("1.5h"). A bare
// number is seconds. Refuses negative values and values over 100 years.
Result<Duration> parse_duration(std::string_view text);
// A number of seconds as it stands in a definition or request. Same limits.
Result<Duration> duration_from_seconds(double seconds);
// The shortest exact form that parse_duration reads back: "1h30m", "250ms", "0s".
std::string to_string(Duration d);
// For people, two significant units at most: "1h 30m", "4.2s", "350ms".
std::string to_display(Duration d);

}  // namespace baton

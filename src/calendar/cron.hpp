// The text of cron expressions.
//
// Five fields (minute, hour, day of month, month, day of week) or six (second first), separated by blanks:
// `*`, numbers, names (jan–dec, sun–sat), ranges `a-b` (`fri-mon` wraps), steps `/n`, lists. Sunday is 0
// and 7. Of the day of month also `L` (the last), `L-3`, `15W` (the weekday nearest to it), `LW`; of the day
// of week `5L` (the last Friday) and `5#2` (the second Friday). `?` is `*` for days. `H`, `H/15`, `H(1-5)`
// choose a value for each schedule, so that many do not fire together. @yearly, @annually, @monthly, @weekly,
// @daily, @midnight,
// @hourly stand for the usual ones.
#pragma once

#include <string_view>

#include "base/error.hpp"

namespace baton::calendar {

// Succeeds for a text that can fire. Fails with ErrorCode::invalid_definition; the message names the field,
// what is wrong and what may stand there.
Status check_cron(std::string_view text);

}  // namespace baton::calendar

// The functions behind the table in functions.cpp. Each may count on its arguments having the kinds and the
// number that its row names.
#pragma once

#include <string>

#include "expr/functions.hpp"

namespace baton::expr {

// Any value as text, in the manner of format()'s %s: strings as they are, [1, a], {k: v} sorted by key. False
// if the budget is exhausted.
bool append_text(std::string& out, const Value& value, Budget& budget);

// conversions.cpp
Outcome to_bool(const Call& call);
Outcome to_bytes(const Call& call);
Outcome to_double(const Call& call);
Outcome to_duration(const Call& call);
Outcome to_dyn(const Call& call);
Outcome to_int(const Call& call);
Outcome to_string(const Call& call);
Outcome to_timestamp(const Call& call);
Outcome to_type(const Call& call);
Outcome to_uint(const Call& call);

// strings.cpp
Outcome char_at(const Call& call);
Outcome contains(const Call& call);
Outcome ends_with(const Call& call);
Outcome index_of(const Call& call);
Outcome join(const Call& call);
Outcome last_index_of(const Call& call);
Outcome lower_ascii(const Call& call);
Outcome matches(const Call& call);
Outcome quote(const Call& call);
Outcome replace(const Call& call);
Outcome reverse(const Call& call);
Outcome size(const Call& call);
Outcome split(const Call& call);
Outcome starts_with(const Call& call);
Outcome substring(const Call& call);
Outcome trim(const Call& call);
Outcome upper_ascii(const Call& call);

// format.cpp
Outcome format(const Call& call);

// times.cpp
Outcome get_date(const Call& call);
Outcome get_day_of_month(const Call& call);
Outcome get_day_of_week(const Call& call);
Outcome get_day_of_year(const Call& call);
Outcome get_full_year(const Call& call);
Outcome get_hours(const Call& call);
Outcome get_milliseconds(const Call& call);
Outcome get_minutes(const Call& call);
Outcome get_month(const Call& call);
Outcome get_seconds(const Call& call);

}  // namespace baton::expr

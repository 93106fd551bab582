#include "expr/functions.hpp"

#include <algorithm>
#include <array>

#include "expr/library.hpp"

namespace baton::expr {
namespace {

using enum Kind;
using Style = Function::Style;

constexpr Kinds kBool = only(boolean);
constexpr Kinds kInt = only(integer);
constexpr Kinds kUint = only(unsigned_integer);
constexpr Kinds kDouble = only(number);
constexpr Kinds kString = only(string);
constexpr Kinds kBytes = only(bytes);
constexpr Kinds kList = only(list);
constexpr Kinds kTimestamp = only(timestamp);
constexpr Kinds kDuration = only(duration);
constexpr Kinds kNumbers = kInt | kUint | kDouble;

// Sorted by name.
constexpr auto kFunctions = std::to_array<Function>({
    {"bool", Style::global, 1, 1, {kBool | kString}, kBool, to_bool},
    {"bytes", Style::global, 1, 1, {kBytes | kString}, kBytes, to_bytes},
    {"charAt", Style::method, 2, 2, {kString, kInt}, kString, char_at},
    {"contains", Style::method, 2, 2, {kString, kString}, kBool, contains},
    {"double", Style::global, 1, 1, {kNumbers | kString}, kDouble, to_double},
    {"duration", Style::global, 1, 1, {kDuration | kString}, kDuration, to_duration},
    {"dyn", Style::global, 1, 1, {kAnyKind}, kAnyKind, to_dyn},
    {"endsWith", Style::method, 2, 2, {kString, kString}, kBool, ends_with},
    {"format", Style::method, 2, 2, {kString, kList}, kString, format},
    {"getDate", Style::method, 1, 2, {kTimestamp, kString}, kInt, get_date},
    {"getDayOfMonth", Style::method, 1, 2, {kTimestamp, kString}, kInt, get_day_of_month},
    {"getDayOfWeek", Style::method, 1, 2, {kTimestamp, kString}, kInt, get_day_of_week},
    {"getDayOfYear", Style::method, 1, 2, {kTimestamp, kString}, kInt, get_day_of_year},
    {"getFullYear", Style::method, 1, 2, {kTimestamp, kString}, kInt, get_full_year},
    {"getHours", Style::method, 1, 2, {kTimestamp | kDuration, kString}, kInt, get_hours},
    {"getMilliseconds", Style::method, 1, 2, {kTimestamp | kDuration, kString}, kInt, get_milliseconds},
    {"getMinutes", Style::method, 1, 2, {kTimestamp | kDuration, kString}, kInt, get_minutes},
    {"getMonth", Style::method, 1, 2, {kTimestamp, kString}, kInt, get_month},
    {"getSeconds", Style::method, 1, 2, {kTimestamp | kDuration, kString}, kInt, get_seconds},
    {"indexOf", Style::method, 2, 3, {kString, kString, kInt}, kInt, index_of},
    {"int", Style::global, 1, 1, {kNumbers | kString | kTimestamp}, kInt, to_int},
    {"join", Style::method, 1, 2, {kList, kString}, kString, join},
    {"lastIndexOf", Style::method, 2, 3, {kString, kString, kInt}, kInt, last_index_of},
    {"lowerAscii", Style::method, 1, 1, {kString}, kString, lower_ascii},
    {"matches", Style::both, 2, 2, {kString, kString}, kBool, matches},
    {"replace", Style::method, 3, 4, {kString, kString, kString, kInt}, kString, replace},
    {"reverse", Style::method, 1, 1, {kString}, kString, reverse},
    {"size", Style::both, 1, 1, {kString | kBytes | kList | only(map)}, kInt, size},
    {"split", Style::method, 2, 3, {kString, kString, kInt}, kList, split},
    {"startsWith", Style::method, 2, 2, {kString, kString}, kBool, starts_with},
    {"string",
     Style::global,
     1,
     1,
     {kBool | kNumbers | kString | kBytes | kTimestamp | kDuration},
     kString,
     to_string},
    {"strings.quote", Style::global, 1, 1, {kString}, kString, quote},
    {"substring", Style::method, 2, 3, {kString, kInt, kInt}, kString, substring},
    {"timestamp", Style::global, 1, 1, {kTimestamp | kString | kInt}, kTimestamp, to_timestamp},
    {"trim", Style::method, 1, 1, {kString}, kString, trim},
    {"type", Style::global, 1, 1, {kAnyKind}, only(type), to_type},
    {"uint", Style::global, 1, 1, {kNumbers | kString}, kUint, to_uint},
    {"upperAscii", Style::method, 1, 1, {kString}, kString, upper_ascii},
});
static_assert(std::is_sorted(kFunctions.begin(), kFunctions.end(),
                             [](const Function& a, const Function& b) { return a.name < b.name; }));

}  // namespace

const Function* find_function(std::string_view name, bool method) {
  const auto found = std::lower_bound(kFunctions.begin(), kFunctions.end(), name,
                                      [](const Function& f, std::string_view n) { return f.name < n; });
  if (found == kFunctions.end() || found->name != name) return nullptr;
  if (found->style == (method ? Style::global : Style::method)) return nullptr;
  return &*found;
}

std::span<const Function> all_functions() {
  return kFunctions;
}

}  // namespace baton::expr

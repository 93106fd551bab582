// Holds what can be seen of a run against what was expected of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "scenario/events.hpp"
#include "scenario/observe.hpp"
#include "scenario/run.hpp"

namespace baton::scenario {

struct Evidence {
  Observed seen;
  std::vector<EventLine> events;                    // of this run
  std::map<std::string, boost::json::value> given;  // task → what its last attempt got
  WallTime begin;                                   // of the scenario
};

std::vector<Failure> check(const Expectation& expected, const Evidence& evidence);

// Why `actual` is not what was expected; "" if it is. `field` decides how they are compared: instants and
// durations as times (or ranges of times), results and inputs as a whole, other maps by the members that are
// expected, a message by a part of it.
std::string difference(std::string_view field, const boost::json::value& expected,
                       const boost::json::value& actual, WallTime begin);

}  // namespace baton::scenario

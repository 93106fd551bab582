// Events as lines, for logs and pipes.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "cli/view/run_model.hpp"

namespace baton::cli {

// The line for an event that `model` has just taken in; "" for those that are not worth one. Items of mapped
// steps get lines only when they fail or are tried again; what the step has done is told every tenth of the
// way.
std::string event_line(const RunModel& model, std::string_view type, const boost::json::object& event);

}  // namespace baton::cli

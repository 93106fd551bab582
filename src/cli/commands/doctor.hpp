// What `baton doctor` finds, for others who tell it.
#pragma once

#include <boost/json/object.hpp>

#include "cli/program.hpp"

namespace baton::cli {

// {"status", "checks", "stuck"}, as `baton doctor --output json` prints it. Changes nothing.
boost::json::object doctor_report(const Context& context);

}  // namespace baton::cli

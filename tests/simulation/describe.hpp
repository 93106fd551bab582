// Commands, replies and facts as short lines for a trace.
#pragma once

#include <string>

#include "model/command.hpp"
#include "model/fact.hpp"

namespace baton::simulation {

std::string describe(const model::CommandBody& body);
std::string describe(const model::ReplyBody& reply);
std::string describe(RunKey run, const model::Fact& fact);
std::string describe(const TaskId& task);  // "1.4": the run's number, the ordinal

}  // namespace baton::simulation

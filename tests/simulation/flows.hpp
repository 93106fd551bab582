// Random definitions, as texts that the real parser reads: graphs of any shape with every policy that the
// language has.
#pragma once

#include <memory>
#include <string>

#include "engine/moment.hpp"
#include "model/definition.hpp"

namespace baton::simulation {

std::shared_ptr<const model::Workflow> random_flow(engine::Random& random, const std::string& name,
                                                   std::uint32_t most_steps);

}  // namespace baton::simulation

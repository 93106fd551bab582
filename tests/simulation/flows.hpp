// Random definitions, as texts that the real parser reads: graphs of any shape with every policy that the
// language has. The programs in them say by their first word what they are for (see chore_of()).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/moment.hpp"
#include "model/definition.hpp"
#include "options.hpp"

namespace baton::simulation {

// The definition of the number-th run. What `options` switch off is left out, and the rest stays as it is.
std::shared_ptr<const model::Workflow> random_flow(const Options& options, std::uint64_t number,
                                                   const std::string& name);

}  // namespace baton::simulation

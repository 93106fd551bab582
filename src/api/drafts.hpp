// Workflows that have no steps yet.
#pragma once

#include <optional>
#include <string_view>

#include "api/core.hpp"
#include "model/draft.hpp"

namespace baton::api {

// nullopt: there is no draft of that name.
Result<std::optional<model::Draft>> find_draft(Core& core, std::string_view name);

}  // namespace baton::api

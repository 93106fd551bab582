// The table of fields as text for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace baton::spec {

// What `baton schema --field PATH` prints: type, default, description, example and the fields below. PATH is
// like steps.retry.jitter or steps.*.retry.jitter. Fails with ErrorCode::not_found, naming the nearest path.
Result<std::string> field_help(std::string_view path);

// All paths that begin with `prefix`, for completion.
std::vector<std::string> complete_field(std::string_view prefix);

// docs/reference/definition.md, whole; a test holds the file against it.
std::string reference_page();

}  // namespace baton::spec

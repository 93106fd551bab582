// The table of fields as text for people.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace baton::spec {

// What `baton schema --field PATH` prints: type, default, description, example and the fields below. PATH is
// like steps.retry.jitter, steps.*.retry.jitter or steps.build.retry.jitter. For the beginning of a path, and
// one that ends with a dot, the fields that begin so. Fails with ErrorCode::not_found, naming the nearest
// path.
Result<std::string> field_help(std::string_view path);

// The same as data: {"path", "type", "required", "default", "description", "example", "kinds", "words",
// "supported", "fields"}, and {"fields": [{"path", "type", "description"}]} for the beginning of a path.
Result<boost::json::object> field_data(std::string_view path);

// All paths, as people write them: without a `*` for the name of the step.
std::vector<std::string> field_paths();

// docs/reference/definition.md, whole; a test holds the file against it.
std::string reference_page();

}  // namespace baton::spec

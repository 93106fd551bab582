// The canonical layout of a definition in YAML: two blanks of indentation, also for lists; one blank behind
// colons, commas and inside of nothing; at most one empty line; lists and maps in [] and {} on one line, or
// in block style where that would be too long or there are comments inside. Order, quotes, comments, and the
// lines of texts stay as they are.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "spec/tree_builder.hpp"

namespace baton::spec {

// Fails for what is no YAML. The result means the same (the same values in the same order), has the same
// comments, and is its own canonical layout; this is checked, and a text for which it could not be kept is an
// error, too.
std::expected<std::string, SyntaxError> format_yaml(std::string_view text);

// Whether two trees hold the same values in the same order.
bool same_values(const Tree& a, const Tree& b);

}  // namespace baton::spec

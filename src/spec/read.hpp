// Text → tree, for both notations. Neither reader recurses; both stop at the first error of syntax.
#pragma once

#include <expected>
#include <string_view>

#include "spec/tree_builder.hpp"

namespace baton::spec {

// YAML 1.2 (core schema, one document, UTF-8 without byte order mark), by libyaml's event API. `text` must
// outlive the tree.
std::expected<Tree, SyntaxError> read_yaml(std::string_view text, const TreeLimits& limits);

// JSON as RFC 8259 has it, but with duplicate keys as errors.
std::expected<Tree, SyntaxError> read_json(std::string_view text, const TreeLimits& limits);

// Which of the two a text is: by the file's name (.json, .yaml, .yml), else JSON if its first character is
// `{`.
bool looks_like_json(std::string_view file_name, std::string_view text);

// Chooses by looks_like_json() and checks what both have in common: size and encoding.
std::expected<Tree, SyntaxError> read_tree(std::string_view file_name, std::string_view text,
                                           const TreeLimits& limits);

}  // namespace baton::spec

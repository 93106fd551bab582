// A YAML text as people wrote it: its values with their notation, and its comments with what they stand
// beside. The tree of tree.hpp knows what a text means; this knows what it looks like. For `baton fmt`.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "spec/tree_builder.hpp"

namespace baton::spec {

struct Comment {
  std::string text;           // from the #, without blanks at its end; "" = none
  bool blank_before = false;  // it has a line of its own, and the one before it is empty
  std::size_t column = 0;     // in characters, from 0
};

struct SourceItem;

struct SourceNode {
  enum class Kind : std::uint8_t { scalar, alias, list, map };
  enum class Style : std::uint8_t { plain, single_quoted, double_quoted, literal, folded };
  Kind kind = Kind::scalar;
  Style style = Style::plain;  // of a scalar
  bool flow = false;           // of a collection: [] or {}
  std::string properties;      // "&anchor", "!!str"
  // Of a scalar its lines as they stand in the text: of a block scalar without the header and its
  // indentation; of the others without the blanks that begin them. Of an alias "*name".
  std::vector<std::string> lines;
  std::string value;  // of a scalar: what it means
  std::vector<SourceItem> items;
  std::vector<Comment> dangling;  // comments behind the last item
  int column = 0;                 // of a block collection
};

// An item of a list, or a member of a map.
struct SourceItem {
  std::vector<Comment> leading;  // on lines of their own
  bool blank_before = false;     // the line before it (below the comments) is empty
  SourceNode key;                // of a member
  Comment head;                  // the comment behind the key or the dash, before the value
  SourceNode value;
  Comment tail;  // the comment behind the value, on its last line
};

struct YamlSource {
  std::string directives;             // with their newlines
  SourceItem root;                    // no key
  std::vector<std::string> comments;  // all of them, in the order of the text
};

// Reads a text that read_yaml() accepts. Fails for line breaks other than LF and CR LF, which YAML 1.1
// and 1.2 read differently.
std::expected<YamlSource, SyntaxError> read_yaml_source(std::string_view text);

}  // namespace baton::spec

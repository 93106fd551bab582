// A schema as validate() follows it: nodes by index, node 0 is the root.
#pragma once

#include <re2/re2.h>

#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace baton::schema {

using NodeIndex = std::uint32_t;

// Bits of `Node::types`.
enum Type : std::uint8_t {
  kNull = 1,
  kBoolean = 2,
  kInteger = 4,
  kNumber = 8,
  kString = 16,
  kArray = 32,
  kObject = 64,
};

struct Node {
  bool never = false;                            // the schema `false`
  std::uint8_t types = 0;                        // 0 = any
  std::optional<std::set<std::string>> allowed;  // enum and const, as normal texts
  std::string allowed_text;                      // for messages

  std::vector<std::pair<std::string, NodeIndex>> properties;  // sorted by name
  std::vector<std::string> required;
  std::optional<NodeIndex> additional;  // of additionalProperties
  std::optional<NodeIndex> property_names;
  std::optional<NodeIndex> items;
  std::optional<std::uint64_t> min_length, max_length, min_items, max_items, min_properties, max_properties;
  std::optional<boost::json::value> minimum, maximum, exclusive_minimum, exclusive_maximum;
  bool unique = false;
  std::shared_ptr<const re2::RE2> pattern;

  std::vector<NodeIndex> all_of, any_of, one_of;
  std::optional<NodeIndex> negated;
  std::optional<NodeIndex> ref;
};

struct Program {
  std::vector<Node> nodes;
  std::vector<std::string> unchecked;
};

}  // namespace baton::schema

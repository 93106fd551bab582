#include "spec/schemas.hpp"

#include <algorithm>
#include <string>

namespace baton::spec {
namespace {

// The node that a JSON pointer of the declaration leads to; the nearest one above it if it has no node of its
// own.
NodeId node_at(const Tree& tree, NodeId node, std::string_view pointer) {
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    std::string part;
    for (std::size_t i = 0; i < end; ++i) {
      if (pointer[i] == '~' && i + 1 < end) {
        part += pointer[++i] == '0' ? '~' : '/';
      } else {
        part += pointer[i];
      }
    }
    pointer.remove_prefix(end);
    NodeId next = kNoNode;
    if (const auto member = tree.find(node, part)) {
      next = pointer.empty() ? member->key : member->value;
    } else if (tree.is(node, NodeKind::list)) {
      std::string index = "0";
      std::size_t at = 0;
      for (const NodeId item : tree.items(node)) {
        if (std::to_string(at++) == part) next = item;
      }
    }
    if (next == kNoNode) return node;
    node = next;
  }
  return node;
}

}  // namespace

std::optional<schema::Schema> check_schema(const Tree& tree, NodeId node, const boost::json::value& source,
                                           schema::Budget& budget, Findings& findings) {
  auto schema = schema::Schema::compile(source, budget);
  if (schema) return std::move(*schema);
  for (const schema::Problem& p : schema.error()) {
    findings.error(node_at(tree, node, p.pointer), p.message);
  }
  return std::nullopt;
}

}  // namespace baton::spec

#include "spec/tree.hpp"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "spec/scalar.hpp"

namespace baton::spec {

std::string_view describe(NodeKind kind) {
  constexpr std::array<std::string_view, 7> kWords = {"nothing (null)", "a boolean", "an integer", "a number",
                                                      "a string",       "a list",    "a map"};
  return kWords[static_cast<std::size_t>(kind)];
}

Tree Tree::rooted_at(NodeId node) const {
  Tree part = *this;
  part.root_ = node;
  return part;
}

std::string_view Tree::text(NodeId id) const {
  const Node& node = nodes_[id];
  if (is_collection(id)) return {};
  return (node.in_source ? source_ : std::string_view(texts_)).substr(node.first, node.size);
}

std::size_t Tree::count(NodeId id) const {
  const Node& node = nodes_[id];
  if (node.kind == NodeKind::list) return node.size;
  if (node.kind == NodeKind::map) return node.size / 2;
  return 0;
}

std::optional<Member> Tree::find(NodeId map, std::string_view key) const {
  for (const Member member : members(map)) {
    if (text(member.key) == key) return member;
  }
  return std::nullopt;
}

std::optional<std::int64_t> Tree::integer(NodeId id) const {
  if (!is(id, NodeKind::integer)) return std::nullopt;
  const boost::json::value value = number_value(text(id));
  if (const auto* small = value.if_int64()) return *small;
  return std::nullopt;
}

double Tree::number(NodeId id) const {
  return number_value(text(id)).to_number<double>();
}

// The depth of a tree is limited when it is built.
boost::json::value Tree::to_json(NodeId id) const {
  switch (nodes_[id].kind) {
    case NodeKind::null:
      return nullptr;
    case NodeKind::boolean:
      return boolean(id);
    case NodeKind::integer:
    case NodeKind::real:
      return number_value(text(id));
    case NodeKind::string:
      return boost::json::value(boost::json::string_view(text(id).data(), text(id).size()));
    case NodeKind::list: {
      boost::json::array array;
      array.reserve(count(id));
      for (const NodeId item : items(id)) array.push_back(to_json(item));
      return array;
    }
    case NodeKind::map: {
      boost::json::object object;
      object.reserve(count(id));
      for (const Member m : members(id)) object.emplace(text(m.key), to_json(m.value));
      return object;
    }
  }
  return nullptr;
}

}  // namespace baton::spec

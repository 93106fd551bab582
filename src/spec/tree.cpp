#include "spec/tree.hpp"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
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

NodeId Tree::add_scalar(NodeKind kind, std::string_view text) {
  Node node;
  node.kind = kind;
  node.first = static_cast<std::uint32_t>(texts_.size());
  node.size = static_cast<std::uint32_t>(text.size());
  texts_ += text;
  nodes_.push_back(node);
  return static_cast<NodeId>(nodes_.size() - 1);
}

// Recursion is as deep as the value, which comes from a definition.
NodeId Tree::add(const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return add_scalar(NodeKind::null, "");
    case boost::json::kind::bool_:
      return add_scalar(NodeKind::boolean, value.get_bool() ? "true" : "false");
    case boost::json::kind::string:
      return add_scalar(NodeKind::string, std::string_view(value.get_string()));
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
      return add_scalar(NodeKind::integer, boost::json::serialize(value));
    case boost::json::kind::double_:
      return add_scalar(NodeKind::real, boost::json::serialize(value));
    case boost::json::kind::array: {
      const NodeId list = add_scalar(NodeKind::list, "");
      NodeId last = kNoNode;
      for (const auto& element : value.get_array()) {
        const NodeId item = add(element);
        (last == kNoNode ? nodes_[list].first : nodes_[last].next) = item;
        last = item;
      }
      if (last == kNoNode) nodes_[list].first = kNoNode;
      nodes_[list].size = static_cast<std::uint32_t>(value.get_array().size());
      return list;
    }
    case boost::json::kind::object: {
      const NodeId map = add_scalar(NodeKind::map, "");
      nodes_[map].first = kNoNode;
      // From the last to the first, each before the others.
      const auto& members = value.get_object();
      for (auto member = members.end(); member != members.begin();) {
        --member;
        put_first(map, std::string_view(member->key()), member->value());
      }
      return map;
    }
  }
  return kNoNode;
}

void Tree::put_first(NodeId map, std::string_view key, const boost::json::value& value) {
  const NodeId name = add_scalar(NodeKind::string, key);
  const NodeId content = add(value);
  nodes_[name].next = content;
  nodes_[content].next = nodes_[map].first;
  nodes_[map].first = name;
  nodes_[map].size += 2;
}

}  // namespace baton::spec

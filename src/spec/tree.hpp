// The text of a definition as a tree of nodes that know their place in the text. YAML and JSON readers build
// it, the parser reads it and throws it away. A node takes 24 bytes; scalars that stand in the text as they
// are meant share it.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace baton::spec {

// The kinds of YAML 1.2's core schema. Numbers keep their text until they are asked for.
enum class NodeKind : std::uint8_t { null, boolean, integer, real, string, list, map };
// For messages: "a string", "a list".
std::string_view describe(NodeKind kind);

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = UINT32_MAX;

// A part of the text, in bytes.
struct Span {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

struct Node {
  Span span;              // of a collection: its first byte
  NodeId next = kNoNode;  // the next child of the same parent
  // Collections: first child and number of children (a map's keys and values alternate). Scalars: where the
  // text begins (in the source or in the tree's own storage) and its size in bytes.
  std::uint32_t first = 0;
  std::uint32_t size = 0;
  NodeKind kind = NodeKind::null;
  bool quoted = false;     // a scalar in quotes, or a block scalar
  bool in_source = false;  // the scalar's text stands in the source
};

struct Member {
  NodeId key = kNoNode;
  NodeId value = kNoNode;
};

// Immutable once built. Refers to the source text, which must outlive it.
class Tree {
 public:
  explicit Tree(std::string_view source) : source_(source) {}

  NodeId root() const { return root_; }
  // The same text with another node as its root, for a part that is a document of its own. Places stay those
  // of the whole text.
  Tree rooted_at(NodeId node) const;
  const Node& operator[](NodeId id) const { return nodes_[id]; }
  std::size_t node_count() const { return nodes_.size(); }
  std::string_view source() const { return source_; }

  bool is(NodeId id, NodeKind kind) const { return nodes_[id].kind == kind; }
  bool is_collection(NodeId id) const { return is(id, NodeKind::list) || is(id, NodeKind::map); }
  // Of a scalar: its text after quotes, escapes and folding are undone.
  std::string_view text(NodeId id) const;

  // Puts a member before the others of a map. It stands nowhere in the text: its place is the text's
  // beginning.
  void put_first(NodeId map, std::string_view key, const boost::json::value& value);

  // Number of items of a list or of members of a map.
  std::size_t count(NodeId id) const;
  // The member of a map with that key; linear in the map's size.
  std::optional<Member> find(NodeId map, std::string_view key) const;

  // for (NodeId item : tree.items(list)), for (Member m : tree.members(map)); empty for other kinds.
  class Items;
  class Members;
  Items items(NodeId list) const;
  Members members(NodeId map) const;

  // The value of an integer or boolean; the reader has checked its form and range. An integer above
  // INT64_MAX, and what is no integer, comes as nullopt.
  std::optional<std::int64_t> integer(NodeId id) const;
  double number(NodeId id) const;  // of an integer or real
  bool boolean(NodeId id) const { return text(id).front() == 't' || text(id).front() == 'T'; }
  boost::json::value to_json(NodeId id) const;

 private:
  NodeId add(const boost::json::value& value);
  NodeId add_scalar(NodeKind kind, std::string_view text);

  friend class TreeBuilder;
  std::string_view source_;
  std::string texts_;
  std::vector<Node> nodes_;
  NodeId root_ = kNoNode;
};

class Tree::Items {
 public:
  struct Iterator {
    const Tree* tree;
    NodeId at;
    NodeId operator*() const { return at; }
    Iterator& operator++() {
      at = (*tree)[at].next;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at == other.at; }
  };
  Iterator begin() const { return {tree, first}; }
  Iterator end() const { return {tree, kNoNode}; }
  const Tree* tree;
  NodeId first;
};

class Tree::Members {
 public:
  struct Iterator {
    const Tree* tree;
    NodeId at;
    Member operator*() const { return {at, (*tree)[at].next}; }
    Iterator& operator++() {
      at = (*tree)[(*tree)[at].next].next;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at == other.at; }
  };
  Iterator begin() const { return {tree, first}; }
  Iterator end() const { return {tree, kNoNode}; }
  const Tree* tree;
  NodeId first;
};

inline Tree::Items Tree::items(NodeId list) const {
  return {this, is(list, NodeKind::list) ? nodes_[list].first : kNoNode};
}
inline Tree::Members Tree::members(NodeId map) const {
  return {this, is(map, NodeKind::map) ? nodes_[map].first : kNoNode};
}

}  // namespace baton::spec

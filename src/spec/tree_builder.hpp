// Builds a Tree from a stream of events and keeps the budgets: whatever the text, the tree stays within them.
#pragma once

#include <expected>
#include <string>
#include <unordered_map>
#include <vector>

#include "spec/tree.hpp"

namespace baton::spec {

// Defaults are those of docs/reference/limits: one definition.
struct TreeLimits {
  std::size_t bytes = std::size_t{16} << 20;  // of the text
  std::size_t depth = 64;                     // of nested lists and maps
  std::size_t nodes = 2'000'000;
  std::size_t alias_nodes = 100'000;  // that all aliases and merge keys together stand for
  std::size_t anchors = 10'000;
  std::size_t alias_bytes = std::size_t{16} << 20;  // of the text that all aliases together stand for
};

struct SyntaxError {
  Span span;
  std::string message;
  std::string suggestion;
};

class TreeBuilder {
 public:
  TreeBuilder(std::string_view source, const TreeLimits& limits);

  // Each event returns false if it ended the building: see error().
  bool begin(NodeKind list_or_map, std::uint32_t offset);
  bool end();
  // `text` may be a part of the source (kept as it is) or anything else (copied).
  bool scalar(NodeKind kind, Span span, std::string_view text, bool quoted);

  // Names the node that the next event makes.
  bool anchor(std::string_view name, Span span);
  bool alias(std::string_view name, Span span);

  bool fail(Span span, std::string message, std::string suggestion = {});
  const SyntaxError& error() const { return error_; }

  // The finished tree; a tree without a root if nothing was added.
  Tree take() { return std::move(tree_); }

 private:
  struct Frame {
    NodeId node;
    NodeId last = kNoNode;
    std::uint32_t own_height = 1;  // levels of the deepest child so far, and this one
    std::size_t size = 1;          // nodes in it, aliases expanded
    std::size_t bytes = 0;         // of the texts in it, aliases expanded
    std::string anchor;
    bool merges = false;  // has a `<<` key
  };
  struct Anchor {
    NodeId node = kNoNode;  // kNoNode while it is still open
    std::size_t size = 1;
    std::size_t bytes = 0;
    std::uint32_t height = 0;
  };

  bool at_key() const {
    return !frames_.empty() && in_map(frames_.back()) && children(frames_.back()) % 2 == 0;
  }
  bool in_map(const Frame& f) const { return tree_.nodes_[f.node].kind == NodeKind::map; }
  std::uint32_t children(const Frame& f) const { return tree_.nodes_[f.node].size; }
  bool has_room(std::size_t nodes, Span span);
  NodeId add(Node node);
  bool account(std::size_t size, std::size_t bytes, std::uint32_t height, Span span);
  bool merge(Frame& frame);
  bool check_duplicates(const Frame& frame);

  std::string_view source_;
  TreeLimits limits_;
  Tree tree_;
  std::vector<Frame> frames_;
  std::unordered_map<std::string, Anchor> anchors_;
  std::string next_anchor_;
  std::size_t alias_nodes_ = 0;
  std::size_t alias_bytes_ = 0;
  SyntaxError error_;
};

}  // namespace baton::spec

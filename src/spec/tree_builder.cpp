#include "spec/tree_builder.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"

namespace baton::spec {

TreeBuilder::TreeBuilder(std::string_view source, const TreeLimits& limits)
    : source_(source), limits_(limits), tree_(source) {}

bool TreeBuilder::fail(Span span, std::string message, std::string suggestion) {
  error_ = {span, std::move(message), std::move(suggestion)};
  return false;
}

bool TreeBuilder::has_room(std::size_t nodes, Span span) {
  if (tree_.nodes_.size() + nodes <= limits_.nodes) return true;
  return fail(span, "the definition has more than " + std::to_string(limits_.nodes) + " values");
}

NodeId TreeBuilder::add(Node node) {
  const auto id = static_cast<NodeId>(tree_.nodes_.size());
  tree_.nodes_.push_back(node);
  if (frames_.empty()) {
    tree_.root_ = id;
    return id;
  }
  Frame& frame = frames_.back();
  Node& parent = tree_.nodes_[frame.node];
  if (frame.last == kNoNode) {
    parent.first = id;
  } else {
    tree_.nodes_[frame.last].next = id;
  }
  frame.last = id;
  ++parent.size;
  return id;
}

// Charges a node that stands for `size` nodes with `bytes` of text and is `height` levels high to the budgets
// and the open frame.
bool TreeBuilder::account(std::size_t size, std::size_t bytes, std::uint32_t height, Span span) {
  if (frames_.size() + height > limits_.depth) {
    return fail(span, "lists and maps are nested deeper than " + std::to_string(limits_.depth) + " levels");
  }
  if (!frames_.empty()) {
    frames_.back().size += size;
    frames_.back().bytes += bytes;
    frames_.back().own_height = std::max(frames_.back().own_height, height + 1);
  }
  return true;
}

bool TreeBuilder::begin(NodeKind kind, std::uint32_t offset) {
  const Span span{offset, 1};
  if (at_key()) return fail(span, "a key must be a single word or text, not " + std::string(describe(kind)));
  if (!has_room(1, span)) return false;
  if (frames_.size() >= limits_.depth) return account(1, 0, 1, span);
  Node node;
  node.kind = kind;
  node.span = span;
  node.first = kNoNode;
  const NodeId id = add(node);
  Frame frame{.node = id, .anchor = std::move(next_anchor_)};
  next_anchor_.clear();
  if (!frame.anchor.empty()) anchors_[frame.anchor] = {};
  frames_.push_back(std::move(frame));
  return true;
}

bool TreeBuilder::end() {
  Frame frame = std::move(frames_.back());
  if (in_map(frame)) {
    if (!check_duplicates(frame)) return false;
    if (frame.merges && !merge(frame)) return false;
  }
  frames_.pop_back();
  if (!frame.anchor.empty()) anchors_[frame.anchor] = {frame.node, frame.size, frame.bytes, frame.own_height};
  return account(frame.size, frame.bytes, frame.own_height, tree_.nodes_[frame.node].span);
}

bool TreeBuilder::scalar(NodeKind kind, Span span, std::string_view text, bool quoted) {
  Node node;
  node.kind = kind;
  node.span = span;
  node.quoted = quoted;
  node.size = static_cast<std::uint32_t>(text.size());
  if (at_key()) {
    if (kind == NodeKind::null) return fail(span, "a key is missing");
    if (text == "<<" && !quoted) frames_.back().merges = true;
  }
  if (!has_room(1, span) || !account(1, text.size(), 0, span)) return false;
  if (text.data() >= source_.data() && text.data() + text.size() <= source_.data() + source_.size()) {
    node.in_source = true;
    node.first = static_cast<std::uint32_t>(text.data() - source_.data());
  } else {
    node.first = static_cast<std::uint32_t>(tree_.texts_.size());
    tree_.texts_ += text;
  }
  const NodeId id = add(node);
  if (!next_anchor_.empty()) {
    anchors_[next_anchor_] = {id, 1, text.size(), 0};
    next_anchor_.clear();
  }
  return true;
}

bool TreeBuilder::anchor(std::string_view name, Span span) {
  next_anchor_ = name;
  if (anchors_.size() < limits_.anchors) return true;
  return fail(span, "the definition has more than " + std::to_string(limits_.anchors) + " anchors");
}

bool TreeBuilder::alias(std::string_view name, Span span) {
  const auto found = anchors_.find(std::string(name));
  if (found == anchors_.end()) {
    std::vector<std::string_view> names;
    for (const auto& [known, anchor] : anchors_) names.push_back(known);
    std::ranges::sort(names);
    const std::string_view meant = nearest(name, names);
    return fail(span, "there is no anchor &" + std::string(name) + " before this",
                meant.empty() ? "" : "did you mean *" + std::string(meant) + "?");
  }
  const Anchor& anchor = found->second;
  if (anchor.node == kNoNode)
    return fail(span, "the alias *" + std::string(name) + " stands inside of its own anchor");
  // Copied, since add() may move the nodes. The copy shares the children and keeps the anchor's place in the
  // text: that is where a wrong value has to be corrected.
  Node node = tree_.nodes_[anchor.node];
  if (at_key() && tree_.is_collection(anchor.node)) return fail(span, "a key must be a single word or text");
  alias_nodes_ += anchor.size;
  if (alias_nodes_ > limits_.alias_nodes) {
    return fail(span, "the aliases stand for more than " + std::to_string(limits_.alias_nodes) + " values");
  }
  alias_bytes_ += anchor.bytes;
  if (alias_bytes_ > limits_.alias_bytes) {
    return fail(span,
                "the aliases stand for more than " + std::to_string(limits_.alias_bytes) + " bytes of text");
  }
  if (!has_room(1, span) || !account(anchor.size, anchor.bytes, anchor.height, span)) return false;
  node.next = kNoNode;
  add(node);
  return true;
}

bool TreeBuilder::check_duplicates(const Frame& frame) {
  const std::size_t count = children(frame) / 2;
  std::vector<std::pair<std::string_view, NodeId>> keys;
  keys.reserve(count);
  for (NodeId key = tree_.nodes_[frame.node].first; key != kNoNode;) {
    keys.emplace_back(tree_.text(key), key);
    key = tree_.nodes_[tree_.nodes_[key].next].next;
  }
  // Sorting instead of hashing: a hostile text cannot make it slow.
  std::ranges::sort(keys);
  NodeId duplicate = kNoNode;
  for (std::size_t i = 1; i < keys.size(); ++i) {
    if (keys[i].first == keys[i - 1].first) duplicate = std::min(duplicate, keys[i].second);
  }
  if (duplicate == kNoNode) return true;
  return fail(tree_.nodes_[duplicate].span, "the key \"" + printable(utf8_prefix(tree_.text(duplicate), 60)) +
                                                "\" stands twice in this map");
}

// `<<: *map` or `<<: [*a, *b]` (the merge key of YAML 1.1, which many tools still write): adds the members
// whose keys the map does not have itself; an earlier source wins over a later one.
bool TreeBuilder::merge(Frame& frame) {
  const Span where = tree_.nodes_[frame.node].span;
  std::vector<Member> own;
  std::vector<NodeId> sources;
  for (const Member m : tree_.members(frame.node)) {
    if (tree_.text(m.key) != "<<" || tree_.nodes_[m.key].quoted) {
      own.push_back(m);
    } else if (tree_.is(m.value, NodeKind::list)) {
      for (const NodeId item : tree_.items(m.value)) sources.push_back(item);
    } else {
      sources.push_back(m.value);
    }
  }
  std::vector<std::string_view> own_keys;
  for (const Member m : own) own_keys.push_back(tree_.text(m.key));
  std::ranges::sort(own_keys);
  std::set<std::string_view> added;
  std::vector<Member> merged;
  for (const NodeId source : sources) {
    if (!tree_.is(source, NodeKind::map)) {
      return fail(tree_.nodes_[source].span, "the merge key << takes a map or a list of maps");
    }
    for (const Member m : tree_.members(source)) {
      const std::string_view key = tree_.text(m.key);
      if (!std::ranges::binary_search(own_keys, key) && added.insert(key).second) merged.push_back(m);
    }
    alias_nodes_ += tree_.count(source) * 2;
    if (alias_nodes_ > limits_.alias_nodes) {
      return fail(where,
                  "the aliases stand for more than " + std::to_string(limits_.alias_nodes) + " values");
    }
  }
  if (!has_room(merged.size() * 2, where)) return false;
  // Link the map's children anew: own members first, then copies of the merged ones.
  frame.size += merged.size() * 2;
  NodeId last = kNoNode;
  tree_.nodes_[frame.node].first = kNoNode;
  tree_.nodes_[frame.node].size = 0;
  const auto link = [&](NodeId id) {
    tree_.nodes_[id].next = kNoNode;
    if (last == kNoNode) {
      tree_.nodes_[frame.node].first = id;
    } else {
      tree_.nodes_[last].next = id;
    }
    last = id;
    ++tree_.nodes_[frame.node].size;
  };
  for (const Member m : own) {
    link(m.key);
    link(m.value);
  }
  for (const Member m : merged) {
    for (const NodeId id : {m.key, m.value}) {
      const Node copy = tree_.nodes_[id];
      tree_.nodes_.push_back(copy);
      link(static_cast<NodeId>(tree_.nodes_.size() - 1));
    }
  }
  return true;
}

}  // namespace baton::spec

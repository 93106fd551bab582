#include "scenario/reader.hpp"

#include "base/duration.hpp"
#include "base/text.hpp"

namespace baton::scenario {

using spec::Member;
using spec::NodeId;
using spec::NodeKind;

Place Reader::place(NodeId node) {
  Place place;
  place.file = file;
  places_.set(place, tree[node].span);
  return place;
}

std::string Reader::shown(NodeId node) const {
  if (tree.is_collection(node)) return std::string(spec::describe(tree[node].kind));
  const std::string_view text = utf8_prefix(tree.text(node), 60);
  return "\"" + printable(text) + (text.size() < tree.text(node).size() ? "…\"" : "\"");
}

void Reader::wrong(NodeId node, std::string_view what, std::string_view expected) {
  findings.error(node,
                 "`" + std::string(what) + "` must be " + std::string(expected) + ", not " + shown(node));
}

bool Reader::check_words(NodeId map, std::span<const Word> words, std::string_view what) {
  if (!tree.is(map, NodeKind::map)) {
    findings.error(map, std::string(what) + " must be a map, not " + shown(map));
    return false;
  }
  for (const Member m : tree.members(map)) {
    const std::string_view key = tree.text(m.key);
    if (std::ranges::find(words, key, &Word::name) != words.end()) continue;
    const std::string_view near = meant(key, words);
    findings.error(m.key, "unknown word " + shown(m.key) + " in " + std::string(what),
                   near.empty() ? "" : "did you mean `" + std::string(near) + "`?");
  }
  return true;
}

std::optional<NodeId> Reader::member(NodeId map, std::string_view name) const {
  if (!tree.is(map, NodeKind::map)) return std::nullopt;
  const auto found = tree.find(map, name);
  return found ? std::optional(found->value) : std::nullopt;
}

std::optional<std::string> Reader::text(NodeId node, std::string_view what) {
  if (!tree.is_collection(node) && !tree.is(node, NodeKind::null)) return std::string(tree.text(node));
  wrong(node, what, "a text");
  return std::nullopt;
}

std::optional<std::int64_t> Reader::integer(NodeId node, std::string_view what, std::int64_t least,
                                            std::int64_t most) {
  const auto value = tree.is(node, NodeKind::integer) ? tree.integer(node) : std::nullopt;
  if (value && *value >= least && *value <= most) return value;
  wrong(node, what, "a number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<bool> Reader::boolean(NodeId node, std::string_view what) {
  if (tree.is(node, NodeKind::boolean)) return tree.boolean(node);
  wrong(node, what, "true or false");
  return std::nullopt;
}

std::optional<Duration> Reader::duration(NodeId node, std::string_view what) {
  if (tree.is_collection(node) || tree.is(node, NodeKind::null)) {
    wrong(node, what, "a duration like 90s or 1h30m");
    return std::nullopt;
  }
  const auto value = parse_duration(tree.text(node));
  if (value) return *value;
  findings.error(node, "`" + std::string(what) + "`: " + value.error().message);
  return std::nullopt;
}

std::vector<std::string> Reader::names(NodeId node, std::string_view what) {
  std::vector<std::string> names;
  if (!tree.is(node, NodeKind::list)) {
    wrong(node, what, "a list of names");
    return names;
  }
  for (const NodeId item : tree.items(node)) {
    auto name = text(item, what);
    if (!name) continue;
    if (is_name(*name)) {
      names.push_back(std::move(*name));
    } else {
      wrong(item, what, "names of letters, digits, `.`, `_` and `-`");
    }
  }
  return names;
}

}  // namespace baton::scenario

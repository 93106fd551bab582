// Any bytes as YAML: a tree within its limits, or an error with a place in the text.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "spec/read.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace baton::spec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const TreeLimits limits{.nodes = 20'000, .alias_nodes = 10'000};
  const auto tree = read_tree("fuzz.yaml", text, limits);
  if (!tree) {
    if (tree.error().span.offset > size || tree.error().message.empty()) std::abort();
    return 0;
  }
  if (tree->root() == kNoNode) return 0;
  if (tree->node_count() > limits.nodes) std::abort();
  for (NodeId id = 0; id < tree->node_count(); ++id) {
    const Node& node = (*tree)[id];
    if (node.span.offset + node.span.length > size + 1) std::abort();
  }
  (void)tree->to_json(tree->root());
  return 0;
}

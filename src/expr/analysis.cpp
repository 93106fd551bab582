#include <algorithm>
#include <set>

#include "expr/ast.hpp"

namespace baton::expr {
namespace {

class Analysis {
 public:
  explicit Analysis(const Ast& ast) : ast_(ast) {}

  void walk(NodeId id) {
    const Node& n = ast_.node(id);
    Path path;
    if (!n.qualified.empty() && kind_from_name(n.qualified)) return;  // google.protobuf.Timestamp
    if (read_path(id, path)) return;
    for (const NodeId arg : n.args) walk(arg);
  }

  std::set<std::string> variables;
  std::set<Path> paths;

 private:
  // If the node is a field of a field … of a variable, notes its path.
  bool read_path(NodeId id, Path& tail) {
    const Node& n = ast_.node(id);
    switch (n.kind) {
      case NodeKind::variable:
        if (n.slot == kNoSlot && (!tail.empty() || !kind_from_name(n.name))) {
          variables.insert(n.name);
          tail.push_back(n.name);
          std::reverse(tail.begin(), tail.end());
          paths.insert(tail);
        }
        return true;
      case NodeKind::select:
      case NodeKind::has:
        tail.push_back(n.name);
        return read_path(n.args[0], tail);
      case NodeKind::index:
        if (const auto* key = constant_key(ast_, n)) {
          tail.emplace_back(key->as_string());
          return read_path(n.args[0], tail);
        }
        break;
      default:
        break;
    }
    // What stands at the root of the path is computed: its own parts are read, whatever is taken from it.
    if (tail.empty()) return false;
    walk(id);
    return true;
  }

  const Ast& ast_;
};

}  // namespace

const Value* constant_key(const Ast& ast, const Node& index) {
  const Node& key = ast.node(index.args[1]);
  return key.kind == NodeKind::literal && key.value.is(Kind::string) ? &key.value : nullptr;
}

void analyse(Ast& ast) {
  Analysis analysis(ast);
  analysis.walk(ast.root);
  ast.free_variables.assign(analysis.variables.begin(), analysis.variables.end());
  ast.paths.assign(analysis.paths.begin(), analysis.paths.end());
}

}  // namespace baton::expr

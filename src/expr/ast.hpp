// The syntax tree: nodes in one array, children before parents, so that building, copying and destroying it
// needs no recursion.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "expr/expr.hpp"
#include "expr/functions.hpp"

namespace baton::expr {

using NodeId = std::uint32_t;

enum class NodeKind : std::uint8_t {
  literal,      // value
  variable,     // name, or slot of a macro's variable
  select,       // args[0].name
  has,          // has(args[0].name)
  index,        // args[0][args[1]]
  call,         // function(args…); a receiver is args[0]
  list,         // args
  map,          // args: key, value, key, value, …
  conditional,  // args[0] ? args[1] : args[2]
  logical_and,  // args, two or more
  logical_or,   // args, two or more
  negation,     // !args[0]
  minus,        // -args[0]
  binary,       // args[0] op args[1]
  macro,        // args[0] is the range; the body follows
};

enum class Operator : std::uint8_t {
  none,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
};
std::string_view symbol(Operator op);

enum class Macro : std::uint8_t {
  all,         // args: range, predicate
  exists,      // args: range, predicate
  exists_one,  // args: range, predicate
  map,         // args: range, transform
  map_filter,  // args: range, predicate, transform
  filter,      // args: range, predicate
};

constexpr std::int32_t kNoSlot = -1;

struct Node {
  NodeKind kind = NodeKind::literal;
  Operator op = Operator::none;
  Macro macro = Macro::all;
  bool method = false;       // call: written with a receiver
  bool rooted = false;       // variable written as `.name`: never a macro's variable
  std::uint32_t offset = 0;  // of the whole text of the node
  std::uint32_t length = 0;
  std::uint32_t mark = 0;  // where a diagnostic points: the name of a field, function or operator
  std::uint32_t depth = 1;
  std::int32_t slot = kNoSlot;         // variable: of the macro that binds it; macro: of its variable
  const Function* function = nullptr;  // call; null: no such function
  std::string name;
  // select: "a.b.c" if it is nothing but names from a top-level variable on; CEL looks for a variable of that
  // name, or a type, first.
  std::string qualified;
  Value value;
  std::vector<NodeId> args;
  std::shared_ptr<const re2::RE2> pattern;  // call of matches() with a constant pattern, if compiled ahead
};

struct Ast {
  std::string text;
  std::vector<Node> nodes;
  NodeId root = 0;
  std::int32_t slots = 0;
  std::vector<std::string> free_variables;
  std::vector<Path> paths;

  const Node& node(NodeId id) const { return nodes[id]; }
  std::string_view text_of(const Node& n) const { return std::string_view(text).substr(n.offset, n.length); }
};

// Fills free_variables and paths.
void analyse(Ast& ast);

// The constant string index of `x["name"]`, or nullptr.
const Value* constant_key(const Ast& ast, const Node& index);

}  // namespace baton::expr

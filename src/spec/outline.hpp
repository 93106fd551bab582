// What a definition looks like from outside: its steps and how they hang together. For drawings and
// overviews, also of definitions that this version cannot run yet.
#pragma once

#include <string>
#include <vector>

#include "base/ids.hpp"
#include "spec/graph.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

struct Outline {
  // A way that a `switch` may take.
  struct Branch {
    Ordinal target = 0;
    std::string when;  // the condition; "" = otherwise
  };
  struct Step {
    std::string name;
    std::string title;  // "" = the name
    std::string kind;   // the name of its field: "run"
    std::vector<Ordinal> needs;
    std::vector<Branch> branches;
    std::string when;      // "" = always
    std::string for_each;  // the template, or "N items"; "" = not mapped
    bool finally = false;
  };

  std::string name;
  std::string title;
  std::vector<std::string> secrets;  // that it names
  std::vector<Step> steps;           // `steps`, then `finally`, in file order; a step's place is its ordinal
};

// Of a tree and graph without errors.
Outline read_outline(const Tree& tree, const Graph& graph);

}  // namespace baton::spec

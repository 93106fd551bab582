// A definition's graph as a drawing for a terminal, and as lists where a drawing would not fit.
#pragma once

#include <optional>
#include <string>

#include "cli/console.hpp"
#include "cli/graph/canvas.hpp"
#include "spec/outline.hpp"

namespace baton::cli {

// A box for each step, a line for each need, `finally` below a rule; conditional steps have dashed boxes.
// Steps with the same neighbours share a box when there would not be room otherwise. Nothing if it does not
// fit into `columns`, or has too many steps to be looked at.
std::optional<std::string> draw(const spec::Outline& outline, std::size_t columns, Strokes strokes,
                                const Style& style);

// The steps in the order in which they can start, with what each needs.
std::string list_steps(const spec::Outline& outline, Strokes strokes, const Style& style);

// How many steps can start after how many others, with the first names of each level; for large graphs.
std::string summarise(const spec::Outline& outline, std::size_t columns, Strokes strokes, const Style& style);

}  // namespace baton::cli

// A block of lines at the end of the terminal's output that is redrawn in place.
#pragma once

#include <string>
#include <vector>

#include "cli/console.hpp"

namespace baton::cli {

class LiveBlock {
 public:
  explicit LiveBlock(Console& console) : console_(console) {}

  // Replaces what was drawn before. The lines must fit the terminal: no wider than its columns, no more than
  // its rows.
  void draw(const std::vector<std::string>& lines);
  // Takes the block away; what is printed next stands in its place.
  void clear();

 private:
  std::string back() const;

  Console& console_;
  std::vector<std::string> drawn_;
  int columns_ = 0;  // of the terminal when it was drawn
};

}  // namespace baton::cli

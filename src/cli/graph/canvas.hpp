// A drawing of lines and words in a grid of characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/console.hpp"

namespace baton::cli {

enum class Strokes : std::uint8_t { unicode, ascii };

class Canvas {
 public:
  Canvas(int width, int height);

  // The ends belong to the line. Where lines of one `line` number meet they join; where two numbers cross,
  // the vertical one passes over the other.
  void vertical(int column, int top, int bottom, int line);
  void horizontal(int row, int left, int right, int line);
  // A box with its corners; `dashed` if it is not always there. Lines that end on its border join it.
  void box(int left, int top, int width, int height, bool dashed);
  void arrow(int column, int row);
  enum class Ink : std::uint8_t { plain, bold, dim };
  // The text must fit: see text_width(). Wide characters take two columns.
  void write(int column, int row, std::string_view text, Ink ink);
  void rule(int row, std::string_view title);  // across the whole width

  // Lines without blanks at their ends.
  std::string text(Strokes strokes, const Style& style) const;

 private:
  struct Cell {
    std::uint8_t ways = 0;  // to which sides lines leave: see the .cpp
    int line = -1;          // whose
    bool rounded = false;   // a corner of a box
    bool dashed = false;
    std::string glyph;   // of a word; "" = lines
    bool taken = false;  // by the wide character to the left
    Ink ink = Ink::plain;
  };
  Cell& at(int column, int row) {
    return cells_[static_cast<std::size_t>(row) * static_cast<std::size_t>(width_) +
                  static_cast<std::size_t>(column)];
  }
  void stroke(int column, int row, std::uint8_t ways, int line);

  int width_;
  int height_;
  std::vector<Cell> cells_;
};

}  // namespace baton::cli

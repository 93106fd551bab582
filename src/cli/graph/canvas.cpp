#include "cli/graph/canvas.hpp"

#include <array>

#include "cli/text_width.hpp"

namespace baton::cli {
namespace {

constexpr std::uint8_t kUp = 1;
constexpr std::uint8_t kDown = 2;
constexpr std::uint8_t kLeft = 4;
constexpr std::uint8_t kRight = 8;
constexpr int kBox = -2;  // the line number of borders: they join with every line

// By the ways in which lines leave.
constexpr std::array<std::string_view, 16> kUnicode = {" ", "╵", "╷", "│", "╴", "┘", "┐", "┤",
                                                       "╶", "└", "┌", "├", "─", "┴", "┬", "┼"};
constexpr std::array<std::string_view, 16> kAscii = {" ", "|", "|", "|", "-", "+", "+", "+",
                                                     "-", "+", "+", "+", "-", "+", "+", "+"};

std::string_view rounded(std::uint8_t ways) {
  if (ways == (kDown | kRight)) return "╭";
  if (ways == (kDown | kLeft)) return "╮";
  if (ways == (kUp | kRight)) return "╰";
  return "╯";
}

constexpr std::string_view kArrow = "▼";

}  // namespace

Canvas::Canvas(int width, int height)
    : width_(width),
      height_(height),
      cells_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {}

void Canvas::stroke(int column, int row, std::uint8_t ways, int line) {
  Cell& cell = at(column, row);
  const auto vertical = [](std::uint8_t w) { return (w & (kUp | kDown)) != 0; };
  if (cell.ways != 0 && cell.line != line && cell.line != kBox && line != kBox &&
      vertical(cell.ways) != vertical(ways)) {
    // Two lines cross: the vertical one is whole, the other one passes below it.
    if (!vertical(ways)) return;
    cell.ways = ways;
    cell.line = line;
    return;
  }
  cell.ways |= ways;
  if (cell.line != kBox) cell.line = line;
}

void Canvas::vertical(int column, int top, int bottom, int line) {
  for (int row = top; row <= bottom; ++row) {
    std::uint8_t ways = 0;
    if (row > top) ways |= kUp;
    if (row < bottom) ways |= kDown;
    if (ways != 0) stroke(column, row, ways, line);
  }
}

void Canvas::horizontal(int row, int left, int right, int line) {
  for (int column = left; column <= right; ++column) {
    std::uint8_t ways = 0;
    if (column > left) ways |= kLeft;
    if (column < right) ways |= kRight;
    if (ways != 0) stroke(column, row, ways, line);
  }
}

void Canvas::box(int left, int top, int width, int height, bool dashed) {
  const int right = left + width - 1;
  const int bottom = top + height - 1;
  horizontal(top, left, right, kBox);
  horizontal(bottom, left, right, kBox);
  vertical(left, top, bottom, kBox);
  vertical(right, top, bottom, kBox);
  for (const int column : {left, right}) {
    for (const int row : {top, bottom}) at(column, row).rounded = true;
  }
  for (int column = left; column <= right; ++column) {
    at(column, top).dashed = at(column, bottom).dashed = dashed;
  }
  for (int row = top; row <= bottom; ++row) at(left, row).dashed = at(right, row).dashed = dashed;
}

void Canvas::arrow(int column, int row) {
  at(column, row).glyph = kArrow;
}

void Canvas::write(int column, int row, std::string_view text, Ink ink) {
  while (!text.empty() && column < width_) {
    std::size_t bytes = 1;
    while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) ++bytes;
    const std::string_view glyph = text.substr(0, bytes);
    text.remove_prefix(bytes);
    const auto columns = static_cast<int>(text_width(glyph));
    if (columns == 0) {  // a mark on the character before
      if (column > 0) at(column - 1, row).glyph += glyph;
      continue;
    }
    at(column, row).glyph = glyph;
    at(column, row).ink = ink;
    if (columns == 2 && column + 1 < width_) at(column + 1, row).taken = true;
    column += columns;
  }
}

void Canvas::rule(int row, std::string_view title) {
  for (int column = 0; column < width_; ++column) {
    Cell& cell = at(column, row);
    cell.ways = kLeft | kRight;
    cell.dashed = true;
  }
  const int width = static_cast<int>(text_width(title)) + 2;
  const int left = width_ > width ? (width_ - width) / 2 : 0;
  write(left, row, " " + std::string(title) + " ", Ink::dim);
}

std::string Canvas::text(Strokes strokes, const Style& style) const {
  std::string out;
  for (int row = 0; row < height_; ++row) {
    std::string line;
    std::string run;  // characters of one ink
    Ink ink = Ink::plain;
    const auto flush = [&] {
      line += ink == Ink::bold ? style.bold(run) : ink == Ink::dim ? style.dim(run) : run;
      run.clear();
    };
    int last = width_ - 1;
    const Cell* cells = &cells_[static_cast<std::size_t>(row) * static_cast<std::size_t>(width_)];
    const auto blank = [](const Cell& cell) {
      return cell.ways == 0 && !cell.taken && (cell.glyph.empty() || cell.glyph == " ");
    };
    while (last >= 0 && blank(cells[last])) --last;
    for (int column = 0; column <= last; ++column) {
      const Cell& cell = cells[column];
      if (cell.taken) continue;
      std::string_view glyph = cell.glyph;
      Ink wanted = cell.ink;
      if (glyph.empty()) {
        wanted = cell.ways == 0 ? ink : Ink::dim;
        if (strokes == Strokes::ascii) {
          glyph = kAscii[cell.ways];
          if (cell.dashed && glyph == "-") glyph = ".";
          if (cell.dashed && glyph == "|") glyph = ":";
        } else if (cell.rounded) {
          glyph = rounded(cell.ways);
        } else if (cell.dashed && cell.ways == (kLeft | kRight)) {
          glyph = "╌";
        } else if (cell.dashed && cell.ways == (kUp | kDown)) {
          glyph = "┆";
        } else {
          glyph = kUnicode[cell.ways];
        }
      } else if (glyph == kArrow) {
        wanted = Ink::dim;
        if (strokes == Strokes::ascii) glyph = "v";
      }
      if (wanted != ink) {
        flush();
        ink = wanted;
      }
      run += glyph;
    }
    flush();
    out += line + '\n';
  }
  return out;
}

}  // namespace baton::cli

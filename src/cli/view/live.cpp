#include "cli/view/live.hpp"

#include <algorithm>

#include "cli/text_width.hpp"

namespace baton::cli {

// To the beginning of the block. A terminal that has become narrower since has broken the lines that are too
// wide now.
std::string LiveBlock::back() const {
  const Console::Size size = console_.size();
  std::size_t rows = 0;
  for (const std::string& line : drawn_) {
    const std::size_t width = text_width(line);
    const bool broken = size.columns < columns_ && width > static_cast<std::size_t>(size.columns);
    rows +=
        broken ? (width + static_cast<std::size_t>(size.columns) - 1) / static_cast<std::size_t>(size.columns)
               : 1;
  }
  rows = std::min(rows, static_cast<std::size_t>(size.rows) - 1);
  return rows > 0 ? "\r\x1b[" + std::to_string(rows) + 'A' : "\r";
}

void LiveBlock::draw(const std::vector<std::string>& lines) {
  // One write, so that no half-drawn picture is seen; synchronized where the terminal knows that.
  std::string text = "\x1b[?2026h" + back();
  for (const std::string& line : lines) text += line + "\x1b[K\n";
  text += "\x1b[J\x1b[?2026l";
  console_.err(text);
  drawn_ = lines;
  columns_ = console_.size().columns;
}

void LiveBlock::clear() {
  if (!drawn_.empty()) console_.err(back() + "\x1b[J");
  drawn_.clear();
}

}  // namespace baton::cli

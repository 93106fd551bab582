#include "cli/text_width.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace baton::cli {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// The blocks that matter, from Unicode's EastAsianWidth.txt (W, F) and the combining marks; coarse on
// purpose.
constexpr std::array kWide = {Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},  Range{0x3041, 0x33FF},
                              Range{0x3400, 0x4DBF},   Range{0x4E00, 0x9FFF},  Range{0xA000, 0xA4CF},
                              Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},  Range{0xFE30, 0xFE6F},
                              Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},  Range{0x1F300, 0x1F64F},
                              Range{0x1F900, 0x1F9FF}, Range{0x20000, 0x3FFFD}};
constexpr std::array kNone = {Range{0x0300, 0x036F}, Range{0x1AB0, 0x1AFF}, Range{0x1DC0, 0x1DFF},
                              Range{0x200B, 0x200F}, Range{0x20D0, 0x20FF}, Range{0xFE00, 0xFE0F},
                              Range{0xFE20, 0xFE2F}};

bool within(char32_t c, const auto& ranges) {
  return std::ranges::any_of(ranges, [c](const Range& range) { return c >= range.first && c <= range.last; });
}

// What stands at the front of a text: a character or an SGR sequence.
struct Glyph {
  std::size_t bytes = 1;
  std::size_t columns = 1;
};

Glyph first_glyph(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead == 0x1B && text.size() > 1 && text[1] == '[') {
    const std::size_t end = text.find('m');
    return {end == std::string_view::npos ? text.size() : end + 1, 0};
  }
  std::size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  bytes = std::min(bytes, text.size());
  char32_t c = lead < 0x80 ? lead : lead & (0x7F >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  if (within(c, kNone)) return {bytes, 0};
  return {bytes, within(c, kWide) ? std::size_t{2} : 1};
}

}  // namespace

std::size_t text_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Glyph glyph = first_glyph(text);
    width += glyph.columns;
    text.remove_prefix(glyph.bytes);
  }
  return width;
}

std::string fit(std::string_view text, std::size_t columns) {
  if (text_width(text) <= columns) return std::string(text);
  std::string out;
  std::size_t width = 0;
  bool cut = false;
  while (!text.empty()) {
    const Glyph glyph = first_glyph(text);
    if (glyph.columns == 0 && glyph.bytes > 1 && text[0] == '\x1b') {
      out += text.substr(0, glyph.bytes);  // also behind the cut: it may end a colour
    } else if (!cut && width + glyph.columns + 1 <= columns) {
      out += text.substr(0, glyph.bytes);
      width += glyph.columns;
    } else if (!cut) {
      cut = true;
      if (columns > 0) out += "…";
    }
    text.remove_prefix(glyph.bytes);
  }
  return out;
}

std::string pad(std::string_view text, std::size_t columns) {
  std::string out = fit(text, columns);
  const std::size_t width = text_width(out);
  if (width < columns) out.append(columns - width, ' ');
  return out;
}

std::string pad_left(std::string_view text, std::size_t columns) {
  const std::string fitted = fit(text, columns);
  const std::size_t width = text_width(fitted);
  return std::string(columns - std::min(columns, width), ' ') + fitted;
}

}  // namespace baton::cli

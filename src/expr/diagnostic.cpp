#include "expr/diagnostic.hpp"

#include <algorithm>

namespace baton::expr {
namespace {

bool starts_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

}  // namespace

std::string render_caret(std::string_view text, const Diagnostic& diagnostic) {
  const std::size_t offset = std::min(diagnostic.offset, text.size());
  const std::size_t line_begin = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;  // npos + 1 = 0
  const std::size_t line_end = std::min(text.find('\n', offset), text.size());

  std::string out = diagnostic.message;
  if (!diagnostic.suggestion.empty()) out += ", did you mean `" + diagnostic.suggestion + "`?";
  out += "\n  ";
  for (const char c : text.substr(line_begin, line_end - line_begin)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  out += "\n  ";
  for (std::size_t i = line_begin; i < offset; ++i)
    if (starts_code_point(text[i])) out += ' ';
  out += '^';
  const std::size_t end = std::min(line_end, offset + std::min(diagnostic.length, text.size()));
  bool first = true;
  for (std::size_t i = offset; i < end; ++i) {
    if (!starts_code_point(text[i])) continue;
    if (!first) out += '~';
    first = false;
  }
  return out;
}

}  // namespace baton::expr

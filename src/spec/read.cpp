#include "spec/read.hpp"

#include "base/text.hpp"

namespace baton::spec {
namespace {

// Where the first sequence begins that is not UTF-8; the text's size if there is none.
std::size_t valid_prefix(std::string_view text) {
  if (is_utf8(text)) return text.size();
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t size = 1;
    while (size < 4 && at + size < text.size() &&
           (static_cast<unsigned char>(text[at + size]) & 0xC0) == 0x80)
      ++size;
    if (!is_utf8(text.substr(at, size))) break;
    at += size;
  }
  return at;
}

}  // namespace

bool looks_like_json(std::string_view file_name, std::string_view text) {
  if (file_name.ends_with(".json")) return true;
  if (file_name.ends_with(".yaml") || file_name.ends_with(".yml")) return false;
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos || text[first] != '{') return false;
  // `{name: x}` is a map of YAML.
  const std::size_t second = text.find_first_not_of(kSpace, first + 1);
  return second != std::string_view::npos && (text[second] == '"' || text[second] == '}');
}

std::expected<Tree, SyntaxError> read_tree(std::string_view file_name, std::string_view text,
                                           const TreeLimits& limits) {
  if (text.size() > limits.bytes) {
    return std::unexpected(
        SyntaxError{{}, "the definition is larger than " + std::to_string(limits.bytes >> 20) + " MiB", {}});
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    return std::unexpected(
        SyntaxError{{0, 0}, "the file begins with a byte order mark", "save it as UTF-8 without BOM"});
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return std::unexpected(SyntaxError{{0, 0}, "the file is UTF-16", "save it as UTF-8"});
  }
  if (const std::size_t valid = valid_prefix(text); valid != text.size()) {
    return std::unexpected(SyntaxError{
        {static_cast<std::uint32_t>(valid), 1}, "this byte is not UTF-8", "save the file as UTF-8"});
  }
  return looks_like_json(file_name, text) ? read_json(text, limits) : read_yaml(text, limits);
}

}  // namespace baton::spec

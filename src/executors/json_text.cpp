#include "executors/json_text.hpp"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>

namespace baton::executors {
namespace {

namespace json = boost::json;

// Accepts everything and keeps nothing: the parser alone decides what is valid.
struct Ignore {
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  using Code = json::error_code&;
  using Text = json::string_view;
  bool on_document_begin(Code) { return true; }
  bool on_document_end(Code) { return true; }
  bool on_object_begin(Code) { return true; }
  bool on_object_end(std::size_t, Code) { return true; }
  bool on_array_begin(Code) { return true; }
  bool on_array_end(std::size_t, Code) { return true; }
  bool on_key_part(Text, std::size_t, Code) { return true; }
  bool on_key(Text, std::size_t, Code) { return true; }
  bool on_string_part(Text, std::size_t, Code) { return true; }
  bool on_string(Text, std::size_t, Code) { return true; }
  bool on_number_part(Text, Code) { return true; }
  bool on_int64(std::int64_t, Text, Code) { return true; }
  bool on_uint64(std::uint64_t, Text, Code) { return true; }
  bool on_double(double number, Text, Code error) {
    if (std::isfinite(number)) return true;
    error = json::error::exponent_overflow;
    return false;
  }
  bool on_bool(bool, Code) { return true; }
  bool on_null(Code) { return true; }
  bool on_comment_part(Text, Code) { return true; }
  bool on_comment(Text, Code) { return true; }
};

json::parse_options options() {
  json::parse_options options;
  options.max_depth = kMaxResultDepth;
  return options;
}

}  // namespace

std::optional<std::string> json_problem(std::string_view text) {
  json::basic_parser<Ignore> parser(options());
  json::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size()) error = json::error::extra_data;
  if (!error) return std::nullopt;
  const std::string what =
      error == json::error::exponent_overflow ? "a number does not fit into a double" : error.message();
  return what + " at byte " + std::to_string(used);
}

std::string_view trim_json(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace baton::executors

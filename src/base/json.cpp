#include "base/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <boost/json/value_stack.hpp>
#include <boost/system/system_error.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

namespace baton {
namespace {

namespace json = boost::json;
using Text = json::string_view;
using Code = boost::system::error_code;

// What boost::json::parser does with what it reads, but for doubles.
struct Builder {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  template <typename... Arguments>
  explicit Builder(Arguments&&... arguments) : stack(std::forward<Arguments>(arguments)...) {}

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t size, Code&) {
    stack.push_object(size);
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t size, Code&) {
    stack.push_array(size);
    return true;
  }
  bool on_key_part(Text part, std::size_t, Code&) {
    stack.push_chars(part);
    return true;
  }
  bool on_key(Text last, std::size_t, Code&) {
    stack.push_key(last);
    return true;
  }
  bool on_string_part(Text part, std::size_t, Code&) {
    stack.push_chars(part);
    return true;
  }
  bool on_string(Text last, std::size_t, Code&) {
    stack.push_string(last);
    return true;
  }
  bool on_number_part(Text part, Code&) {
    number.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t value, Text, Code&) {
    stack.push_int64(value);
    number.clear();
    return true;
  }
  bool on_uint64(std::uint64_t value, Text, Code&) {
    stack.push_uint64(value);
    number.clear();
    return true;
  }
  bool on_double(double nearly, Text last, Code& error) {
    if (!number.empty()) {
      number.append(last.data(), last.size());
      last = number;
    }
    double value = nearly;  // what from_chars leaves alone is too small (0), or too large
    std::from_chars(last.data(), last.data() + last.size(), value);
    number.clear();
    if (!std::isfinite(value)) {
      error = json::error::exponent_overflow;
      return false;
    }
    stack.push_double(value);
    return true;
  }
  bool on_bool(bool value, Code&) {
    stack.push_bool(value);
    return true;
  }
  bool on_null(Code&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

  json::value_stack stack;
  std::string number;  // the first parts of one that comes in several
};

}  // namespace

json::value parse_json(std::string_view text, Code& error, json::storage_ptr storage,
                       const json::parse_options& options) {
  unsigned char buffer[BOOST_JSON_STACK_BUFFER_SIZE];
  json::basic_parser<Builder> parser(options, json::storage_ptr(), buffer, sizeof buffer);
  parser.handler().stack.reset(std::move(storage));
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (!error && read < text.size()) error = json::error::extra_data;
  if (error) return nullptr;
  return parser.handler().stack.release();
}

json::value parse_json(std::string_view text, json::storage_ptr storage, const json::parse_options& options) {
  Code error;
  json::value value = parse_json(text, error, std::move(storage), options);
  if (error) throw boost::system::system_error(error);
  return value;
}

}  // namespace baton

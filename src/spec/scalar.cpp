#include "spec/scalar.hpp"

#include <charconv>
#include <cmath>
#include <optional>

namespace baton::spec {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_sign(char c) {
  return c == '+' || c == '-';
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

bool is_integer_form(std::string_view text) {
  if (text.starts_with("0o")) {
    return text.size() > 2 && text.find_first_not_of("01234567", 2) == std::string_view::npos;
  }
  if (text.starts_with("0x")) {
    return text.size() > 2 && text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
  }
  const std::size_t start = !text.empty() && is_sign(text[0]) ? 1 : 0;
  return text.size() > start && skip_digits(text, start) == text.size();
}

bool is_real_form(std::string_view text) {
  std::size_t at = !text.empty() && is_sign(text[0]) ? 1 : 0;
  const std::size_t whole = skip_digits(text, at);
  bool digits = whole > at;
  at = whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = skip_digits(text, at + 1);
    digits = digits || fraction > at + 1;
    at = fraction;
  }
  if (!digits) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && is_sign(text[at])) ++at;
    const std::size_t exponent = skip_digits(text, at);
    if (exponent == at) return false;
    at = exponent;
  }
  return at == text.size();
}

bool is_special_real(std::string_view text) {
  if (!text.empty() && is_sign(text[0])) text.remove_prefix(1);
  return text == ".inf" || text == ".Inf" || text == ".INF" || text == ".nan" || text == ".NaN" ||
         text == ".NAN";
}

std::optional<boost::json::value> read_integer(std::string_view text) {
  int base = 10;
  bool negative = false;
  if (text.starts_with("0o") || text.starts_with("0x")) {
    base = text[1] == 'o' ? 8 : 16;
    text.remove_prefix(2);
  } else if (is_sign(text[0])) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  std::uint64_t magnitude = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr std::uint64_t kLowest = std::uint64_t{1} << 63;
  if (negative) {
    if (magnitude > kLowest) return std::nullopt;
    return boost::json::value(static_cast<std::int64_t>(0 - magnitude));
  }
  if (magnitude < kLowest) return boost::json::value(static_cast<std::int64_t>(magnitude));
  return boost::json::value(magnitude);
}

std::optional<double> read_real(std::string_view text) {
  if (text[0] == '+') text.remove_prefix(1);
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc::result_out_of_range) {
    // Too small is as good as zero; too large is an error. from_chars does not tell which.
    const std::size_t exponent = text.find_first_of("eE");
    if (exponent != std::string_view::npos && text[exponent + 1] == '-') return 0.0;
    return std::nullopt;
  }
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::expected<NodeKind, std::string> plain_kind(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return NodeKind::null;
  const char first = text[0];
  if (first == 't' || first == 'T' || first == 'f' || first == 'F') {
    const bool boolean = text == "true" || text == "True" || text == "TRUE" || text == "false" ||
                         text == "False" || text == "FALSE";
    return boolean ? NodeKind::boolean : NodeKind::string;
  }
  if (!is_digit(first) && !is_sign(first) && first != '.') return NodeKind::string;
  if (is_integer_form(text)) {
    if (read_integer(text)) return NodeKind::integer;
    return std::unexpected("the integer " + std::string(text.substr(0, 40)) +
                           " does not fit into 64 bits; put it in quotes if it is text");
  }
  if (is_real_form(text)) {
    if (read_real(text)) return NodeKind::real;
    return std::unexpected("the number " + std::string(text.substr(0, 40)) +
                           " is too large; put it in quotes if it is text");
  }
  if (is_special_real(text)) {
    return std::unexpected(std::string(text) + " has no form in JSON; put it in quotes if it is text");
  }
  return NodeKind::string;
}

boost::json::value number_value(std::string_view text) {
  if (is_integer_form(text)) return read_integer(text).value_or(0);
  return read_real(text).value_or(0.0);
}

}  // namespace baton::spec

// Any bytes as JSON: what our reader accepts, Boost.JSON accepts too and reads as the same value.
#include <boost/json/parse.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "spec/read.hpp"

namespace {

// Boost.JSON's numbers may differ in the last bit from std::from_chars.
bool same(const boost::json::value& a, const boost::json::value& b) {
  if (a.is_double() && b.is_number()) {
    const double x = a.get_double();
    const double y = b.to_number<double>();
    if (std::isnan(y)) return x == 0;  // Boost.JSON 1.81 reads 0e608 as not-a-number
    return x == y || std::abs(x - y) <= 1e-14 * std::abs(x);
  }
  if (a.kind() != b.kind()) return false;
  if (const auto* list = a.if_array()) {
    const auto& other = b.get_array();
    if (list->size() != other.size()) return false;
    for (std::size_t i = 0; i < list->size(); ++i) {
      if (!same((*list)[i], other[i])) return false;
    }
    return true;
  }
  if (const auto* map = a.if_object()) {
    const auto& other = b.get_object();
    if (map->size() != other.size()) return false;
    for (const auto& [key, value] : *map) {
      if (!other.contains(key) || !same(value, other.at(key))) return false;
    }
    return true;
  }
  return a == b;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace baton::spec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tree = read_tree("fuzz.json", text, {.nodes = 20'000});
  if (!tree) {
    if (tree.error().span.offset > size || tree.error().message.empty()) std::abort();
    return 0;
  }
  boost::json::error_code failure;
  boost::json::parse_options options;
  options.max_depth = 128;
  const auto other =
      boost::json::parse(boost::json::string_view(text.data(), text.size()), failure, {}, options);
  // Boost.JSON refuses exponents of many digits, whatever the number.
  if (failure == boost::json::error::exponent_overflow) return 0;
  if (failure || !same(tree->to_json(tree->root()), other)) std::abort();
  return 0;
}

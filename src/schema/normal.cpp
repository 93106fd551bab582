#include "schema/normal.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <vector>

namespace baton::schema {
namespace {

constexpr double kTwo63 = 9'223'372'036'854'775'808.0;
constexpr double kTwo64 = 2 * kTwo63;

void append(std::string& out, const boost::json::value& value) {
  if (const auto* array = value.if_array()) {
    out += '[';
    for (const auto& item : *array) {
      append(out, item);
      out += ',';
    }
    out += ']';
  } else if (const auto* object = value.if_object()) {
    std::vector<const boost::json::key_value_pair*> members;
    members.reserve(object->size());
    for (const auto& member : *object) members.push_back(&member);
    std::ranges::sort(members, {}, [](const auto* m) { return std::string_view(m->key()); });
    out += '{';
    for (const auto* member : members) {
      out += boost::json::serialize(boost::json::value(member->key()));
      out += ':';
      append(out, member->value());
      out += ',';
    }
    out += '}';
  } else if (const auto* real = value.if_double(); real != nullptr && is_integral(value)) {
    if (*real >= -kTwo63 && *real < kTwo63) {
      out += std::to_string(static_cast<std::int64_t>(*real));
    } else if (*real >= 0 && *real < kTwo64) {
      out += std::to_string(static_cast<std::uint64_t>(*real));
    } else {
      out += boost::json::serialize(value);
    }
  } else {
    out += boost::json::serialize(value);
  }
}

// Compares an integer (as 128 bits) with a real, exactly.
int compare(__int128 integer, double real) {
  if (real >= kTwo64) return -1;
  if (real < -kTwo63) return 1;
  const double whole = std::floor(real);
  const auto floor = static_cast<__int128>(whole);
  if (integer != floor) return integer < floor ? -1 : 1;
  return real > whole ? -1 : 0;
}

__int128 as_integer(const boost::json::value& v) {
  return v.is_int64() ? static_cast<__int128>(v.get_int64()) : static_cast<__int128>(v.get_uint64());
}

}  // namespace

bool is_within_depth(const boost::json::value& value, std::size_t levels) {
  if (const auto* array = value.if_array()) {
    return levels > 0 &&
           std::ranges::all_of(*array, [&](const auto& v) { return is_within_depth(v, levels - 1); });
  }
  if (const auto* object = value.if_object()) {
    return levels > 0 && std::ranges::all_of(
                             *object, [&](const auto& m) { return is_within_depth(m.value(), levels - 1); });
  }
  return true;
}

std::string normal_text(const boost::json::value& value) {
  std::string out;
  append(out, value);
  return out;
}

int compare_numbers(const boost::json::value& a, const boost::json::value& b) {
  if (a.is_double() && b.is_double()) {
    return a.get_double() < b.get_double() ? -1 : (a.get_double() > b.get_double() ? 1 : 0);
  }
  if (a.is_double()) return -compare(as_integer(b), a.get_double());
  if (b.is_double()) return compare(as_integer(a), b.get_double());
  const __int128 x = as_integer(a);
  const __int128 y = as_integer(b);
  return x < y ? -1 : (x > y ? 1 : 0);
}

bool is_integral(const boost::json::value& number) {
  return !number.is_double() || number.get_double() == std::floor(number.get_double());
}

std::string escape_pointer(std::string_view part) {
  std::string out;
  for (const char c : part) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace baton::schema

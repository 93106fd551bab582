// JSON as text, written from front to back. Stored payloads are JSON already and go out as they are, without
// being parsed on the way.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace baton::api {

// The caller keeps the order: key() before each value of an object, begin_x() … end_x() in pairs.
class JsonText {
 public:
  explicit JsonText(std::size_t expected_bytes = 0) { out_.reserve(expected_bytes); }

  JsonText& begin_object() { return open('{'); }
  JsonText& end_object() { return close('}'); }
  JsonText& begin_array() { return open('['); }
  JsonText& end_array() { return close(']'); }
  JsonText& key(std::string_view name);

  JsonText& string(std::string_view value);  // ill-formed UTF-8 is replaced
  JsonText& integer(std::int64_t value);
  JsonText& number(double value);  // shortest form that reads back the same; null unless finite
  JsonText& boolean(bool value);
  JsonText& null();
  JsonText& raw(std::string_view json);  // trusted to be one JSON value
  JsonText& value(const boost::json::value& json);

  JsonText& string_or_null(std::string_view value) { return value.empty() ? null() : string(value); }
  JsonText& instant(WallTime value);  // RFC 3339; null for 0, which means "not yet"
  JsonText& seconds(std::optional<Duration> value);

  std::size_t size() const { return out_.size(); }
  std::string take() { return std::move(out_); }

 private:
  JsonText& open(char bracket);
  JsonText& close(char bracket);
  void separate();

  std::string out_;
  bool first_ = true;  // nothing stands in the innermost collection yet
  bool after_key_ = false;
};

}  // namespace baton::api

// The values of expressions. A Value is 40 bytes, cheap to copy and immutable. Strings, lists and maps share
// their bytes: a Value may be a view on a JSON document, on an object of the program (ListSource, MapSource)
// or on memory of its own, and keeps the owner of that memory alive unless it says "borrowed".
//
// Thread safety: const; any thread may read.
#pragma once

#include <boost/json/fwd.hpp>
#include <cassert>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace baton::expr {

enum class Kind : std::uint8_t {
  null,
  boolean,
  integer,           // CEL int: 64 bits, signed
  unsigned_integer,  // CEL uint
  number,            // CEL double
  string,            // UTF-8
  bytes,
  list,
  map,
  timestamp,  // years 1 to 9999, nanoseconds
  duration,   // nanoseconds in 64 bits: about ±292 years
  type,
};

// The name that CEL's type() gives: "null_type", "bool", "int", … "google.protobuf.Timestamp".
std::string_view kind_name(Kind kind);
std::optional<Kind> kind_from_name(std::string_view name);

struct Timestamp {
  std::int64_t seconds = 0;  // since 1970-01-01T00:00:00Z
  std::int32_t nanos = 0;    // 0 … 999,999,999
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};
Timestamp timestamp_of(WallTime t);

class Value;

// A list or map that the program makes up when it is looked at (the steps of a run, the results of a mapped
// step). Must not change while a Value refers to it.
class ListSource {
 public:
  virtual ~ListSource() = default;
  virtual std::size_t size() const = 0;
  virtual Value at(std::size_t index) const = 0;  // index < size()
};
class MapSource {
 public:
  virtual ~MapSource() = default;
  virtual std::size_t size() const = 0;
  // In the order of iteration; index < size().
  virtual Value key_at(std::size_t index) const = 0;
  virtual Value value_at(std::size_t index) const = 0;
  // `key` may borrow its text: it holds for this call only.
  virtual std::optional<Value> find(const Value& key) const = 0;
};

class Value {
 public:
  Value() = default;  // null
  static Value boolean(bool v);
  static Value integer(std::int64_t v);
  static Value unsigned_integer(std::uint64_t v);
  static Value number(double v);
  static Value string(std::string v);  // must be UTF-8
  static Value bytes(std::string v);
  static Value timestamp(Timestamp v);
  static Value duration(std::int64_t nanos);
  static Value type(Kind v);
  static Value list(std::vector<Value> items);
  static Value list(std::shared_ptr<const ListSource> source);
  // Keys must be bool, int, uint or string and differ (1, 1u are the same key); iteration keeps the order.
  static Value map(std::vector<std::pair<Value, Value>> entries);
  static Value map(std::shared_ptr<const MapSource> source);

  // A view on a JSON value: integers are int (uint above INT64_MAX), other numbers double. `owner` keeps `v`
  // alive; with a null owner `v` is borrowed and must outlive the Value and all values taken from it.
  static Value from_json(const boost::json::value& v, std::shared_ptr<const void> owner);
  static Value from_json(std::shared_ptr<const boost::json::value> v);

  Kind kind() const { return kind_; }
  bool is(Kind k) const { return kind_ == k; }

  // Each needs the kind that it names.
  bool as_boolean() const { return check(Kind::boolean), data_.boolean; }
  std::int64_t as_integer() const { return check(Kind::integer), data_.integer; }
  std::uint64_t as_unsigned() const { return check(Kind::unsigned_integer), data_.unsigned_integer; }
  double as_number() const { return check(Kind::number), data_.number; }
  std::string_view as_string() const { return check(Kind::string), std::string_view(data_.chars, size_); }
  std::string_view as_bytes() const { return check(Kind::bytes), std::string_view(data_.chars, size_); }
  Timestamp as_timestamp() const {
    return check(Kind::timestamp), Timestamp{data_.integer, static_cast<std::int32_t>(size_)};
  }
  std::int64_t as_duration() const { return check(Kind::duration), data_.integer; }
  Kind as_type() const { return check(Kind::type), static_cast<Kind>(size_); }

  // Lists, maps, strings (in bytes) and bytes.
  std::size_t size() const;
  Value at(std::size_t index) const;                  // list; index < size()
  Value key_at(std::size_t index) const;              // map, in the order of iteration
  Value value_at(std::size_t index) const;            // map
  std::optional<Value> find(const Value& key) const;  // map; numbers of different kinds may be the same key
  std::optional<Value> find(std::string_view key) const;

  // The JSON that a list or map is a view on, else nullptr.
  const boost::json::array* json_array() const {
    return kind_ == Kind::list && form_ == Form::json ? data_.json_array : nullptr;
  }
  const boost::json::object* json_object() const {
    return kind_ == Kind::map && form_ == Form::json ? data_.json_object : nullptr;
  }

 private:
  enum class Form : std::uint8_t { plain, json, source };
  void check([[maybe_unused]] Kind expected) const { assert(kind_ == expected); }

  Kind kind_ = Kind::null;
  Form form_ = Form::plain;  // of a list or map
  union {
    bool boolean;
    std::int64_t integer = 0;
    std::uint64_t unsigned_integer;
    double number;
    const char* chars;
    const boost::json::array* json_array;
    const boost::json::object* json_object;
    const ListSource* list;
    const MapSource* map;
  } data_;
  std::uint64_t size_ = 0;  // bytes of a string; nanoseconds of a timestamp; the kind of a type
  std::shared_ptr<const void> owner_;
};

// CEL's ==: numbers compare by value across int, uint and double, other kinds differ, NaN equals nothing.
// `steps` counts down by the work done; at 0 the answer is nullopt. Nested deeper than 500: nullopt.
std::optional<bool> equal(const Value& a, const Value& b, std::uint64_t& steps);
bool equal(const Value& a, const Value& b);  // without a limit, for tests and trusted values

// CEL's < and friends: nullopt if the kinds have no order between them. `unordered` is for NaN.
enum class Order : std::uint8_t { less, equal, greater, unordered };
std::optional<Order> compare(const Value& a, const Value& b);

}  // namespace baton::expr

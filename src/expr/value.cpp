#include "expr/value.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

namespace baton::expr {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 12> kNames = {"null_type",
                                                     "bool",
                                                     "int",
                                                     "uint",
                                                     "double",
                                                     "string",
                                                     "bytes",
                                                     "list",
                                                     "map",
                                                     "google.protobuf.Timestamp",
                                                     "google.protobuf.Duration",
                                                     "type"};
constexpr int kMaxNesting = 500;

class OwnList final : public ListSource {
 public:
  explicit OwnList(std::vector<Value> items) : items_(std::move(items)) {}
  std::size_t size() const override { return items_.size(); }
  Value at(std::size_t index) const override { return items_[index]; }

 private:
  std::vector<Value> items_;
};

bool is_number(Kind k) {
  return k == Kind::integer || k == Kind::unsigned_integer || k == Kind::number;
}

Order order_of(auto a, auto b) {
  return a < b ? Order::less : b < a ? Order::greater : Order::equal;
}
Order flip(Order o) {
  return o == Order::less ? Order::greater : o == Order::greater ? Order::less : o;
}

// An integer is compared with a double as the double nearest to it, as CEL's conformance tests demand:
// 9223372036854775807 equals 9223372036854775808.0.
Order compare_int_double(std::int64_t i, double d) {
  if (std::isnan(d)) return Order::unordered;
  return order_of(static_cast<double>(i), d);
}

Order compare_uint_double(std::uint64_t u, double d) {
  if (std::isnan(d)) return Order::unordered;
  return order_of(static_cast<double>(u), d);
}

Order compare_numbers(const Value& a, const Value& b) {
  switch (a.kind()) {
    case Kind::integer:
      if (b.is(Kind::integer)) return order_of(a.as_integer(), b.as_integer());
      if (b.is(Kind::number)) return compare_int_double(a.as_integer(), b.as_number());
      if (a.as_integer() < 0) return Order::less;
      return order_of(static_cast<std::uint64_t>(a.as_integer()), b.as_unsigned());
    case Kind::unsigned_integer:
      if (b.is(Kind::unsigned_integer)) return order_of(a.as_unsigned(), b.as_unsigned());
      if (b.is(Kind::number)) return compare_uint_double(a.as_unsigned(), b.as_number());
      return flip(compare_numbers(b, a));
    default:
      if (!b.is(Kind::number)) return flip(compare_numbers(b, a));
      if (std::isnan(a.as_number()) || std::isnan(b.as_number())) return Order::unordered;
      return order_of(a.as_number(), b.as_number());
  }
}

// A total order of keys in which numbers that are the same key are equal.
bool key_less(const Value& a, const Value& b) {
  const auto rank = [](const Value& v) {
    return is_number(v.kind()) ? 0 : v.is(Kind::string) ? 1 : v.is(Kind::boolean) ? 2 : 3;
  };
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  switch (rank(a)) {
    case 0:
      return compare_numbers(a, b) == Order::less;
    case 1:
      return a.as_string() < b.as_string();
    case 2:
      return a.as_boolean() < b.as_boolean();
    default:
      return false;
  }
}

bool can_be_key(const Value& v) {
  return v.is(Kind::string) || v.is(Kind::boolean) ||
         (is_number(v.kind()) && !(v.is(Kind::number) && std::isnan(v.as_number())));
}

class OwnMap final : public MapSource {
 public:
  explicit OwnMap(std::vector<std::pair<Value, Value>> entries) : entries_(std::move(entries)) {
    order_.resize(entries_.size());
    for (std::uint32_t i = 0; i < order_.size(); ++i) order_[i] = i;
    std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
      return key_less(entries_[a].first, entries_[b].first);
    });
  }
  std::size_t size() const override { return entries_.size(); }
  Value key_at(std::size_t index) const override { return entries_[index].first; }
  Value value_at(std::size_t index) const override { return entries_[index].second; }
  std::optional<Value> find(const Value& key) const override {
    if (!can_be_key(key)) return std::nullopt;
    const auto found =
        std::lower_bound(order_.begin(), order_.end(), key,
                         [&](std::uint32_t i, const Value& k) { return key_less(entries_[i].first, k); });
    if (found == order_.end() || key_less(key, entries_[*found].first)) return std::nullopt;
    return entries_[*found].second;
  }

 private:
  std::vector<std::pair<Value, Value>> entries_;
  std::vector<std::uint32_t> order_;  // of entries_, by key
};

std::optional<bool> equal_at(const Value& a, const Value& b, std::uint64_t& steps, int depth) {
  const auto spend = [&](std::uint64_t n) {
    if (n >= steps) {
      steps = 0;
      return false;
    }
    steps -= n;
    return true;
  };
  if (depth > kMaxNesting || !spend(1)) return std::nullopt;
  if (is_number(a.kind()) && is_number(b.kind())) return compare_numbers(a, b) == Order::equal;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::null:
      return true;
    case Kind::boolean:
      return a.as_boolean() == b.as_boolean();
    case Kind::string:
    case Kind::bytes: {
      const auto x = a.is(Kind::string) ? a.as_string() : a.as_bytes();
      const auto y = b.is(Kind::string) ? b.as_string() : b.as_bytes();
      if (x.size() != y.size()) return false;
      if (!spend(x.size() / 64)) return std::nullopt;
      return x == y;
    }
    case Kind::timestamp:
      return a.as_timestamp() == b.as_timestamp();
    case Kind::duration:
      return a.as_duration() == b.as_duration();
    case Kind::type:
      return a.as_type() == b.as_type();
    case Kind::list:
      if (a.size() != b.size()) return false;
      for (std::size_t i = 0; i < a.size(); ++i) {
        const auto same = equal_at(a.at(i), b.at(i), steps, depth + 1);
        if (!same || !*same) return same;
      }
      return true;
    case Kind::map:
      if (a.size() != b.size()) return false;
      for (std::size_t i = 0; i < a.size(); ++i) {
        const auto other = b.find(a.key_at(i));
        if (!other) return false;
        const auto same = equal_at(a.value_at(i), *other, steps, depth + 1);
        if (!same || !*same) return same;
      }
      return true;
    default:
      return false;  // numbers are done above
  }
}

}  // namespace

std::string_view kind_name(Kind kind) {
  return kNames[static_cast<std::size_t>(kind)];
}

std::optional<Kind> kind_from_name(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Kind>(found - kNames.begin());
}

Timestamp timestamp_of(WallTime t) {
  std::int64_t seconds = t.us / 1'000'000;
  std::int64_t micros = t.us % 1'000'000;
  if (micros < 0) {
    micros += 1'000'000;
    --seconds;
  }
  return {seconds, static_cast<std::int32_t>(micros * 1000)};
}

Value Value::boolean(bool v) {
  Value r;
  r.kind_ = Kind::boolean;
  r.data_.boolean = v;
  return r;
}
Value Value::integer(std::int64_t v) {
  Value r;
  r.kind_ = Kind::integer;
  r.data_.integer = v;
  return r;
}
Value Value::unsigned_integer(std::uint64_t v) {
  Value r;
  r.kind_ = Kind::unsigned_integer;
  r.data_.unsigned_integer = v;
  return r;
}
Value Value::number(double v) {
  Value r;
  r.kind_ = Kind::number;
  r.data_.number = v;
  return r;
}
Value Value::string(std::string v) {
  auto owner = std::make_shared<const std::string>(std::move(v));
  Value r;
  r.kind_ = Kind::string;
  r.data_.chars = owner->data();
  r.size_ = owner->size();
  r.owner_ = std::move(owner);
  return r;
}
Value Value::bytes(std::string v) {
  Value r = string(std::move(v));
  r.kind_ = Kind::bytes;
  return r;
}
Value Value::timestamp(Timestamp v) {
  Value r;
  r.kind_ = Kind::timestamp;
  r.data_.integer = v.seconds;
  r.size_ = static_cast<std::uint64_t>(v.nanos);
  return r;
}
Value Value::duration(std::int64_t nanos) {
  Value r;
  r.kind_ = Kind::duration;
  r.data_.integer = nanos;
  return r;
}
Value Value::type(Kind v) {
  Value r;
  r.kind_ = Kind::type;
  r.size_ = static_cast<std::uint64_t>(v);
  return r;
}
Value Value::list(std::vector<Value> items) {
  return list(std::make_shared<const OwnList>(std::move(items)));
}
Value Value::list(std::shared_ptr<const ListSource> source) {
  Value r;
  r.kind_ = Kind::list;
  r.form_ = Form::source;
  r.data_.list = source.get();
  r.owner_ = std::move(source);
  return r;
}
Value Value::map(std::vector<std::pair<Value, Value>> entries) {
  return map(std::make_shared<const OwnMap>(std::move(entries)));
}
Value Value::map(std::shared_ptr<const MapSource> source) {
  Value r;
  r.kind_ = Kind::map;
  r.form_ = Form::source;
  r.data_.map = source.get();
  r.owner_ = std::move(source);
  return r;
}

Value Value::from_json(const json::value& v, std::shared_ptr<const void> owner) {
  Value r;
  switch (v.kind()) {
    case json::kind::null:
      return r;
    case json::kind::bool_:
      return boolean(v.get_bool());
    case json::kind::int64:
      return integer(v.get_int64());
    case json::kind::uint64:  // Boost.JSON parses what fits as int64; built values may differ
      return v.get_uint64() <= INT64_MAX ? integer(static_cast<std::int64_t>(v.get_uint64()))
                                         : unsigned_integer(v.get_uint64());
    case json::kind::double_:
      return number(v.get_double());
    case json::kind::string:
      r.kind_ = Kind::string;
      r.data_.chars = v.get_string().data();
      r.size_ = v.get_string().size();
      break;
    case json::kind::array:
      r.kind_ = Kind::list;
      r.form_ = Form::json;
      r.data_.json_array = &v.get_array();
      break;
    case json::kind::object:
      r.kind_ = Kind::map;
      r.form_ = Form::json;
      r.data_.json_object = &v.get_object();
      break;
  }
  r.owner_ = std::move(owner);
  return r;
}
Value Value::from_json(std::shared_ptr<const json::value> v) {
  const auto& root = *v;
  return from_json(root, std::move(v));
}

std::size_t Value::size() const {
  if (kind_ == Kind::list) return form_ == Form::json ? data_.json_array->size() : data_.list->size();
  if (kind_ == Kind::map) return form_ == Form::json ? data_.json_object->size() : data_.map->size();
  assert(kind_ == Kind::string || kind_ == Kind::bytes);
  return size_;
}

Value Value::at(std::size_t index) const {
  check(Kind::list);
  assert(index < size());
  return form_ == Form::json ? from_json((*data_.json_array)[index], owner_) : data_.list->at(index);
}

Value Value::key_at(std::size_t index) const {
  check(Kind::map);
  assert(index < size());
  if (form_ == Form::source) return data_.map->key_at(index);
  const auto key = (data_.json_object->begin() + static_cast<std::ptrdiff_t>(index))->key();
  Value r;
  r.kind_ = Kind::string;
  r.data_.chars = key.data();
  r.size_ = key.size();
  r.owner_ = owner_;
  return r;
}

Value Value::value_at(std::size_t index) const {
  check(Kind::map);
  assert(index < size());
  if (form_ == Form::source) return data_.map->value_at(index);
  return from_json((data_.json_object->begin() + static_cast<std::ptrdiff_t>(index))->value(), owner_);
}

std::optional<Value> Value::find(std::string_view key) const {
  check(Kind::map);
  if (form_ == Form::json) {
    const auto* found = data_.json_object->if_contains(key);
    if (!found) return std::nullopt;
    return from_json(*found, owner_);
  }
  Value borrowed;
  borrowed.kind_ = Kind::string;
  borrowed.data_.chars = key.data();
  borrowed.size_ = key.size();
  return data_.map->find(borrowed);
}

std::optional<Value> Value::find(const Value& key) const {
  check(Kind::map);
  if (form_ == Form::source) return data_.map->find(key);
  if (!key.is(Kind::string)) return std::nullopt;
  return find(key.as_string());
}

std::optional<bool> equal(const Value& a, const Value& b, std::uint64_t& steps) {
  return equal_at(a, b, steps, 0);
}

bool equal(const Value& a, const Value& b) {
  std::uint64_t steps = UINT64_MAX;
  return equal_at(a, b, steps, 0).value_or(false);
}

std::optional<Order> compare(const Value& a, const Value& b) {
  if (is_number(a.kind()) && is_number(b.kind())) return compare_numbers(a, b);
  if (a.kind() != b.kind()) return std::nullopt;
  switch (a.kind()) {
    case Kind::boolean:
      return order_of(a.as_boolean(), b.as_boolean());
    case Kind::string:
      return order_of(a.as_string(), b.as_string());
    case Kind::bytes:
      return order_of(a.as_bytes(), b.as_bytes());
    case Kind::timestamp:
      return order_of(a.as_timestamp(), b.as_timestamp());
    case Kind::duration:
      return order_of(a.as_duration(), b.as_duration());
    default:
      return std::nullopt;
  }
}

}  // namespace baton::expr

// JSON values, and how a program's own types become them.
//
//   Json image = Json::object({{"path", "a.png"}, {"size", 12}, {"tags", Json::array({"cat", "dog"})}});
//   int size = image["size"].get<int>();
//
// A struct takes part with two functions beside it, or with BATON_JSON, which writes them:
//
//   struct Image { std::string path; int size = 0; };
//   BATON_JSON(Image, path, size)
//
//   void to_json(Json& json, const Image& image);     // by hand, where names or forms differ
//   void from_json(const Json& json, Image& image);   // throws JsonError if it does not fit
#pragma once

#include <array>
#include <baton/result.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace baton::BATON_INLINE v0 {

class Json;

// A value is not what was asked for: where, and what it is instead.
class BATON_API JsonError : public std::runtime_error {
 public:
  JsonError(std::string where, const std::string& what);
  ~JsonError() override;
  // A JSON pointer into the value that was converted: "/images/3/size".
  const std::string& where() const noexcept { return where_; }
  // The same, seen from the value that this one was in.
  JsonError in(std::string_view member) const;

 private:
  std::string where_;
  std::string what_;
};

// The members of an object, in the order in which they were added; names are unique.
class BATON_API JsonObject {
 public:
  using Member = std::pair<std::string, Json>;
  using const_iterator = std::vector<Member>::const_iterator;

  JsonObject();
  JsonObject(std::initializer_list<Member> members);
  JsonObject(const JsonObject& other);
  JsonObject(JsonObject&& other) noexcept;
  JsonObject& operator=(const JsonObject& other);
  JsonObject& operator=(JsonObject&& other) noexcept;
  ~JsonObject();

  // Null: there is none.
  const Json* find(std::string_view name) const;
  Json* find(std::string_view name);
  // Adds null where there is none.
  Json& operator[](std::string_view name);
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  bool erase(std::string_view name);
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  const_iterator begin() const noexcept;
  const_iterator end() const noexcept;

 private:
  struct Index;
  std::size_t place(std::string_view name) const;  // size() if there is none

  std::vector<Member> members_;
  std::unique_ptr<Index> index_;  // once there are many
};

namespace detail {
template <typename T>
concept Integer =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;
}  // namespace detail

// One JSON value. Copies are deep. Comparison is by value: 1 and 1.0 are equal, the order of members does
// not matter. Not thread-safe while it is changed.
class BATON_API Json {
 public:
  using Array = std::vector<Json>;
  using Object = JsonObject;

  Json() noexcept = default;  // null
  Json(std::nullptr_t) noexcept {}
  template <std::same_as<bool> T>
  Json(T value) noexcept : value_(value) {}
  template <detail::Integer T>
  Json(T value) noexcept {
    if (std::in_range<std::int64_t>(value)) {
      value_ = static_cast<std::int64_t>(value);
    } else {
      value_ = static_cast<std::uint64_t>(value);
    }
  }
  Json(double value) noexcept : value_(value) {}  // infinities and NaN are written as null
  Json(std::string value) noexcept : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array value) noexcept : value_(std::move(value)) {}
  Json(Object value) noexcept : value_(std::move(value)) {}

  static Json array(std::initializer_list<Json> items = {}) { return Json(Array(items)); }
  static Json object(std::initializer_list<JsonObject::Member> members = {}) {
    return Json(JsonObject(members));
  }
  // Any type that has a to_json.
  template <typename T>
  static Json of(const T& value);

  bool is_null() const noexcept { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const noexcept { return std::holds_alternative<bool>(value_); }
  bool is_integer() const noexcept {
    return std::holds_alternative<std::int64_t>(value_) || std::holds_alternative<std::uint64_t>(value_);
  }
  bool is_number() const noexcept { return is_integer() || std::holds_alternative<double>(value_); }
  bool is_string() const noexcept { return std::holds_alternative<std::string>(value_); }
  bool is_array() const noexcept { return std::holds_alternative<Array>(value_); }
  bool is_object() const noexcept { return std::holds_alternative<Object>(value_); }
  // "null", "a boolean", "a number", "a string", "an array", "an object"
  std::string_view kind() const noexcept;

  // Null if it is something else.
  const std::string* if_string() const noexcept { return std::get_if<std::string>(&value_); }
  const Array* if_array() const noexcept { return std::get_if<Array>(&value_); }
  const Object* if_object() const noexcept { return std::get_if<Object>(&value_); }
  Array* if_array() noexcept { return std::get_if<Array>(&value_); }
  Object* if_object() noexcept { return std::get_if<Object>(&value_); }

  // A member or item to read: null where there is none, also of what is no object or array.
  const Json& operator[](std::string_view name) const noexcept;
  const Json& operator[](const char* name) const noexcept { return (*this)[std::string_view(name)]; }
  const Json& at(std::size_t index) const noexcept;
  // A member to write; makes an object of what is null. Throws JsonError for what is something else.
  Json& set(std::string_view name);
  void set(std::string_view name, Json value) { set(name) = std::move(value); }
  // Appends; makes an array of what is null. Throws JsonError for what is something else.
  void push_back(Json value);
  std::size_t size() const noexcept;  // of items or members; 0 for what has none

  // As another type; throws JsonError if it does not fit: numbers out of range or with a fraction, missing
  // members, another kind.
  template <typename T>
  T get() const;
  // The same, as a result: Code::invalid_input.
  template <typename T>
  Result<T> try_get() const {
    try {
      return get<T>();
    } catch (const JsonError& error) {
      return Error{Code::invalid_input, error.what(), error.where()};
    }
  }

  // One value (RFC 8259, UTF-8, at most 500 levels; of a name that comes twice the last one counts).
  // invalid_input: it is none.
  static Result<Json> parse(std::string_view text);
  // In one line; parse() of it gives the same value. Text that is not UTF-8 is written with U+FFFD.
  std::string text() const;
  void append_text(std::string& out) const;

  friend BATON_API bool operator==(const Json& a, const Json& b) noexcept;

 private:
  friend struct JsonAccess;
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object> value_;
};

// ---- How types become JSON, and back

namespace detail {
[[noreturn]] BATON_API void wrong_kind(const Json& json, std::string_view wanted);
[[noreturn]] BATON_API void out_of_range();
BATON_API std::int64_t integer_of(const Json& json);
BATON_API std::uint64_t natural_of(const Json& json);
BATON_API double number_of(const Json& json);
BATON_API bool bool_of(const Json& json);
BATON_API const std::string& string_of(const Json& json);
BATON_API const Json::Array& array_of(const Json& json);
BATON_API const Json::Object& object_of(const Json& json);
BATON_API const Json& member_of(const Json& json, std::string_view name);

template <typename T>
struct Convert;  // what has no overloads of its own

template <typename T>
concept HasToJson = requires(Json& json, const T& value) { to_json(json, value); };
template <typename T>
concept HasFromJson = requires(const Json& json, T& value) { from_json(json, value); };

template <typename T>
Json make(const T& value) {
  if constexpr (HasToJson<T>) {
    Json json;
    to_json(json, value);
    return json;
  } else if constexpr (requires { Convert<T>::to(value); }) {
    return Convert<T>::to(value);
  } else {
    static_assert(std::convertible_to<T, Json>, "this type needs a to_json, see <baton/json.hpp>");
    return Json(value);
  }
}

template <typename T>
T read(const Json& json) {
  if constexpr (HasFromJson<T>) {
    T value{};
    from_json(json, value);
    return value;
  } else {
    static_assert(requires { Convert<T>::from(json); }, "this type needs a from_json, see <baton/json.hpp>");
    return Convert<T>::from(json);
  }
}

template <>
struct Convert<Json> {
  static Json to(const Json& value) { return value; }
  static Json from(const Json& json) { return json; }
};
template <>
struct Convert<bool> {
  static bool from(const Json& json) { return bool_of(json); }
};
template <>
struct Convert<std::string> {
  static std::string from(const Json& json) { return string_of(json); }
};
template <std::floating_point T>
struct Convert<T> {
  static Json to(T value) { return Json(static_cast<double>(value)); }
  static T from(const Json& json) { return static_cast<T>(number_of(json)); }
};
template <Integer T>
struct Convert<T> {
  static T from(const Json& json) {
    if constexpr (std::is_signed_v<T>) {
      const std::int64_t value = integer_of(json);
      if (!std::in_range<T>(value)) out_of_range();
      return static_cast<T>(value);
    } else {
      const std::uint64_t value = natural_of(json);
      if (!std::in_range<T>(value)) out_of_range();
      return static_cast<T>(value);
    }
  }
};
template <typename T>
struct Convert<std::optional<T>> {  // null stands for none
  static Json to(const std::optional<T>& value) { return value ? make(*value) : Json(); }
  static std::optional<T> from(const Json& json) {
    if (json.is_null()) return std::nullopt;
    return read<T>(json);
  }
};
template <typename T>
struct Convert<std::vector<T>> {
  static Json to(const std::vector<T>& values) {
    Json::Array items;
    items.reserve(values.size());
    for (const auto& value : values) items.push_back(make<T>(value));
    return Json(std::move(items));
  }
  static std::vector<T> from(const Json& json) {
    std::vector<T> values;
    const Json::Array& items = array_of(json);
    values.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      try {
        values.push_back(read<T>(items[i]));
      } catch (const JsonError& error) {
        throw error.in(std::to_string(i));
      }
    }
    return values;
  }
};
// Lists and sets of other kinds.
template <typename C>
struct ConvertList {
  static Json to(const C& values) {
    Json::Array items;
    items.reserve(values.size());
    for (const auto& value : values) items.push_back(make(value));
    return Json(std::move(items));
  }
  static C from(const Json& json) {
    auto items = read<std::vector<typename C::value_type>>(json);
    return C(std::make_move_iterator(items.begin()), std::make_move_iterator(items.end()));
  }
};
template <typename T>
struct Convert<std::deque<T>> : ConvertList<std::deque<T>> {};
template <typename T>
struct Convert<std::set<T>> : ConvertList<std::set<T>> {};
template <typename T>
struct Convert<std::unordered_set<T>> : ConvertList<std::unordered_set<T>> {};

// Lists of a fixed length: std::array, std::pair, std::tuple.
[[noreturn]] BATON_API void wrong_length(const Json& json, std::size_t wanted);
template <typename T, std::size_t... I>
Json tuple_to(const T& values, std::index_sequence<I...>) {
  Json::Array items;
  items.reserve(sizeof...(I));
  (items.push_back(make(std::get<I>(values))), ...);
  return Json(std::move(items));
}
template <typename T, std::size_t... I>
T tuple_from(const Json& json, std::index_sequence<I...>) {
  if (array_of(json).size() != sizeof...(I)) wrong_length(json, sizeof...(I));
  const auto item = [&]<std::size_t N>(std::integral_constant<std::size_t, N>) {
    try {
      return read<std::tuple_element_t<N, T>>(json.at(N));
    } catch (const JsonError& error) {
      throw error.in(std::to_string(N));
    }
  };
  return T{item(std::integral_constant<std::size_t, I>{})...};  // from left to right
}
template <typename T>
  requires requires { std::tuple_size<T>::value; }
struct Convert<T> {
  static Json to(const T& values) {
    return tuple_to(values, std::make_index_sequence<std::tuple_size_v<T>>{});
  }
  static T from(const Json& json) {
    return tuple_from<T>(json, std::make_index_sequence<std::tuple_size_v<T>>{});
  }
};

template <typename M>
struct ConvertMap {
  static Json to(const M& values) {
    JsonObject members;
    for (const auto& [name, value] : values) members[name] = make(value);
    return Json(std::move(members));
  }
  static M from(const Json& json) {
    M values;
    for (const auto& [name, value] : object_of(json)) {
      try {
        values.emplace(name, read<typename M::mapped_type>(value));
      } catch (const JsonError& error) {
        throw error.in(name);
      }
    }
    return values;
  }
};
template <typename T>
struct Convert<std::map<std::string, T>> : ConvertMap<std::map<std::string, T>> {};
template <typename T>
struct Convert<std::unordered_map<std::string, T>> : ConvertMap<std::unordered_map<std::string, T>> {};

// What BATON_JSON calls for each member. A std::optional may be missing.
template <typename T>
void read_member(const Json& json, std::string_view name, T& into) {
  try {
    if constexpr (requires {
                    into.has_value();
                    into.reset();
                  }) {
      into = read<T>(json[name]);
    } else {
      into = read<T>(member_of(json, name));
    }
  } catch (const JsonError& error) {
    throw error.in(name);
  }
}
}  // namespace detail

template <typename T>
Json Json::of(const T& value) {
  return detail::make(value);
}
template <typename T>
T Json::get() const {
  return detail::read<T>(*this);
}

}  // namespace baton::BATON_INLINEv0

// BATON_JSON(Type, member…): to_json and from_json of a struct, at namespace scope beside it. All members
// must be there but those of type std::optional; others that come are ignored.
#define BATON_JSON(Type, ...)                                                                  \
  [[maybe_unused]] inline void to_json(::baton::Json& baton_json, const Type& baton_value) {   \
    if (!baton_json.is_object()) baton_json = ::baton::Json::object();                         \
    BATON_EACH(BATON_TO_MEMBER, __VA_ARGS__)                                                   \
  }                                                                                            \
  [[maybe_unused]] inline void from_json(const ::baton::Json& baton_json, Type& baton_value) { \
    ::baton::detail::object_of(baton_json);                                                    \
    BATON_EACH(BATON_FROM_MEMBER, __VA_ARGS__)                                                 \
  }
#define BATON_TO_MEMBER(member) baton_json.set(#member, ::baton::Json::of(baton_value.member));
#define BATON_FROM_MEMBER(member) ::baton::detail::read_member(baton_json, #member, baton_value.member);

// Expands to macro(a) macro(b) …, for up to 256 arguments.
#define BATON_EACH(macro, ...) __VA_OPT__(BATON_EXPAND(BATON_EACH_NEXT(macro, __VA_ARGS__)))
#define BATON_EACH_NEXT(macro, first, ...) \
  macro(first) __VA_OPT__(BATON_EACH_AGAIN BATON_PARENTHESES(macro, __VA_ARGS__))
#define BATON_EACH_AGAIN() BATON_EACH_NEXT
#define BATON_PARENTHESES ()
#define BATON_EXPAND(...) BATON_EXPAND4(BATON_EXPAND4(BATON_EXPAND4(BATON_EXPAND4(__VA_ARGS__))))
#define BATON_EXPAND4(...) BATON_EXPAND3(BATON_EXPAND3(BATON_EXPAND3(BATON_EXPAND3(__VA_ARGS__))))
#define BATON_EXPAND3(...) BATON_EXPAND2(BATON_EXPAND2(BATON_EXPAND2(BATON_EXPAND2(__VA_ARGS__))))
#define BATON_EXPAND2(...) BATON_EXPAND1(BATON_EXPAND1(BATON_EXPAND1(BATON_EXPAND1(__VA_ARGS__))))
#define BATON_EXPAND1(...) __VA_ARGS__

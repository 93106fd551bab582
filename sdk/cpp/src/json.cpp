#include <baton/json.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "base/json.hpp"
#include "base/text.hpp"
#include "bridge.hpp"

namespace baton::v0 {
namespace {

constexpr std::size_t kLinear = 16;  // members that are looked through one by one
constexpr std::size_t kMostLevels = 500;
constexpr std::size_t kShown = 40;  // bytes of a text in a message

std::string shown(const Json& json) {
  if (json.is_null() || json.if_array() != nullptr || json.if_object() != nullptr)
    return std::string(json.kind());
  std::string text = json.text();
  if (text.size() > kShown) text = std::string(baton::utf8_prefix(text, kShown)) + "…";
  return text;
}

void append_quoted(std::string_view text, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  std::size_t plain = 0;  // where what needs no escape begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.append(text.substr(plain, i - plain));
    plain = i + 1;
    out += '\\';
    switch (byte) {
      case '"':
      case '\\':
        out += static_cast<char>(byte);
        break;
      case '\n':
        out += 'n';
        break;
      case '\r':
        out += 'r';
        break;
      case '\t':
        out += 't';
        break;
      default:
        out += "u00";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
  }
  out.append(text.substr(plain));
  out += '"';
}

template <typename Number>
void append_number(Number value, std::string& out) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end.ptr);
}

std::string pointer_part(std::string_view member) {
  std::string part = "/";
  for (const char c : member) {
    if (c == '~') {
      part += "~0";
    } else if (c == '/') {
      part += "~1";
    } else {
      part += c;
    }
  }
  return part;
}

}  // namespace

// ---- Errors

JsonError::JsonError(std::string where, const std::string& what)
    : std::runtime_error(where.empty() ? what : where + ": " + what), where_(std::move(where)), what_(what) {}
JsonError::~JsonError() = default;

JsonError JsonError::in(std::string_view member) const {
  return {pointer_part(member) + where_, what_};
}

// ---- Objects

struct JsonObject::Index {
  std::unordered_map<std::string, std::size_t> places;
};

JsonObject::JsonObject() = default;
JsonObject::JsonObject(std::initializer_list<Member> members) {
  for (const Member& member : members) (*this)[member.first] = member.second;
}
JsonObject::JsonObject(const JsonObject& other)
    : members_(other.members_), index_(other.index_ ? std::make_unique<Index>(*other.index_) : nullptr) {}
JsonObject::JsonObject(JsonObject&& other) noexcept = default;
JsonObject& JsonObject::operator=(const JsonObject& other) {
  if (this != &other) *this = JsonObject(other);
  return *this;
}
JsonObject& JsonObject::operator=(JsonObject&& other) noexcept = default;
JsonObject::~JsonObject() = default;

std::size_t JsonObject::place(std::string_view name) const {
  if (index_) {
    const auto found = index_->places.find(std::string(name));
    return found == index_->places.end() ? members_.size() : found->second;
  }
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].first == name) return i;
  }
  return members_.size();
}

const Json* JsonObject::find(std::string_view name) const {
  const std::size_t at = place(name);
  return at < members_.size() ? &members_[at].second : nullptr;
}
Json* JsonObject::find(std::string_view name) {
  const std::size_t at = place(name);
  return at < members_.size() ? &members_[at].second : nullptr;
}

Json& JsonObject::operator[](std::string_view name) {
  const std::size_t at = place(name);
  if (at < members_.size()) return members_[at].second;
  members_.emplace_back(std::string(name), Json());
  if (index_) {
    index_->places.emplace(name, at);
  } else if (members_.size() > kLinear) {
    index_ = std::make_unique<Index>();
    for (std::size_t i = 0; i < members_.size(); ++i) index_->places.emplace(members_[i].first, i);
  }
  return members_.back().second;
}

bool JsonObject::erase(std::string_view name) {
  const std::size_t at = place(name);
  if (at >= members_.size()) return false;
  members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(at));
  if (index_) {
    index_->places.clear();
    for (std::size_t i = 0; i < members_.size(); ++i) index_->places.emplace(members_[i].first, i);
  }
  return true;
}

std::size_t JsonObject::size() const noexcept {
  return members_.size();
}
JsonObject::const_iterator JsonObject::begin() const noexcept {
  return members_.begin();
}
JsonObject::const_iterator JsonObject::end() const noexcept {
  return members_.end();
}

// ---- Values

std::string_view Json::kind() const noexcept {
  if (is_null()) return "null";
  if (is_bool()) return "a boolean";
  if (is_number()) return "a number";
  if (is_string()) return "a string";
  return is_array() ? "an array" : "an object";
}

namespace {
constinit const Json kNull;
}  // namespace

const Json& Json::operator[](std::string_view name) const noexcept {
  const Object* object = if_object();
  const Json* found = object != nullptr ? object->find(name) : nullptr;
  return found != nullptr ? *found : kNull;
}

const Json& Json::at(std::size_t index) const noexcept {
  const Array* array = if_array();
  return array != nullptr && index < array->size() ? (*array)[index] : kNull;
}

Json& Json::set(std::string_view name) {
  if (is_null()) value_ = Object();
  if (!is_object()) throw JsonError("", "this is " + shown(*this) + "; only an object has members");
  return std::get<Object>(value_)[name];
}

void Json::push_back(Json value) {
  if (is_null()) value_ = Array();
  if (!is_array()) throw JsonError("", "this is " + shown(*this) + "; only an array has items");
  std::get<Array>(value_).push_back(std::move(value));
}

std::size_t Json::size() const noexcept {
  if (const Array* array = if_array()) return array->size();
  if (const Object* object = if_object()) return object->size();
  return 0;
}

struct JsonAccess {
  static const auto& value(const Json& json) { return json.value_; }
};

bool operator==(const Json& a, const Json& b) noexcept {
  if (a.is_number() && b.is_number()) {
    if (a.is_integer() && b.is_integer()) {
      const auto negative = [](const Json& json) {
        const auto* value = std::get_if<std::int64_t>(&JsonAccess::value(json));
        return value != nullptr && *value < 0;
      };
      if (negative(a) || negative(b))
        return negative(a) && negative(b) && detail::integer_of(a) == detail::integer_of(b);
      return detail::natural_of(a) == detail::natural_of(b);
    }
    return detail::number_of(a) == detail::number_of(b);
  }
  const auto* left = a.if_object();
  const auto* right = b.if_object();
  if (left != nullptr && right != nullptr) {
    if (left->size() != right->size()) return false;
    for (const auto& [name, value] : *left) {
      const Json* other = right->find(name);
      if (other == nullptr || !(value == *other)) return false;
    }
    return true;
  }
  if (left != nullptr || right != nullptr) return false;
  const auto& x = JsonAccess::value(a);
  const auto& y = JsonAccess::value(b);
  if (x.index() != y.index()) return false;
  if (const auto* text = a.if_string()) return *text == *b.if_string();
  if (const auto* items = a.if_array()) return *items == *b.if_array();
  if (const auto* truth = std::get_if<bool>(&x)) return *truth == std::get<bool>(y);
  return true;
}

Result<Json> Json::parse(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = kMostLevels;
  boost::system::error_code error;
  boost::json::monotonic_resource memory;
  const boost::json::value value = parse_json(text, error, &memory, options);
  if (error) return Error{Code::invalid_input, "this is no JSON: " + error.message(), ""};
  return json_of(value);
}

std::string Json::text() const {
  std::string out;
  append_text(out);
  return out;
}

void Json::append_text(std::string& out) const {
  struct Writer {
    std::string& out;
    void operator()(std::monostate) const { out += "null"; }
    void operator()(bool value) const { out += value ? "true" : "false"; }
    void operator()(std::int64_t value) const { append_number(value, out); }
    void operator()(std::uint64_t value) const { append_number(value, out); }
    void operator()(double value) const {
      if (!std::isfinite(value)) {
        out += "null";
        return;
      }
      const std::size_t start = out.size();
      append_number(value, out);
      if (out.find_first_of(".e", start) == std::string::npos) out += ".0";  // it stays what it is
    }
    void operator()(const std::string& value) const {
      if (baton::is_utf8(value)) {
        append_quoted(value, out);
      } else {
        append_quoted(baton::to_utf8(value), out);
      }
    }
    void operator()(const Array& items) const {
      out += '[';
      for (const Json& item : items) {
        if (&item != items.data()) out += ',';
        item.append_text(out);
      }
      out += ']';
    }
    void operator()(const Object& members) const {
      out += '{';
      bool first = true;
      for (const auto& [name, value] : members) {
        if (!std::exchange(first, false)) out += ',';
        (*this)(name);
        out += ':';
        value.append_text(out);
      }
      out += '}';
    }
  };
  std::visit(Writer{out}, value_);
}

// ---- Conversions

namespace detail {

void wrong_kind(const Json& json, std::string_view wanted) {
  throw JsonError("", "expected " + std::string(wanted) + ", found " + shown(json));
}
void wrong_length(const Json& json, std::size_t wanted) {
  throw JsonError("", "expected a list of " + std::to_string(wanted) + " items, found one of " +
                          std::to_string(json.size()));
}
void out_of_range() {
  throw JsonError("", "the number is too large or too small for its type");
}

std::int64_t integer_of(const Json& json) {
  const auto& value = JsonAccess::value(json);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (std::get_if<std::uint64_t>(&value) != nullptr) out_of_range();
  if (const auto* number = std::get_if<double>(&value)) {
    if (*number == std::floor(*number) && std::fabs(*number) < 9007199254740993.0)
      return static_cast<std::int64_t>(*number);
  }
  wrong_kind(json, "an integer");
}
std::uint64_t natural_of(const Json& json) {
  if (const auto* number = std::get_if<std::uint64_t>(&JsonAccess::value(json))) return *number;
  const std::int64_t number = integer_of(json);
  if (number < 0) out_of_range();
  return static_cast<std::uint64_t>(number);
}
double number_of(const Json& json) {
  const auto& value = JsonAccess::value(json);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return static_cast<double>(*number);
  wrong_kind(json, "a number");
}
bool bool_of(const Json& json) {
  if (const auto* value = std::get_if<bool>(&JsonAccess::value(json))) return *value;
  wrong_kind(json, "a boolean");
}
const std::string& string_of(const Json& json) {
  if (const auto* text = json.if_string()) return *text;
  wrong_kind(json, "a string");
}
const Json::Array& array_of(const Json& json) {
  if (const auto* items = json.if_array()) return *items;
  wrong_kind(json, "an array");
}
const Json::Object& object_of(const Json& json) {
  if (const auto* members = json.if_object()) return *members;
  wrong_kind(json, "an object");
}
const Json& member_of(const Json& json, std::string_view name) {
  const Json* member = object_of(json).find(name);
  if (member == nullptr) throw JsonError("", "this member is missing");
  return *member;
}

}  // namespace detail
}  // namespace baton::v0

#include "expr/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "expr/library.hpp"
#include "expr/text.hpp"

namespace baton::expr {
namespace {

namespace json = boost::json;

constexpr int kMaxNesting = 500;
constexpr std::int64_t kExactInDouble = std::int64_t{1} << 53;
constexpr double kNanosPerSecond = 1e9;

std::string as_text(const Value& v) {
  Budget budget(UINT64_MAX, UINT64_MAX);
  std::string out;
  append_text(out, v, budget);
  return out;
}

// Turns a value into JSON, in one of two ways to write what JSON has no word for.
class Writer {
 public:
  explicit Writer(bool typed) : typed_(typed) {}

  Result<json::value> write(const Value& v, int depth) const {
    if (depth > kMaxNesting) return fail(ErrorCode::expression, "the value is nested too deep for JSON");
    switch (v.kind()) {
      case Kind::null:
        return nullptr;
      case Kind::boolean:
        return v.as_boolean();
      case Kind::integer: {
        const auto i = v.as_integer();
        if (typed_ && (i > kExactInDouble || i < -kExactInDouble)) return text(as_text(v));
        return i;
      }
      case Kind::unsigned_integer: {
        const auto u = v.as_unsigned();
        if (typed_ && u > static_cast<std::uint64_t>(kExactInDouble)) return text(as_text(v));
        return u;
      }
      case Kind::number:
        if (std::isfinite(v.as_number())) return v.as_number();
        if (typed_) return text(as_text(v));
        return fail(ErrorCode::expression, "JSON has no number for " + as_text(v));
      case Kind::string:
        return text(v.as_string());
      case Kind::bytes:
        return text(base64(v.as_bytes()));
      case Kind::timestamp:
        return text(as_text(v));
      case Kind::duration:
        if (typed_) return text(as_text(v));
        if (v.as_duration() % std::int64_t{1'000'000'000} == 0)
          return v.as_duration() / std::int64_t{1'000'000'000};
        return static_cast<double>(v.as_duration()) / kNanosPerSecond;
      case Kind::type:
        if (typed_) return text(as_text(v));
        return fail(ErrorCode::expression, "a type (" + as_text(v) + ") has no form in JSON");
      case Kind::list:
        return list(v, depth);
      case Kind::map:
        return map(v, depth);
    }
    return nullptr;
  }

 private:
  static json::value text(std::string_view s) { return json::string(s.data(), s.size()); }

  Result<json::value> list(const Value& v, int depth) const {
    if (const auto* array = v.json_array(); array && !typed_) return json::value(*array);
    json::array out;
    out.reserve(v.size());
    for (std::size_t i = 0; i < v.size(); ++i) {
      TRY(auto item, write(v.at(i), depth + 1));
      out.push_back(std::move(item));
    }
    return json::value(std::move(out));
  }

  Result<json::value> map(const Value& v, int depth) const {
    if (const auto* object = v.json_object(); object && !typed_) return json::value(*object);
    json::object out;
    out.reserve(v.size());
    for (std::size_t i = 0; i < v.size(); ++i) {
      const auto key = as_text(v.key_at(i));
      TRY(auto item, write(v.value_at(i), depth + 1));
      if (!out.emplace(key, std::move(item)).second)
        return fail(ErrorCode::expression, "two keys of a map have the same text in JSON: " + key);
    }
    return json::value(std::move(out));
  }

  bool typed_;
};

Result<json::value> guarded(const Value& value, bool typed) {
  try {
    return Writer(typed).write(value, 0);
  } catch (const std::length_error&) {  // Boost.JSON's own limits on strings and arrays
    return fail(ErrorCode::expression, "the value is too large for JSON");
  }
}

void append_compact(std::string& out, const json::value& v) {
  switch (v.kind()) {
    case json::kind::double_: {
      const auto text = text_of(v.get_double());
      out += text;
      if (text.find_first_of(".e") == std::string::npos) out += ".0";
      break;
    }
    case json::kind::array: {
      out += '[';
      bool first = true;
      for (const auto& item : v.get_array()) {
        if (!std::exchange(first, false)) out += ',';
        append_compact(out, item);
      }
      out += ']';
      break;
    }
    case json::kind::object: {
      out += '{';
      bool first = true;
      for (const auto& [key, item] : v.get_object()) {
        if (!std::exchange(first, false)) out += ',';
        out += json::serialize(key);
        out += ':';
        append_compact(out, item);
      }
      out += '}';
      break;
    }
    default:
      out += json::serialize(v);
  }
}

}  // namespace

std::string compact_json(const json::value& value) {
  std::string out;
  append_compact(out, value);
  return out;
}

Result<json::value> to_json(const Value& value) {
  return guarded(value, false);
}

Result<json::value> to_typed_json(const Value& value) {
  TRY(auto plain, guarded(value, true));
  json::object out;
  const auto name = kind_name(value.kind());
  out["type"] = json::string_view(name.data(), name.size());
  out["value"] = std::move(plain);
  // "null_type" is the type's name in expressions; its only value is called null.
  if (value.is(Kind::null)) out["type"] = "null";
  return json::value(std::move(out));
}

}  // namespace baton::expr

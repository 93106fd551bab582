#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "base/text.hpp"
#include "schema/normal.hpp"
#include "schema/program.hpp"
#include "schema/schema.hpp"

namespace baton::schema {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxSchemaDepth = 64;
constexpr std::size_t kMaxPattern = std::size_t{64} << 10;
constexpr std::int64_t kPatternMemory = std::int64_t{1} << 20;

struct TypeName {
  std::string_view name;
  Type type;
};
constexpr std::array kTypes = {TypeName{"null", kNull},       TypeName{"boolean", kBoolean},
                               TypeName{"integer", kInteger}, TypeName{"number", kNumber},
                               TypeName{"string", kString},   TypeName{"array", kArray},
                               TypeName{"object", kObject}};

constexpr std::array<std::string_view, 8> kAnnotations = {"title",   "description", "default",  "examples",
                                                          "$schema", "$comment",    "readOnly", "writeOnly"};
constexpr std::array<std::string_view, 2> kMoreAnnotations = {"$id", "deprecated"};
constexpr auto kKeywords = std::to_array<std::string_view>({"type",
                                                            "enum",
                                                            "const",
                                                            "properties",
                                                            "required",
                                                            "additionalProperties",
                                                            "items",
                                                            "minItems",
                                                            "maxItems",
                                                            "uniqueItems",
                                                            "minLength",
                                                            "maxLength",
                                                            "pattern",
                                                            "minimum",
                                                            "maximum",
                                                            "exclusiveMinimum",
                                                            "exclusiveMaximum",
                                                            "anyOf",
                                                            "oneOf",
                                                            "allOf",
                                                            "not",
                                                            "$ref",
                                                            "format",
                                                            "minProperties",
                                                            "maxProperties",
                                                            "description",
                                                            "default",
                                                            "propertyNames"});

class Compiler {
 public:
  Compiler(const json::value& root, Budget& budget) : root_(root), budget_(budget) {}

  std::expected<std::shared_ptr<const Program>, Problems> compile() {
    program_ = std::make_shared<Program>();
    node(root_, "", 0);
    if (!problems_.empty()) return std::unexpected(std::move(problems_));
    return program_;
  }

 private:
  void problem(std::string pointer, std::string message) {
    if (problems_.size() < 100) problems_.push_back({std::move(pointer), std::move(message)});
  }

  NodeIndex node(const json::value& source, const std::string& at, std::size_t depth) {
    // A subschema that a $ref leads to is compiled once; so a schema may refer to itself.
    if (const auto known = compiled_.find(&source); known != compiled_.end()) return known->second;
    const auto index = static_cast<NodeIndex>(program_->nodes.size());
    if (budget_.subschemas == 0 || depth >= kMaxSchemaDepth) {
      problem(at, budget_.subschemas == 0 ? "the schema has too many subschemas"
                                          : "the schema is nested deeper than 64 levels");
      return 0;
    }
    --budget_.subschemas;
    compiled_.emplace(&source, index);
    program_->nodes.emplace_back();
    Node built;
    if (const bool* flag = source.if_bool()) {
      built.never = !*flag;
    } else if (const auto* object = source.if_object()) {
      for (const auto& [key, value] : *object) {
        keyword(built, key, value, at + "/" + escape_pointer(key), depth);
      }
      if (object->contains("enum") && object->contains("const"))
        problem(at, "`enum` and `const` exclude each other");
    } else {
      problem(at, "a schema must be a map, or true or false");
    }
    program_->nodes[index] = std::move(built);
    return index;
  }

  void keyword(Node& n, std::string_view key, const json::value& value, const std::string& at,
               std::size_t depth) {
    if (key == "type") return type(n, value, at);
    if (key == "enum" || key == "const") return allowed(n, key == "const", value, at);
    if (key == "properties") return properties(n, value, at, depth);
    if (key == "required") return required(n, value, at);
    if (key == "additionalProperties") return one(n.additional, value, at, depth);
    if (key == "propertyNames") return one(n.property_names, value, at, depth);
    if (key == "items") {
      if (value.is_array()) return problem(at, "`items` takes one schema for all items");
      return one(n.items, value, at, depth);
    }
    if (key == "not") return one(n.negated, value, at, depth);
    if (key == "minItems") return count(n.min_items, value, at);
    if (key == "maxItems") return count(n.max_items, value, at);
    if (key == "minLength") return count(n.min_length, value, at);
    if (key == "maxLength") return count(n.max_length, value, at);
    if (key == "minProperties") return count(n.min_properties, value, at);
    if (key == "maxProperties") return count(n.max_properties, value, at);
    if (key == "minimum") return number(n.minimum, value, at);
    if (key == "maximum") return number(n.maximum, value, at);
    if (key == "exclusiveMinimum") return number(n.exclusive_minimum, value, at);
    if (key == "exclusiveMaximum") return number(n.exclusive_maximum, value, at);
    if (key == "uniqueItems") {
      if (!value.is_bool()) return problem(at, "must be true or false");
      n.unique = value.get_bool();
      return;
    }
    if (key == "pattern") return pattern(n, value, at);
    if (key == "allOf") return several(n.all_of, value, at, depth);
    if (key == "anyOf") return several(n.any_of, value, at, depth);
    if (key == "oneOf") return several(n.one_of, value, at, depth);
    if (key == "$ref") return reference(n, value, at, depth);
    if (key == "definitions" || key == "$defs") return definitions(value, at, depth);
    if (key == "format") {
      if (!value.is_string()) return problem(at, "must be a string");
      program_->unchecked.push_back(at);
      return;
    }
    if (std::ranges::find(kAnnotations, key) != kAnnotations.end() ||
        std::ranges::find(kMoreAnnotations, key) != kMoreAnnotations.end()) {
      return;
    }
    const std::string_view meant = nearest(key, kKeywords);
    problem(at, "the keyword `" + printable(utf8_prefix(key, 60)) + "` is not supported" +
                    (meant.empty() ? "" : ", did you mean `" + std::string(meant) + "`?"));
  }

  void type(Node& n, const json::value& value, const std::string& at) {
    const auto add = [&](const json::value& name) {
      if (const auto* text = name.if_string()) {
        for (const TypeName& t : kTypes) {
          if (t.name == std::string_view(*text)) {
            n.types |= t.type;
            return;
          }
        }
      }
      std::vector<std::string_view> names;
      for (const TypeName& t : kTypes) names.push_back(t.name);
      const std::string_view meant = name.is_string() ? nearest(name.get_string(), names) : "";
      problem(at, "a type is one of null, boolean, integer, number, string, array, object" +
                      (meant.empty() ? "" : "; did you mean `" + std::string(meant) + "`?"));
    };
    if (const auto* list = value.if_array()) {
      if (list->empty()) problem(at, "the list of types is empty");
      for (const auto& name : *list) add(name);
    } else {
      add(value);
    }
  }

  void allowed(Node& n, bool is_const, const json::value& value, const std::string& at) {
    if (!is_const && (!value.is_array() || value.get_array().empty())) {
      return problem(at, "must be a list of values, not empty");
    }
    if (!is_within_depth(value, kMaxSchemaDepth))
      return problem(at, "the value is nested deeper than 64 levels");
    n.allowed.emplace();
    std::string text;
    const auto add = [&](const json::value& v) {
      n.allowed->insert(normal_text(v));
      if (text.size() < 200)
        text += (text.empty() ? "" : ", ") + std::string(utf8_prefix(json::serialize(v), 60));
    };
    if (is_const) {
      add(value);
    } else {
      for (const auto& v : value.get_array()) add(v);
      if (value.get_array().size() > 1) text = "one of " + text;
    }
    n.allowed_text = text.size() < 200 ? text : text + ", …";
  }

  void properties(Node& n, const json::value& value, const std::string& at, std::size_t depth) {
    if (!value.is_object()) return problem(at, "must be a map of names to schemas");
    for (const auto& [name, schema] : value.get_object()) {
      n.properties.emplace_back(std::string(name), node(schema, at + "/" + escape_pointer(name), depth + 1));
    }
    std::ranges::sort(n.properties);
  }

  void required(Node& n, const json::value& value, const std::string& at) {
    const auto* list = value.if_array();
    if (list == nullptr || !std::ranges::all_of(*list, [](const auto& v) { return v.is_string(); })) {
      return problem(at, "must be a list of names of properties");
    }
    for (const auto& name : *list) n.required.emplace_back(name.get_string());
    std::vector<std::string> sorted = n.required;
    std::ranges::sort(sorted);
    if (std::ranges::adjacent_find(sorted) != sorted.end()) problem(at, "a name stands twice in the list");
  }

  void one(std::optional<NodeIndex>& slot, const json::value& value, const std::string& at,
           std::size_t depth) {
    slot = node(value, at, depth + 1);
  }

  void several(std::vector<NodeIndex>& slots, const json::value& value, const std::string& at,
               std::size_t depth) {
    if (!value.is_array() || value.get_array().empty())
      return problem(at, "must be a list of schemas, not empty");
    std::size_t index = 0;
    for (const auto& schema : value.get_array()) {
      slots.push_back(node(schema, at + "/" + std::to_string(index++), depth + 1));
    }
  }

  void count(std::optional<std::uint64_t>& slot, const json::value& value, const std::string& at) {
    if (value.is_uint64()) {
      slot = value.get_uint64();
    } else if (value.is_int64() && value.get_int64() >= 0) {
      slot = static_cast<std::uint64_t>(value.get_int64());
    } else {
      problem(at, "must be an integer that is not negative");
    }
  }

  void number(std::optional<json::value>& slot, const json::value& value, const std::string& at) {
    if (!value.is_number()) return problem(at, "must be a number");
    slot = value;
  }

  void pattern(Node& n, const json::value& value, const std::string& at) {
    if (!value.is_string()) return problem(at, "must be a string");
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kPatternMemory);
    const std::string_view text = value.get_string();
    if (text.size() > kMaxPattern) return problem(at, "the pattern is longer than 64 KiB");
    if (budget_.pattern_size == 0) return problem(at, "the patterns of the schema are too large together");
    auto compiled = std::make_shared<const re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
    // A pattern that fails has cost time as well, at most what its memory limit allows.
    const std::size_t size =
        compiled->ok() ? static_cast<std::size_t>(compiled->ProgramSize()) : text.size() + 1000;
    budget_.pattern_size -= std::min(budget_.pattern_size, size);
    if (!compiled->ok())
      return problem(
          at, "the pattern is not valid: " + std::string(utf8_prefix(printable(compiled->error()), 200)));
    n.pattern = std::move(compiled);
  }

  void reference(Node& n, const json::value& value, const std::string& at, std::size_t depth) {
    const auto* text = value.if_string();
    if (text == nullptr || !text->starts_with("#"))
      return problem(at, "must begin with #: a place in this schema");
    boost::system::error_code missing;
    const json::value* target = root_.find_pointer(std::string_view(*text).substr(1), missing);
    if (target == nullptr) {
      return problem(at, "there is nothing at " + printable(utf8_prefix(std::string_view(*text), 100)));
    }
    n.ref = node(*target, std::string(std::string_view(*text).substr(1)), depth + 1);
  }

  void definitions(const json::value& value, const std::string& at, std::size_t depth) {
    if (!value.is_object()) return problem(at, "must be a map of names to schemas");
    for (const auto& [name, schema] : value.get_object())
      node(schema, at + "/" + escape_pointer(name), depth + 1);
  }

  const json::value& root_;
  Budget& budget_;
  std::shared_ptr<Program> program_;
  std::map<const json::value*, NodeIndex> compiled_;
  Problems problems_;
};

}  // namespace

std::expected<Schema, Problems> Schema::compile(const json::value& source) {
  Budget budget;
  return compile(source, budget);
}

std::expected<Schema, Problems> Schema::compile(const json::value& source, Budget& budget) {
  auto program = Compiler(source, budget).compile();
  if (!program) return std::unexpected(std::move(program).error());
  return Schema(std::move(*program));
}

}  // namespace baton::schema

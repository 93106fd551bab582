#include "spec/json_schema.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "spec/fields.hpp"
#include "spec/graph.hpp"
#include "spec/read.hpp"

namespace baton::spec {
namespace {

namespace json = boost::json;

constexpr std::string_view kNamePattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$";
constexpr std::string_view kTemplatePattern = "\\$\\{\\{";
constexpr std::string_view kZonePattern = "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$";
constexpr std::string_view kNotYet = " (Checked, but this version does nothing with it yet.)";
constexpr double kCentury = 100.0 * 366 * 86'400;  // seconds, as in base/duration.hpp

json::value text(std::string_view t) {
  return json::value(json::string_view(t.data(), t.size()));
}

json::object without(std::string_view pattern) {
  return {{"type", "string"}, {"pattern", text(pattern)}};
}

// "(?:1.5h)?(?:30m)?…": what parse_duration reads.
std::string duration_pattern() {
  const std::string number = "(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)";
  std::string units;
  for (const char* unit : {"w", "d", "h", "m", "s", "ms", "us"}) units += "(?:" + number + unit + ")?";
  return "^(?:" + number + "|" + units + ")$";
}

json::object scalar_list(bool templates) {
  json::object item{{"type", {"string", "number", "boolean"}}};
  item["not"] = without(templates ? "\\x00" : "\\x00|\\$\\{\\{");
  return {{"type", "array"}, {"minItems", 1}, {"items", std::move(item)}};
}

json::object reference(Shape shape) {
  return {{"$ref", "#/definitions/" + std::string(title(shape))}};
}

// A token, and not one of the fields that the client writes itself.
json::object header_names() {
  return {
      {"pattern", "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"},
      {"not",
       without(
           "^(?i:host|content-length|transfer-encoding|connection|accept-encoding|expect|te|trailer|upgrade|"
           "keep-alive|proxy-connection)$")}};
}

json::object names() {
  return {{"pattern", text(kNamePattern)}};
}

json::object form_schema(Form form, const Field& field) {
  switch (form) {
    case Form::text:
      return {{"type", "string"}, {"not", without(kTemplatePattern)}};
    case Form::templated:
      // Beside a duration: a text that is none gives one.
      if (field.forms.has(Form::duration)) return {{"type", "string"}, {"pattern", text(kTemplatePattern)}};
      return {{"type", "string"}};
    case Form::prose:
      return {{"type", "string"}};
    case Form::script:
      return {{"type", "string"}, {"pattern", "[^ \\t\\r\\n]"}, {"not", without("\\x00|\\$\\{\\{")}};
    case Form::name:
      return {{"type", "string"}, {"pattern", text(kNamePattern)}};
    case Form::word: {
      json::array words;
      for (const std::string_view word : split_words(field.words)) words.push_back(text(word));
      return {{"enum", std::move(words)}};
    }
    case Form::boolean:
      return {{"type", "boolean"}};
    case Form::integer:
      return {{"type", "integer"},
              {"minimum", static_cast<std::int64_t>(field.minimum)},
              {"maximum", static_cast<std::int64_t>(field.maximum)}};
    case Form::number:
      return {{"type", "number"}, {"minimum", field.minimum}, {"maximum", field.maximum}};
    case Form::duration:
      return {{"type", {"string", "number"}},
              {"minimum", 0},
              {"maximum", kCentury},
              {"minLength", 1},
              {"pattern", duration_pattern()}};
    case Form::expression:
      return {{"type", {"string", "boolean"}}, {"not", without(kTemplatePattern)}};
    case Form::value:
    case Form::any:
      return {};
    case Form::arguments:
      return scalar_list(true);
    case Form::words_list:
      return scalar_list(false);
    case Form::names:
      return {{"type", "array"},
              {"uniqueItems", true},
              {"items", {{"type", {"string", "number", "boolean"}}, {"not", without(kTemplatePattern)}}}};
    case Form::items:
      return {{"type", {"array", "object", "string"}}, {"pattern", text(kTemplatePattern)}};
    case Form::labels:
      return {{"type", "object"},
              {"propertyNames", names()},
              {"additionalProperties",
               {{"type", {"string", "number", "boolean"}}, {"not", without(kTemplatePattern)}}}};
    case Form::environment:
      return {{"type", "object"},
              {"propertyNames", {{"minLength", 1}, {"not", without("=|\\x00|^BATON_|\\$\\{\\{")}}},
              {"additionalProperties", {{"type", {"string", "number", "boolean"}}}}};
    case Form::values:
      return {{"type", "object"}, {"propertyNames", names()}};
    case Form::inputs:
      return {{"type", "object"},
              {"propertyNames", names()},
              {"additionalProperties",
               {{"type", "object"},
                {"description", "A JSON Schema, with `default`, or `optional: true`."},
                {"properties", {{"optional", {{"type", "boolean"}}}, {"required", {{"type", "array"}}}}}}}};
    case Form::steps:
      return {{"type", "object"},
              {"propertyNames", names()},
              {"maxProperties", kMaxSteps},
              {"additionalProperties", reference(field.shape)}};
    case Form::object:
      return reference(field.shape);
    case Form::named:
      return {
          {"type", "object"}, {"propertyNames", names()}, {"additionalProperties", reference(field.shape)}};
    case Form::amounts: {
      const json::object amount{{"type", "integer"},
                                {"minimum", static_cast<std::int64_t>(field.minimum)},
                                {"maximum", static_cast<std::int64_t>(field.maximum)}};
      return {{"type", "object"},
              {"minProperties", 1},
              {"propertyNames", names()},
              {"additionalProperties", amount}};
    }
    case Form::objects:
      return {{"type", "array"},
              {"minItems", static_cast<std::int64_t>(field.minimum)},
              {"items", reference(field.shape)}};
    case Form::word_list: {
      json::array words;
      for (const std::string_view word : split_words(field.words)) words.push_back(text(word));
      return {
          {"type", "array"}, {"minItems", 1}, {"uniqueItems", true}, {"items", {{"enum", std::move(words)}}}};
    }
    case Form::cron:
      return {{"type", "string"}, {"minLength", 1}, {"not", without(kTemplatePattern)}};
    case Form::zone:
      return {{"type", "string"}, {"pattern", text(kZonePattern)}};
    case Form::instant:
      return {{"type", "string"}, {"format", "date-time"}, {"not", without(kTemplatePattern)}};
    case Form::list:
      return {{"type", "array"}};
    case Form::texts:
      return {{"type", "array"},
              {"minItems", static_cast<std::int64_t>(field.minimum)},
              {"items", {{"type", {"string", "number", "boolean"}}, {"not", without(kTemplatePattern)}}}};
    case Form::map:
      return {{"type", "object"}, {"propertyNames", names()}};
    case Form::url:
      // A request's may continue that of the step's target.
      return {{"type", "string"},
              {"pattern", field.owner == Shape::http ? "^(https?://[^/?#]|\\$\\{\\{|/($|[^/]))"
                                                     : "^(https?://[^/?#]|\\$\\{\\{)"}};
    case Form::headers:
      return {{"type", "object"},
              {"propertyNames", header_names()},
              {"additionalProperties", {{"type", {"string", "number", "boolean"}}}}};
    case Form::parameters: {
      const json::array scalar{"string", "number", "boolean", "null"};
      return {{"type", "object"},
              {"propertyNames", {{"minLength", 1}, {"not", without(kTemplatePattern)}}},
              {"additionalProperties",
               {{"type", {"string", "number", "boolean", "null", "array"}}, {"items", {{"type", scalar}}}}}};
    }
    case Form::statuses: {
      const json::object status{{"type", {"integer", "string"}},
                                {"minimum", 100},
                                {"maximum", 599},
                                {"pattern", "^[1-5]([0-9][0-9]|xx)$"}};
      return {{"anyOf", {status, json::object{{"type", "array"}, {"minItems", 1}, {"items", status}}}}};
    }
    case Form::integers:
      return {{"type", "array"}, {"minItems", 1}, {"items", form_schema(Form::integer, field)}};
    case Form::percent:
      return {{"type", "string"}, {"pattern", "^(100|[0-9]{1,2})%$"}};
    case Form::schema:
      return {{"type", {"object", "boolean"}}};
  }
  return {};
}

json::object field_schema(const Field& field) {
  json::object schema;
  json::array forms;
  for (std::uint32_t bit = 0; bit < 64; ++bit) {
    const auto form = static_cast<Form>(std::uint64_t{1} << bit);
    if (field.forms.has(form)) forms.push_back(form_schema(form, field));
  }
  if (forms.size() == 1 && !forms[0].get_object().contains("$ref")) {
    schema = forms[0].get_object();
  } else if (forms.size() == 1) {
    schema["allOf"] = std::move(forms);  // beside a $ref draft 7 ignores the description
  } else {
    schema["anyOf"] = std::move(forms);
  }
  schema["description"] =
      std::string(field.description) + (field.status == Status::later ? std::string(kNotYet) : "");
  if (!field.example.empty()) schema["examples"] = json::array{text(field.example)};
  return schema;
}

json::object forbidden_pair(std::string_view a, std::string_view b) {
  return {{"not", {{"required", {text(a), text(b)}}}}};
}

json::object required_field(std::string_view name) {
  return {{"required", json::array{text(name)}}};
}

// One field has no effect without the other.
json::object needs_field(std::string_view field, std::string_view other) {
  return {{"anyOf", {json::object{{"not", required_field(field)}}, required_field(other)}}};
}

// Rules about several fields of one map.
json::array shape_rules(Shape shape) {
  json::array rules;
  if (shape == Shape::retry) rules.push_back(forbidden_pair("max_attempts", "max_retries"));
  if (shape == Shape::wait) {
    rules.push_back(json::object{
        {"oneOf",
         {required_field("for"), required_field("signal"), required_field("approval"), required_field("poll"),
          json::object{{"required", {"until"}}, {"not", required_field("poll")}}}}});
    rules.push_back(
        json::object{{"anyOf", {json::object{{"not", required_field("every")}}, required_field("poll")}}});
    rules.push_back(json::object{{"anyOf",
                                  {json::object{{"not", required_field("timeout")}}, required_field("signal"),
                                   required_field("approval"), required_field("poll")}}});
  }
  if (shape == Shape::branch) {
    rules.push_back(
        json::object{{"oneOf", {json::object{{"required", {"when", "goto"}}}, required_field("else")}}});
    rules.push_back(forbidden_pair("else", "goto"));
    rules.push_back(forbidden_pair("else", "when"));
  }
  if (shape == Shape::timeout) {
    rules.push_back(json::object{{"anyOf",
                                  {required_field("soft"), required_field("hard"), required_field("start"),
                                   required_field("heartbeat")}}});
  }
  if (shape == Shape::http) {
    rules.push_back(forbidden_pair("json", "form"));
    rules.push_back(forbidden_pair("json", "body"));
    rules.push_back(forbidden_pair("form", "body"));
  }
  if (shape == Shape::schedule) {
    rules.push_back(
        json::object{{"oneOf", {required_field("cron"), required_field("every"), required_field("at")}}});
  }
  if (shape == Shape::rollback) {
    rules.push_back(json::object{{"anyOf", {required_field("failure_rate"), required_field("duration")}}});
  }
  if (shape != Shape::step && !is_action(shape)) return rules;
  json::array kind_rules;
  for (const Field* kind : fields_of(shape)) {
    if (!kind->is_kind) continue;
    kind_rules.push_back(required_field(kind->name));
    if (kind->status == Status::later) continue;
    for (const Field* field : fields_of(shape)) {
      if (!field->is_kind && (field->kinds & kind->kinds) == 0) {
        rules.push_back(forbidden_pair(kind->name, field->name));
      }
    }
  }
  rules.push_back(json::object{{"oneOf", std::move(kind_rules)}});
  if (shape == Shape::step) {
    rules.push_back(needs_field("max_parallel", "for_each"));
    rules.push_back(needs_field("max_failures", "for_each"));
    rules.push_back(needs_field("trigger_rule", "needs"));
  }
  return rules;
}

json::object shape_schema(Shape shape) {
  json::object properties;
  json::array required;
  for (const Field* field : fields_of(shape)) {
    properties[field->name] = field_schema(*field);
    if (field->required) required.push_back(text(field->name));
  }
  json::object schema{{"type", "object"}};
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  if (json::array rules = shape_rules(shape); !rules.empty()) schema["allOf"] = std::move(rules);
  return schema;
}

}  // namespace

json::object json_schema() {
  json::object schema{
      {"$schema", "http://json-schema.org/draft-07/schema#"},
      {"title", "Baton workflow definition"},
      {"description", "A workflow: its inputs, its steps and how they depend on each other."}};
  for (auto& [key, value] : shape_schema(Shape::workflow)) schema[key] = value;
  json::object definitions;
  for (const ShapeInfo& info : all_shapes()) {
    if (info.shape != Shape::workflow) definitions[info.title] = shape_schema(info.shape);
  }
  schema["definitions"] = std::move(definitions);
  return schema;
}

}  // namespace baton::spec

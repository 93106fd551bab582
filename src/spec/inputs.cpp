#include "spec/inputs.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "schema/inputs.hpp"
#include "spec/read.hpp"
#include "spec/schemas.hpp"

namespace baton::spec {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxInputBytes = std::size_t{16} << 20;

// The declaration without what is Baton's own and no keyword of JSON Schema.
json::value schema_of(json::value declaration) {
  if (auto* object = declaration.if_object()) object->erase("optional");
  return declaration;
}

void check_input(const Tree& tree, Member input, schema::Budget& budget, Findings& findings) {
  if (!tree.is(input.value, NodeKind::map)) return;  // reported by the table's check
  if (const auto optional = tree.find(input.value, "optional")) {
    if (!tree.is(optional->value, NodeKind::boolean)) {
      findings.error(optional->value, "`optional` must be true or false");
    } else if (tree.find(input.value, "default")) {
      findings.error(optional->key, "an input with a default is never missing: `optional` has no effect");
    }
  }
  if (const auto required = tree.find(input.value, "required");
      required && tree.is(required->value, NodeKind::boolean)) {
    findings.error(required->key,
                   "`required` takes the names of properties; every input is required unless it has a "
                   "default",
                   "write `optional: true` for an input that may be missing");
    return;
  }
  const json::value declaration = tree.to_json(input.value);
  const auto schema = check_schema(tree, input.value, schema_of(declaration), budget, findings);
  if (!schema) return;
  if (const auto value = tree.find(input.value, "default")) {
    for (const schema::Problem& p : schema->validate(declaration.as_object().at("default"))) {
      findings.error(value->value, "the default does not fit" +
                                       (p.pointer.empty() ? "" : " at " + printable(p.pointer)) + ": it " +
                                       printable(p.message));
    }
  }
}

}  // namespace

void check_inputs(const Tree& tree, Findings& findings) {
  const auto inputs = tree.find(tree.root(), "inputs");
  if (!inputs) return;
  schema::Budget budget;  // of all inputs together
  for (const Member input : tree.members(inputs->value)) {
    if (findings.full()) return;
    check_input(tree, input, budget, findings);
  }
}

std::vector<model::Input> read_inputs(const Tree& tree) {
  std::vector<model::Input> inputs;
  const auto member = tree.find(tree.root(), "inputs");
  if (!member) return inputs;
  for (const Member m : tree.members(member->value)) {
    model::Input input;
    input.name = tree.text(m.key);
    input.schema = schema_of(tree.to_json(m.value));
    const json::object& schema = input.schema.get_object();
    if (const json::value* value = schema.if_contains("default")) input.default_value = *value;
    const auto optional = tree.find(m.value, "optional");
    input.required = !input.default_value && !(optional && tree.boolean(optional->value));
    inputs.push_back(std::move(input));
  }
  return inputs;
}

Result<json::object> resolve_inputs(const model::Workflow& workflow, const json::value& given) {
  std::vector<schema::Declared> declared;
  declared.reserve(workflow.inputs.size());
  for (const model::Input& input : workflow.inputs) {
    declared.push_back(
        {input.name, &input.schema, input.default_value ? &*input.default_value : nullptr, input.required});
  }
  return schema::complete(declared, given);
}

bool takes_null(const model::Workflow& workflow, std::string_view name) {
  const auto input = std::ranges::find(workflow.inputs, name, &model::Input::name);
  if (input == workflow.inputs.end()) return false;
  const auto compiled = schema::Schema::compile(input->schema);
  return compiled && compiled->validate(nullptr, 1).empty();
}

Result<json::value> coerce_text(const json::value& schema, std::string_view text) {
  const auto compiled = schema::Schema::compile(schema);
  if (!compiled) return fail(ErrorCode::internal, "the schema of the input does not compile");
  if (text.size() > kMaxInputBytes)
    return fail(ErrorCode::too_large, "an input must not be larger than 16 MiB");
  if (!is_utf8(text)) return fail(ErrorCode::invalid_input, "the text is not UTF-8");
  // Our own reader: it refuses duplicate keys and what is no number (Boost.JSON reads 0e608 as not-a-number).
  const auto tree = read_json(text, {.bytes = kMaxInputBytes, .nodes = kMaxInputBytes});
  schema::Problems of_json;
  if (tree) {
    json::value parsed = tree->to_json(tree->root());
    of_json = compiled->validate(parsed);
    if (of_json.empty()) return parsed;
  }
  json::value as_text(json::string_view(text.data(), text.size()));
  const schema::Problems of_text = compiled->validate(as_text);
  if (of_text.empty()) return as_text;
  const schema::Problem& p = tree ? of_json.front() : of_text.front();
  return fail(ErrorCode::invalid_input,
              (p.pointer.empty() ? "it " : "at " + printable(p.pointer) + " it ") + printable(p.message),
              p.pointer);
}

}  // namespace baton::spec

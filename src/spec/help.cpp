#include "spec/help.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "spec/fields.hpp"

namespace baton::spec {
namespace {

constexpr std::string_view kIntroduction = R"(# Workflow definitions

<!-- Made from the table in src/spec/fields.cpp; a test compares. To renew: BATON_UPDATE=1 spec_test -->

A definition is a YAML 1.2 or JSON text with one map. Both are read into the same thing: a text is JSON if its file is
called `*.json`, or if it begins with `{"` and the file is not called `*.yaml` or `*.yml`.

- YAML is read by the core schema: `yes`, `no`, `on` and `off` are text; only `true` and `false` are booleans.
- A key that stands twice in a map is an error. Anchors, aliases and the merge key `<<` may be used.
- Fields that are not in this list are errors.
- Limits: 16 MiB of text, 64 levels, 2 million values, 10,000 anchors, aliases that stand for 100,000 values and 16 MiB
  of text, 10,000 inputs, 100,000 steps. What `env` and `defaults` give to all steps together is at most 256 MiB.
- Names of workflows, steps, inputs and queues have letters, digits, `.`, `_` and `-`, begin with a letter or digit, and
  have at most 128 characters.
- A duration is written as `90s`, `5m`, `1h30m`, `250ms` or `2d`, or as a number of seconds.
- `${{ expression }}` stands for the value of an expression (see [expressions](expressions.md)): as the whole of a text
  it keeps its type, inside of other text it becomes text. `$${{` stands for a literal `${{`.

)";

constexpr std::string_view kRules = R"(## What only the parser checks

`baton schema` prints this language as a JSON Schema. These rules are beyond it:

- `needs` names existing steps, of the same of `steps` and `finally`, none twice, without circles; a name is taken only
  once in both.
- Expressions: syntax, known variables and fields, types as far as they are known. A step reads `steps.NAME` only of
  steps that it needs, directly or through others; `item` and `index` only with `for_each`.
- An input's declaration and a `response_schema` are JSON Schemas, and an input's default fits its own; `optional` and
  `default` exclude each other.
- A `cron` expression and an `at` instant can be read, a `timezone` exists, a schedule names declared inputs and all that
  have no default; `every` is at least 1s; `timezone` only with `cron`, no `catchup_window` with `catchup: none`.
- Durations are at most 100 years, timeouts more than 0, `soft` not more than `hard`, `initial` not more than `max`.
- `multiplier` only with exponential backoff.
- An integer is written without a fraction.
)";

constexpr std::string_view kNotYet =
    "Not in this version: it is checked, `baton validate` warns, and `baton run` refuses the workflow.";

std::string code(std::string_view text) {
  return "`" + std::string(text) + "`";
}

std::string kinds_text(std::uint8_t mask) {
  std::string text;
  const std::pair<std::uint8_t, std::string_view> names[] = {
      {kinds::run, "run"}, {kinds::exec, "exec"}, {kinds::http, "http"}, {kinds::set, "set"}};
  for (const auto& [bit, name] : names) {
    if ((mask & bit) != 0) text += (text.empty() ? "" : ", ") + code(name);
  }
  return text;
}

void indent(std::string& out, std::string_view text, std::string_view by) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += std::string(by) + std::string(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(text.size(), end + 1));
  }
}

// One field of a section of the page.
void field_entry(std::string& out, const Field& field) {
  out += "### " + code(field.name) + "\n\n" + std::string(field.description) + "\n\n";
  if (field.status == Status::later) out += std::string(kNotYet) + "\n\n";
  out += "- Type: " + describe(field) + (field.required ? "; required" : "") + "\n";
  if (!field.default_text.empty()) out += "- Default: " + code(field.default_text) + "\n";
  if (field.owner == Shape::step && !field.is_kind && field.kinds != kinds::all) {
    out += "- For steps of kind: " + kinds_text(field.kinds) + "\n";
  }
  if (!field.example.empty()) out += "\n```yaml\n" + std::string(field.example) + "\n```\n";
  out += "\n";
}

void section(std::string& out, Shape shape, std::string_view heading) {
  out += "## " + std::string(heading) + "\n\n";
  std::string later;
  for (const Field* field : fields_of(shape)) {
    if (!field->forms.has(Form::any) || field->status == Status::acts) {
      field_entry(out, *field);
    } else {
      later += "- " + code(field->name) + ": " + std::string(field->description) + "\n";
    }
  }
  if (!later.empty()) out += "Known, but neither checked nor done by this version:\n\n" + later + "\n";
}

void action_section(std::string& out) {
  out +=
      "## An action of a step\n\nIt is done by an executor like a step, and has these fields with the same "
      "meaning: ";
  std::string names;
  for (const Field* field : fields_of(Shape::action)) {
    if (field->status == Status::acts) names += (names.empty() ? "" : ", ") + code(field->name);
  }
  out += names + ". It has exactly one kind. `retry` and `timeout` of `defaults` do not hold for it.\n\n";
}

}  // namespace

Result<std::string> field_help(std::string_view path) {
  const Field* field = field_at(path);
  const std::vector<FieldPath> paths = all_paths();
  if (field == nullptr) {
    std::vector<std::string_view> names;
    for (const FieldPath& p : paths) names.push_back(p.path);
    const std::string_view meant = nearest(path, names);
    return fail(ErrorCode::not_found, "there is no field \"" + printable(utf8_prefix(path, 100)) + "\"" +
                                          (meant.empty() ? "; see `baton schema`"
                                                         : ", did you mean \"" + std::string(meant) + "\"?"));
  }
  std::string out = std::string(path) + (field->required ? " (required)" : "") + "\n\n";
  if (field->status == Status::later) out += "  Not supported by this version yet.\n\n";
  indent(out, field->description, "  ");
  if (field->status == Status::later) return out;
  out += "\n  Type: " + describe(*field) + "\n";
  if (!field->default_text.empty()) out += "  Default: " + std::string(field->default_text) + "\n";
  if (field->owner == Shape::step && !field->is_kind && field->kinds != kinds::all) {
    out += "  For steps of kind: " + kinds_text(field->kinds) + "\n";
  }
  if (!field->example.empty()) {
    out += "\n  Example:\n\n";
    indent(out, field->example, "    ");
  }
  if (field->shape != Shape::none) {
    out += "\n  Fields:\n\n";
    for (const Field* below : fields_of(field->shape)) {
      out += "    " + std::string(below->name) +
             (below->status == Status::later ? " (not supported yet)" : "") + "\n";
    }
  }
  return out;
}

std::vector<std::string> complete_field(std::string_view prefix) {
  std::vector<std::string> matching;
  for (FieldPath& p : all_paths()) {
    if (p.path.starts_with(prefix)) matching.push_back(std::move(p.path));
  }
  return matching;
}

std::string reference_page() {
  std::string out(kIntroduction);
  for (const ShapeInfo& info : all_shapes()) {
    if (info.shape == Shape::action) {
      action_section(out);
    } else {
      section(out, info.shape, info.heading);
    }
  }
  out += kRules;
  return out;
}

}  // namespace baton::spec

#include "spec/help.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/text.hpp"
#include "spec/fields.hpp"

namespace baton::spec {
namespace {

namespace json = boost::json;

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
- Patterns of `on_error` are valid RE2; `delay` only with `do: retry`; a step's `do: fallback` needs its `fallback`. Deadlines
  and `sla` are more than 0.
- `wait.until` is an instant, or beside `poll` a condition. `self` is known in conditions of `poll` and `repeat` only.
- `goto` and `else` name existing steps, beside the switch under `steps` or `finally`; `else` stands last. A step that a switch
  goes to has none of the trigger rules that start at the first match, if it needs anything besides switches.
- An integer is written without a fraction.
)";

constexpr std::string_view kNotYet =
    "Not in this version: it is checked, `baton validate` warns, and `baton run` refuses the workflow.";

std::string code(std::string_view text) {
  return "`" + std::string(text) + "`";
}

// The kinds of steps on which a field acts.
std::vector<std::string_view> kind_names(const Field& field) {
  std::vector<std::string_view> names;
  if (field.owner != Shape::step || field.is_kind) return names;
  for (const Field* kind : fields_of(Shape::step)) {
    if (kind->is_kind && kind->status == Status::acts && (kind->kinds & field.kinds) != 0)
      names.push_back(kind->name);
  }
  return names;
}

std::string kinds_text(const Field& field) {
  std::string text;
  for (const std::string_view name : kind_names(field)) text += (text.empty() ? "" : ", ") + code(name);
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
    out += "- For steps of kind: " + kinds_text(field) + "\n";
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

void cleanup_section(std::string& out) {
  out += "## `cleanup`\n\nAn action of a step, with two fields more:\n\n";
  for (const Field* field : fields_of(Shape::cleanup)) {
    if (field->owner != Shape::cleanup) continue;
    out += "- " + code(field->name) + ": " + std::string(field->description) +
           " Default: " + std::string(field->default_text) + ".\n";
  }
  out += "\n";
}

json::value text(std::string_view t) {
  return json::value(json::string_view(t.data(), t.size()));
}

std::string without_stars(std::string path) {
  for (std::size_t at = path.find(".*"); at != std::string::npos; at = path.find(".*", at)) path.erase(at, 2);
  return path;
}

// What is asked for by a path: a field and those right below it, or only the fields that begin so.
struct Answer {
  const Field* field = nullptr;
  std::vector<FieldPath> below;
};

std::vector<FieldPath> fields_below(const std::string& path, const Field& field) {
  std::vector<FieldPath> below;
  for (const Field* f : fields_of(field.shape)) below.push_back({path + "." + std::string(f->name), f});
  return below;
}

Result<Answer> look_up(std::string_view path) {
  if (const Field* field = field_at(path)) {
    const bool dot = path.ends_with('.');
    const std::string whole(path.substr(0, path.size() - (dot ? 1 : 0)));
    Answer answer{dot ? nullptr : field, fields_below(whole, *field)};
    if (!dot || !answer.below.empty()) return answer;
  }
  Answer answer;
  const std::string wanted = without_stars(std::string(path));
  std::vector<FieldPath> all = all_paths();
  for (FieldPath& p : all) p.path = without_stars(std::move(p.path));
  for (const FieldPath& p : all) {
    if (!wanted.empty() && p.path.starts_with(wanted)) answer.below.push_back(p);
  }
  if (!answer.below.empty()) return answer;
  std::vector<std::string_view> names;
  for (const FieldPath& p : all) names.push_back(p.path);
  const std::string_view meant = nearest(wanted, names);
  return fail(ErrorCode::not_found, "there is no field \"" + printable(utf8_prefix(path, 100)) + "\"" +
                                        (meant.empty() ? "; see `baton schema`"
                                                       : ", did you mean \"" + std::string(meant) + "\"?"));
}

// A line for each: its name, or whole path, and what it looks like.
std::string list_of(const std::vector<FieldPath>& fields, std::string_view indentation, bool whole_paths) {
  constexpr std::size_t kShown = 70;
  std::size_t widest = 0;
  const auto name = [&](const FieldPath& p) {
    return whole_paths ? std::string_view(p.path) : p.field->name;
  };
  for (const FieldPath& p : fields) widest = std::max(widest, name(p).size());
  std::string out;
  for (const FieldPath& p : fields) {
    std::string type = describe(*p.field);
    if (type.size() > kShown) type = std::string(utf8_prefix(type, kShown - 1)) + "…";
    if (p.field->status == Status::later) type += " (not in this version)";
    out += std::string(indentation) + std::string(name(p)) + std::string(widest - name(p).size() + 2, ' ') +
           type + "\n";
  }
  return out;
}

}  // namespace

std::vector<std::string> field_paths() {
  std::vector<std::string> paths;
  for (const FieldPath& p : all_paths()) paths.push_back(without_stars(p.path));
  return paths;
}

Result<std::string> field_help(std::string_view path) {
  TRY(const Answer answer, look_up(path));
  if (answer.field == nullptr) return list_of(answer.below, "", true);
  const Field* field = answer.field;
  std::string out = std::string(path) + (field->required ? " (required)" : "") + "\n\n";
  if (field->status == Status::later) out += "  " + std::string(kNotYet) + "\n\n";
  indent(out, field->description, "  ");
  if (field->forms.has(Form::any)) return out;
  out += "\n  Type: " + describe(*field) + "\n";
  if (!field->default_text.empty()) out += "  Default: " + std::string(field->default_text) + "\n";
  if (field->owner == Shape::step && !field->is_kind && field->kinds != kinds::all) {
    out += "  For steps of kind: " + kinds_text(*field) + "\n";
  }
  if (!field->example.empty()) {
    out += "\n  Example:\n\n";
    indent(out, field->example, "    ");
  }
  if (!answer.below.empty()) out += "\n  Fields:\n\n" + list_of(answer.below, "    ", false);
  return out;
}

Result<json::object> field_data(std::string_view path) {
  TRY(const Answer answer, look_up(path));
  json::array fields;
  for (const FieldPath& p : answer.below) {
    fields.push_back(json::object{
        {"path", p.path}, {"type", describe(*p.field)}, {"description", text(p.field->description)}});
  }
  json::object out;
  if (const Field* field = answer.field) {
    const auto or_null = [](std::string_view t) { return t.empty() ? json::value() : text(t); };
    json::array words;
    for (const std::string_view word : split_words(field->words)) words.push_back(text(word));
    json::array kinds;
    for (const std::string_view name : kind_names(*field)) kinds.push_back(text(name));
    out = {{"path", text(path)},
           {"type", describe(*field)},
           {"required", field->required},
           {"default", or_null(field->default_text)},
           {"description", text(field->description)},
           {"example", or_null(field->example)},
           {"kinds", std::move(kinds)},
           {"words", std::move(words)},
           {"supported", field->status == Status::acts}};
  }
  out["fields"] = std::move(fields);
  return out;
}

std::string reference_page() {
  std::string out(kIntroduction);
  for (const ShapeInfo& info : all_shapes()) {
    if (info.shape == Shape::action) {
      action_section(out);
    } else if (info.shape == Shape::cleanup) {
      cleanup_section(out);
    } else {
      section(out, info.shape, info.heading);
    }
  }
  out += kRules;
  return out;
}

}  // namespace baton::spec

// What a task gets: as it was recorded, and with a person's changes.
#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>

#include "api/control.hpp"
#include "auth/permission.hpp"
#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "base/text.hpp"
#include "expr/template.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> kParts = {"action", "env", "with", "workdir"};
constexpr std::size_t kMostInput = std::size_t{2} << 20;
constexpr int kDepth = 64;

// RFC 7396: members of objects are merged, null removes, everything else replaces.
void merge(json::value& target, const json::value& changes, int depth = 0) {
  const auto* members = changes.if_object();
  if (members == nullptr || depth >= kDepth) {
    target = changes;
    return;
  }
  if (!target.is_object()) target.emplace_object();
  for (const auto& [name, value] : *members) {
    if (value.is_null()) {
      target.get_object().erase(name);
    } else {
      merge(target.get_object()[name], value, depth + 1);
    }
  }
}

Status check_parts(const json::object& changes, model::StepKind kind) {
  for (const auto& [name, value] : changes) {
    if (std::ranges::find(kParts, std::string_view(name)) == kParts.end()) {
      const std::string_view near = nearest(name, kParts);
      return fail(ErrorCode::invalid_request,
                  "\"arguments\": \"" + printable(name) + "\" is none of with, env, workdir and action" +
                      (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"),
                  "/arguments");
    }
    if (name == "action" && (kind == model::StepKind::run || kind == model::StepKind::task)) {
      return fail(ErrorCode::invalid_request,
                  std::string("\"arguments\": the ") +
                      (kind == model::StepKind::run ? "script" : "function") + " of a step cannot be changed",
                  "/arguments/action");
    }
    if (name == "env" && !value.is_object()) {
      return fail(ErrorCode::invalid_request, "\"arguments\": \"env\" must be an object", "/arguments/env");
    }
    if (name == "workdir" && !value.is_string()) {
      return fail(ErrorCode::invalid_request, "\"arguments\": \"workdir\" must be a string",
                  "/arguments/workdir");
    }
  }
  return {};
}

// What runs, where, and with which environment is the word of who may write definitions.
Status check_may(const json::object& changes, const auth::Principal& who) {
  if (who.may_bring_programs()) return {};
  for (const auto& [name, value] : changes) {
    if (name == "with") continue;
    return fail(ErrorCode::not_allowed,
                auth::refusal(model::Role::editor, who) + ": of the arguments an operator changes \"with\"",
                "/arguments/" + std::string(name));
  }
  return {};
}

}  // namespace

Result<std::optional<json::object>> recorded_input(Core& core, const TaskId& task, const model::Step& step) {
  const TaskKey key{task.run.key(), task.ordinal};
  TRY(const std::optional<std::string> text,
      core.store.get_payload({key.run, model::PayloadSlot::task_input, key.ordinal}));
  json::value recorded = model::body_of(step);
  if (text && !text->empty()) {
    boost::system::error_code error;
    json::value stored = parse_json(*text, error, {}, {.max_depth = kReadJsonDepth});
    if (error) return fail(ErrorCode::corrupt, "the stored input of the task is damaged");
    // A list is that of a mapped step.
    const auto* members = stored.if_object();
    if (members == nullptr) return std::optional<json::object>();
    if (members->contains("env")) recorded = std::move(stored);
  } else if (json::serialize(recorded).find("${{") != std::string::npos) {
    return std::optional<json::object>();
  }
  json::object input;
  for (const std::string_view part : kParts) {
    if (const auto* value = recorded.get_object().if_contains(part)) input[part] = *value;
  }
  // Then the strings of all parts are templates in which these may stand.
  if (const auto* secrets = recorded.get_object().if_contains("secrets")) input["secrets"] = *secrets;
  return std::optional(std::move(input));
}

namespace {

// With secrets among the arguments, what a person writes is read as they are: text in which the step's own
// secrets may be named. Who can send such a step somewhere else can read them, as whoever writes definitions.
Status check_secrets(const json::value& value, const json::array& names, int depth = 0) {
  if (depth >= kDepth) return {};
  if (const auto* text = value.if_string()) {
    const auto parsed = expr::Template::parse(std::string_view(text->data(), text->size()));
    const auto wrong = [](std::string why) {
      return fail(ErrorCode::invalid_request,
                  "\"arguments\": " + std::move(why) + "; a literal `${{` is written `$${{`", "/arguments");
    };
    if (!parsed) return wrong(parsed.error().front().message);
    for (const expr::Path& path : parsed->paths()) {
      if (path.front() != "secrets") return wrong("only secrets of the step can be named in `${{ }}` here");
    }
    for (const std::string& name : parsed->secrets()) {
      if (std::ranges::find(names, json::value(name)) == names.end())
        return wrong("the step does not read the secret \"" + printable(name) + "\"");
    }
  } else if (const auto* list = value.if_array()) {
    for (const json::value& item : *list) TRY_VOID(check_secrets(item, names, depth + 1));
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) TRY_VOID(check_secrets(member.value(), names, depth + 1));
  }
  return {};
}

}  // namespace

Result<EditedInput> edited_input(Core& core, const TaskId& task, const json::object& changes,
                                 const auth::Principal& who) {
  TRY(const model::TaskRow row, core.queries.task_row(task));
  TRY(const store::RunView run, core.queries.find(task.run));
  const auto steps = core.queries.known_steps_of(run.row);
  if (!steps || steps->find(row.step) == nullptr) {
    return fail(ErrorCode::corrupt, "the definition of run " + task.run.text() + " cannot be read");
  }
  const model::Step& step = *steps->find(row.step);
  TRY_VOID(check_parts(changes, step.kind));
  TRY_VOID(check_may(changes, who));
  TRY(std::optional<json::object> input, recorded_input(core, task, step));
  if (!input) {
    return fail(
        ErrorCode::conflict,
        "task " + task.text() + " (" + step.name +
            ") never had arguments: it failed before they were computed, or has items; recover its run",
        std::string(name(row.status)));
  }
  if (const auto* secrets = input->if_contains("secrets"); secrets != nullptr && secrets->is_array()) {
    if (!who.may(model::Role::editor)) {
      return fail(ErrorCode::not_allowed,
                  auth::refusal(model::Role::editor, who) + ": the arguments have secrets among them",
                  "/arguments");
    }
    TRY_VOID(check_secrets(changes, secrets->get_array()));
  }
  json::value edited = std::move(*input);
  for (const auto& [part, value] : changes) merge(edited.get_object()[part], value);
  std::string text = json::serialize(edited);
  if (text.size() > kMostInput) {
    return fail(ErrorCode::too_large, "the arguments have " + std::to_string(text.size()) +
                                          " bytes; at most " + std::to_string(kMostInput) + " are allowed");
  }
  return EditedInput{std::move(text), row.generation};
}

}  // namespace baton::api

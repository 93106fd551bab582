#include "api/stored_input.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "spec/inputs.hpp"

namespace baton::api {

namespace json = boost::json;

Result<json::object> stored_object(Core& core, const model::PayloadKey& key) {
  TRY(const std::optional<std::string> text, core.store.get_payload(key));
  boost::system::error_code error;
  json::value parsed = parse_json(text.value_or("{}"), error, {}, {.max_depth = kReadJsonDepth});
  if (error || !parsed.is_object()) return fail(ErrorCode::corrupt, "the stored input of the run is damaged");
  return std::move(parsed.get_object());
}

Result<json::object> given_input(Core& core, RunKey run, const model::Workflow* before,
                                 const model::Workflow& workflow) {
  TRY(json::object input, stored_object(core, {run, model::PayloadSlot::run_input}));
  for (auto at = input.begin(); at != input.end();) {
    const bool stays =
        !at->value().is_null() || (spec::takes_null(workflow, at->key()) &&
                                   (before == nullptr || spec::takes_null(*before, at->key())));
    at = stays ? at + 1 : input.erase(at);
  }
  return input;
}

Status check_environment(const model::Workflow& workflow, const model::Workflow* before) {
  for (const std::string& name : workflow.reads_env) {
    if (before == nullptr || std::ranges::find(before->reads_env, name) != before->reads_env.end()) continue;
    return fail(ErrorCode::conflict, "this version reads env." + name +
                                         ", which was not taken when the run was submitted; start a new run");
  }
  return {};
}

}  // namespace baton::api

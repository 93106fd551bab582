// Limits: how much there is of what tasks use, who holds it, and setting it.
#include <algorithm>

#include "api/edits.hpp"
#include "api/handlers.hpp"
#include "api/render.hpp"
#include "api/request_body.hpp"
#include "api/survey.hpp"
#include "base/text.hpp"
#include "model/limit.hpp"

namespace baton::api {
namespace {

constexpr std::int64_t kMost = 1'000'000;
constexpr std::size_t kNameShown = 128;

const model::LimitView* find(const model::Survey& survey, const std::string& name) {
  const auto found = std::ranges::find(survey.limits, name, &model::LimitView::name);
  return found == survey.limits.end() ? nullptr : &*found;
}

Result<std::string> list(const model::Survey& survey) {
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (const model::LimitView& limit : survey.limits) write_limit(limit, out);
  out.end_array().key("next").null().end_object();
  return out.take();
}

std::string tag_of(const model::LimitView& limit) {
  if (!limit.limit) return model::tag_of(nullptr);
  const model::Record record =
      model::to_record(model::LimitRow{limit.name, *limit.limit, limit.by, limit.why, limit.at});
  return model::tag_of(&record);
}

Tagged shown(const model::LimitView& limit) {
  JsonText out;
  write_limit(limit, out);
  return {out.take(), tag_of(limit)};
}

Result<Tagged> known(const model::Survey& survey, const std::string& name) {
  const model::LimitView* limit = find(survey, name);
  if (limit == nullptr) {
    std::vector<std::string_view> names;
    for (const model::LimitView& other : survey.limits) names.push_back(other.name);
    const std::string_view near = nearest(name, names);
    return fail(ErrorCode::not_found,
                "the limit \"" + printable(utf8_prefix(name, kNameShown)) + "\" is neither set nor in use" +
                    (near.empty() ? "" : "; did you mean \"" + printable(near) + "\"?"));
  }
  return shown(*limit);
}

// As it is after a change: one that is no more is unset and not in use.
Result<Tagged> changed(const model::Survey& survey, const std::string& name) {
  const model::LimitView* limit = find(survey, name);
  return shown(limit != nullptr ? *limit : model::LimitView{.name = name});
}

Result<model::SetLimit> read_limit(const Call& call) {
  TRY_VOID(call.only({}));
  model::SetLimit command{.name = call.captures.at(0)};
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"limit", "reason"}));
  TRY(const std::optional<std::int64_t> limit, body.integer("limit", 0, kMost));
  if (!limit)
    return fail(ErrorCode::invalid_request, "\"limit\" is missing: how much there is of it", "/limit");
  command.limit = static_cast<std::uint32_t>(*limit);
  TRY(command.reason, body.text("reason", 1000));
  TRY(command.expected, read_if_match(call.request));
  return command;
}

Result<model::SetLimit> read_removal(const Call& call) {
  TRY_VOID(call.only({}));
  model::SetLimit command{.name = call.captures.at(0)};
  TRY(command.expected, read_if_match(call.request));
  return command;
}

void change(const CorePtr& core, const CallPtr& call, Result<model::SetLimit> command) {
  if (!command) return call->fail(command.error());
  const std::string name = command->name;
  send_edit(core, call, std::move(*command),
            [name](const model::Survey& survey) { return changed(survey, name); });
}

}  // namespace

void list_limits(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  ask_survey(core, call, list);
}

void get_limit(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  ask_survey(core, call,
             [name = call->captures.at(0)](const model::Survey& survey) { return known(survey, name); });
}

void set_limit(const CorePtr& core, CallPtr call) {
  change(core, call, read_limit(*call));
}

void delete_limit(const CorePtr& core, CallPtr call) {
  change(core, call, read_removal(*call));
}

}  // namespace baton::api

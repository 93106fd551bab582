// Routes: in which queue the tasks of steps wait that name none.
#include <algorithm>

#include "api/edits.hpp"
#include "api/handlers.hpp"
#include "api/render.hpp"
#include "api/request_body.hpp"
#include "api/survey.hpp"
#include "base/text.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kPatternShown = 128;

Result<std::string> list(const model::Survey& survey) {
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (const model::RouteRow& route : survey.routes) write_route(route, out);
  out.end_array().key("next").null().end_object();
  return out.take();
}

const model::RouteRow* find(const model::Survey& survey, const std::string& pattern) {
  const auto found = std::ranges::find(survey.routes, pattern, &model::RouteRow::pattern);
  return found == survey.routes.end() ? nullptr : &*found;
}

Tagged shown(const model::RouteRow& route) {
  const model::Record record = model::to_record(route);
  JsonText out;
  write_route(route, out);
  return {out.take(), model::tag_of(&record)};
}

std::unexpected<Error> unknown(const model::Survey& survey, const std::string& pattern) {
  std::vector<std::string_view> patterns;
  for (const model::RouteRow& other : survey.routes) patterns.push_back(other.pattern);
  const std::string_view near = nearest(pattern, patterns);
  return fail(ErrorCode::not_found,
              "there is no route \"" + printable(utf8_prefix(pattern, kPatternShown)) + "\"" +
                  (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
}

Result<Tagged> known(const model::Survey& survey, const std::string& pattern) {
  const model::RouteRow* route = find(survey, pattern);
  if (route == nullptr) return unknown(survey, pattern);
  return shown(*route);
}

Result<model::SetRoute> read_route(const Call& call) {
  TRY_VOID(call.only({}));
  model::SetRoute command{.pattern = call.captures.at(0)};
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"queue", "reason"}));
  TRY(std::string queue, body.text("queue", 128));
  if (queue.empty()) {
    return fail(ErrorCode::invalid_request, "\"queue\" is missing: where such steps wait", "/queue");
  }
  command.queue = std::move(queue);
  TRY(command.reason, body.text("reason", 1000));
  TRY(command.expected, read_if_match(call.request));
  return command;
}

}  // namespace

void list_routes(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  ask_survey(core, call, list);
}

void get_route(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  ask_survey(core, call, [pattern = call->captures.at(0)](const model::Survey& survey) {
    return known(survey, pattern);
  });
}

void set_route(const CorePtr& core, CallPtr call) {
  auto command = read_route(*call);
  if (!command) return call->fail(command.error());
  const model::SetRoute asked = *command;
  send_edit(core, call, std::move(*command), [asked](const model::Survey& survey) -> Result<Tagged> {
    const model::RouteRow* route = find(survey, asked.pattern);
    if (route != nullptr) return shown(*route);
    // Somebody has taken it away meanwhile, or it was never there and the edit was refused.
    if (!asked.expected.empty()) return unknown(survey, asked.pattern);
    return shown(model::RouteRow{.pattern = asked.pattern, .queue = *asked.queue});
  });
}

void delete_route(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  const auto expected = read_if_match(call->request);
  if (!expected) return call->fail(expected.error());
  const std::string pattern = call->captures.at(0);
  // What it was is the answer, and so is what was meant by a pattern that there is not.
  core->runs.send(model::AskSurvey{}, call->actor,
                  [core, call, pattern, expected = *expected](model::ReplyBody reply) {
                    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
                    const auto& survey = std::get<model::Survey>(reply);
                    const model::RouteRow* route = find(survey, pattern);
                    if (route == nullptr) return call->fail(unknown(survey, pattern).error());
                    core->runs.send(model::SetRoute{pattern, std::nullopt, "", expected}, call->actor,
                                    [call, expected, was = *route](model::ReplyBody done) {
                                      const auto* error = std::get_if<Error>(&done);
                                      if (error == nullptr) return call->json(200, shown(was).body);
                                      fail_edit(*call, *error, expected, shown(was));
                                    });
                  });
}

}  // namespace baton::api

// Routes: in which queue the tasks of steps wait that name none.
#include <algorithm>

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
  return command;
}

}  // namespace

void list_routes(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  ask_survey(core, call, list);
}

void set_route(const CorePtr& core, CallPtr call) {
  auto command = read_route(*call);
  if (!command) return call->fail(command.error());
  const model::SetRoute asked = *command;
  core->runs.send(std::move(*command), call->actor, [core, call, asked](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    ask_survey(core, call, [asked](const model::Survey& survey) -> Result<std::string> {
      const model::RouteRow* route = find(survey, asked.pattern);
      JsonText out;
      // Somebody may have taken it away meanwhile.
      write_route(
          route != nullptr ? *route : model::RouteRow{.pattern = asked.pattern, .queue = *asked.queue}, out);
      return out.take();
    });
  });
}

void delete_route(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  const std::string pattern = call->captures.at(0);
  // What it was is the answer, and so is what was meant by a pattern that there is not.
  core->runs.send(model::AskSurvey{}, call->actor, [core, call, pattern](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    const auto& survey = std::get<model::Survey>(reply);
    const model::RouteRow* route = find(survey, pattern);
    if (route == nullptr) {
      std::vector<std::string_view> patterns;
      for (const model::RouteRow& other : survey.routes) patterns.push_back(other.pattern);
      const std::string_view near = nearest(pattern, patterns);
      return call->fail({ErrorCode::not_found,
                         "there is no route \"" + printable(utf8_prefix(pattern, kPatternShown)) + "\"" +
                             (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"),
                         ""});
    }
    core->runs.send(model::SetRoute{pattern, std::nullopt, ""}, call->actor,
                    [call, was = *route](model::ReplyBody done) {
                      if (const auto* error = std::get_if<Error>(&done)) return call->fail(*error);
                      JsonText out;
                      write_route(was, out);
                      call->json(200, out.take());
                    });
  });
}

}  // namespace baton::api

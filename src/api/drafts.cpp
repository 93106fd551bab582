// POST /workflows: a workflow as one makes it by hand. Its name may be a title; without steps it is a draft,
// of which no run can be made until a definition with its name is applied.
#include "api/drafts.hpp"

#include <boost/json/serialize.hpp>

#include "api/handlers.hpp"
#include "api/request_body.hpp"
#include "api/workflows.hpp"
#include "spec/parse.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;

constexpr int kNamesTried = 100;

struct Given {
  std::string name;  // made of the title
  std::string title;
  json::object members;  // as they came
};

Result<Given> read(const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const RequestBody body, RequestBody::parse(call.request));
  Given given;
  TRY(const std::string name, body.text("name", model::kMaxDraftTitle));
  TRY(given.title, body.text("title", model::kMaxDraftTitle));
  if (given.title.empty()) given.title = name;
  given.name = model::name_from_title(name.empty() ? given.title : name);
  if (given.name.empty()) {
    return fail(ErrorCode::invalid_request,
                "\"name\" is missing: a name, or a title that has a letter or a digit to make one of",
                "/name");
  }
  given.members = body.members();
  return given;
}

void answer_made(Call& call, const std::string& name, const std::string& title, std::uint32_t version) {
  JsonText out;
  out.begin_object();
  out.key("id").string(name);
  out.key("name").string(name);
  out.key("title").string(title);
  out.key("version");
  if (version == 0) {
    out.null();
  } else {
    out.integer(version);
  }
  out.key("draft").boolean(version == 0);
  out.end_object();
  call.json(201, out.take(), {{"Location", "/api/v1/workflows/" + name}});
}

void make_draft(const CorePtr& core, const CallPtr& call, const Given& given) {
  for (const auto& [key, value] : given.members) {
    if (key == "name" || key == "title" || key == "description" || key == "steps") continue;
    return call->fail(
        {ErrorCode::invalid_request,
         "a workflow without \"steps\" is a draft: it has \"name\", \"title\" and \"description\" only",
         "/" + std::string(key)});
  }
  const json::value* description = given.members.if_contains("description");
  if (description != nullptr && !description->is_string() && !description->is_null())
    return call->fail({ErrorCode::invalid_request, "\"description\" must be a string", "/description"});
  model::MakeDraft command{given.name, given.title, ""};
  if (description != nullptr && description->is_string()) command.description = description->get_string();
  if (command.description.size() > model::kMaxDraftDescription) {
    return call->fail(
        {ErrorCode::too_large,
         "\"description\" has more than " + std::to_string(model::kMaxDraftDescription) + " bytes",
         "/description"});
  }
  core->runs.send(std::move(command), call->actor, [call, title = given.title](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    answer_made(*call, std::get<model::WorkflowApplied>(reply).workflow, title, 0);
  });
}

// Applies the definition under the first name that is free, beginning with the given one.
void apply_new(const CorePtr& core, const CallPtr& call, Given given, int number) {
  json::object definition = given.members;
  definition["name"] = model::numbered_name(given.name, static_cast<std::size_t>(number));
  if (definition.if_contains("title") == nullptr && given.title != given.name)
    definition["title"] = given.title;
  spec::ParseResult parsed = spec::parse_workflow(json::serialize(definition), {.file_name = "workflow"});
  if (!parsed.workflow) return fail_definition(*call, std::move(parsed.diagnostics));
  const std::shared_ptr<const model::Workflow> workflow = std::move(parsed.workflow);
  model::ApplyWorkflow command{workflow, 0, ""};
  core->runs.send(std::move(command), call->actor,
                  [core, call, given = std::move(given), number, workflow](model::ReplyBody reply) mutable {
                    const auto* error = std::get_if<Error>(&reply);
                    if (error == nullptr) {
                      const auto& done = std::get<model::WorkflowApplied>(reply);
                      return answer_made(*call, done.workflow, given.title, done.version);
                    }
                    if (error->code != ErrorCode::conflict || number >= kNamesTried)
                      return call->fail(*error);
                    core->workers.post([core, call, given = std::move(given), number]() mutable {
                      apply_new(core, call, std::move(given), number + 1);
                    });
                  });
}

}  // namespace

Result<std::optional<model::Draft>> find_draft(Core& core, std::string_view name) {
  TRY(const std::optional<model::Record> record, core.store.get_record(model::draft_key(name)));
  if (!record) return std::nullopt;
  TRY(model::Draft draft, model::draft_of(*record));
  return draft;
}

void make_workflow(const CorePtr& core, CallPtr call) {
  auto given = read(*call);
  if (!given) return call->fail(given.error());
  const json::value* steps = given->members.if_contains("steps");
  const bool none = steps == nullptr || steps->is_null() ||
                    (steps->is_object() && steps->get_object().empty()) ||
                    (steps->is_array() && steps->get_array().empty());
  if (none) return make_draft(core, call, *given);
  apply_new(core, call, std::move(*given), 1);
}

}  // namespace baton::api

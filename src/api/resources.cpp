// Resources: what tasks must give back; and what a task says about itself while it runs.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "api/render.hpp"
#include "api/request_body.hpp"
#include "api/token.hpp"
#include "auth/permission.hpp"
#include "base/text.hpp"
#include "model/resource.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;
using model::RecordKind;
using model::Resource;

constexpr std::size_t kChunk = 500;
constexpr std::size_t kMostWords = 10'000;

Result<TaskId> owner_of(std::string_view id, std::string& name) {
  const std::size_t colon = id.find(':');
  const auto task = TaskId::parse(id.substr(0, colon));
  if (colon == std::string_view::npos || !task) {
    return fail(ErrorCode::not_found, "there is no resource " + printable(utf8_prefix(id, 200)));
  }
  name = id.substr(colon + 1);
  return *task;
}

Result<std::string> list(Core& core, const Call& call) {
  TRY_VOID(call.only({"run", "status", "limit", "cursor"}));
  TRY(const std::size_t limit, call.number("limit", 50, 1, 1000));
  store::RecordFilter filter{.kind = RecordKind::resource};
  if (const auto status = call.query("status")) {
    constexpr std::string_view kNames[] = {"open", "cleaning", "leaked"};
    if (std::ranges::find(kNames, *status) == std::end(kNames)) {
      const std::string_view near = nearest(*status, kNames);
      return fail(ErrorCode::invalid_request,
                  "unknown status \"" + printable(*status) + "\"; a resource is open, cleaning or leaked" +
                      (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
    }
    filter.group = std::string(*status);
  }
  std::string prefix;
  std::optional<std::string> after;
  if (const auto run = call.query("run")) {
    const auto id = RunId::parse(*run);
    if (!id) return fail(ErrorCode::not_found, "there is no such run");
    prefix = id->text() + '.';
    after = prefix;
  }
  if (const auto cursor = call.query("cursor")) {
    std::string name;
    if (!owner_of(*cursor, name)) {
      return fail(ErrorCode::invalid_request, "query parameter \"cursor\" is not one that a list gave out");
    }
    after = std::string(*cursor);
  }
  JsonText out;
  out.begin_object().key("items").begin_array();
  std::size_t written = 0;
  bool more = true;
  while (more && written < limit) {
    TRY(const std::vector<model::Record> chunk, core.store.list_records(filter, after, kChunk));
    more = chunk.size() == kChunk;
    for (const model::Record& record : chunk) {
      if (!record.id.key.starts_with(prefix)) {
        more = false;
        break;
      }
      if (written == limit) {
        more = true;
        break;
      }
      after = record.id.key;
      // A damaged one is left out here; `get` says what is wrong with it.
      const auto resource = model::resource_of(record);
      if (!resource) continue;
      write_resource(*resource, false, out);
      ++written;
    }
  }
  out.end_array().key("next").string_or_null(more && after ? *after : "");
  out.end_object();
  return out.take();
}

Result<std::string> get(Core& core, const std::string& id) {
  TRY(const std::optional<model::Record> record, core.store.get_record({RecordKind::resource, id}));
  if (!record) {
    return fail(ErrorCode::not_found,
                "there is no resource " + printable(utf8_prefix(id, 200)) +
                    "; one that was given back or released is in its run's history only");
  }
  TRY(const Resource resource, model::resource_of(*record));
  JsonText out;
  write_resource(resource, true, out);
  return out.take();
}

// What gives a resource back is kept as it stands, and shown: there is no place for a secret in it.
Status without_secrets(const Core& core, const model::RegisterResource& command) {
  const auto redactor = redactor_of(core);
  if (!redactor) return {};
  bool found = redactor->finds(command.name) || redactor->finds(command.workdir);
  for (const std::string& word : command.argv) found = found || redactor->finds(word);
  if (!found) return {};
  return fail(
      ErrorCode::invalid_request,
      "this has the value of a secret in it, and would be kept and shown: let the command read it from its "
      "environment, which is that of the step",
      "/argv");
}

Result<model::RegisterResource> read_registration(const Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  model::RegisterResource command;
  TRY(command.task, call.task_id());
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"token", "name", "argv", "workdir"}));
  TRY(command.token, read_token(body));
  TRY(command.name, body.text("name", 1000));
  TRY(command.workdir, body.text("workdir", 4096));
  const json::value* argv = body.find("argv");
  if (argv == nullptr || !argv->is_array() || argv->get_array().empty() ||
      argv->get_array().size() > kMostWords) {
    return fail(ErrorCode::invalid_request, "\"argv\" must be a list with the program and its arguments",
                "/argv");
  }
  for (const json::value& word : argv->get_array()) {
    if (!word.is_string())
      return fail(ErrorCode::invalid_request, "\"argv\" must be a list of strings", "/argv");
    command.argv.emplace_back(word.get_string());
  }
  TRY_VOID(without_secrets(core, command));
  return command;
}

Result<model::ReleaseResource> read_release(const Call& call) {
  TRY_VOID(call.only({}));
  model::ReleaseResource command;
  TRY(command.task, call.task_id());
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"token"}));
  TRY(command.token, read_token(body));
  command.name = call.captures.at(1);
  return command;
}

Result<model::ReportProgress> read_progress(const Call& call) {
  TRY_VOID(call.only({}));
  model::ReportProgress command;
  TRY(command.task, call.task_id());
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"token", "progress", "message"}));
  TRY(command.token, read_token(body));
  TRY(const std::optional<std::int64_t> percent, body.integer("progress", 0, 100));
  if (percent) command.percent = static_cast<std::uint8_t>(*percent);
  TRY(command.message, body.text("message", 64 << 10));
  return command;
}

}  // namespace

Result<Token> read_token(const RequestBody& body) {
  TRY(const std::string text, body.text("token", 100));
  const auto token = Token::parse(text);
  if (!token) {
    return fail(ErrorCode::invalid_request, "\"token\" must be the BATON_TOKEN of the task's attempt",
                "/token");
  }
  return *token;
}

void list_resources(const CorePtr& core, CallPtr call) {
  answer(*call, list(*core, *call));
}

void get_resource(const CorePtr& core, CallPtr call) {
  const Status known = call->only({});
  answer(*call, known ? get(*core, call->captures.at(0)) : Result<std::string>(fail(known.error())));
}

void clean_resource(const CorePtr& core, CallPtr call) {
  const std::string id = call->captures.at(0);
  model::CleanResource command;
  auto task = owner_of(id, command.name);
  if (!task) return call->fail(task.error());
  command.task = *task;
  const std::string name = command.name;
  core->runs.send(
      std::move(command), call->actor, [core, call, id, task = *task, name](model::ReplyBody reply) {
        if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
        const TaskId by = std::get<model::CleaningBegun>(reply).by;
        core->workers.post([core, call, id, task, name, by] {
          auto shown = get(*core, id);
          if (shown || shown.error().code != ErrorCode::not_found) return answer(*call, std::move(shown));
          // It has been given back by now; asked again with the key, it is answered as it was then.
          JsonText out;
          write_resource(
              {.task = task, .name = name, .status = model::ResourceStatus::cleaning, .cleaner = by.ordinal},
              true, out);
          call->json(200, out.take());
        });
      });
}

void register_resource(const CorePtr& core, CallPtr call) {
  auto command = read_registration(*core, *call);
  if (!command) return call->fail(command.error());
  if (!call->principal.may_bring_programs())
    return call->fail({ErrorCode::not_allowed, auth::refusal_of_programs(call->principal), ""});
  const std::string id = model::resource_id(command->task, command->name);
  const std::string actor = "task:" + command->task.text();
  core->runs.send(std::move(*command), actor, [call, id](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    const bool existing = std::get<model::ResourceRegistered>(reply).existing;
    JsonText out;
    out.begin_object();
    out.key("id").string(id);
    out.key("existing").boolean(existing);
    out.end_object();
    call->json(existing ? 200 : 201, out.take());
  });
}

void release_resource(const CorePtr& core, CallPtr call) {
  auto command = read_release(*call);
  if (!command) return call->fail(command.error());
  const std::string actor = "task:" + command->task.text();
  core->runs.send(std::move(*command), actor, [call](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    const auto& released = std::get<model::ResourceReleased>(reply);
    JsonText out;
    out.begin_object();
    out.key("existed").boolean(released.existed);
    out.key("open").begin_array();
    for (const std::string& name : released.open) out.string(name);
    out.end_array().end_object();
    call->json(200, out.take());
  });
}

void report_progress(const CorePtr& core, CallPtr call) {
  auto command = read_progress(*call);
  if (!command) return call->fail(command.error());
  if (const auto redactor = redactor_of(*core)) command->message = redactor->mask(command->message);
  const std::string actor = "task:" + command->task.text();
  core->runs.send(std::move(*command), actor, [call](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    call->json(200, "{}");
  });
}

}  // namespace baton::api

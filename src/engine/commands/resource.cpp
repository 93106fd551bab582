// The ledger's commands (model/resource.hpp).
#include <boost/json/serialize.hpp>

#include "base/text.hpp"
#include "engine/attempts.hpp"
#include "engine/commands/commands.hpp"
#include "engine/endings.hpp"
#include "engine/rendering.hpp"
#include "engine/resources.hpp"
#include "expr/template.hpp"

namespace baton::engine::commands {
namespace {

namespace json = boost::json;
using model::Resource;
using model::ResourceStatus;

Status check(const model::RegisterResource& command) {
  if (!is_name(command.name)) {
    return fail(
        ErrorCode::invalid_request,
        "\"" + printable(utf8_prefix(command.name, 60)) +
            "\" is not a name of a resource: names have letters, digits, `.`, `_` and `-`, begin with a "
            "letter or digit, and have at most 128 characters");
  }
  if (command.argv.empty() || command.argv[0].empty()) {
    return fail(ErrorCode::invalid_request, "a resource needs the command that gives it back");
  }
  for (const std::string& word : command.argv) {
    if (word.find('\0') != std::string::npos || !is_utf8(word)) {
      return fail(ErrorCode::invalid_request,
                  "the command that gives a resource back must be UTF-8 text without NUL");
    }
  }
  return {};
}

// What the cleaning task gets: the command in the environment of the task that registered it.
Result<std::string> body_of(State& state, const Run& run, const Task& task,
                            const model::RegisterResource& command) {
  json::object body;
  TRY(const json::value own, recorded_body(state, run, task));
  const auto* object = own.if_object();
  // With secrets in the environment, all of it is a template (rendering.hpp).
  const json::value* secrets = object != nullptr ? object->if_contains("secrets") : nullptr;
  if (secrets != nullptr) body.emplace("secrets", *secrets);
  const auto literal = [&](const std::string& text) {
    return secrets != nullptr ? expr::literal_text(text) : text;
  };
  json::array argv;
  for (const std::string& word : command.argv) argv.emplace_back(literal(word));
  body.emplace("action", std::move(argv));
  json::object env;
  std::string workdir = literal(command.workdir);
  if (object != nullptr) {
    if (const auto* set = object->if_contains("env"); set != nullptr && set->is_object())
      env = set->get_object();
    const auto* place = object->if_contains("workdir");
    if (workdir.empty() && place != nullptr && place->is_string()) workdir = place->get_string();
  }
  env["BATON_RESOURCE"] = literal(command.name);
  body.emplace("env", std::move(env));
  body.emplace("with", nullptr);
  body.emplace("workdir", workdir);
  std::string text = json::serialize(body);
  if (text.size() > model::kResourceBody) {
    return fail(ErrorCode::too_large,
                "the command that gives the resource back takes " + std::to_string(text.size()) +
                    " bytes with its environment; the limit is " + std::to_string(model::kResourceBody));
  }
  return text;
}

}  // namespace

void decide(State& state, const model::RegisterResource& command, model::ReplyTo reply_to,
            const Moment& moment, Effects& effects) {
  if (const Status checked = check(command); !checked) return effects.reply(reply_to, checked.error());
  Run* run = nullptr;
  Task* task = holder(state, command.token, command.task, run);
  if (task == nullptr) return effects.reply(reply_to, stale(command.token, command.task));
  if (is_helper(*task)) {
    return effects.reply(
        reply_to,
        Error{ErrorCode::conflict, "a task that gives something back cannot register resources of its own",
              command.task.text()});
  }
  auto body = body_of(state, *run, *task, command);
  if (!body) return effects.reply(reply_to, body.error());
  Resource resource;
  resource.task = command.task;
  resource.name = command.name;
  resource.at = moment.wall;
  resource.attempt = task->row.starts;
  resource.body = std::move(*body);
  std::size_t count = 0;
  for (const Resource& other : resources_of(state, command.task)) {
    ++count;
    resource.order = std::max(resource.order, other.order + 1);
    if (other.name != command.name) continue;
    if (other.status != ResourceStatus::cleaning && other.body == resource.body) {
      // An earlier attempt has registered it: it stays as it is, and a leaked one is open again.
      resource.order = other.order;
      if (other.status == ResourceStatus::leaked) open_resource(*run, resource, moment.wall, effects);
      return effects.reply(reply_to, model::ResourceRegistered{true});
    }
    const std::string id = model::resource_id(command.task, command.name);
    return effects.reply(
        reply_to,
        Error{
            ErrorCode::conflict,
            other.status == ResourceStatus::cleaning
                ? "the resource " + command.name + " is just being given back; use another name"
                : "the resource " + command.name +
                      " is registered with another command, which must not be lost: release it first, or use "
                      "another name",
            id});
  }
  if (count >= model::kResourcesPerTask) {
    return effects.reply(reply_to, Error{ErrorCode::too_large,
                                         "the task has " + std::to_string(count) +
                                             " resources; that is as many as one task may have",
                                         command.task.text()});
  }
  open_resource(*run, resource, moment.wall, effects);
  arm_orphan_scan(state, moment.now);
  effects.reply(reply_to, model::ResourceRegistered{false});
}

void decide(State& state, const model::ReleaseResource& command, model::ReplyTo reply_to,
            const Moment& moment, Effects& effects) {
  Run* run = nullptr;
  const Task* task = holder(state, command.token, command.task, run);
  if (task == nullptr) return effects.reply(reply_to, stale(command.token, command.task));
  // What cleans up after a task may say that it has given the task's resource back.
  const TaskId owner{command.task.run, subject_of(*run, *task).row.key.ordinal};
  model::ResourceReleased answer;
  for (const Resource& resource : resources_of(state, owner)) {
    if (resource.origin != model::ResourceOrigin::registered) continue;
    if (resource.name != command.name) {
      if (resource.status == ResourceStatus::open) answer.open.push_back(resource.name);
    } else if (resource.status == ResourceStatus::cleaning && resource.cleaner != command.task.ordinal) {
      return effects.reply(
          reply_to, Error{ErrorCode::conflict, "the resource " + command.name + " is just being given back",
                          model::resource_id(owner, command.name)});
    } else {
      answer.existed = true;
      close_resource(*run, resource, model::FactKind::resource_released, moment.wall, effects);
    }
  }
  effects.reply(reply_to, std::move(answer));
}

void decide(State& state, const model::CleanResource& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  const std::string id = model::resource_id(command.task, command.name);
  const auto refuse = [&](ErrorCode code, std::string why) {
    effects.reply(reply_to, Error{code, std::move(why), id});
  };
  const auto resource = find_resource(state, command.task, command.name);
  if (!resource) return refuse(ErrorCode::not_found, "there is no resource " + printable(id));
  if (resource->status == ResourceStatus::cleaning) {
    return effects.reply(reply_to, model::CleaningBegun{{command.task.run, resource->cleaner}, true});
  }
  Run* run = state.find(command.task.run.key());
  if (run == nullptr || run->row.id != command.task.run || command.task.ordinal >= run->tasks.size()) {
    return refuse(ErrorCode::conflict, "the run of resource " + id +
                                           " is gone; give it back by hand, its command is shown by "
                                           "`baton resources get`");
  }
  const Task& task = run->tasks[command.task.ordinal];
  if (task.row.status == model::TaskStatus::running) {
    return refuse(ErrorCode::conflict,
                  "task " + command.task.text() +
                      " is running and may use it; it is given back when its run ends, or "
                      "cancel the run");
  }
  clean_resource(state, *run, *resource, moment, effects);
  effects.reply(reply_to, model::CleaningBegun{{command.task.run, run->row.next_ordinal - 1}, false});
}

}  // namespace baton::engine::commands

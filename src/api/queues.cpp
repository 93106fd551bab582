// Queues and targets: what the dispatcher knows of them; pauses of both and of workers.
#include "api/queues.hpp"

#include <algorithm>
#include <map>

#include "api/control.hpp"
#include "api/edits.hpp"
#include "api/handlers.hpp"
#include "api/render.hpp"
#include "api/survey.hpp"
#include "base/text.hpp"

namespace baton::api {
namespace {

using model::BlockerKind;

const model::Pause* find(const std::map<std::string, model::Pause>& pauses, const std::string& name) {
  const auto found = pauses.find(name);
  return found == pauses.end() ? nullptr : &found->second;
}

Result<std::string> queues(Core& core, const model::Survey& survey) {
  TRY(const auto pauses, pauses_of(core, BlockerKind::queue_paused));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (const model::QueueView& queue : survey.queues) write_queue(queue, find(pauses, queue.name), out);
  out.end_array().key("next").null().end_object();
  return out.take();
}

const model::QueueView* find(const model::Survey& survey, const std::string& name) {
  const auto found = std::ranges::find(survey.queues, name, &model::QueueView::name);
  return found == survey.queues.end() ? nullptr : &*found;
}

// Of what people have set for it.
std::string tag_of(const model::QueueView& queue) {
  if (queue.set.at == WallTime{}) return model::tag_of(nullptr);
  const model::Record record = model::to_record(queue.set);
  return model::tag_of(&record);
}

Result<Tagged> shown(Core& core, const model::QueueView& queue) {
  TRY(const auto pauses, pauses_of(core, BlockerKind::queue_paused));
  JsonText out;
  write_queue(queue, find(pauses, queue.name), out);
  return Tagged{out.take(), tag_of(queue)};
}

Result<Tagged> known(Core& core, const model::Survey& survey, const std::string& name) {
  if (const model::QueueView* queue = find(survey, name); queue != nullptr) return shown(core, *queue);
  std::vector<std::string_view> names;
  for (const model::QueueView& other : survey.queues) names.push_back(other.name);
  const std::string_view near = nearest(name, names);
  return fail(ErrorCode::not_found,
              "nothing waits in queue \"" + name + "\", no worker asks for it and nothing is set for it" +
                  (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
}

Result<Tagged> as_it_is(Core& core, const model::Survey& survey, const std::string& name) {
  const model::QueueView* queue = find(survey, name);
  return shown(core, queue != nullptr ? *queue : model::QueueView{.name = name});
}

Result<model::SetQueue> read_queue(const Call& call) {
  TRY_VOID(call.only({}));
  model::SetQueue command{.name = call.captures.at(0)};
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"max_waiting", "weights", "reason"}));
  TRY(const std::optional<std::int64_t> most, body.integer("max_waiting", 0, model::kMostWaiting));
  if (most) command.max_waiting = static_cast<std::uint32_t>(*most);
  TRY(const boost::json::object weights, body.object("weights"));
  for (const auto& [key, value] : weights) {
    const std::int64_t weight = value.is_int64() ? value.get_int64() : value.is_null() ? 0 : -1;
    if (weight < (value.is_null() ? 0 : 1) || weight > model::kMostWeight) {
      return fail(ErrorCode::invalid_request,
                  "the weight of \"" + printable(utf8_prefix(key, 128)) + "\" is a number from 1 to " +
                      std::to_string(model::kMostWeight) + ", or null for none of its own",
                  "/weights");
    }
    command.weights[std::string(key)] = static_cast<std::uint32_t>(weight);
  }
  if (!command.max_waiting && command.weights.empty()) {
    return fail(ErrorCode::invalid_request,
                "what is to be changed is missing: \"max_waiting\" or \"weights\"");
  }
  TRY(command.reason, body.text("reason", 1000));
  TRY(command.expected, read_if_match(call.request));
  return command;
}

Result<std::string> targets(Core& core, const model::Survey& survey) {
  TRY(const auto pauses, pauses_of(core, BlockerKind::target_paused));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (const model::TargetView& target : survey.targets) {
    out.begin_object();
    out.key("name").string(target.name);
    out.key("running").integer(target.running);
    out.key("held").integer(target.held);
    out.key("breaker");
    if (target.breaker.empty()) {
      out.null();
    } else {
      TRY(const std::optional<model::Record> record,
          core.store.get_record(model::breaker_key(target.breaker)));
      model::BreakerRow row;  // one that has seen no failure yet is closed
      if (record) {
        TRY(row, model::breaker_of(*record));
      }
      out.begin_object();
      out.key("name").string(target.breaker);
      out.key("state").string(model::name(row.state));
      out.key("forced").string_or_null(model::name(row.force));
      out.end_object();
    }
    out.key("pause");
    write_pause(find(pauses, target.name), out);
    out.end_object();
  }
  out.end_array().key("next").null().end_object();
  return out.take();
}

template <typename Render>
void ask(const CorePtr& core, const CallPtr& call, Render render) {
  ask_survey(core, call, [core, render](const model::Survey& survey) { return render(*core, survey); });
}

Result<std::string> read_name(const Call& call) {
  TRY_VOID(call.only({}));
  const std::string& name = call.captures.at(0);
  if (!is_name(name)) {
    return fail(ErrorCode::not_found,
                "\"" + printable(name) + "\" is no name: a name has letters, digits, . _ -");
  }
  return name;
}

void finish(const CallPtr& call, const std::string& scope, const std::string& name, model::ReplyBody reply) {
  if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
  JsonText out;
  out.begin_object().key(scope).string(name).end_object();
  call->json(200, out.take());
}

Result<model::PauseCommand> read_pause_of(const Call& call, BlockerKind kind) {
  model::PauseCommand command;
  command.target.kind = kind;
  TRY(command.target.name, read_name(call));
  TRY(const RequestBody body, optional_body(call));
  TRY_VOID(body.only({"reason", "until", "for"}));
  TRY_VOID(read_pause(body, command));
  return command;
}

void pause(const CorePtr& core, const CallPtr& call, BlockerKind kind) {
  auto command = read_pause_of(*call, kind);
  if (!command) return call->fail(command.error());
  const std::string name = command->target.name;
  const model::Sender actor = call->actor;
  core->runs.send(std::move(*command), actor, [call, kind, name](model::ReplyBody reply) {
    finish(call, std::string(model::scope_of(kind)), name, std::move(reply));
  });
}

void resume(const CorePtr& core, const CallPtr& call, BlockerKind kind) {
  const auto name = read_name(*call);
  if (!name) return call->fail(name.error());
  const model::Sender actor = call->actor;
  core->runs.send(model::ResumeCommand{{kind, {}, *name}}, actor,
                  [call, kind, name = *name](model::ReplyBody reply) {
                    finish(call, std::string(model::scope_of(kind)), name, std::move(reply));
                  });
}

}  // namespace

Result<std::map<std::string, model::Pause>> pauses_of(Core& core, BlockerKind kind) {
  constexpr std::size_t kMostPauses = 10'000;
  store::RecordFilter filter{.kind = model::RecordKind::pause};
  filter.group = std::string(model::scope_of(kind));
  TRY(const std::vector<model::Record> records, core.store.list_records(filter, std::nullopt, kMostPauses));
  std::map<std::string, model::Pause> pauses;
  for (const model::Record& record : records) {
    TRY(model::Pause pause, model::pause_of(record));
    std::string name = pause.name;
    pauses.emplace(std::move(name), std::move(pause));
  }
  return pauses;
}

Result<std::string> known_queue(Core& core, const model::Survey& survey, const std::string& name) {
  TRY(Tagged queue, known(core, survey, name));
  return std::move(queue.body);
}

Result<std::string> shown_queue(Core& core, const model::Survey& survey, const std::string& name) {
  TRY(Tagged queue, as_it_is(core, survey, name));
  return std::move(queue.body);
}

void list_queues(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  ask(core, call, queues);
}
void get_queue(const CorePtr& core, CallPtr call) {
  auto name = read_name(*call);
  if (!name) return call->fail(name.error());
  ask(core, call,
      [name = std::move(*name)](Core& in, const model::Survey& survey) { return known(in, survey, name); });
}
void set_queue(const CorePtr& core, CallPtr call) {
  auto command = read_queue(*call);
  if (!command) return call->fail(command.error());
  const std::string name = command->name;
  send_edit(core, call, std::move(*command),
            [core, name](const model::Survey& survey) { return as_it_is(*core, survey, name); });
}
void pause_queue(const CorePtr& core, CallPtr call) {
  pause(core, call, BlockerKind::queue_paused);
}
void resume_queue(const CorePtr& core, CallPtr call) {
  resume(core, call, BlockerKind::queue_paused);
}
void pause_worker(const CorePtr& core, CallPtr call) {
  pause(core, call, BlockerKind::worker_paused);
}
void resume_worker(const CorePtr& core, CallPtr call) {
  resume(core, call, BlockerKind::worker_paused);
}
void list_targets(const CorePtr& core, CallPtr call) {
  if (const auto none = call->only({}); !none) return call->fail(none.error());
  ask(core, call, targets);
}
void pause_target(const CorePtr& core, CallPtr call) {
  pause(core, call, BlockerKind::target_paused);
}
void resume_target(const CorePtr& core, CallPtr call) {
  resume(core, call, BlockerKind::target_paused);
}

}  // namespace baton::api

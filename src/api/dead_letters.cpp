// Dead letters: tasks that failed for good.
#include <algorithm>
#include <boost/json/serialize.hpp>

#include "api/control.hpp"
#include "api/handlers.hpp"
#include "api/render.hpp"
#include "api/request_body.hpp"
#include "model/dead_letter.hpp"

namespace baton::api {
namespace {

using model::DeadLetter;
using model::RecordKind;

constexpr std::size_t kChunk = 500;
constexpr std::size_t kMostLooked = 20'000;  // records that one page looks through for its filter
constexpr std::size_t kMostIds = 1000;

struct Filter {
  std::string workflow;
  std::string step;
  std::string error_type;
  bool matches(const DeadLetter& letter) const {
    return (workflow.empty() || letter.workflow == workflow) && (step.empty() || letter.step == step) &&
           (error_type.empty() || letter.error_type == error_type);
  }
};

std::unexpected<Error> none(std::string_view id) {
  return fail(ErrorCode::not_found,
              "there is no dead letter " + std::string(id) + "; it may have been replayed or discarded");
}

Result<std::string> list(Core& core, const Call& call) {
  TRY_VOID(call.only({"group", "workflow", "step", "error_type", "limit", "cursor"}));
  TRY(const std::size_t limit, call.number("limit", 50, 1, 1000));
  store::RecordFilter records{.kind = RecordKind::dead_letter, .descending = true};
  if (const auto group = call.query("group")) records.group = std::string(*group);
  const Filter filter{std::string(call.query("workflow").value_or("")),
                      std::string(call.query("step").value_or("")),
                      std::string(call.query("error_type").value_or(""))};
  std::optional<std::string> after;
  if (const auto cursor = call.query("cursor")) {
    if (!model::is_dead_letter_id(*cursor))
      return fail(ErrorCode::invalid_request, "query parameter \"cursor\" is not one that a list gave out");
    after = std::string(*cursor);
  }
  JsonText out;
  out.begin_object().key("items").begin_array();
  std::size_t written = 0;
  std::size_t looked = 0;
  bool more = true;
  while (more && written < limit && looked < kMostLooked) {
    TRY(const std::vector<model::Record> chunk, core.store.list_records(records, after, kChunk));
    more = chunk.size() == kChunk;
    for (const model::Record& record : chunk) {
      if (written == limit) {
        more = true;
        break;
      }
      ++looked;
      after = record.id.key;
      TRY(const DeadLetter letter, model::dead_letter_of(record));
      if (!filter.matches(letter)) continue;
      write_dead_letter(letter, out);
      ++written;
    }
  }
  out.end_array().key("next");
  if (more && after) {
    out.string(*after);
  } else {
    out.null();
  }
  out.end_object();
  return out.take();
}

Result<std::string> groups(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  store::Reader& store = core.store;
  TRY(const std::vector<store::RecordGroup> found, store.count_records(RecordKind::dead_letter));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (const store::RecordGroup& group : found) {
    TRY(const std::optional<model::Record> record,
        store.get_record({RecordKind::dead_letter, group.last_key}));
    if (!record) continue;  // gone since
    TRY(const DeadLetter last, model::dead_letter_of(*record));
    out.begin_object();
    out.key("group").string(group.group);
    out.key("count").integer(static_cast<std::int64_t>(group.count));
    out.key("workflow").string(last.workflow);
    out.key("step").string(last.step);
    out.key("error_type").string(last.error_type);
    out.key("message").string(model::without_particulars(last.error_message));
    out.key("first_at").instant(group.first_at);
    out.key("last_at").instant(group.last_at);
    out.key("last").string(group.last_key);
    out.end_object();
  }
  out.end_array().key("next").null().end_object();
  return out.take();
}

// What the task got, without what is empty; nullopt: it failed before that was known.
Result<std::optional<std::string>> arguments_of(Core& core, const DeadLetter& letter) {
  TRY(const store::RunView run, core.queries.find(letter.task.run));
  const auto steps = core.queries.known_steps_of(run.row);
  const auto row = core.queries.task_row(letter.task);
  const model::Step* step = steps && row ? steps->find(row->step) : nullptr;
  if (step == nullptr) return std::optional<std::string>();
  TRY(std::optional<boost::json::object> input, recorded_input(core, letter.task, *step));
  if (!input) return std::optional<std::string>();
  for (auto at = input->begin(); at != input->end();) {
    const bool empty = at->value().is_null() || (at->value().is_string() && at->value().get_string().empty());
    at = empty ? input->erase(at) : at + 1;
  }
  return std::optional(boost::json::serialize(*input));
}

// The letter with its task: attempts, arguments, result of the last attempt.
Result<std::string> get(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  const std::string& id = call.captures.at(0);
  TRY(const std::optional<model::Record> record, core.store.get_record({RecordKind::dead_letter, id}));
  if (!record) return none(id);
  TRY(const DeadLetter letter, model::dead_letter_of(*record));
  DeadLetterDetails details;
  TRY(details.task, core.queries.task(letter.task));
  const TaskKey key{letter.task.run.key(), letter.task.ordinal};
  TRY(details.arguments, arguments_of(core, letter));
  TRY(details.run_input, core.store.get_payload({key.run, model::PayloadSlot::run_input}));
  JsonText out;
  write_dead_letter(letter, out, &details);
  return out.take();
}

// Its task once more, perhaps with other arguments.
Result<model::DecideTask> read_replay(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  const std::string& id = call.captures.at(0);
  TRY(const RequestBody body, optional_body(call));
  TRY_VOID(body.only({"arguments", "force", "reason"}));
  TRY(const std::optional<model::Record> record, core.store.get_record({RecordKind::dead_letter, id}));
  if (!record && was_asked_before(core, call)) {
    // It is gone because of that: the engine has the answer of then.
    const std::size_t dot = id.rfind('.');
    const auto task = TaskId::parse(std::string_view(id).substr(0, dot));
    if (task) return model::DecideTask{.task = *task};
  }
  if (!record) return none(id);
  TRY(const DeadLetter letter, model::dead_letter_of(*record));
  model::DecideTask command{.task = letter.task, .generation = letter.generation};
  TRY(const boost::json::object changes, body.object("arguments"));
  if (!changes.empty()) {
    TRY(EditedInput input, edited_input(core, letter.task, changes, call.principal));
    command.input = std::move(input.text);
  }
  TRY(command.force, body.boolean("force", false));
  TRY(command.reason, body.text("reason", 1000));
  return command;
}

Result<std::vector<std::string>> read_ids(const RequestBody& body) {
  const boost::json::value* member = body.find("ids");
  std::vector<std::string> ids;
  const auto wrong = [] {
    return fail(ErrorCode::invalid_request,
                "\"ids\" must be a list of 1 to " + std::to_string(kMostIds) + " ids of dead letters",
                "/ids");
  };
  if (member == nullptr || !member->is_array() || member->get_array().empty() ||
      member->get_array().size() > kMostIds) {
    return wrong();
  }
  for (const boost::json::value& id : member->get_array()) {
    if (!id.is_string() || !model::is_dead_letter_id(id.get_string())) return wrong();
    ids.emplace_back(id.get_string());
  }
  return ids;
}

Result<model::DiscardDeadLetters> read_discard(const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"ids"}));
  TRY(std::vector<std::string> ids, read_ids(body));
  return model::DiscardDeadLetters{std::move(ids)};
}

}  // namespace

void list_dead_letters(const CorePtr& core, CallPtr call) {
  answer(*call, list(*core, *call));
}

void list_dead_letter_groups(const CorePtr& core, CallPtr call) {
  answer(*call, groups(*core, *call));
}

void get_dead_letter(const CorePtr& core, CallPtr call) {
  answer(*call, get(*core, *call));
}

void replay_dead_letter(const CorePtr& core, CallPtr call) {
  auto command = read_replay(*core, *call);
  if (!command) return call->fail(command.error());
  const TaskId id = command->task;
  const model::Sender actor = call->actor;
  core->runs.send(std::move(*command), actor, [core, call, id](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    core->workers.post([core, call, id] { answer(*call, core->queries.task(id)); });
  });
}

void discard_dead_letters(const CorePtr& core, CallPtr call) {
  auto command = read_discard(*call);
  if (!command) return call->fail(command.error());
  const model::Sender actor = call->actor;
  core->runs.send(std::move(*command), actor, [call](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    const auto& discarded = std::get<model::Discarded>(reply);
    JsonText out;
    out.begin_object().key("discarded").integer(discarded.count);
    out.key("unknown").begin_array();
    for (const std::string& id : discarded.unknown) out.string(id);
    out.end_array().end_object();
    call->json(200, out.take());
  });
}

}  // namespace baton::api

#include <boost/json/serialize.hpp>
#include <utility>

#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "engine/commands/commands.hpp"
#include "engine/edits.hpp"
#include "engine/load.hpp"
#include "engine/lookup.hpp"
#include "engine/run_limits.hpp"
#include "model/run_tag.hpp"

namespace baton::engine::commands {
namespace {

namespace json = boost::json;

// JSON Merge Patch of one level (RFC 7396): a null takes a member away.
void merge(json::object& into, const json::object& change) {
  for (const auto& [key, value] : change) {
    if (value.is_null()) {
      into.erase(key);
    } else {
      into[key] = value;
    }
  }
}

Status merge_into_context(State& state, Run& run, const model::ChangeRun& command, Effects& effects) {
  TRY(const auto stored, state.values.json(context_of(run.row.key)));
  json::object context = stored->is_object() ? stored->get_object() : json::object();
  for (const auto& [name, text] : {std::pair<const char*, const std::string&>{"metadata", command.metadata},
                                   {"labels", command.labels}}) {
    if (text.empty()) continue;
    boost::system::error_code error;
    const json::value change = parse_json(text, error, {}, {.max_depth = kReadJsonDepth});
    if (error || !change.is_object()) {
      return fail(ErrorCode::invalid_request, std::string(name) + " must be an object");
    }
    json::value& member = context[name];
    if (!member.is_object()) member = json::object();
    merge(member.get_object(), change.get_object());
  }
  effects.touch(run);
  effects.put(context_of(run.row.key), json::serialize(context));
  return {};
}

void change_priority(State& state, Run& run, std::uint8_t priority, Effects& effects) {
  effects.touch(run);
  const std::uint8_t before = std::exchange(run.row.priority, priority);
  reorder_entry(state, run, before);
  // What has no row yet takes it from the run; the others follow as work.
  for (Task& task : run.tasks) {
    if (!task.stored && task.line == nullptr) task.row.priority = priority_of(run, task.row.step);
  }
  state.work.push_back({WorkKind::rank, {run.row.key, kWholeRun}, 0});
}

Status change(State& state, const model::ChangeRun& command, const Moment& moment, Effects& effects) {
  TRY(Run * run, find_run(state, command.run));
  if (!command.expected.empty()) {
    const model::Text context = state.values.text(context_of(run->row.key));
    TRY_VOID(check_tag(model::run_tag(run->row.priority, context ? *context : ""), command.expected));
  }
  if (model::is_terminal(run->row.status)) {
    const std::string status(name(run->row.status));
    return fail(
        ErrorCode::conflict,
        "run " + command.run.text() + " is " + status + "; only a run that has not ended can be changed",
        status);
  }
  if (command.priority.value_or(0) > 9) {
    return fail(ErrorCode::invalid_request, "a priority is a number from 0 to 9");
  }
  std::string what;
  if (!command.metadata.empty() || !command.labels.empty()) {
    TRY_VOID(merge_into_context(state, *run, command, effects));
    if (!command.metadata.empty()) what = "metadata";
    if (!command.labels.empty()) what += what.empty() ? "labels" : ", labels";
  }
  if (command.priority && *command.priority != run->row.priority) {
    change_priority(state, *run, *command.priority, effects);
    what += what.empty() ? "priority" : ", priority";
  }
  if (what.empty()) return {};
  effects.record(*run, {.kind = model::FactKind::run_changed,
                        .at = moment.wall,
                        .number = run->row.priority,
                        .text = std::move(what)});
  return {};
}

}  // namespace

void decide(State& state, const model::ChangeRun& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  if (auto done = change(state, command, moment, effects); !done) {
    effects.reply(reply_to, std::move(done.error()));
    return;
  }
  effects.reply(reply_to, model::RunAccepted{command.run, state.find(command.run.key())->row.status});
}

}  // namespace baton::engine::commands

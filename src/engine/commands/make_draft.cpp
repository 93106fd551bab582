#include "base/text.hpp"
#include "engine/commands/commands.hpp"
#include "model/applied.hpp"
#include "model/draft.hpp"

namespace baton::engine::commands {
namespace {

std::size_t drafts(const State& state) {
  std::size_t count = 0;
  for (auto at = state.records.lower_bound(model::draft_key("")); at != state.records.end(); ++at) {
    if (at->first.kind != model::RecordKind::draft) break;
    count += at->second.record ? 1 : 0;
  }
  return count;
}

bool is_taken(const State& state, const std::string& name) {
  return state.versions.contains(name) || state.record(model::applied_key(name)) != nullptr ||
         state.record(model::draft_key(name)) != nullptr;
}

}  // namespace

void decide(State& state, const model::MakeDraft& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  if (!is_name(command.name)) {
    return effects.reply(reply_to,
                         Error{ErrorCode::invalid_request,
                               "no name can be made of this title: it needs a letter or a digit", "/name"});
  }
  if (drafts(state) >= model::kMaxDrafts) {
    return effects.reply(reply_to, Error{ErrorCode::too_large,
                                         "there are " + std::to_string(model::kMaxDrafts) +
                                             " drafts already: apply definitions with their names first",
                                         ""});
  }
  std::string name = command.name;
  // Fewer are taken than there are drafts and workflows.
  for (std::size_t number = 2; is_taken(state, name); ++number)
    name = model::numbered_name(command.name, number);
  effects.put(model::to_record(
      model::Draft{.name = name,
                   .title = std::string(utf8_prefix(command.title, model::kMaxDraftTitle)),
                   .description = std::string(utf8_prefix(command.description, model::kMaxDraftDescription)),
                   .by = effects.actor(),
                   .at = moment.wall}));
  effects.reply(reply_to, model::WorkflowApplied{.created = true, .workflow = std::move(name)});
}

}  // namespace baton::engine::commands

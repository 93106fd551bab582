#include "engine/commands/commands.hpp"
#include "model/removal.hpp"

namespace baton::engine::commands {
namespace {

using model::RecordKey;
using model::RecordKind;
using model::Removal;

// Notes of removals whose files are deleted, the oldest first.
std::vector<Removal> finished(const State& state) {
  std::vector<Removal> notes;
  const RecordKey first{RecordKind::removal, ""};
  for (auto at = state.records.lower_bound(first);
       at != state.records.end() && at->first.kind == RecordKind::removal; ++at) {
    if (!at->second.record) continue;
    auto note = model::removal_of(*at->second.record);
    if (note && note->runs.empty()) notes.push_back(std::move(*note));
  }
  return notes;
}

}  // namespace

void decide(State& state, const model::FilesDeleted& command, model::ReplyTo reply_to,
            const Moment& /*moment*/, Effects& effects) {
  std::vector<Removal> notes = finished(state);
  for (const std::string& key : command.removals) {
    const model::Record* record = state.record({RecordKind::removal, key});
    auto note = record != nullptr ? model::removal_of(*record)
                                  : Result<Removal>(fail(ErrorCode::not_found, "there is no such removal"));
    if (!note || note->runs.empty()) continue;
    note->runs.clear();
    // One removal that took many commands is told as one.
    if (!notes.empty() && notes.back().by == note->by && notes.back().why == note->why) {
      notes.back().count += note->count;
      notes.back().at = std::max(notes.back().at, note->at);
      effects.put(to_record(notes.back()));
      effects.erase({RecordKind::removal, key});
    } else {
      effects.put(to_record(*note));
      notes.push_back(std::move(*note));
    }
  }
  for (std::size_t i = 0; i + model::kRemovalsKept < notes.size(); ++i)
    effects.erase({RecordKind::removal, notes[i].key});
  effects.reply(reply_to, model::Done{});
}

}  // namespace baton::engine::commands

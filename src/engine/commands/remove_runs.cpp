#include <algorithm>

#include "base/text.hpp"
#include "engine/commands/commands.hpp"
#include "engine/decide.hpp"
#include "engine/resources.hpp"
#include "model/removal.hpp"

namespace baton::engine::commands {
namespace {

bool is_going_on(const State& state, RunKey key) {
  const Run* run = state.find(key);
  return run != nullptr ? !model::is_terminal(run->row.status) : state.cold.contains(key);
}

std::unexpected<Error> kept(std::string why) {
  return fail(ErrorCode::conflict, std::move(why));
}

// Why the run has to stay; success: it may go.
Status check(const State& state, const RunId& id, WallTime ended_before, const Moment& moment) {
  const RunKey key = id.key();
  const auto head = state.heads.find(key);
  const Run* run = state.find(key);
  const bool known = run != nullptr ? run->row.id == id : state.cold.contains(key);
  const bool stored = head != state.heads.end() && head->second.row.id == id;
  if (!known && !stored) return fail(ErrorCode::not_found, "there is no run " + id.text());
  if (is_going_on(state, key) || (stored && !model::is_terminal(head->second.row.status)))
    return kept("the run has not ended: cancel it first, or wait for its end");
  if (!stored || (run != nullptr && run->touched_in != 0))
    return kept("the run has only just changed: try again");
  const model::RunRow& row = head->second.row;
  if (ended_before.us != 0 && row.ended_at >= ended_before)
    return kept("the run has not ended that long ago");
  if (row.parent->any() && is_going_on(state, row.parent->task.run.key()))
    return kept("the run that began it goes on: " + row.parent->task.run.text());
  if (!resources_of(state, id).empty())
    return kept("resources of it are not given back: see `baton resources list`");
  if (state.closed) return {};  // who would retry or repeat it, and where
  if (head->second.dead_letter)
    return kept("tasks of it are dead letters: retry or discard them first (`baton dead-letters`)");
  if (head->second.key_until > moment.wall)
    return kept("its submission may still be repeated, and is then answered with it, until " +
                to_rfc3339(head->second.key_until) + "; remove it after that");
  return {};
}

void remove(State& state, const model::RunRow& row, Effects& effects) {
  effects.remove({row.key, row.id, row.journal_head, row.next_ordinal, row.additions});
  state.removed[row.key] = state.sequence;
  state.values.forget(row.key);
  state.runs.erase(row.key);
}

}  // namespace

void decide(State& state, const model::RemoveRuns& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  if (command.runs.size() > kRowsPerDecision) {
    effects.reply(reply_to, Error{ErrorCode::too_large, "at most 1,000 runs are removed at once", ""});
    return;
  }
  model::RunsRemoved answer;
  model::Removal note{.at = moment.wall,
                      .by = effects.actor(),
                      .why = std::string(utf8_prefix(command.reason, model::kRemovalReasonLimit))};
  for (const RunId& id : command.runs) {
    if (Status may = check(state, id, command.ended_before, moment); !may) {
      answer.kept.emplace_back(id, std::move(may).error());
    } else {
      ++answer.removed;
      if (!command.dry_run) {
        remove(state, state.heads.at(id.key()).row, effects);
        note.runs.push_back(id);
      }
    }
    state.heads.erase(id.key());
  }
  if (!note.runs.empty()) {
    note.key = model::removal_key(note.at, note.runs.front());
    note.count = answer.removed;
    effects.put(to_record(note));
    effects.act(model::FilesLeft{});
  }
  effects.reply(reply_to, std::move(answer));
}

}  // namespace baton::engine::commands

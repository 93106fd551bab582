#include "engine/signals.hpp"

#include <vector>

#include "base/seeded_bug.hpp"

namespace baton::engine {
namespace {

// The records whose keys begin so, in their order; visit() says whether to go on.
template <typename Visit>
void each_record(const State& state, const std::string& prefix, Visit visit) {
  for (auto at = state.records.lower_bound({model::RecordKind::signal, prefix});
       at != state.records.end() && at->first.kind == model::RecordKind::signal &&
       at->first.key.starts_with(prefix);
       ++at) {
    if (at->second.record && !visit(*at->second.record)) return;
  }
}

}  // namespace

std::optional<model::Signal> take_signal(State& state, const Run& run, const std::string& name,
                                         Effects& effects) {
  std::optional<model::Signal> taken;
  each_record(state, model::signals_key(run.row.id, name), [&](const model::Record& record) {
    auto signal = model::signal_of(record);
    if (!signal) return true;  // a damaged one stays where it is, and is passed over
    taken = std::move(*signal);
    return seeded_bug(Bug::newest_signal_first);
  });
  if (taken && !seeded_bug(Bug::signal_not_taken)) effects.erase(model::to_record(*taken).id);
  return taken;
}

bool has_room_for_signal(const State& state, const Run& run, std::size_t bytes) {
  std::size_t count = 1;
  each_record(state, model::signals_key(run.row.id), [&](const model::Record& record) {
    ++count;
    bytes += record.state.size();
    return true;
  });
  return count <= model::kMaxSignalsKept && bytes <= model::kMaxSignalBytesKept;
}

void forget_signals(State& state, const Run& run, Effects& effects) {
  if (run.row.signals == 0) return;
  std::vector<model::RecordKey> keys;
  each_record(state, model::signals_key(run.row.id), [&](const model::Record& record) {
    keys.push_back(record.id);
    return true;
  });
  for (const model::RecordKey& key : keys) effects.erase(key);
}

}  // namespace baton::engine

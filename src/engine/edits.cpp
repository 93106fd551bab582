#include "engine/edits.hpp"

namespace baton::engine {

Status check_unchanged(const State& state, const model::RecordKey& key, const std::string& expected) {
  if (expected.empty()) return {};
  const model::Record* record = state.record(key);
  const std::string tag = model::tag_of(record);
  if (expected == "*" ? record != nullptr : expected == tag) return {};
  return fail(ErrorCode::conflict,
              "somebody changed it meanwhile: look at it as it is now, and change it again", tag);
}

}  // namespace baton::engine

#include "engine/edits.hpp"

namespace baton::engine {

Status check_tag(const std::string& tag, const std::string& expected) {
  if (expected.empty() || (expected == "*" ? tag != model::tag_of(nullptr) : expected == tag)) return {};
  return fail(ErrorCode::conflict,
              "somebody changed it meanwhile: look at it as it is now, and change it again", tag);
}

Status check_unchanged(const State& state, const model::RecordKey& key, const std::string& expected) {
  if (expected.empty()) return {};
  return check_tag(model::tag_of(state.record(key)), expected);
}

}  // namespace baton::engine

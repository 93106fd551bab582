// Edits of what people have set, by somebody who has seen it as it was: If-Match.
#pragma once

#include <string>

#include "base/error.hpp"
#include "engine/state.hpp"

namespace baton::engine {

// conflict, with the tag as it is now as its place, unless `expected` is that tag, or "" (whatever it is) or
// "*" (there is something: the tag is not "0").
Status check_tag(const std::string& tag, const std::string& expected);
// The same with the tag of a record (model::tag_of).
Status check_unchanged(const State& state, const model::RecordKey& key, const std::string& expected);

}  // namespace baton::engine

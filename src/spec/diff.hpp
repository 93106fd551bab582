// What is different between two definitions, as a person would put it.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "spec/tree.hpp"

namespace baton::spec {

struct Change {
  enum class Kind : std::uint8_t { added, removed, changed, renamed, moved };
  Kind kind = Kind::changed;
  std::string subject;        // "workflow", "step label", "input limit"
  std::string path;           // below the subject: "retry.max_attempts"; "" = the subject itself
  boost::json::value before;  // null if added; for renamed: the old name
  boost::json::value after;   // null if removed; for renamed: the new name

  // "step label: retry.max_attempts 4 → 6". Texts of several lines follow on lines of their own.
  std::string text() const;
};

// Of two trees that are valid definitions. Ways to write the same value are no difference: 90s and 1m30s, the
// order of `needs`, `PORT: 8080` and `PORT: "8080"` in `env`. The order of steps and of inputs is one. A step
// whose name changed and nothing else is renamed, and what follows from that in others is no difference. The
// workflow comes first, then the steps in the order of `after`, then what was removed.
std::vector<Change> diff(const Tree& before, const Tree& after);

// [{"kind", "subject", "path", "before", "after", "text"}]
boost::json::array to_json(const std::vector<Change>& changes);

}  // namespace baton::spec

// Additions: steps that a running task has added to its own run (SEMANTICS 43). A record of kind `addition`
// for each time; it lives as long as its run. The steps' tasks have consecutive ordinals, as items of a
// mapped step have, and each is a step of its own: its ordinal is also its step's.
//
// The text is a definition like any other. Its first steps stand for steps that the run had before, so that
// `needs` and expressions can name them; they have no tasks.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

struct Addition {
  RunId run;
  Ordinal first = 0;             // of the tasks that it made
  std::uint32_t count = 0;       // how many
  Ordinal parent = 0;            // the task that added them
  Ordinal parent_step = 0;       // that one's step
  std::string scope;             // its name: the tasks' begin with it and a slash
  std::uint32_t generation = 1;  // of that task: its next generation begins without them
  bool detach = false;           // what follows the parent does not wait for them
  std::vector<Ordinal> outside;  // what the first steps of the text stand for
  Hash256 hash;                  // of the text
  std::string text;              // canonical (spec/canonical.hpp)
  WallTime at;

  friend bool operator==(const Addition&, const Addition&) = default;
};

inline constexpr std::size_t kAdditionBytes = 2 << 20;  // of the text of one
inline constexpr std::size_t kAdditionSteps = 10'000;   // of one

// The keys of a run's additions begin with this, and stand in the order in which they were made.
std::string additions_of(const RunId& run);

Record record_of(const Addition& addition);
// Fails with ErrorCode::corrupt.
Result<Addition> addition_of(const Record& record);

}  // namespace baton::model

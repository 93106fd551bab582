// Deadlines in time: once that of a run or of a step is over, nothing of it starts, and the main phase of its
// run does not go on as if nothing was.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "books.hpp"
#include "diary.hpp"

namespace baton::simulation {

class DeadlinesCheck {
 public:
  // With a clock on the wall that jumps, facts do not say how much time has passed.
  DeadlinesCheck(Diary& diary, bool steady_clock) : diary_(diary), steady_clock_(steady_clock) {}

  // Before the books are changed by it.
  void committed(const RunBook& run, const model::Fact& fact);

 private:
  void attempt_starts(const RunBook& run, const TaskBook& task, const model::Fact& fact);

  Diary& diary_;
  bool steady_clock_ = true;
  // Since when a task waits for its first attempt, by its generation.
  std::map<std::pair<TaskKey, std::uint32_t>, WallTime> queued_;
};

}  // namespace baton::simulation

// A pause: who holds back what, why, and until when (SEMANTICS 34). A record of its own (model/record.hpp)
// for each.
//
// That a worker is to end (worker_draining) is kept as one: nothing more is handed out to it, its heartbeats
// say so, and it is over when the worker says farewell or begins anew, when somebody resumes it, or after
// kDrainStands, unless the worker is still there.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/blocker.hpp"
#include "model/record.hpp"

namespace baton::model {

struct Pause {
  Blocker what;
  RunId run;         // of a run or step
  std::string name;  // of the step, queue, worker or target; "" of a run
  std::string by;    // the actor who asked for it
  std::string why;   // "" = not said
  WallTime since;
  std::optional<WallTime> until;  // resumes by itself then; nullopt = when somebody resumes it
  RunId with;  // the run that waits for this one and is paused: it is resumed with that; zero = none

  friend bool operator==(const Pause&, const Pause&) = default;
};

constexpr Duration kDrainStands = Duration::hours(24);

// The word for what is paused, the group of its record: run, step, queue, worker, target, drain. "": it is
// no pause.
std::string_view scope_of(BlockerKind kind);
// "run 0190…", "step build of run 0190…", "queue gpu"
std::string describe(const Pause& pause);

Record to_record(const Pause& pause);
RecordKey record_key(const Pause& pause);
Result<Pause> pause_of(const Record& record);  // or corrupt

}  // namespace baton::model

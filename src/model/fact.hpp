// The journal: what happened to a run, as facts. Each commit appends the facts of the runs that it touched;
// folding a run's facts gives its state at any time (history.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"

namespace baton::model {

// Stored as numbers: append at the end, never reorder.
enum class FactKind : std::uint8_t {
  run_submitted = 1,  // text: workflow name; number: its version; other: the task that began it, if one did
  run_started,        //
  run_cancel_requested,  // text: why; number: 1 = terminate, 2 = terminate without cleanup
  run_finalizing,        // a stage after the main phase begins; status: the decided outcome; text: the stage
  run_ended,             // status; text: error type
  task_queued,           // number: priority
  task_skipped,          // text: reason
  task_expanded,         // a mapped step knows its items; number: how many; other: first ordinal
  attempt_started,       // attempt; text: worker
  attempt_stopping,      // attempt; text: soft or hard; other: why
  attempt_ended,    // attempt; text: outcome (completed, failed, lost, interrupted, released, cancelled);
                    // other: error type
  task_retrying,    // attempt; number: delay in microseconds; text: the round that ended, of `repeat`;
                    // other: what it waits for instead of a delay
  task_ended,       // status; text: error type; other: error message
  run_timed_out,    // its deadline is over; number: the deadline in microseconds
  run_sla_missed,   // number: the sla in microseconds
  task_sla_missed,  // number: the sla in microseconds
  task_held,        // attempt; text: error type; other: error message; a person decides
  task_fallback,    // its own attempts are over, its fallback follows; text: error type; other: error message
  task_resolved,  // text: what a person decided (retry, skip, complete, fail, approved, rejected); other: why
  alert_raised,   // status: the Severity; text: error type; other: message; of the task that it is about
  run_paused,   // text: why; other: its step, "" = the whole run; number: until when (microseconds), 0 = open
  run_resumed,  // other: its step, "" = the whole run
  run_recovering,  // text: why; number: which recovery this is
  run_recovered,   // everything that is to be done again is reset
  run_changed,     // text: what ("priority", "metadata", "labels"); number: the new priority
  task_reset,      // its next generation begins; text: "items" = its items are void as well
  task_waiting,  // a wait begins, or goes on after a poll; attempt; text: for, until, signal, approval, poll
                 // or run; other: the signal's name, the question or the run; number: its end (wall
                 // microseconds) or the delay
  signal_received,  // text: its name; number: its number
  task_added,  // a task that serves another one; text: its role; number: that one's ordinal; other: resource.
               // Role "main": one that a running task added; number: that one's ordinal; other: its
               // name
  resource_opened,      // text: its name; attempt: that registered it
  resource_released,    // text: its name; by an attempt of its task: nothing is left to give back
  resource_cleaned,     // text: its name; given back by its action
  resource_leaked,      // text: its name; other: why it could not be given back
  task_progress,        // attempt; number: percent; text: message
  task_checked,         // attempt; its preflight is over, its own attempts follow
  run_version_changed,  // a recovery goes on with another version; number: it
  task_cached,          // it takes a result that an earlier task has made; text: that one's id
};

struct Fact {
  FactKind kind = FactKind::run_submitted;
  WallTime at;
  Ordinal task = 0;         // task_* and attempt_* facts
  std::uint32_t step = 0;   // of the task
  std::int32_t index = -1;  // of a mapped step's item
  std::uint32_t attempt = 0;
  std::uint8_t status = 0;  // RunStatus or TaskStatus, where the kind says so
  std::uint8_t role = 0;    // the TaskRole of the task; facts of older journals do not say it
  std::int64_t number = 0;
  std::string text;
  std::string other;

  friend bool operator==(const Fact&, const Fact&) = default;
};

inline constexpr FactKind kLastFactKind = FactKind::task_cached;

std::string_view name(FactKind kind);  // "run.submitted"
bool is_task_fact(FactKind kind);

// The facts of one run in one commit.
struct RunFacts {
  RunKey run;
  JournalSequence previous = 0;  // the commit before this one that touched the run; 0 = none
  std::string cause;             // the command's name
  std::string actor;             // who sent it
  std::vector<Fact> facts;

  friend bool operator==(const RunFacts&, const RunFacts&) = default;
};

// One commit's journal entry as bytes. Decoding fails with ErrorCode::corrupt; unknown fields and kinds of a
// newer version are skipped.
std::string encode(const std::vector<RunFacts>& entry);
Result<std::vector<RunFacts>> decode_journal_entry(std::string_view bytes);

}  // namespace baton::model

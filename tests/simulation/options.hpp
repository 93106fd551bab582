// What one simulation is made of. Everything follows from the seed; a shrunk one leaves out parts of it.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "engine/moment.hpp"

namespace baton::simulation {

// What may go wrong, what people may do, and what definitions have in them. A seed switches some of them on.
enum class Switch : std::uint8_t {
  // The store
  slow_commits,
  refused_commits,  // disk full: nothing is stored, and for a while nothing can be
  unknown_commits,  // fsync failed: stored or not, nobody says
  hanging_commits,  // never answered; somebody kills the owner
  late_commits,     // of a dead owner, they reach the disk when the next one has opened it
  slow_loads,
  failed_loads,
  failed_starts,
  // The owner
  crashes,
  absences,    // after a crash nobody starts it for a while
  tiny_turns,  // one command, a few rows per batch
  wall_clock,  // jumps
  // The network
  lost_requests,
  lost_replies,
  repeated_requests,
  delays,
  // Workers
  worker_crashes,
  unreported_effects,  // the worker dies between the effect and its report
  stalls,              // a worker falls silent for longer than its lease, then goes on as if nothing was
  repeated_reports,
  contradictions,  // a second report of the same attempt with another outcome
  wrong_tokens,
  releases,
  worker_in_process,
  // Attempts
  failures,
  hanging,
  // People
  cancels,
  pauses,
  recoveries,
  decisions,
  changes,
  nonsense,
  signals,   // beside those that somebody sends in the end, who wants to be done
  answers,   // to approvals, likewise
  breakers,  // are forced open and closed
  letters,   // dead ones are thrown away, and replayed
  cleaning,  // of resources, by hand
  drops,     // terminate without cleanup
  // Definitions
  spans,  // wait for, wait until
  awaited_signals,
  approvals,
  polls,
  branches,  // switch
  rounds,    // repeat
  fallbacks,
  preflights,
  cleanups,
  compensations,
  services,  // targets with breakers
  clocks,    // deadlines, sla, start timeouts, heartbeats
  limits,    // max_parallel, retry budgets
  caches,    // cache
  // Attempts, beside what they are there for
  resources,  // register, make, release
  signs,      // of life
  last_       // how many there are
};
inline constexpr std::size_t kSwitches = static_cast<std::size_t>(Switch::last_);

std::string_view name(Switch which);
std::optional<Switch> switch_named(std::string_view name);

// Each part draws from a stream of its own, so that leaving one out does not change the others.
enum class Stream : std::uint8_t { options, flows, store, operators, network, workers, attempts, users };
engine::Random stream(std::uint64_t seed, Stream which, std::uint64_t number = 0);

struct Options {
  std::uint64_t seed = 1;
  std::bitset<kSwitches> on;
  std::uint32_t runs = 1;     // that are submitted
  std::uint32_t workers = 1;  // remote ones
  std::uint32_t steps = 8;    // the most steps of a definition
  Duration storm;             // how long things go wrong

  static Options of(std::uint64_t seed);
  bool has(Switch fault) const { return on.test(static_cast<std::size_t>(fault)); }
  // The words of a command line that repeats exactly this.
  std::string arguments() const;
};

}  // namespace baton::simulation

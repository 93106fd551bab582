// A small model of how runs end (SEMANTICS 8–14, 16–21, 29, 30, 37, 56), written apart from the engine: no
// queues, time, attempts in flight or restarts, only what must come out in the end. Random tests hold the
// engine against it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/moment.hpp"
#include "model/definition.hpp"
#include "model/states.hpp"

namespace baton::engine::testing {

// How often a task's attempts go wrong before one succeeds.
struct Fate {
  std::uint32_t losses = 0;
  std::uint32_t failures = 0;
  bool fallback_fails = false;
  std::uint32_t rounds = 1;  // of a repeated step, until its condition holds
};

// A branch of a switch; its condition is true, false or an error.
struct PlannedBranch {
  enum class When : std::uint8_t { yes, no, broken, otherwise };
  When when = When::yes;
  std::vector<Ordinal> go_to;
};

struct PlannedStep {
  enum class Kind : std::uint8_t { run, set, mapped, choose, span, signal, approval, poll };
  enum class When : std::uint8_t { none, yes, no, broken, reads_before, not_item_2 };
  enum class Items : std::uint8_t { list, map, null, from_before };
  Kind kind = Kind::run;
  When when = When::none;
  Items items = Items::list;
  std::uint32_t count = 0;  // of a list or map
  bool broken_body = false;
  bool continue_on_error = false;
  bool ignores_errors = false;  // a rule for every error: do: ignore
  bool fallback = false;
  std::uint32_t max_failures = 0;
  model::TriggerRule trigger_rule = model::TriggerRule::none_failed;
  bool finally = false;
  std::uint32_t max_attempts = 1;
  bool cleanup = false;
  bool compensate = false;
  std::uint32_t ending_failures = 0;    // of each cleanup, compensation and resource, before one succeeds
  std::uint32_t max_rounds = 0;         // 0 = not repeated
  std::vector<PlannedBranch> branches;  // of a switch
  std::vector<Ordinal> needs;           // the first one is "before"
  std::vector<Fate> fates;              // one; of a mapped step per item, at least kMostItems
};

// Attempts of what serves a task; then it leaks.
inline constexpr std::uint32_t kEndingAttempts = 3;
inline constexpr std::uint32_t kMostItems = 5;
// What every attempt and every `set` gives as its result.
inline constexpr const char* kPlannedResult = R"({"list":[10,11,12],"n":1})";
// What an attempt of a repeated step gives, in its last round and before.
inline constexpr const char* kLastRound = R"({"list":[10,11,12],"n":1,"done":true})";
inline constexpr const char* kEarlierRound = R"({"done":false})";
// The signal that all planned waits are for.
inline constexpr const char* kSignal = "go";

struct Plan {
  std::vector<PlannedStep> steps;
  bool fail_fast = false;
  std::uint32_t max_parallel = 0;
  std::vector<std::uint32_t> step_parallel;  // per step, of mapped ones

  static Plan random(Random& random);
  std::shared_ptr<const model::Workflow> workflow(const std::string& name) const;
};

struct ExpectedStep {
  model::TaskStatus status = model::TaskStatus::pending;
  model::SkipReason skip_reason = model::SkipReason::none;
  std::string error_type;
  bool ignored = false;
  // Of a mapped step that completes: of its items.
  std::vector<model::TaskStatus> items;
};

struct Expected {
  model::RunStatus status = model::RunStatus::completed;
  bool main_failed = false;
  std::vector<ExpectedStep> steps;  // as they end without cancel and fail_fast
};

Expected expect(const Plan& plan);

}  // namespace baton::engine::testing

// A workflow's definition as plain data: what `spec` makes of a text and what `engine` compiles and follows.
// Names are resolved (needs are ordinals), defaults are applied, everything that could be checked without
// running is checked.
//
// A definition of 100,000 steps stays in memory while its runs do: rare policies are shared or absent.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/breaker.hpp"
#include "model/flow.hpp"

namespace baton::model {

enum class Backoff : std::uint8_t { fixed, linear, exponential };
enum class Jitter : std::uint8_t { none, full, equal, decorrelated, add };

struct Retry {
  std::uint32_t max_attempts = 1;  // the first one included
  Backoff backoff = Backoff::exponential;
  Duration initial = Duration::seconds(1);
  std::int64_t multiplier_thousandths = 2000;  // decisions count in integers
  Duration max = Duration::hours(1);           // cap of a delay, before jitter
  Jitter jitter = Jitter::none;
  Duration jitter_add;  // with Jitter::add: up to this much on top

  friend bool operator==(const Retry&, const Retry&) = default;
};

// SEMANTICS 23, 24. A part that is 0 is not limited.
struct Timeout {
  Duration soft;       // of an attempt: SIGTERM to the group
  Duration hard;       // SIGKILL to the group; soft <= hard, both or neither
  Duration start;      // of the wait in the queue
  Duration heartbeat;  // between two signs of life of an attempt

  friend bool operator==(const Timeout&, const Timeout&) = default;
};

// Which endings of its predecessors let a step start (SEMANTICS 8, 10); the names are Airflow's.
enum class TriggerRule : std::uint8_t {
  none_failed,
  all_success,
  all_failed,
  all_done,
  all_skipped,
  one_success,
  one_failed,
  one_done,
  none_failed_min_one_success,
  none_skipped,
  always
};
std::string_view name(TriggerRule rule);

// What to do about an attempt that failed (SEMANTICS 16).
enum class ErrorAction : std::uint8_t { retry, fail, fallback, hold, ignore };
std::string_view name(ErrorAction action);

// Whom an alert concerns; `none` raises none.
enum class Severity : std::uint8_t { none, info, warning, critical };
std::string_view name(Severity severity);

// One rule of `on_error`. Each list that is given must have the failure's value in it; an empty one says
// nothing about it.
struct ErrorRule {
  struct Range {
    int low = 0;
    int high = 0;
    friend bool operator==(const Range&, const Range&) = default;
  };
  std::vector<std::string> types;
  std::vector<Range> status;  // of an HTTP response
  std::vector<int> exit;
  std::string message;  // RE2, searched anywhere in the message; "" = any
  ErrorAction action = ErrorAction::fail;
  Severity alert = Severity::none;
  std::optional<Duration> delay;  // instead of the backoff's

  friend bool operator==(const ErrorRule&, const ErrorRule&) = default;
};

// How many items of a mapped step may fail.
struct MaxFailures {
  std::uint32_t value = 0;
  bool percent = false;

  bool exceeded_by(std::uint32_t failed, std::uint32_t items) const {
    return percent ? std::uint64_t{failed} * 100 > std::uint64_t{value} * items : failed > value;
  }
  friend bool operator==(const MaxFailures&, const MaxFailures&) = default;
};

// What few steps say about failure.
struct FailureRules {
  std::vector<ErrorRule> on_error;   // first match wins; the workflow's follow
  std::optional<Duration> deadline;  // for all attempts and waits
  std::optional<Duration> sla;       // after it the step is reported as late, once
  MaxFailures max_failures;
  boost::json::value result_schema;  // null = any result
  bool critical = false;             // its failure raises an alert

  friend bool operator==(const FailureRules&, const FailureRules&) = default;
};

// What few steps say for people and tools.
struct Notes {
  std::string title;
  std::string type;  // free word (seed 001's task_type)
  std::vector<std::string> tags;
  boost::json::value metadata;                      // null, or an object
  std::optional<std::vector<std::string>> secrets;  // the only ones that it may read; checked when parsed

  friend bool operator==(const Notes&, const Notes&) = default;
};

enum class StepKind : std::uint8_t { run, exec, set, http, wait, switch_, workflow, task };
std::string_view name(StepKind kind);

struct Step;

// The workflow that a step of kind `workflow` runs as a run of its own; its input is the step's `with`.
struct Child {
  std::string workflow;
  std::uint32_t version = 0;  // 0 = the newest one when the step starts
  bool detach = false;        // the step does not wait for it

  friend bool operator==(const Child&, const Child&) = default;
};

// What a step of kind `wait` waits for. The span, instant, name or question itself stands in Step::action.
// A step of kind `workflow` waits as well: for its run.
struct Wait {
  enum class For : std::uint8_t { span, instant, signal, approval, poll, run };
  For what = For::span;
  std::optional<Duration> timeout;         // of a signal, approval or poll: then the wait has failed
  std::shared_ptr<const Step> poll;        // what is asked again and again
  Duration every = Duration::seconds(10);  // from the end of a poll to the next one
  std::string until;                       // of a poll: CEL over `self`; "" = until it succeeds
};
std::string_view name(Wait::For what);

// One branch of a step of kind `switch`.
struct Branch {
  std::string when;            // CEL; "" = otherwise
  std::vector<Ordinal> go_to;  // ascending, distinct; each of them needs the switch

  friend bool operator==(const Branch&, const Branch&) = default;
};

struct Repeat {
  std::string until;        // CEL over `self`, asked after each round
  std::uint32_t max = 100;  // rounds
  Duration delay;           // from the end of a round to the next one

  friend bool operator==(const Repeat&, const Repeat&) = default;
};

// Whether a step may take the result of an earlier task instead of doing its work.
struct Cache {
  std::optional<boost::json::value> key;  // any value with templates; none = all that the step gets
  Duration ttl = Duration::hours(24);     // from when the result was made

  friend bool operator==(const Cache&, const Cache&) = default;
};
inline constexpr Duration kMaxCacheTtl = Duration::hours(24 * 3660);
struct Endings;

// What few steps with a process say about how it is started and read.
struct Process {
  std::string workdir;             // template; "" = the run's
  std::vector<std::string> shell;  // of `run`; empty = sh -e -c
  bool parse_json = false;         // parse: json

  friend bool operator==(const Process&, const Process&) = default;
};

// A step, or an action that belongs to one (`fallback`, `wait.poll`, …): such a sub-step has the name of its
// step, a kind, a body, `retry`, `timeout` and `queue`, and nothing else.
struct Step {
  std::string name;
  StepKind kind = StepKind::run;
  TriggerRule trigger_rule = TriggerRule::none_failed;
  std::int8_t priority = -1;  // 0–9; -1 = the run's
  bool continue_on_error = false;
  bool finally = false;            // stands under `finally`: starts when the main phase is over
  std::uint32_t max_parallel = 0;  // of a mapped step; 0 = no limit of its own

  // run: the script (string). exec: argv (array of templates). task: the name of the function. set: object of
  // templates. http: the request as it stands in the definition (spec/fields.cpp), with templates. wait: see
  // Wait (a string with templates, or null).
  boost::json::value action;
  std::vector<Ordinal> needs;  // direct predecessors, ascending, distinct

  std::string when;             // CEL, bare; "" = always
  boost::json::value for_each;  // null = not mapped; a string is a template, a list or map may hold templates

  boost::json::value with;  // null, or any value with templates
  boost::json::value env;   // null, or an object of strings with templates; the workflow's `env` is merged in
  std::shared_ptr<const Process> process;                     // null = as usual
  std::shared_ptr<const boost::json::value> response_schema;  // of `http`; null = none
  std::shared_ptr<const Wait> wait;                           // of kinds wait and workflow, else null
  std::shared_ptr<const Child> child;                         // of kind workflow, else null
  std::shared_ptr<const std::vector<Branch>> branches;        // of kind switch, else null
  std::shared_ptr<const Repeat> repeat;                       // null = one round
  std::shared_ptr<const Retry> retry;                         // null = one attempt
  std::shared_ptr<const Timeout> timeout;                     // null = none
  std::shared_ptr<const FailureRules> failure;                // null = none of its own
  std::shared_ptr<const Notes> notes;                         // null = none
  std::shared_ptr<const Step> fallback;                       // action instead of a failed step; null = none
  std::shared_ptr<const Step> preflight;                      // action before the first attempt; null = none
  std::shared_ptr<const BreakerSettings> breaker;             // null = none
  std::shared_ptr<const Endings> endings;                     // null = none
  std::shared_ptr<const Cache> cache;                         // null = its work is always done
  std::shared_ptr<const FlowRules> flow;  // null = neither limits nor a rate nor a fair key
  std::string target;                     // the downstream service that it uses; "" = none
  std::string queue;                      // "" = none is named: see queue_of()
  std::optional<Duration> estimate;

  std::string_view title() const { return notes && !notes->title.empty() ? notes->title : name; }
  std::string_view type() const;  // the kind if it has none of its own
};

// What few steps say about how they end (SEMANTICS 26–28, 55).
struct Endings {
  std::shared_ptr<const Step> cleanup;     // null = none; action with retry and timeout
  std::shared_ptr<const Step> compensate;  // likewise
  std::optional<Ordinal> cleanup_after;    // a step of the main phase: clean up when that one has ended
  bool cleanup_on_shutdown = false;        // also when the server stops under it, before the next attempt
};

// What holds for `finally`, `cleanup`, `compensate` and the actions of resources unless they say otherwise: 3
// attempts, 5 minutes each.
Retry ending_retry();
Timeout ending_timeout();

// One declared input.
struct Input {
  std::string name;
  boost::json::value schema;  // JSON-Schema subset, see schema/
  std::optional<boost::json::value> default_value;
  bool required = true;  // no default and not marked optional
};

// How to ask a target whether it is well.
struct HealthCheck {
  std::string target;
  std::string url;  // with templates

  friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};
inline constexpr Duration kHealthTimeout = Duration::seconds(5);

// How long ended runs of a workflow are kept, from their end. Zero = for ever; nullopt = as the owner is set.
struct Retention {
  std::optional<Duration> completed;  // and cancelled
  std::optional<Duration> failed;

  friend bool operator==(const Retention&, const Retention&) = default;
};

// How many runs go on at a time: as many as share a limit. `key` is its name, a template over the run's
// inputs.
struct RunLimit {
  std::string key;
  std::uint32_t limit = 1;  // as long as nobody has set another by command

  friend bool operator==(const RunLimit&, const RunLimit&) = default;
};

struct Workflow {
  std::string name;
  std::string title;
  std::string description;
  boost::json::value labels;  // object of strings, or null
  std::vector<Input> inputs;
  std::vector<Step> steps;         // in file order: `steps`, then `finally`; a step's place is its ordinal
  std::uint32_t max_parallel = 0;  // tasks of one run at a time; 0 = no limit
  bool fail_fast = false;
  std::vector<ErrorRule> on_error;            // for all steps, after their own
  std::optional<Duration> deadline;           // for a run, from its start
  std::optional<Duration> sla;                // after it the run is reported as late, once
  std::optional<std::uint32_t> retry_budget;  // retries of all tasks of a run together
  std::int8_t priority = 5;
  std::uint32_t max_recovery_attempts = 3;
  bool auto_recovery = false;  // a failed run is recovered without a person, `recovery_delay` later
  Duration recovery_delay = Duration::seconds(60);
  Retention retention;
  std::optional<RunLimit> concurrency;  // of its runs

  std::vector<HealthCheck> health;  // of its targets, by name

  // Names of environment variables that expressions may read as env.NAME; taken at submission.
  std::vector<std::string> reads_env;
  // Names of secrets that stand in it; resolved for each attempt.
  std::vector<std::string> reads_secrets;

  Hash256 hash;           // of the canonical form
  std::string canonical;  // JSON text: a definition that parses to this workflow again
};

// The name of the function that workers carry out; "" of all kinds but `task`.
std::string_view function_of(const Step& step);

// The parts of a step that go into what its executor gets, with their templates: an object with action (not
// of `run` and `task`: their text is never a template), with, env and workdir.
boost::json::value body_of(const Step& step);

// The step's ordinal, if there is a step of that name.
std::optional<Ordinal> find_step(const Workflow& workflow, std::string_view name);

}  // namespace baton::model

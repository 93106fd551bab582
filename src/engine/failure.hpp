// What follows from an attempt that failed (SEMANTICS 16–20): the rules of `on_error`, and one pure function.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/time.hpp"
#include "engine/moment.hpp"
#include "model/definition.hpp"
#include "model/outcome.hpp"
#include "schema/schema.hpp"

namespace baton::engine {

// Rules of `on_error` with their patterns compiled. Immutable; the rules must outlive it.
class ErrorRules {
 public:
  ErrorRules() = default;
  // A pattern that does not compile, which the definition's check has refused, matches nothing.
  explicit ErrorRules(std::span<const model::ErrorRule> rules);

  // The first rule that holds for the failure; null if there is none. A lost or interrupted attempt or an
  // open breaker is not its task's fault: only a rule that names that type holds for it (SEMANTICS 22).
  const model::ErrorRule* match(const model::Failure& failure) const;

 private:
  struct Compiled {
    const model::ErrorRule* rule;
    std::optional<schema::Schema> message;
    bool broken = false;
  };
  std::vector<Compiled> rules_;
};

// What a step says about failures and results, compiled.
struct FailureCode {
  ErrorRules on_error;
  std::optional<schema::Schema> result;
};

struct Circumstances {
  const model::Retry* retry = nullptr;      // of what was attempted; null = one attempt
  std::uint32_t attempts = 1;               // so far, this one included; lost ones are not
  Duration last_delay;                      // before this attempt
  std::uint32_t retries_left = UINT32_MAX;  // of the run's budget
  bool has_fallback = false;                // that was not tried yet
  bool over = false;                        // nothing new may start: cancelled, deadline over, failing fast
};

struct Verdict {
  enum class Kind : std::uint8_t { retry, hold, fallback, ignore, fail };
  Kind kind = Kind::fail;
  Duration delay;    // of a retry
  Duration backoff;  // the part of it that the policy made, for decorrelated jitter
  model::Severity alert = model::Severity::none;

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

// `rule` is what match() found. Without one: retry, unless an error of this kind is never retried; then the
// fallback; then fail. A retry that is not possible any more leads on to the fallback as well.
Verdict judge(const model::ErrorRule* rule, const Circumstances& circumstances, const model::Failure& failure,
              Random& random);

// Whether an error of this kind may be retried when no rule says so: not validation, expression, rejected,
// cancelled, start_timeout, quarantined, http 4xx other than 408, 425 and 429, nor what the handler marked
// "never".
bool is_retryable(const model::Failure& failure);

// What is wrong with a result, as a sentence that names the offending value by its JSON pointer; nullopt: it
// fits. `text` is JSON.
std::optional<std::string> result_problem(const schema::Schema& schema, std::string_view text);

}  // namespace baton::engine

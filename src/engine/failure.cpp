#include "engine/failure.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <string_view>

#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "engine/retry.hpp"

namespace baton::engine {
namespace {

using model::ErrorAction;
using model::ErrorRule;
using Kind = Verdict::Kind;
namespace error_type = model::error_type;

constexpr Duration kMaxRetryAfter = Duration::hours(1);

// Only rules that name the type hold for these.
bool is_not_its_fault(const model::Failure& failure) {
  return failure.type == error_type::kLost || failure.type == error_type::kInterrupted ||
         failure.type == error_type::kBreakerOpen;
}

bool holds(const ErrorRule& rule, const model::Failure& failure) {
  if (rule.types.empty() ? is_not_its_fault(failure)
                         : std::ranges::find(rule.types, failure.type) == rule.types.end()) {
    return false;
  }
  if (!rule.exit.empty() &&
      (!failure.exit_code || std::ranges::find(rule.exit, *failure.exit_code) == rule.exit.end())) {
    return false;
  }
  return rule.status.empty() ||
         (failure.status && std::ranges::any_of(rule.status, [&](const ErrorRule::Range& range) {
            return range.low <= *failure.status && *failure.status <= range.high;
          }));
}

// The retry that was asked for, if there is one left.
std::optional<Verdict> retry(const ErrorRule* rule, const Circumstances& c, const model::Failure& failure,
                             Random& random) {
  if (c.over || c.retry == nullptr || c.attempts >= c.retry->max_attempts || c.retries_left == 0) {
    return std::nullopt;
  }
  Verdict verdict{.kind = Kind::retry};
  verdict.backoff = rule != nullptr && rule->delay
                        ? *rule->delay
                        : retry_delay(*c.retry, std::max(1U, c.attempts), c.last_delay, random);
  const Duration wish = std::min(failure.retry_after.value_or(Duration{}), kMaxRetryAfter);
  verdict.delay = std::max(verdict.backoff, wish);
  return verdict;
}

Verdict without_retry(const Circumstances& c) {
  return {.kind = c.has_fallback && !c.over ? Kind::fallback : Kind::fail};
}

Verdict by_rule(const ErrorRule& rule, const Circumstances& c, const model::Failure& failure,
                Random& random) {
  switch (rule.action) {
    case ErrorAction::retry:
      if (auto verdict = retry(&rule, c, failure, random)) return *verdict;
      return without_retry(c);
    case ErrorAction::fallback:
      return without_retry(c);
    case ErrorAction::hold:
      return {.kind = c.over ? Kind::fail : Kind::hold};
    case ErrorAction::ignore:
      return {.kind = Kind::ignore};
    case ErrorAction::fail:
      break;
  }
  return {.kind = Kind::fail};
}

Verdict by_default(const Circumstances& c, const model::Failure& failure, Random& random) {
  if (is_retryable(failure)) {
    if (auto verdict = retry(nullptr, c, failure, random)) return *verdict;
  }
  return without_retry(c);
}

}  // namespace

ErrorRules::ErrorRules(std::span<const ErrorRule> rules) {
  rules_.reserve(rules.size());
  for (const ErrorRule& rule : rules) {
    Compiled& compiled = rules_.emplace_back(Compiled{.rule = &rule, .message = std::nullopt});
    if (rule.message.empty()) continue;
    auto pattern = schema::Schema::compile(boost::json::object{{"pattern", rule.message}});
    compiled.broken = !pattern;
    if (pattern) compiled.message = std::move(*pattern);
  }
}

const ErrorRule* ErrorRules::match(const model::Failure& failure) const {
  const auto found = std::ranges::find_if(rules_, [&](const Compiled& compiled) {
    if (compiled.broken || !holds(*compiled.rule, failure)) return false;
    return !compiled.message || compiled.message->validate(boost::json::value(failure.message), 1).empty();
  });
  return found == rules_.end() ? nullptr : found->rule;
}

Verdict judge(const ErrorRule* rule, const Circumstances& circumstances, const model::Failure& failure,
              Random& random) {
  Verdict verdict = rule != nullptr ? by_rule(*rule, circumstances, failure, random)
                                    : by_default(circumstances, failure, random);
  if (rule != nullptr) verdict.alert = rule->alert;
  return verdict;
}

bool is_retryable(const model::Failure& failure) {
  constexpr std::array<std::string_view, 7> kNever = {
      error_type::kValidation,   error_type::kExpression,  error_type::kRejected,   error_type::kCancelled,
      error_type::kStartTimeout, error_type::kQuarantined, error_type::kUnsatisfied};
  if (failure.never_retry || std::ranges::find(kNever, failure.type) != kNever.end()) return false;
  if (!failure.status || *failure.status < 400 || *failure.status > 499) return true;
  return *failure.status == 408 || *failure.status == 425 || *failure.status == 429;
}

std::optional<std::string> result_problem(const schema::Schema& schema, std::string_view text) {
  boost::system::error_code error;
  const boost::json::value value = parse_json(text, error, {}, {.max_depth = kReadJsonDepth});
  if (error) return "the result cannot be read as JSON: " + error.message();
  constexpr std::size_t kShown = 5;
  const schema::Problems problems = schema.validate(value, kShown + 1);
  if (problems.empty()) return std::nullopt;
  std::string message = "the result does not fit `result_schema`";
  for (std::size_t i = 0; i < std::min(problems.size(), kShown); ++i) {
    message += i == 0 ? ": " : "; ";
    if (!problems[i].pointer.empty()) message += problems[i].pointer + ": ";
    message += problems[i].message;
  }
  if (problems.size() > kShown) message += "; and more";
  return message;
}

}  // namespace baton::engine

#include "base/seeded_bug.hpp"

#ifdef BATON_SEEDED_BUGS

#include <iterator>

namespace baton {
namespace {

// The one mistake that this process makes. Only builds that test the tests have it.
Bug chosen = Bug::none;  // NOLINT: a global, on purpose

constexpr std::string_view kNames[] = {"none",
                                       "acknowledge-before-commit",
                                       "early-reply-before-its-commit",
                                       "no-reload-after-refused-commit",
                                       "tokens-again-after-reload",
                                       "incarnation-again",
                                       "no-token-check",
                                       "no-answer-for-repeated-report",
                                       "forget-retry-timer-on-reload",
                                       "forget-lease-on-reload",
                                       "forget-queue-on-reload",
                                       "forget-cancel-on-reload",
                                       "forget-recovery-on-reload",
                                       "forget-interrupted-on-reload",
                                       "forget-idempotency-on-reload",
                                       "no-idempotency-body-check",
                                       "join-counts-twice",
                                       "finally-dropped-after-cancel",
                                       "finally-alone-not-recovered",
                                       "unheard-claim-not-lost",
                                       "pause-does-not-hold",
                                       "resume-leaves-one-behind",
                                       "one-more-than-max-parallel",
                                       "retry-too-early",
                                       "lost-attempt-counts",
                                       "lease-too-short",
                                       "task-row-not-stored",
                                       "leak-a-semaphore",
                                       "forget-holders-on-reload",
                                       "forget-rate-on-reload",
                                       "cleanup-of-failed-forgotten",
                                       "compensate-in-order",
                                       "resource-not-stored",
                                       "next-attempt-before-giving-back",
                                       "newest-signal-first",
                                       "signal-not-taken",
                                       "forget-wait-timer-on-reload",
                                       "forget-pauses-on-reload",
                                       "target-pause-forgotten",
                                       "breaker-lets-all-through",
                                       "one-more-probe",
                                       "no-letter-for-items",
                                       "letter-stays-after-retry",
                                       "one-more-failed-item",
                                       "retry-budget-ignored",
                                       "one-attempt-too-many",
                                       "sla-missed-twice",
                                       "priority-ignored",
                                       "forget-deadline-on-reload",
                                       "step-deadline-ignored"};
static_assert(std::size(kNames) == static_cast<std::size_t>(Bug::last_));

}  // namespace

bool seeded_bug(Bug bug) {
  return chosen == bug;
}
void switch_on(Bug bug) {
  chosen = bug;
}
std::string_view name(Bug bug) {
  return kNames[static_cast<std::size_t>(bug)];
}

}  // namespace baton

#endif

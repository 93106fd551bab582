// Mistakes on purpose, to test the tests: the simulation (tests/simulation) has to find each of them.
//
// They exist only in builds with -DBATON_SEEDED_BUGS=ON, where one of them at a time can be switched on. In
// every other build seeded_bug() is a constant: no branch is left.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace baton {

enum class Bug : std::uint8_t {
  none,
  acknowledge_before_commit,
  early_reply_before_its_commit,
  no_reload_after_refused_commit,
  tokens_again_after_reload,
  incarnation_again,
  no_token_check,
  no_answer_for_repeated_report,
  forget_retry_timer_on_reload,
  forget_lease_on_reload,
  forget_queue_on_reload,
  forget_cancel_on_reload,
  forget_recovery_on_reload,
  forget_interrupted_on_reload,
  forget_idempotency_on_reload,
  no_idempotency_body_check,
  join_counts_twice,
  finally_dropped_after_cancel,
  finally_alone_not_recovered,
  unheard_claim_not_lost,
  pause_does_not_hold,
  resume_leaves_one_behind,
  one_more_than_max_parallel,
  retry_too_early,
  lost_attempt_counts,
  lease_too_short,
  task_row_not_stored,
  leak_a_semaphore,
  forget_holders_on_reload,
  forget_rate_on_reload,
  cleanup_of_failed_forgotten,
  compensate_in_order,
  resource_not_stored,
  next_attempt_before_giving_back,
  newest_signal_first,
  signal_not_taken,
  forget_wait_timer_on_reload,
  forget_pauses_on_reload,
  target_pause_forgotten,
  breaker_lets_all_through,
  one_more_probe,
  no_letter_for_items,
  letter_stays_after_retry,
  one_more_failed_item,
  retry_budget_ignored,
  one_attempt_too_many,
  sla_missed_twice,
  priority_ignored,
  forget_deadline_on_reload,
  step_deadline_ignored,
  last_  // how many there are
};

#ifdef BATON_SEEDED_BUGS
bool seeded_bug(Bug bug);  // whether it is switched on
void switch_on(Bug bug);   // and every other one off
std::string_view name(Bug bug);
#else
constexpr bool seeded_bug(Bug) {
  return false;
}
#endif

}  // namespace baton

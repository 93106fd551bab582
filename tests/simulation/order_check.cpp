#include "order_check.hpp"

#include <fmt/format.h>

#include "describe.hpp"

namespace baton::simulation {
namespace {

using model::FactKind;

// Whether nothing but the want of a worker can keep it in its queue.
bool is_plain(const RunBook& run, const TaskBook& task) {
  const model::Step& step = run.step(task);
  return task.role == model::TaskRole::main && run.workflow->max_parallel == 0 && !run.workflow->fail_fast &&
         !step.wait && !step.preflight && !step.breaker && step.target.empty() && !step.flow &&
         step.for_each.is_null() && !task.fallback;
}

}  // namespace

void OrderCheck::committed(const RunBook& run, const TaskBook& task, const model::Fact& fact) {
  const TaskKey key{run.id.key(), fact.task};
  if (fact.kind == FactKind::task_queued && is_plain(run, task)) {
    waiting_[key] = {queue_of(run.step(task)), fact.number, false, &run};
    return;
  }
  const auto waited = waiting_.find(key);
  if (waited == waiting_.end()) return;
  if (fact.kind == FactKind::attempt_started)
    starts_.push_back({describe(run.id.key(), fact), waited->second});
  // Whatever else became of it, it does not wait there any more.
  if (model::is_task_fact(fact.kind)) waiting_.erase(waited);
}

// A commit's facts stand in the journal run by run: what is still there when all of them are known, and was
// there before, was there all the time.
void OrderCheck::look() {
  paused_ =
      paused_ || !reader_.list_records({.kind = model::RecordKind::pause}, std::nullopt, 1).value().empty();
  for (const Start& start : starts_) {
    if (paused_ || start.was.run->reranked) break;
    for (const auto& [key, other] : waiting_) {
      const RunBook& run = *other.run;
      if (!other.seen || other.queue != start.was.queue || run.cancelled || run.timed_out || run.reranked ||
          run.recovering || run.ended)
        continue;
      diary_.hit("order: one starts while another one waits");
      if (other.priority > start.was.priority)
        diary_.wrong("order",
                     fmt::format("{} with priority {}, and {} with priority {} waits", start.what,
                                 start.was.priority, describe(TaskId{run.id, key.ordinal}), other.priority));
    }
  }
  starts_.clear();
  for (auto& [key, waiting] : waiting_) waiting.seen = true;
}

}  // namespace baton::simulation

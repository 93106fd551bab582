#include "engine/dead_letters.hpp"

#include "engine/flow.hpp"
#include "model/dead_letter.hpp"

namespace baton::engine {

void bury(const Run& run, const Task& task, Effects& effects) {
  const model::TaskRow& row = task.row;
  const model::Step& step = run.program->step(row.step);
  if (!has_failed(row, step) || (row.expanded && row.item_count > 0)) return;
  model::DeadLetter letter;
  letter.task = {run.row.id, row.key.ordinal};
  letter.generation = row.generation;
  letter.workflow = run.row.workflow;
  letter.version = run.row.version;
  letter.step = step.name;
  letter.index = row.index;
  letter.queue = step.queue;
  letter.job_id = run.row.job_id;
  letter.error_type = row.error_type;
  letter.error_message = row.error_message;
  letter.attempts = row.attempts;
  letter.starts = row.starts;
  letter.lost = row.lost;
  letter.interrupted = row.interrupted;
  letter.worker = row.worker;
  letter.queued_at = row.ready_at;
  letter.started_at = row.started_at;
  letter.failed_at = row.ended_at;
  effects.put(model::to_record(letter));
}

}  // namespace baton::engine

#include "engine/dead_letters.hpp"

#include "base/seeded_bug.hpp"
#include "engine/flow.hpp"
#include "model/dead_letter.hpp"

namespace baton::engine {

bool is_dead(const Run& run, const Task& task) {
  // The items of a mapped step have letters of their own.
  return has_failed(task.row, run.program->step(task.row.step)) &&
         (!task.row.expanded || task.row.item_count == 0);
}

model::RecordKey letter_of(const Run& run, const Task& task) {
  return {model::RecordKind::dead_letter,
          model::dead_letter_id({run.row.id, task.row.key.ordinal}, task.row.generation)};
}

void bury(const Run& run, const Task& task, Effects& effects) {
  if (!is_dead(run, task)) return;
  const model::TaskRow& row = task.row;
  if (row.index >= 0 && seeded_bug(Bug::no_letter_for_items)) return;
  const model::Step& step = run.program->step(row.step);
  model::DeadLetter letter;
  letter.task = {run.row.id, row.key.ordinal};
  letter.generation = row.generation;
  letter.workflow = run.row.workflow;
  letter.version = run.row.version;
  letter.step = run.program->name(row.step);
  letter.index = row.index;
  letter.queue = model::queue_of(step.queue, *row.flow);
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

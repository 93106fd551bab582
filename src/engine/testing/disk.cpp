#include "engine/testing/disk.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/codec.hpp"
#include "model/addition.hpp"

namespace baton::engine::testing {
namespace {

using model::RunStatus;
using model::TaskStatus;

// Runs with more tasks than this are counted only when they end.
constexpr std::uint32_t kRecountLimit = 300;

std::string label(const model::TaskRow& row) {
  return "task " + std::to_string(row.key.run.sequence()) + "." + std::to_string(row.key.ordinal) +
         " (step " + std::to_string(row.step) + ", item " + std::to_string(row.index) + ", " +
         std::string(name(row.status)) + ")";
}

}  // namespace

void Disk::commit(const model::Batch& batch) {
  ASSERT_EQ(batch.incarnation, incarnation_) << "another owner commits";
  ASSERT_EQ(batch.sequence, sequence_ + 1);
  ASSERT_GE(batch.shard_time, shard_time_) << "shard time went back";
  ASSERT_GE(batch.last_run, last_run_);
  sequence_ = batch.sequence;
  shard_time_ = batch.shard_time;
  last_run_ = batch.last_run;
  const auto read_back = model::decode_journal_entry(model::encode(batch.facts));
  ASSERT_TRUE(read_back);
  EXPECT_EQ(*read_back, batch.facts);
  for (const model::DefinitionChange& change : batch.definitions) {
    std::vector<Hash256>& versions = versions_[change.workflow];
    versions.push_back(change.hash);
    EXPECT_EQ(change.version, versions.size());
  }
  for (const model::IdempotencyChange& change : batch.idempotency) uses_[change.key] = change;
  for (const model::RecordChange& change : batch.records) {
    EXPECT_EQ(std::ranges::count(batch.records, change.record.id,
                                 [](const model::RecordChange& c) { return c.record.id; }),
              1);
    if (change.erased) {
      records_.erase(change.record.id);
    } else {
      records_[change.record.id] = change.record;
    }
  }
  for (const model::RunChange& change : batch.runs) store(change);
  for (const model::TaskChange& change : batch.tasks) store(change);
  for (const model::RunFacts& facts : batch.facts) store(facts);
  for (const model::RunRemoval& removal : batch.removals) remove(removal);
  for (const model::TaskChange& change : batch.tasks) compare(change.row);
  for (const model::RunChange& change : batch.runs) {
    compare(change.row);
    recount(change.row);
  }
}

// Nothing that belongs to it may be in the same batch, and it must be over.
void Disk::remove(const model::RunRemoval& removal) {
  const model::RunRow* row = run(removal.run);
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->id, removal.id);
  EXPECT_TRUE(model::is_terminal(row->status));
  EXPECT_EQ(row->journal_head, removal.journal_head);
  EXPECT_LT(row->journal_head, sequence_) << "a run is removed in the batch that changes it";
  EXPECT_EQ(row->next_ordinal, removal.next_ordinal);
  EXPECT_EQ(row->additions, removal.additions);
  const std::string id = removal.id.text();
  for (const auto& [key, record] : records_) {
    const bool belongs = key.kind == model::RecordKind::resource ||
                         key.kind == model::RecordKind::dead_letter ||
                         key.kind == model::RecordKind::signal || key.kind == model::RecordKind::approval;
    EXPECT_FALSE(belongs && key.key.find(id) != std::string::npos)
        << "a record outlives its run: " << key.key;
  }
  runs_.erase(removal.run);
  std::erase_if(tasks_, [&](const auto& entry) { return entry.first.run == removal.run; });
  std::erase_if(payloads_, [&](const auto& entry) { return entry.first.run == removal.run; });
  std::erase_if(uses_, [&](const auto& entry) { return entry.second.run == removal.run; });
  std::erase_if(records_, [&](const auto& entry) {
    return entry.first.kind == model::RecordKind::addition && entry.first.key.starts_with(id);
  });
  facts_.erase(removal.run);
  heads_.erase(removal.run);
  histories_.erase(removal.run);
}

std::optional<model::RunHead> Disk::head(RunKey key) const {
  const model::RunRow* row = run(key);
  if (row == nullptr) return std::nullopt;
  model::RunHead head{*row, false, {}};
  const std::string id = row->id.text();
  const auto letter = records_.lower_bound({model::RecordKind::dead_letter, id});
  head.dead_letter = letter != records_.end() && letter->first.kind == model::RecordKind::dead_letter &&
                     letter->first.key.starts_with(id);
  for (const auto& [name, use] : uses_) {
    if (use.run == key) head.key_until = std::max(head.key_until, use.expires_at);
  }
  return head;
}

void Disk::replace(const model::PayloadKey& key, const model::Text& text) {
  if (!text) return;
  if (text->empty()) {
    payloads_.erase(key);
  } else {
    payloads_[key] = text;
  }
}

void Disk::store(const model::RunChange& change) {
  model::RunRow row = change.row;
  ASSERT_TRUE(decode_state(encode_state(change.row), row));
  ASSERT_EQ(row, change.row) << "a run's state does not survive encoding";
  const auto before = runs_.find(row.key);
  ASSERT_EQ(before == runs_.end(), change.created);
  if (!change.created) {
    // What gives a leaked resource back later is a new task of it.
    ASSERT_TRUE(!is_terminal(before->second.status) || row.status == before->second.status ||
                row.recovery_attempts > before->second.recovery_attempts)
        << "a terminal run changed";
  }
  EXPECT_EQ(row.journal_head, sequence_);
  runs_[row.key] = row;
  replace(input_of(row.key), change.input);
  if (change.context) payloads_[context_of(row.key)] = change.context;
}

void Disk::store(const model::TaskChange& change) {
  model::TaskRow row;
  row.key = change.row.key;
  row.step = change.row.step;
  row.index = change.row.index;
  row.status = change.row.status;
  ASSERT_TRUE(decode_state(encode_state(change.row), row));
  ASSERT_EQ(row, change.row) << "a task's state does not survive encoding";
  const auto before = tasks_.find(row.key);
  ASSERT_EQ(before == tasks_.end(), change.created) << label(row);
  if (!change.created) {
    ASSERT_TRUE(!is_terminal(before->second.status) || row.generation > before->second.generation)
        << "a terminal task changed: " << label(row);
    ASSERT_GE(row.generation, before->second.generation) << label(row);
    for (const model::AttemptRecord& old : before->second.history) {
      if (old.end == model::AttemptEnd::running) continue;
      const auto kept = std::ranges::find(row.history, old.number, &model::AttemptRecord::number);
      ASSERT_TRUE(kept == row.history.end() || *kept == old)
          << "attempt " << old.number << " had ended: " << label(row);
    }
  }
  ASSERT_TRUE(runs_.contains(row.key.run));
  replace(input_of(row.key), change.input);
  replace(result_of(row.key), change.result);
  EXPECT_EQ(row.has_input, payloads_.contains(input_of(row.key))) << label(row);
  EXPECT_EQ(row.has_result, payloads_.contains(result_of(row.key))) << label(row);
  tasks_[row.key] = std::move(row);
}

void Disk::store(const model::RunFacts& entry) {
  ASSERT_EQ(entry.previous, heads_[entry.run]) << "the chain of a run's journal is broken";
  heads_[entry.run] = sequence_;
  model::RunHistory& history = histories_[entry.run];
  for (const model::Fact& fact : entry.facts) {
    const RunStatus run_before = history.status;
    const TaskStatus task_before =
        model::is_task_fact(fact.kind) ? history.tasks[fact.task].status : TaskStatus::pending;
    apply(history, fact);
    if (history.status != run_before) {
      ASSERT_TRUE(model::is_legal(run_before, history.status))
          << name(run_before) << " to " << name(history.status);
      run_steps_.emplace(run_before, history.status);
    }
    if (!model::is_task_fact(fact.kind)) continue;
    const TaskStatus task_after = history.tasks[fact.task].status;
    if (fact.kind == model::FactKind::task_reset) {
      ASSERT_EQ(task_after, TaskStatus::pending);
      continue;  // the next generation; the table holds within one
    }
    if (task_after != task_before) {
      ASSERT_TRUE(model::is_legal(task_before, task_after))
          << "task " << fact.task << ": " << name(task_before) << " to " << name(task_after);
      task_steps_.emplace(task_before, task_after);
    }
  }
  auto& all = facts_[entry.run];
  all.insert(all.end(), entry.facts.begin(), entry.facts.end());
}

void Disk::compare(const model::RunRow& row) {
  const model::RunHistory& history = histories_[row.key];
  EXPECT_EQ(history.status, row.status);
  EXPECT_EQ(history.workflow, row.workflow);
  EXPECT_EQ(history.version, row.version);
  EXPECT_EQ(history.cancel_requested, row.cancel_requested);
  EXPECT_EQ(history.terminate, row.terminate);
  EXPECT_EQ(history.no_cleanup, row.no_cleanup);
  EXPECT_EQ(history.created_at, row.created_at);
  EXPECT_EQ(history.started_at, row.started_at);
  EXPECT_EQ(history.ended_at, row.ended_at);
  EXPECT_EQ(history.stage, row.stage);
  if (history.stage != model::RunStage::main) EXPECT_EQ(history.outcome, row.outcome);
  if (row.status == RunStatus::completed) EXPECT_EQ(row.progress, 100u);
  EXPECT_LE(row.progress, 100u);
}

void Disk::compare(const model::TaskRow& row) {
  const model::TaskHistory& history = histories_[row.key.run].tasks[row.key.ordinal];
  EXPECT_EQ(history.status, row.status) << label(row);
  EXPECT_EQ(history.generation, row.generation) << label(row);
  EXPECT_EQ(history.starts, row.starts) << label(row);
  EXPECT_EQ(history.attempts, row.attempts) << label(row);
  EXPECT_EQ(history.attempt_running, model::has_attempt(row)) << label(row);
  EXPECT_EQ(history.skip_reason, name(row.skip_reason)) << label(row);
  EXPECT_EQ(history.role, row.role) << label(row);
  EXPECT_EQ(history.parent, row.parent) << label(row);
  EXPECT_EQ(history.expanded, row.expanded) << label(row);
  EXPECT_EQ(history.first_item, row.first_item) << label(row);
  EXPECT_EQ(history.item_count, row.item_count) << label(row);
  EXPECT_EQ(history.started_at, row.started_at) << label(row);
  EXPECT_EQ(history.ended_at, row.ended_at) << label(row);
  EXPECT_EQ(history.queued_at, row.ready_at) << label(row);
  EXPECT_EQ(history.progress, row.progress->percent) << label(row);
  EXPECT_EQ(history.progress_message, row.progress->message) << label(row);
  if (row.status == TaskStatus::failed) {
    EXPECT_EQ(history.error_type, row.error_type) << label(row);
    EXPECT_EQ(history.error_message, row.error_message) << label(row);
  }
  if (is_terminal(row.status)) EXPECT_NE(row.ended_at.us, 0) << label(row);
}

void Disk::recount(const model::RunRow& row) {
  if (row.counts.total > kRecountLimit && !is_terminal(row.status)) return;
  model::TaskCounts counts{.total = row.next_ordinal};
  std::vector<model::ItemRange> old_items;
  // What was added by a generation that is over.
  for (const auto& [key, record] : records_) {
    if (key.kind != model::RecordKind::addition || !key.key.starts_with(model::additions_of(row.id)))
      continue;
    const auto addition = model::addition_of(record);
    ASSERT_TRUE(addition);
    const auto parent = tasks_.find({row.key, addition->parent});
    ASSERT_NE(parent, tasks_.end());
    if (parent->second.generation <= addition->generation) continue;
    counts.total -= addition->count;
    old_items.push_back({addition->first, addition->count});
  }
  for (auto at = tasks_.lower_bound({row.key, 0}); at != tasks_.end() && at->first.run == row.key; ++at) {
    const model::TaskRow& task = at->second;
    if (task.role != model::TaskRole::main) {
      --counts.total;
      continue;
    }
    for (const model::ItemRange& range : *task.old_items) {
      counts.total -= range.count;
      old_items.push_back(range);
    }
    if (task.expanded && task.item_count > 0) {
      --counts.total;  // counted by its items
      continue;
    }
    const Ordinal ordinal = task.key.ordinal;
    if (std::ranges::any_of(old_items, [&](const model::ItemRange& range) {
          return ordinal >= range.first && ordinal - range.first < range.count;
        })) {
      continue;
    }
    counts.completed += task.status == TaskStatus::completed;
    counts.failed += task.status == TaskStatus::failed;
    counts.skipped += task.status == TaskStatus::skipped;
    counts.cancelled += task.status == TaskStatus::cancelled;
    counts.running += task.status == TaskStatus::running;
  }
  EXPECT_EQ(counts, row.counts) << "run " << row.key.sequence() << ": " << counts.total << " tasks, "
                                << counts.completed << " completed, " << counts.failed << " failed, "
                                << counts.skipped << " skipped, " << counts.cancelled << " cancelled, "
                                << counts.running << " running; its row says " << row.counts.total << ", "
                                << row.counts.completed << ", " << row.counts.failed << ", "
                                << row.counts.skipped << ", " << row.counts.cancelled << ", "
                                << row.counts.running;
  if (is_terminal(row.status)) EXPECT_EQ(counts.ended(), counts.total) << "a run ended before its tasks";
}

model::Text Disk::payload(const model::PayloadKey& key) const {
  if (key.slot != model::PayloadSlot::item_results) {
    const auto found = payloads_.find(key);
    return found == payloads_.end() ? nullptr : found->second;
  }
  std::string list = "[";
  for (std::uint32_t i = 0; i < key.count; ++i) {
    if (i > 0) list += ',';
    const auto found = payloads_.find(result_of(TaskKey{key.run, key.ordinal + i}));
    const model::TaskRow* item = task(TaskKey{key.run, key.ordinal + i});
    const bool completed = item != nullptr && item->status == TaskStatus::completed;
    list += completed && found != payloads_.end() ? *found->second : "null";
  }
  return std::make_shared<const std::string>(list + "]");
}

const model::RunRow* Disk::run(RunKey key) const {
  const auto found = runs_.find(key);
  return found == runs_.end() ? nullptr : &found->second;
}

const model::TaskRow* Disk::task(TaskKey key) const {
  const auto found = tasks_.find(key);
  return found == tasks_.end() ? nullptr : &found->second;
}

std::vector<model::TaskRow> Disk::tasks(RunKey run) const {
  std::vector<model::TaskRow> rows;
  for (auto at = tasks_.lower_bound({run, 0}); at != tasks_.end() && at->first.run == run; ++at) {
    rows.push_back(at->second);
  }
  return rows;
}

const model::IdempotencyChange* Disk::use_of(const std::string& key) const {
  const auto found = uses_.find(key);
  return found == uses_.end() ? nullptr : &found->second;
}

std::string bytes_of(const model::Batch& batch) {
  Encoder out;
  const auto text = [&](std::uint32_t field, const model::Text& value) {
    if (value) out.bytes(field, *value);
  };
  out.number(1, batch.incarnation);
  out.signed_number(2, batch.sequence);
  out.signed_number(3, batch.shard_time.us);
  out.signed_number(4, batch.last_run);
  for (const model::RunChange& change : batch.runs) {
    out.signed_number(5, change.row.key.value);
    out.bytes(6, change.row.id.text());
    out.number(7, static_cast<std::uint64_t>(change.row.status));
    out.bytes(8, encode_state(change.row));
    out.number(9, change.created ? 1 : 0);
    text(10, change.input);
    text(11, change.context);
  }
  for (const model::TaskChange& change : batch.tasks) {
    out.signed_number(12, change.row.key.run.value);
    out.number(13, change.row.key.ordinal);
    out.number(14, static_cast<std::uint64_t>(change.row.status));
    out.bytes(15, encode_state(change.row));
    out.number(16, change.created ? 1 : 0);
    text(17, change.input);
    text(18, change.result);
  }
  for (const model::DefinitionChange& change : batch.definitions) out.bytes(19, change.hash.hex());
  for (const model::IdempotencyChange& change : batch.idempotency) {
    out.bytes(20, change.key);
    out.signed_number(21, change.expires_at.us);
  }
  out.bytes(22, model::encode(batch.facts));
  for (const model::RecordChange& change : batch.records) {
    out.number(23, static_cast<std::uint64_t>(change.record.id.kind));
    out.bytes(24, change.record.id.key);
    out.number(25, change.erased ? 1 : 0);
    if (change.erased) continue;
    out.bytes(26, change.record.group);
    out.signed_number(27, change.record.at.us);
    out.bytes(28, change.record.state);
  }
  for (const model::RunRemoval& removal : batch.removals) {
    out.signed_number(29, removal.run.value);
    out.signed_number(30, removal.journal_head);
  }
  return out.take();
}

}  // namespace baton::engine::testing

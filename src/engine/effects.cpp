#include "engine/effects.hpp"

#include <algorithm>

#include "base/seeded_bug.hpp"

namespace baton::engine {

void Effects::begin(std::string_view cause, std::string_view actor) {
  cause_ = cause;
  actor_ = actor;
  refused_ = false;
}

void Effects::touch(Run& run) {
  if (run.touched_in == state_.sequence) return;
  run.touched_in = state_.sequence;
  run.effects_slot = runs_.size();
  runs_.push_back({&run, !run.stored, {run.row.key, run.row.journal_head, cause_, actor_, {}}});
  run.stored = true;
}

void Effects::touch(Run& run, Ordinal ordinal) {
  touch(run);
  Task& task = run.tasks[ordinal];
  if (task.touched_in == state_.sequence) return;
  task.touched_in = state_.sequence;
  tasks_.push_back({&run, ordinal, !task.stored});
  task.stored = true;
}

void Effects::record(Run& run, model::Fact fact) {
  touch(run);
  if (model::is_task_fact(fact.kind) && fact.task < run.tasks.size())
    fact.role = static_cast<std::uint8_t>(run.tasks[fact.task].row.role);
  runs_[run.effects_slot].facts.facts.push_back(std::move(fact));
}

void Effects::put(const model::PayloadKey& key, std::string text) {
  auto shared = std::make_shared<const std::string>(std::move(text));
  state_.values.put(key, shared, state_.sequence);
  payloads_[key] = std::move(shared);
}

void Effects::erase(const model::PayloadKey& key) {
  state_.values.put(key, nullptr, state_.sequence);
  payloads_[key] = std::make_shared<const std::string>();
}

void Effects::put(model::Record record) {
  const model::RecordKey key = record.id;
  state_.know(key, {record, state_.sequence});
  records_[key] = {std::move(record), false};
}

void Effects::erase(const model::RecordKey& key) {
  // Known as gone until that is durable: the store would still give it.
  state_.know(key, {std::nullopt, state_.sequence});
  model::Record gone;
  gone.id = key;
  records_[key] = {std::move(gone), true};
}

void Effects::reply(model::ReplyTo to, model::ReplyBody body) {
  refused_ |= std::holds_alternative<Error>(body);
  if (to != 0) replies_.push_back({to, std::move(body), state_.sequence});
}

void Effects::early_reply(model::ReplyTo to, model::ReplyBody body) {
  if (to != 0) replies_.push_back({to, std::move(body), state_.sequence - 1});
}

const model::ReplyBody* Effects::replied(model::ReplyTo to) const {
  if (refused_ || replies_.empty() || replies_.back().to != to) return nullptr;
  return &replies_.back().body;
}

Sealed Effects::seal(const Moment& moment) {
  Sealed sealed;
  sealed.replies = std::move(replies_);
  sealed.actions = std::move(actions_);
  const auto payload = [&](const model::PayloadKey& key) -> model::Text {
    const auto found = payloads_.find(key);
    return found == payloads_.end() ? nullptr : std::move(found->second);
  };
  model::Batch& batch = sealed.batch;
  batch.shard = state_.shard;
  batch.incarnation = state_.incarnation;
  batch.sequence = state_.sequence;
  batch.shard_time = moment.now;
  batch.wall_time = moment.wall;
  batch.last_run = state_.last_run;
  batch.runs.reserve(runs_.size());
  batch.facts.reserve(runs_.size());
  for (Touched& touched : runs_) {
    Run& run = *touched.run;
    run.row.journal_head = state_.sequence;
    const bool open = !model::is_terminal(run.row.status);
    batch.runs.push_back({run.row, touched.created, payload(input_of(run.row.key)),
                          payload(context_of(run.row.key)), open - run.counted_open});
    run.counted_open = open;
    batch.facts.push_back(std::move(touched.facts));
  }
  batch.tasks.reserve(tasks_.size());
  for (const TouchedTask& touched : tasks_) {
    const model::TaskRow& row = touched.run->tasks[touched.ordinal].row;
    batch.tasks.push_back({row, touched.created, payload(input_of(row.key)), payload(result_of(row.key))});
  }
  if (seeded_bug(Bug::task_row_not_stored) && batch.tasks.size() > 3 && !batch.tasks.back().created)
    batch.tasks.pop_back();
  batch.definitions = std::move(definitions_);
  batch.idempotency = std::move(idempotency_);
  batch.records.reserve(records_.size());
  for (auto& [key, change] : records_) batch.records.push_back(std::move(change));
  batch.removals = std::move(removals_);
  removals_.clear();
  records_.clear();
  runs_.clear();
  tasks_.clear();
  payloads_.clear();
  definitions_.clear();
  idempotency_.clear();
  replies_.clear();
  actions_.clear();
  if (batch.empty()) {
    // This sequence is not used: the answers only wait for what they were decided after.
    for (model::Reply& reply : sealed.replies) reply.after = std::min(reply.after, state_.sequence - 1);
  } else {
    ++state_.sequence;
  }
  return sealed;
}

}  // namespace baton::engine

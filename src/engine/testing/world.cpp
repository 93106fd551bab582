#include "engine/testing/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/load.hpp"
#include "engine/queues.hpp"
#include "engine/residency.hpp"
#include "engine/testing/state_checks.hpp"
#include "engine/timers.hpp"

namespace baton::engine::testing {
namespace {

// A settle() that takes longer than this turns in circles.
constexpr int kMaxTurns = 10'000;

}  // namespace

World::World(WorldOptions options)
    : options_(options),
      random_(Seed{options.seed, 0x5EED}),
      zones_(std::make_shared<const calendar::ZoneTable>(calendar::ZoneTable::utc_only())) {
  open();
}

Moment World::moment() {
  return {now_, wall(), {random_.next(), random_.next()}};
}

// ---- Start

void World::open() {
  state_ = std::make_unique<State>();
  effects_ = std::make_unique<Effects>(*state_);
  state_->incarnation = disk_.open();
  state_->sequence = disk_.sequence() + 1;
  state_->last_run = disk_.last_run();
  state_->settings = options_.settings;
  state_->zones = zones_;
  state_->values = ValueCache(options_.cache_bytes);
  state_->versions = disk_.versions();
  for (const auto& [key, record] : disk_.records()) {
    if (model::is_resident(key.kind)) state_->records.emplace(key, KnownRecord{record, 0});
  }
  load_queues(*state_);
  for (const auto& [key, row] : disk_.runs()) {
    if (model::is_terminal(row.status)) continue;
    const Status admitted = admit(*state_, row, disk_.tasks(key), program(row.definition), additions(row.id));
    ASSERT_TRUE(admitted) << admitted.error().message;
    make_cold_at_start(*state_, key);
  }
  engine::decide(*state_, {.body = model::StartShard{}, .actor = "engine"}, moment(), *effects_);
}

void World::restart() {
  in_flight_.clear();
  held_.clear();
  mailbox_.clear();
  commits_since_restart_ = 0;
  for (const auto& [to, command] : unanswered_) mailbox_.push_back(command);
  open();
}

std::vector<AddedPart> World::additions(const RunId& run) {
  std::vector<AddedPart> parts;
  for (const auto& [key, record] : disk_.records()) {
    if (key.kind != model::RecordKind::addition || !key.key.starts_with(model::additions_of(run))) continue;
    auto addition = model::addition_of(record);
    EXPECT_TRUE(addition);
    const Hash256 hash = addition->hash;
    parts.push_back({std::move(*addition), program(hash)});
  }
  return parts;
}

std::shared_ptr<const Program> World::program(const Hash256& definition) {
  return program_for(*state_, workflows_.at(definition));
}

// ---- The loop

model::ReplyTo World::send(model::CommandBody body, model::Sender sender) {
  if (const auto* submit = std::get_if<model::SubmitRun>(&body)) {
    if (submit->workflow) workflows_[submit->workflow->hash] = submit->workflow;
  } else if (const auto* apply = std::get_if<model::ApplyWorkflow>(&body)) {
    workflows_[apply->workflow->hash] = apply->workflow;
  }
  if (const auto* add = std::get_if<model::AddTasks>(&body)) {
    workflows_[add->steps->hash] = add->steps;
  }
  const model::ReplyTo to = ++last_reply_;
  mailbox_.push_back(
      {std::move(body), to, std::move(sender.name), std::move(sender.from), std::move(sender.request)});
  unanswered_[to] = mailbox_.back();
  return to;
}

bool World::turn() {
  const std::size_t work_before = state_->work.size();
  bool busy = false;
  if (const auto due = engine::next_due(*state_); due && *due <= now_) {
    decide({.body = model::Tick{}, .actor = "engine"});
    busy = true;
  }
  for (std::size_t i = 0; i < options_.commands_per_turn && !mailbox_.empty(); ++i) {
    const model::Command command = std::move(mailbox_.front());
    mailbox_.pop_front();
    decide(command);
    busy = true;
  }
  busy |= work_on();
  const bool sealed = seal();
  busy |= sealed;
  while (in_flight_.size() > options_.commits_in_flight || (!sealed && !in_flight_.empty())) {
    commit_front();
    busy = true;
  }
  release();
  if (options_.restart_every > 0 && commits_since_restart_ >= options_.restart_every) restart();
  return busy || state_->work.size() != work_before;
}

void World::settle() {
  for (int turns = 0; turn(); ++turns) {
    if (turns > kMaxTurns) {
      ADD_FAILURE() << "the loop does not come to rest";
      return;
    }
  }
  EXPECT_FALSE(has_work(*state_)) << "work is left and nothing comes of it";
}

void World::decide(const model::Command& command) {
  const Needs needs = needs_of(*state_, command);
  EXPECT_LE(needs.after, disk_.sequence());
  if (!needs.empty()) load(needs);
  engine::decide(*state_, command, moment(), *effects_);
}

bool World::work_on() {
  const model::Command go_on{.body = model::Continue{}, .actor = "engine"};
  bool worked = false;
  while (has_work(*state_) && effects_->rows() < options_.rows_per_batch) {
    const Needs needs = needs_of(*state_, go_on);
    if (!needs.empty()) {
      if (needs.after > disk_.sequence()) break;  // the values are on their way to the disk
      load(needs);
    }
    engine::decide(*state_, go_on, moment(), *effects_);
    worked = true;
  }
  return worked;
}

void World::load(const Needs& needs) {
  EXPECT_LE(needs.payloads.size(), 1100u) << "the engine asks for too much at once";
  for (const model::PayloadKey& key : needs.payloads) {
    EXPECT_FALSE(state_->values.has(key));
    model::Text text = disk_.payload(key);
    EXPECT_TRUE(text) << "a payload is needed that is not durable: slot " << static_cast<int>(key.slot)
                      << " of task " << key.ordinal;
    state_->values.put(key, std::move(text), 0);
  }
  for (const Hash256& hash : needs.definitions) program(hash);
  for (const RunKey key : needs.runs) {
    const model::RunRow* row = disk_.run(key);
    if (row == nullptr || state_->removed.contains(key)) continue;
    const Status admitted =
        admit(*state_, *row, disk_.tasks(key), program(row->definition), additions(row->id));
    EXPECT_TRUE(admitted);
  }
  for (const RunKey key : needs.heads) {
    if (auto head = disk_.head(key)) state_->heads.insert_or_assign(key, std::move(*head));
  }
  for (const model::RecordKey& key : needs.records) {
    EXPECT_FALSE(model::is_resident(key.kind));
    const auto found = disk_.records().find(key);
    if (state_->records.contains(key)) continue;
    state_->know(key, {found == disk_.records().end() ? std::nullopt : std::optional(found->second), 0});
  }
  for (const std::string& key : needs.idempotency_keys) {
    IdempotencyRecord record;
    if (const auto* use = disk_.use_of(key)) {
      record.use = *use;
      record.id = disk_.run(use->run)->id;
    }
    state_->idempotency.emplace(key, std::move(record));
  }
}

bool World::seal() {
  Sealed sealed = effects_->seal(moment());
  if (sealed.batch.empty()) {
    for (model::Reply& reply : sealed.replies) {
      EXPECT_LT(reply.after, state_->sequence);
      held_.push_back(std::move(reply));
    }
    EXPECT_TRUE(sealed.actions.empty()) << "actions come with changes";
    return false;
  }
  ++batches_;
  largest_batch_ = std::max(largest_batch_, sealed.batch.rows());
  digest_ = Hash256::of(digest_.hex() + bytes_of(sealed.batch));
  for (model::Reply& reply : sealed.replies) held_.push_back(std::move(reply));
  sealed.replies.clear();
  in_flight_.push_back(std::move(sealed));
  if (options_.check_memory) {
    check_state(
        *state_, [this](RunKey key) { return latest(key); }, [this](TaskKey key) { return latest(key); });
  }
  return true;
}

void World::commit_front() {
  Sealed sealed = std::move(in_flight_.front());
  in_flight_.pop_front();
  disk_.commit(sealed.batch);
  state_->values.committed(disk_.sequence());
  evict(*state_, disk_.sequence());
  std::ranges::move(sealed.actions, std::back_inserter(actions_));
  ++commits_since_restart_;
}

void World::release() {
  std::vector<model::Reply> ready;
  std::erase_if(held_, [&](model::Reply& reply) {
    if (reply.after > disk_.sequence()) return false;
    ready.push_back(std::move(reply));
    return true;
  });
  for (model::Reply& reply : ready) deliver(std::move(reply));
}

void World::deliver(model::Reply reply) {
  EXPECT_EQ(unanswered_.erase(reply.to), 1u) << "a command was answered twice";
  if (const auto* claimed = std::get_if<model::Claimed>(&reply.body)) {
    for (const model::Assignment& assignment : claimed->tasks) {
      if (last_token_) EXPECT_GT(assignment.token, *last_token_) << "tokens must grow";
      last_token_ = assignment.token;
    }
  }
  replies_.emplace(reply.to, std::move(reply.body));
}

const model::RunRow* World::latest(RunKey key) const {
  for (auto sealed = in_flight_.rbegin(); sealed != in_flight_.rend(); ++sealed) {
    for (const model::RunChange& change : sealed->batch.runs) {
      if (change.row.key == key) return &change.row;
    }
  }
  return disk_.run(key);
}

const model::TaskRow* World::latest(TaskKey key) const {
  for (auto sealed = in_flight_.rbegin(); sealed != in_flight_.rend(); ++sealed) {
    for (const model::TaskChange& change : sealed->batch.tasks) {
      if (change.row.key == key) return &change.row;
    }
  }
  return disk_.task(key);
}

// ---- Time

std::optional<ShardTime> World::next_due() const {
  return engine::next_due(*state_);
}

void World::advance(Duration by) {
  const ShardTime target = now_ + by;
  settle();
  for (auto due = next_due(); due && *due <= target; due = next_due()) {
    now_ = std::max(now_, *due);
    settle();
  }
  now_ = target;
}

// ---- In short

std::optional<model::ReplyBody> World::take(model::ReplyTo to) {
  const auto found = replies_.find(to);
  if (found == replies_.end()) return std::nullopt;
  model::ReplyBody body = std::move(found->second);
  replies_.erase(found);
  return body;
}

model::ReplyBody World::ask(model::CommandBody body, model::Sender sender) {
  const model::ReplyTo to = send(std::move(body), std::move(sender));
  settle();
  auto reply = take(to);
  EXPECT_TRUE(reply) << "no reply";
  return reply ? std::move(*reply) : model::ReplyBody(Error{ErrorCode::internal, "no reply", ""});
}

RunId World::submit(std::shared_ptr<const model::Workflow> workflow, std::string input, std::string context) {
  const auto reply = ask(model::SubmitRun{
      .workflow = std::move(workflow), .input = std::move(input), .context = std::move(context)});
  const auto* submitted = std::get_if<model::Submitted>(&reply);
  EXPECT_NE(submitted, nullptr);
  return submitted != nullptr ? submitted->run : RunId{};
}

std::vector<model::Assignment> World::claim(std::uint32_t max, std::string worker,
                                            std::vector<std::string> queues, bool in_process) {
  const auto reply = ask(model::ClaimTasks{.worker = std::move(worker),
                                           .in_process = in_process,
                                           .queues = std::move(queues),
                                           .max = max,
                                           .abilities = {.steps = true, .functions = {"*"}}});
  const auto* claimed = std::get_if<model::Claimed>(&reply);
  EXPECT_NE(claimed, nullptr);
  return claimed != nullptr ? claimed->tasks : std::vector<model::Assignment>();
}

model::Assignment World::claim_one(std::string worker, std::vector<std::string> queues) {
  auto tasks = claim(1, std::move(worker), std::move(queues));
  EXPECT_EQ(tasks.size(), 1u) << "nothing to claim";
  return tasks.empty() ? model::Assignment{} : tasks[0];
}

model::ReplyBody World::report(const model::Assignment& assignment, model::Outcome outcome) {
  return ask(model::ReportAttempt{assignment.token, assignment.task, std::move(outcome)});
}

model::TaskStatus World::complete(const model::Assignment& assignment, std::string result) {
  const auto reply = report(assignment, completed(std::move(result)));
  const auto* accepted = std::get_if<model::ReportAccepted>(&reply);
  EXPECT_NE(accepted, nullptr) << "refused: " << assignment.step;
  return accepted != nullptr ? accepted->status : model::TaskStatus::pending;
}

model::TaskStatus World::fail(const model::Assignment& assignment, model::Failure failure) {
  const auto reply =
      report(assignment, {.kind = model::Outcome::Kind::failed, .failure = std::move(failure)});
  const auto* accepted = std::get_if<model::ReportAccepted>(&reply);
  EXPECT_NE(accepted, nullptr) << "refused: " << assignment.step;
  return accepted != nullptr ? accepted->status : model::TaskStatus::pending;
}

model::ReplyBody World::cancel(const RunId& run, bool terminate) {
  return ask(model::CancelRun{run, terminate, "because"});
}

void World::work_off(std::string result, std::vector<std::string> queues) {
  for (auto tasks = claim(100, "w", queues); !tasks.empty(); tasks = claim(100, "w", queues)) {
    for (const auto& task : tasks) send(model::ReportAttempt{task.token, task.task, completed(result)});
    settle();
  }
}

// ---- What is durable

const model::RunRow& World::run(const RunId& id) const {
  const model::RunRow* row = disk_.run(id.key());
  static const model::RunRow kNone;
  EXPECT_NE(row, nullptr);
  return row != nullptr ? *row : kNone;
}

Ordinal World::ordinal(const RunId& id, std::string_view step, std::int32_t index) const {
  const auto found = find_step(*workflows_.at(run(id).definition), step);
  EXPECT_TRUE(found) << step;
  if (!found) return 0;
  if (index < 0) return *found;
  const model::TaskRow* group = disk_.task({id.key(), *found});
  EXPECT_TRUE(group != nullptr && group->expanded) << step;
  return group != nullptr ? group->first_item + static_cast<Ordinal>(index) : 0;
}

model::TaskRow World::task(const RunId& id, std::string_view step, std::int32_t index) const {
  const model::TaskRow* row = disk_.task({id.key(), ordinal(id, step, index)});
  return row != nullptr ? *row : model::TaskRow{};
}

std::string World::result(const RunId& id, std::string_view step) const {
  const model::TaskRow row = task(id, step);
  const model::Text text =
      row.expanded
          ? disk_.payload({id.key(), model::PayloadSlot::item_results, row.first_item, row.item_count})
          : disk_.payload(result_of(row.key));
  return text ? *text : "";
}

std::vector<std::string> World::story(const RunId& id) const {
  const model::Workflow& workflow = *workflows_.at(run(id).definition);
  std::vector<std::string> lines;
  std::map<Ordinal, std::string> roles;
  for (const model::Fact& fact : disk_.facts(id.key())) {
    std::string line(name(fact.kind));
    if (fact.kind == model::FactKind::task_added) roles[fact.task] = ":" + fact.text;
    if (model::is_task_fact(fact.kind)) {
      line += " " + workflow.steps[fact.step].name + roles[fact.task];
      if (fact.index >= 0) line += "[" + std::to_string(fact.index) + "]";
    }
    switch (fact.kind) {
      case model::FactKind::run_finalizing:
        line += " " + std::string(name(static_cast<model::RunStatus>(fact.status))) + " " + fact.text;
        break;
      case model::FactKind::run_ended:
        line += " " + std::string(name(static_cast<model::RunStatus>(fact.status)));
        break;
      case model::FactKind::resource_opened:
      case model::FactKind::resource_released:
      case model::FactKind::resource_cleaned:
      case model::FactKind::resource_leaked:
        line += " " + fact.text;
        break;
      case model::FactKind::task_ended:
        line += " " + std::string(name(static_cast<model::TaskStatus>(fact.status)));
        break;
      case model::FactKind::attempt_started:
        line += " " + std::to_string(fact.attempt);
        break;
      case model::FactKind::attempt_stopping:
        line += " " + fact.text + " " + fact.other;
        break;
      case model::FactKind::attempt_ended:
      case model::FactKind::task_skipped:
        line += " " + fact.text;
        break;
      case model::FactKind::task_retrying:
        line += " " + std::to_string(fact.number / 1000) + "ms";
        break;
      default:
        break;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

// ---- Outcomes

model::Outcome completed(std::string result) {
  return {.kind = model::Outcome::Kind::completed, .result = std::move(result)};
}
model::Outcome failed(std::string type, std::string message) {
  return {.kind = model::Outcome::Kind::failed,
          .failure = {.type = std::move(type), .message = std::move(message)}};
}
model::Outcome interrupted() {
  return {.kind = model::Outcome::Kind::interrupted};
}

Error error_of(const model::ReplyBody& reply) {
  const auto* error = std::get_if<Error>(&reply);
  EXPECT_NE(error, nullptr) << "an error was expected";
  return error != nullptr ? *error : Error{};
}

}  // namespace baton::engine::testing

#include "runtime/shard_loop.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "base/seeded_bug.hpp"
#include "engine/load.hpp"
#include "engine/queues.hpp"
#include "engine/residency.hpp"
#include "engine/resources.hpp"
#include "engine/timers.hpp"

namespace baton::runtime {
namespace {

constexpr std::size_t kLoadedAtOnce = 1000;  // runs; a hundred kilobytes or so

}  // namespace

ShardLoop::ShardLoop(store::Writer& store, Surroundings surroundings, LoopOptions options)
    : store_(store), world_(std::move(surroundings)), options_(options) {}

ShardLoop::~ShardLoop() {
  close();
}

// ---- Time
// --------------------------------------------------------------------------------------------------------

ShardTime ShardLoop::shard_now() const {
  return {(world_.monotonic() + shard_origin_).us};
}

engine::Moment ShardLoop::moment() {
  return {shard_now(), world_.wall(), world_.seed()};
}

std::optional<Duration> ShardLoop::next_due() const {
  if (stopped_) return std::nullopt;
  if (read_only_) return next_probe_;
  // Nothing can be decided: the commit's end wakes the loop. A timer that is due already would wake it for
  // nothing, again and again.
  if (in_flight_.size() >= options_.commits_in_flight) return std::nullopt;
  const auto due = engine::next_due(state_);
  if (!due) return std::nullopt;
  return Duration{due->us} - shard_origin_;
}

// ---- Start and reload
// --------------------------------------------------------------------------------------------

Status ShardLoop::start(ShardId shard) {
  shard_ = shard;
  TRY(const store::ShardMeta meta, store_.open_shard(shard));
  // Time passes while there is no owner: what came due meanwhile is due now. Only the wall can tell how much;
  // a clock that was set back tells nothing.
  const bool known = meta.wall_time.us != 0;
  const Duration away = known ? std::max(world_.wall() - meta.wall_time, Duration{}) : Duration{};
  shard_origin_ = Duration{meta.shard_time.us} + away - world_.monotonic();
  durable_ = meta.sequence;
  durable_last_run_ = meta.last_run;
  state_.incarnation = meta.incarnation;
  TRY_VOID(load_state());
  const engine::Moment at = moment();
  engine::decide(state_, {.body = model::StartShard{}, .actor = "engine"}, at, *effects_);
  return {};
}

Status ShardLoop::load_state() {
  engine::State fresh;
  fresh.shard = shard_;
  fresh.incarnation = state_.incarnation;
  fresh.sequence = durable_ + 1;
  fresh.last_run = durable_last_run_;
  fresh.last_token = state_.last_token;  // tokens of a batch that failed are never given out again
  if (seeded_bug(Bug::tokens_again_after_reload)) fresh.last_token = 0;
  fresh.settings = options_.settings;
  fresh.zones = world_.zones;
  state_ = std::move(fresh);
  effects_ = std::make_unique<engine::Effects>(state_);
  continue_loading_ = false;
  quarantined_.clear();
  open_runs_ = 0;

  TRY_VOID(store_.load_records(shard_, [&](model::Record record) {
    const model::RecordKey key = record.id;
    state_.records.emplace(key, engine::KnownRecord{std::move(record), 0});
  }));
  engine::load_queues(state_);  // places of runs that become cold at once depend on weights
  TRY(const std::vector<store::DefinitionKey> keys, store_.load_definition_keys(shard_));
  for (const store::DefinitionKey& key : keys) {
    auto& versions = state_.versions[key.workflow];
    if (versions.size() < key.version) versions.resize(key.version);
    versions[key.version - 1] = key.hash;
  }

  std::map<Hash256, Result<std::shared_ptr<const engine::Program>>> programs;
  const auto program_of = [&](const Hash256& hash) -> const Result<std::shared_ptr<const engine::Program>>& {
    if (const auto found = programs.find(hash); found != programs.end()) return found->second;
    const auto load = [&]() -> Result<std::shared_ptr<const engine::Program>> {
      TRY(const store::StoredDefinition stored, store_.load_definition(shard_, hash));
      TRY(std::shared_ptr<const model::Workflow> workflow, world_.parse_definition(stored.canonical));
      return engine::program_for(state_, std::move(workflow));
    };
    return programs.emplace(hash, load()).first->second;
  };
  TRY(const std::vector<RunKey> open, store_.list_open_runs(shard_));
  std::vector<store::RunImage> images;
  for (std::size_t from = 0; from < open.size(); from += kLoadedAtOnce) {
    const std::span chunk(open.begin() + static_cast<std::ptrdiff_t>(from),
                          std::min(kLoadedAtOnce, open.size() - from));
    images.clear();
    TRY_VOID(store_.load_runs(
        chunk, [&](store::RunImage image) { images.push_back(std::move(image)); },
        [&](RunKey key, Error error) { set_aside(key, std::move(error)); }));
    for (store::RunImage& image : images) {
      const RunKey key = image.run.key;
      const auto& program = program_of(image.run.definition);
      Status admitted =
          program ? admit(std::move(image), *program) : Status(std::unexpected(program.error()));
      if (admitted) {
        engine::make_cold_at_start(state_, key);
        ++open_runs_;
      } else {
        set_aside(key, std::move(admitted).error());
      }
    }
  }
  return {};
}

// A run with what its tasks have added to it.
Status ShardLoop::admit(store::RunImage image, std::shared_ptr<const engine::Program> program) {
  std::vector<engine::AddedPart> additions;
  for (const model::Record& record : image.additions) {
    TRY(model::Addition addition, model::addition_of(record));
    TRY(std::shared_ptr<const model::Workflow> steps, world_.parse_definition(addition.text));
    additions.push_back({std::move(addition), engine::program_for(state_, std::move(steps))});
  }
  return engine::admit(state_, std::move(image.run), std::move(image.tasks), std::move(program),
                       std::move(additions));
}

std::size_t ShardLoop::open_runs() const {
  if (open_runs_ > 0) return open_runs_;
  return engine::has_orphans(state_) ? 1 : 0;
}

// ---- Mailbox
// -----------------------------------------------------------------------------------------------------

void ShardLoop::wake_up(std::unique_lock<std::mutex> lock) {
  const bool wake = !inbox_->awake;
  inbox_->awake = true;
  lock.unlock();
  if (wake) world_.wake();
}

Status ShardLoop::takes_commands(const Inbox& inbox) const {
  if (inbox.closed) {
    return fail(ErrorCode::unavailable, "the server is stopping; try again when it runs again");
  }
  if (inbox.read_only) {
    return fail(ErrorCode::read_only,
                "the store takes no writes at the moment (is the disk full?); try again later");
  }
  if (inbox.commands.size() >= options_.mailbox_limit) {
    return fail(ErrorCode::overloaded, "too many commands wait; try again later");
  }
  return {};
}

Status ShardLoop::ready() const {
  const std::unique_lock lock(inbox_->mutex);
  return takes_commands(*inbox_);
}

std::size_t ShardLoop::waiting_commands() const {
  const std::unique_lock lock(inbox_->mutex);
  return inbox_->commands.size();
}

void ShardLoop::send(model::CommandBody body, model::Sender sender, ReplyHandler on_reply) {
  std::unique_lock lock(inbox_->mutex);
  if (auto taken = takes_commands(*inbox_); !taken) {
    lock.unlock();
    if (on_reply) on_reply(std::move(taken.error()));
    return;
  }
  const model::ReplyTo to = on_reply ? ++inbox_->last_reply : 0;
  inbox_->commands.push_back(
      {{{std::move(body), to, std::move(sender.name), std::move(sender.from), std::move(sender.request)},
        false},
       std::move(on_reply)});
  wake_up(std::move(lock));
}

std::uint64_t ShardLoop::subscribe(std::function<void(const std::vector<RunKey>&)> listener) {
  const std::unique_lock lock(inbox_->mutex);
  listeners_.emplace(++last_listener_, std::move(listener));
  return last_listener_;
}

void ShardLoop::unsubscribe(std::uint64_t subscription) {
  const std::unique_lock lock(inbox_->mutex);
  listeners_.erase(subscription);
}

void ShardLoop::take_over(Incoming& incoming) {
  if (incoming.on_reply) handlers_.emplace(incoming.pending.command.reply_to, std::move(incoming.on_reply));
}

void ShardLoop::drop_commands(Inbox& inbox) {
  for (Incoming& incoming : inbox.commands) take_over(incoming);
  inbox.commands.clear();
}

void ShardLoop::answer(model::ReplyTo to, model::ReplyBody body) {
  const auto found = handlers_.find(to);
  if (found == handlers_.end()) return;
  const ReplyHandler handler = std::move(found->second);
  handlers_.erase(found);
  handler(std::move(body));
}

void ShardLoop::close() {
  std::unique_lock lock(inbox_->mutex);
  inbox_->closed = true;
  drop_commands(*inbox_);
  lock.unlock();
  stopped_ = true;
  while (!handlers_.empty()) {
    answer(handlers_.begin()->first,
           Error{ErrorCode::unavailable, "the server is stopping; what was decided may have been done", ""});
  }
}

// ---- One turn
// ----------------------------------------------------------------------------------------------------

bool ShardLoop::turn() {
  std::vector<Incoming> commands;
  std::vector<store::CommitDone> commits;
  std::vector<LoadDone> loads;
  const bool may_decide = in_flight_.size() < options_.commits_in_flight;
  {
    const std::unique_lock lock(inbox_->mutex);
    inbox_->awake = false;
    commits.swap(inbox_->commits);
    loads.swap(inbox_->loads);
    if (may_decide || !commits.empty()) {
      const std::size_t count = std::min(inbox_->commands.size(), options_.commands_per_turn);
      const auto end = inbox_->commands.begin() + static_cast<std::ptrdiff_t>(count);
      commands.reserve(count);
      std::move(inbox_->commands.begin(), end, std::back_inserter(commands));
      inbox_->commands.erase(inbox_->commands.begin(), end);
    }
  }
  for (Incoming& command : commands) take_over(command);
  take_commits(std::move(commits));
  if (stopped_) return false;
  if (read_only_ && !try_to_write_again()) {
    for (const Incoming& incoming : commands) {
      answer(incoming.pending.command.reply_to,
             Error{ErrorCode::read_only, "the store takes no writes at the moment", ""});
    }
    return false;
  }
  take_loads(std::move(loads));

  const engine::Moment at = moment();
  const auto due = engine::next_due(state_);
  if (due && *due <= at.now && in_flight_.size() < options_.commits_in_flight) {
    decide({{.body = model::Tick{}, .actor = "engine"}, true}, at);
  }
  for (const Incoming& incoming : commands) decide(incoming.pending, at);
  if (in_flight_.size() >= options_.commits_in_flight) return false;
  const bool more_work = work_on(at);
  const bool committed = commit(at);

  const std::unique_lock lock(inbox_->mutex);
  const bool waiting = !inbox_->commands.empty() && in_flight_.size() < options_.commits_in_flight;
  return !inbox_->commits.empty() || !inbox_->loads.empty() || waiting ||
         (more_work && committed && in_flight_.size() < options_.commits_in_flight);
}

void ShardLoop::decide(const Pending& pending, const engine::Moment& at) {
  if (!pending.loaded) {
    const engine::Needs needs = engine::needs_of(state_, pending.command);
    if (!needs.empty()) {
      begin_load(needs, pending);
      return;
    }
  }
  for (Observer* observer : world_.observers) observer->deciding(name(pending.command.body));
  // Each decision gets randomness of its own.
  engine::decide(state_, pending.command, {at.now, at.wall, world_.seed()}, *effects_);
}

// Continues until the batch is full, a payload is missing, or nothing is left. True: there is more.
bool ShardLoop::work_on(const engine::Moment& at) {
  const model::Command go_on{.body = model::Continue{}, .actor = "engine"};
  while (engine::has_work(state_) && effects_->rows() < options_.rows_per_batch) {
    const engine::Needs needs = engine::needs_of(state_, go_on);
    if (!needs.empty()) {
      if (continue_loading_ || needs.after > durable_)
        return false;  // the load's or commit's end comes back here
      continue_loading_ = true;
      begin_load(needs, std::nullopt);
      return false;
    }
    engine::decide(state_, go_on, {at.now, at.wall, world_.seed()}, *effects_);
  }
  return engine::has_work(state_);
}

bool ShardLoop::commit(const engine::Moment& at) {
  engine::Sealed sealed = effects_->seal(at);
  if (sealed.batch.empty()) {
    // Nothing to store: the replies wait for what they were decided after.
    for (model::Reply& reply : sealed.replies) {
      reply.after = std::min(reply.after, state_.sequence - 1);
      held_.push_back(std::move(reply));
    }
    release(held_);
    for (const model::Action& action : sealed.actions) world_.act(action);
    return false;
  }
  InFlight flight;
  flight.sequence = sealed.batch.sequence;
  flight.last_run = sealed.batch.last_run;
  flight.shard_time = sealed.batch.shard_time;
  flight.replies = std::move(sealed.replies);
  flight.actions = std::move(sealed.actions);
  if (!world_.observers.empty()) {
    flight.rows = sealed.batch.rows();
    flight.sealed_at = world_.monotonic();
    for (Observer* observer : world_.observers) flight.told.push_back(observer->sealed(sealed.batch, state_));
  }
  for (const model::RunChange& change : sealed.batch.runs) {
    flight.touched.push_back(change.row.key);
    open_runs_ += static_cast<std::size_t>(change.opened);  // wraps around for -1, as it should
  }
  for (const model::RunRemoval& removal : sealed.batch.removals) flight.touched.push_back(removal.run);
  // Early replies may leave with the commit before this one.
  std::erase_if(flight.replies, [&](model::Reply& reply) {
    if (reply.after >= flight.sequence) return false;
    held_.push_back(std::move(reply));
    return true;
  });
  if (seeded_bug(Bug::acknowledge_before_commit)) {
    for (model::Reply& reply : flight.replies) answer(reply.to, std::move(reply.body));
    flight.replies.clear();
  }
  in_flight_.push_back(std::move(flight));
  release(held_);
  const std::uint64_t epoch = epoch_;
  store_.begin_commit(std::move(sealed.batch), [this, inbox = inbox_, epoch](store::CommitDone done) {
    std::unique_lock lock(inbox->mutex);
    if (epoch != epoch_) return;
    inbox->commits.push_back(std::move(done));
    wake_up(std::move(lock));
  });
  return true;
}

void ShardLoop::release(std::vector<model::Reply>& replies) {
  std::vector<model::Reply> ready;
  std::erase_if(replies, [&](model::Reply& reply) {
    if (reply.after > durable_ && !seeded_bug(Bug::early_reply_before_its_commit)) return false;
    ready.push_back(std::move(reply));
    return true;
  });
  for (model::Reply& reply : ready) answer(reply.to, std::move(reply.body));
}

// ---- Answers of the store
// ----------------------------------------------------------------------------------------

void ShardLoop::take_commits(std::vector<store::CommitDone> commits) {
  for (store::CommitDone& done : commits) {
    if (in_flight_.empty() || in_flight_.front().sequence != done.sequence) continue;  // from before a reload
    if (done.result == store::CommitResult::unknown) return give_up(done.error);
    if (done.result == store::CommitResult::not_committed) return lose_writes(done.error);
    InFlight flight = std::move(in_flight_.front());
    in_flight_.pop_front();
    durable_ = flight.sequence;
    durable_last_run_ = flight.last_run;
    state_.values.committed(durable_);
    engine::evict(state_, durable_);
    for (Observer::OnDurable& told : flight.told) told();
    for (Observer* observer : world_.observers) {
      observer->committed(flight.rows, world_.monotonic() - flight.sealed_at);
    }
    for (const model::Action& action : flight.actions) world_.act(action);
    release(held_);
    for (model::Reply& reply : flight.replies) answer(reply.to, std::move(reply.body));
    std::vector<std::function<void(const std::vector<RunKey>&)>> listeners;
    {
      const std::unique_lock lock(inbox_->mutex);
      for (const auto& [number, listener] : listeners_) listeners.push_back(listener);
    }
    for (const auto& listener : listeners) listener(flight.touched);
  }
}

void ShardLoop::begin_load(const engine::Needs& needs, std::optional<Pending> command) {
  store::LoadRequest request{needs.payloads, needs.runs,    needs.heads,      needs.idempotency_keys,
                             shard_,         needs.records, needs.definitions};
  auto waiting = std::make_shared<std::optional<Pending>>(std::move(command));
  const std::uint64_t epoch = epoch_;
  store_.begin_load(std::move(request), [this, inbox = inbox_, waiting, epoch](Result<store::Loaded> loaded) {
    std::unique_lock lock(inbox->mutex);
    // Begun before the store took no writes: whoever sent the command was told that it is not done, and work
    // is taken up by the next turn anyway.
    if (epoch != epoch_) return;
    inbox->loads.push_back({std::move(*waiting), std::move(loaded)});
    wake_up(std::move(lock));
  });
}

void ShardLoop::take_loads(std::vector<LoadDone> loads) {
  for (LoadDone& done : loads) {
    if (!done.command) continue_loading_ = false;
    if (!done.loaded) {
      if (done.command) {
        answer(done.command->command.reply_to, done.loaded.error());
      } else {
        give_up(done.loaded.error());
        return;
      }
      continue;
    }
    const Status admitted = admit(std::move(*done.loaded), done.command.has_value());
    if (!done.command) {
      if (!admitted) return give_up(admitted.error());
      continue;
    }
    if (!admitted) {
      answer(done.command->command.reply_to, admitted.error());
      continue;
    }
    done.command->loaded = true;
    decide(*done.command, moment());
  }
  // What was read before a removal was durable is answered by now.
  std::erase_if(state_.removed, [&](const auto& entry) { return entry.second <= durable_; });
}

Status ShardLoop::admit(store::Loaded loaded, bool for_command) {
  for (auto& [key, why] : loaded.refused) {
    if (!state_.values.has(key)) state_.values.refuse(key, std::move(why), state_.sequence);
  }
  for (auto& [key, text] : loaded.payloads) {
    if (!state_.values.has(key)) state_.values.put(key, std::move(text), state_.sequence);
  }
  for (auto& [key, entry] : loaded.idempotency) {
    if (state_.idempotency.contains(key)) continue;
    engine::IdempotencyRecord record{.pinned = state_.sequence};
    if (entry && !seeded_bug(Bug::forget_idempotency_on_reload)) {
      record.use = model::IdempotencyChange{key, entry->body, entry->run, entry->expires_at};
      record.id = entry->id;
    }
    state_.idempotency.emplace(key, std::move(record));
  }
  for (auto& [key, record] : loaded.records) {
    if (!state_.records.contains(key)) state_.know(key, {std::move(record), state_.sequence});
  }
  for (const Hash256& hash : loaded.wanted) {
    if (state_.programs.contains(hash)) continue;
    const auto text =
        std::ranges::find(loaded.definitions, hash, [](const auto& definition) { return definition.first; });
    auto workflow = text != loaded.definitions.end()
                        ? world_.parse_definition(text->second)
                        : Result<std::shared_ptr<const model::Workflow>>(
                              fail(ErrorCode::corrupt, "the definition " + hash.hex() + " is not stored"));
    if (workflow) {
      engine::program_for(state_, std::move(*workflow));
    } else {
      state_.unreadable.emplace(hash, std::move(workflow).error());
    }
  }
  Status damage;
  for (auto& [key, why] : loaded.damaged) {
    const bool cold = state_.cold.contains(key);
    if (cold) lose_cold(key, why);
    // Work goes on without it; a command that is about it has to be told.
    if (!cold && !for_command) state_.absent.emplace(key, why);
    if (damage && for_command) damage = std::unexpected(std::move(why));
  }
  for (model::RunHead& head : loaded.heads) {
    const RunKey key = head.row.key;
    state_.heads.insert_or_assign(key, std::move(head));
  }
  for (auto& [key, image] : loaded.runs) {
    if (state_.find(key) != nullptr || state_.removed.contains(key)) continue;
    Status admitted = admit(std::move(image), loaded.definitions);
    if (admitted) continue;
    if (state_.cold.contains(key)) {
      lose_cold(key, std::move(admitted).error());
    } else if (!for_command) {
      state_.absent.emplace(key, std::move(admitted).error());
    }
  }
  return damage;
}

// A run that was loaded for a decision. It may have none: there is no such run, or no longer.
Status ShardLoop::admit(std::optional<store::RunImage> image,
                        const std::vector<std::pair<Hash256, std::string>>& definitions) {
  if (!image) return fail(ErrorCode::not_found, "it is not in the store");
  auto program = state_.programs.find(image->run.definition);
  if (program == state_.programs.end()) {
    const auto text = std::ranges::find(definitions, image->run.definition,
                                        [](const auto& definition) { return definition.first; });
    if (text == definitions.end()) return fail(ErrorCode::corrupt, "its definition is not in the store");
    TRY(std::shared_ptr<const model::Workflow> workflow, world_.parse_definition(text->second));
    return admit(std::move(*image), engine::program_for(state_, std::move(workflow)));
  }
  return admit(std::move(*image), program->second);
}

// A cold run that cannot come back: it stays in the store as it is, and keeps no other from its turn.
void ShardLoop::lose_cold(RunKey run, Error why) {
  engine::forget_cold(state_, run);
  --open_runs_;
  set_aside(run, std::move(why));
}

void ShardLoop::set_aside(RunKey run, Error why) {
  world_.log("run with key " + std::to_string(run.value) + " is set aside: " + why.message);
  quarantined_.push_back({run, std::move(why)});
}

// ---- When the store fails
// ----------------------------------------------------------------------------------------

// Nothing of the batches under way is stored: everything that was decided since the last durable commit is
// undone, and nothing is decided until a write succeeds.
void ShardLoop::lose_writes(const Error& why) {
  world_.log("the store took no write: " + why.message);
  for (Observer* observer : world_.observers) observer->refused(why);
  read_only_ = true;
  next_probe_ = world_.monotonic() + options_.probe_every;
  in_flight_.clear();
  held_.clear();
  {
    const std::unique_lock lock(inbox_->mutex);
    inbox_->read_only = true;
    ++epoch_;
    // Whoever has sent what is not decided yet is told the same. It must not be done later: a task that is
    // handed to a claim that nobody waits for any more would be lost.
    drop_commands(*inbox_);
    inbox_->loads.clear();
  }
  while (!handlers_.empty()) {
    answer(handlers_.begin()->first,
           Error{ErrorCode::read_only, "nothing was stored: " + why.message, why.where});
  }
}

bool ShardLoop::try_to_write_again() {
  if (world_.monotonic() < next_probe_) return false;
  next_probe_ = world_.monotonic() + options_.probe_every;
  if (!store_.probe()) return false;
  if (seeded_bug(Bug::no_reload_after_refused_commit)) {
    state_.sequence = durable_ + 1;
  } else if (auto loaded = load_state(); !loaded) {
    world_.log("reloading failed: " + loaded.error().message);
    return false;
  }
  engine::decide(state_, {.body = model::StartShard{}, .actor = "engine"}, moment(), *effects_);
  read_only_ = false;
  {
    const std::unique_lock lock(inbox_->mutex);
    inbox_->read_only = false;
  }
  world_.log("the store takes writes again");
  return true;
}

void ShardLoop::give_up(const Error& why) {
  stopped_ = true;
  world_.fatal(why);
  close();
}

}  // namespace baton::runtime

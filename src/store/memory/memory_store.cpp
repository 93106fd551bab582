#include "store/memory/memory_store.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/seeded_bug.hpp"
#include "model/addition.hpp"
#include "store/item_list.hpp"

namespace baton::store {

using model::Batch;
using model::PayloadKey;
using model::PayloadSlot;
using model::RunRow;
using model::TaskRow;
using model::Text;

namespace {

struct StoredRun {
  RunRow row;
  Text input;
  Text context;
};

struct StoredTask {
  TaskRow row;
  Text input;
  Text result;
};

std::string describe(RunKey key) {
  return "run " + std::to_string(key.value);
}
std::string describe(TaskKey key) {
  return "task " + std::to_string(key.ordinal) + " of " + describe(key.run);
}

}  // namespace

struct MemoryData {
  mutable std::mutex mutex;  // guards everything below
  std::map<ShardId, ShardMeta> shards;
  std::map<RunKey, StoredRun> runs;
  std::map<TaskKey, StoredTask> tasks;
  std::map<std::pair<ShardId, Hash256>, StoredDefinition> definitions;
  std::map<std::pair<ShardId, std::string>, IdempotencyEntry> idempotency;
  std::map<std::pair<ShardId, model::RecordKey>, model::Record> records;
  std::map<std::pair<ShardId, JournalSequence>, std::vector<model::RunFacts>> journal;

  Status check(const Batch& batch) const;
  void apply(const Batch& batch);
  void remove(const model::RunRemoval& removal);
  RunImage image(const StoredRun& run) const;
  std::optional<model::RunHead> head(RunKey key) const;
  Result<Text> payload(const PayloadKey& key) const;
};

std::shared_ptr<MemoryData> make_memory_data() {
  return std::make_shared<MemoryData>();
}

// Everything that the tables on disk would refuse.
Status MemoryData::check(const Batch& batch) const {
  const auto shard = shards.find(batch.shard);
  if (shard == shards.end()) return fail(ErrorCode::internal, "the shard was not opened");
  if (shard->second.incarnation != batch.incarnation) {
    return fail(ErrorCode::owned, "the shard has a newer owner");
  }
  if (shard->second.sequence + 1 != batch.sequence) {
    return fail(ErrorCode::internal, "a commit is missing before " + std::to_string(batch.sequence));
  }
  for (const auto& change : batch.runs) {
    if (runs.contains(change.row.key) == change.created) {
      return fail(ErrorCode::internal,
                  describe(change.row.key) + (change.created ? " is stored already" : " is not stored"));
    }
  }
  const auto creates_run = [&](RunKey key) {
    return std::ranges::any_of(batch.runs, [&](const auto& c) { return c.created && c.row.key == key; });
  };
  for (const auto& change : batch.tasks) {
    const TaskKey key = change.row.key;
    if (tasks.contains(key) == change.created) {
      return fail(ErrorCode::internal,
                  describe(key) + (change.created ? " is stored already" : " is not stored"));
    }
    if (key.ordinal == 0 && !runs.contains(key.run) && !creates_run(key.run)) {
      return fail(ErrorCode::internal, describe(key.run) + " is not stored");
    }
  }
  for (const auto& removal : batch.removals) {
    if (!runs.contains(removal.run))
      return fail(ErrorCode::internal, describe(removal.run) + " is not stored");
  }
  for (const auto& change : batch.definitions) {
    for (const auto& [key, stored] : definitions) {
      if (key.first != batch.shard) continue;
      if (key.second == change.hash ||
          (stored.workflow == change.workflow && stored.version == change.version)) {
        return fail(ErrorCode::internal, "definition " + change.workflow + " is stored already");
      }
    }
  }
  return {};
}

void replace(Text& stored, const Text& change) {
  if (change) stored = change->empty() ? nullptr : change;
}

void MemoryData::apply(const Batch& batch) {
  for (const auto& change : batch.definitions) {
    definitions[{batch.shard, change.hash}] = {change.workflow, change.version, change.hash,
                                               *change.canonical, change.created_at};
  }
  for (const auto& change : batch.runs) {
    StoredRun& stored = runs[change.row.key];
    RunRow row = change.row;
    if (!change.created) {
      row.id = stored.row.id;
      row.workflow = stored.row.workflow;
      row.job_id = stored.row.job_id;
      row.created_at = stored.row.created_at;
    }
    stored.row = std::move(row);
    replace(stored.input, change.input);
    replace(stored.context, change.context);
  }
  for (const auto& change : batch.tasks) {
    StoredTask& stored = tasks[change.row.key];
    stored.row = change.row;
    replace(stored.input, change.input);
    replace(stored.result, change.result);
  }
  for (const auto& change : batch.idempotency) {
    const auto run = runs.find(change.run);
    idempotency[{batch.shard, change.key}] = {
        change.body, change.run, run == runs.end() ? RunId{} : run->second.row.id, change.expires_at};
  }
  for (const auto& change : batch.records) {
    const std::pair key(batch.shard, change.record.id);
    if (change.erased) {
      records.erase(key);
    } else {
      records[key] = change.record;
    }
  }
  if (!batch.facts.empty()) journal[{batch.shard, batch.sequence}] = batch.facts;
  for (const auto& removal : batch.removals) remove(removal);
  ShardMeta& meta = shards[batch.shard];
  meta.sequence = batch.sequence;
  meta.shard_time = batch.shard_time;
  meta.wall_time = batch.wall_time;
  meta.last_run = batch.last_run;
}

void MemoryData::remove(const model::RunRemoval& removal) {
  runs.erase(removal.run);
  std::erase_if(tasks, [&](const auto& entry) { return entry.first.run == removal.run; });
  std::erase_if(idempotency, [&](const auto& entry) { return entry.second.run == removal.run; });
  const std::string additions = model::additions_of(removal.id);
  std::erase_if(records, [&](const auto& entry) {
    const auto& [shard, key] = entry.first;
    return shard == removal.run.shard() && key.kind == model::RecordKind::addition &&
           key.key.starts_with(additions);
  });
  JournalSequence at = removal.journal_head;
  while (at > 0) {
    const auto entry = journal.find({removal.run.shard(), at});
    if (entry == journal.end()) break;
    const auto facts = std::ranges::find(entry->second, removal.run, &model::RunFacts::run);
    if (facts == entry->second.end()) break;
    at = facts->previous;
    entry->second.erase(facts);
    if (entry->second.empty()) journal.erase(entry);
  }
}

std::optional<model::RunHead> MemoryData::head(RunKey key) const {
  const auto run = runs.find(key);
  if (run == runs.end()) return std::nullopt;
  model::RunHead head{run->second.row, false, {}};
  const std::string id = head.row.id.text();
  const auto letter = records.lower_bound({key.shard(), {model::RecordKind::dead_letter, id}});
  head.dead_letter = letter != records.end() && letter->first.second.kind == model::RecordKind::dead_letter &&
                     letter->first.second.key.starts_with(id);
  for (const auto& [name, entry] : idempotency) {
    if (entry.run == key) head.key_until = std::max(head.key_until, entry.expires_at);
  }
  return head;
}

RunImage MemoryData::image(const StoredRun& run) const {
  RunImage image{run.row, {}, {}};
  for (auto it = tasks.lower_bound({run.row.key, 0}); it != tasks.end() && it->first.run == run.row.key;
       ++it) {
    image.tasks.push_back(it->second.row);
  }
  if (run.row.additions > 0) {
    const std::string prefix = model::additions_of(run.row.id);
    for (auto it = records.lower_bound({run.row.key.shard(), {model::RecordKind::addition, prefix}});
         it != records.end() && it->first.second.kind == model::RecordKind::addition &&
         it->first.second.key.starts_with(prefix);
         ++it) {
      image.additions.push_back(it->second);
    }
  }
  return image;
}

Result<Text> MemoryData::payload(const PayloadKey& key) const {
  if (key.slot == PayloadSlot::item_results) {
    ItemList list(key);
    const std::uint64_t end = std::uint64_t{key.ordinal} + key.count;
    for (auto it = tasks.lower_bound({key.run, key.ordinal});
         it != tasks.end() && it->first.run == key.run && it->first.ordinal < end; ++it) {
      const bool completed = it->second.row.status == model::TaskStatus::completed;
      if (completed && it->second.result) TRY_VOID(list.add(it->first.ordinal, *it->second.result));
    }
    TRY(std::string text, list.take());
    return std::make_shared<const std::string>(std::move(text));
  }
  if (key.slot == PayloadSlot::run_input || key.slot == PayloadSlot::run_context) {
    const auto run = runs.find(key.run);
    if (run == runs.end()) return Text{};
    return key.slot == PayloadSlot::run_input ? run->second.input : run->second.context;
  }
  const auto task = tasks.find({key.run, key.ordinal});
  if (task == tasks.end()) return Text{};
  return key.slot == PayloadSlot::task_input ? task->second.input : task->second.result;
}

// ---- Writer

Result<ShardMeta> MemoryWriter::open_shard(ShardId shard) {
  const std::lock_guard lock(data_->mutex);
  ShardMeta& meta = data_->shards[shard];
  std::uint32_t highest = 0;
  for (const auto& [other, known] : data_->shards) highest = std::max(highest, known.incarnation);
  if (!seeded_bug(Bug::incarnation_again) || meta.incarnation == 0) meta.incarnation = highest + 1;
  return meta;
}

Result<std::vector<RunKey>> MemoryWriter::list_open_runs(ShardId shard) {
  const std::lock_guard lock(data_->mutex);
  std::vector<RunKey> keys;
  for (const auto& [key, stored] : data_->runs) {
    if (key.shard() == shard && !is_terminal(stored.row.status)) keys.push_back(key);
  }
  return keys;
}

Status MemoryWriter::load_runs(std::span<const RunKey> keys, const std::function<void(RunImage)>& run,
                               const std::function<void(RunKey, Error)>&) {
  const std::lock_guard lock(data_->mutex);
  for (const RunKey key : keys) {
    if (const auto found = data_->runs.find(key); found != data_->runs.end())
      run(data_->image(found->second));
  }
  return {};
}

Result<std::vector<DefinitionKey>> MemoryWriter::load_definition_keys(ShardId shard) {
  const std::lock_guard lock(data_->mutex);
  std::vector<DefinitionKey> keys;
  for (const auto& [key, d] : data_->definitions) {
    if (key.first == shard) keys.push_back({d.workflow, d.version, d.hash});
  }
  std::ranges::sort(keys, {}, [](const DefinitionKey& k) { return std::tie(k.workflow, k.version); });
  return keys;
}

Result<StoredDefinition> MemoryWriter::load_definition(ShardId shard, const Hash256& hash) {
  const std::lock_guard lock(data_->mutex);
  const auto found = data_->definitions.find({shard, hash});
  if (found == data_->definitions.end()) {
    return fail(ErrorCode::not_found, "no definition with the hash " + hash.hex() + " is stored");
  }
  return found->second;
}

void MemoryWriter::begin_commit(Batch batch, std::function<void(CommitDone)> done) {
  held_.push_back({std::move(batch), std::move(done)});
  if (!holding_) complete_next();
}

void MemoryWriter::complete_next(CommitResult result, Truth truth) {
  assert(!held_.empty());
  Held next = std::move(held_.front());
  held_.pop_front();
  CommitDone done{next.batch.sequence, result, {}};
  if (result == CommitResult::not_committed) {
    done.error = {ErrorCode::read_only, "the store takes no writes", {}};
  } else if (result == CommitResult::unknown) {
    done.error = {ErrorCode::io, "nobody can say whether the commit is stored", {}};
  }
  if (result == CommitResult::committed || (result == CommitResult::unknown && truth == Truth::stored)) {
    const std::lock_guard lock(data_->mutex);
    if (Status ok = data_->check(next.batch); ok) {
      data_->apply(next.batch);
    } else if (result == CommitResult::committed) {
      done.result = CommitResult::not_committed;
      done.error = std::move(ok).error();
    }
  }
  next.done(std::move(done));
}

Status MemoryWriter::load_records(ShardId shard, const std::function<void(model::Record)>& record) {
  const std::lock_guard lock(data_->mutex);
  for (const auto& [key, stored] : data_->records) {
    if (key.first == shard && model::is_resident(key.second.kind)) record(stored);
  }
  return {};
}

void MemoryWriter::begin_load(LoadRequest request, std::function<void(Result<Loaded>)> done) {
  const auto load = [&]() -> Result<Loaded> {
    const std::lock_guard lock(data_->mutex);
    Loaded loaded;
    loaded.wanted = request.definitions;
    for (const PayloadKey& key : request.payloads) {
      Result<Text> text = data_->payload(key);
      if (!text) {
        loaded.refused.emplace_back(key, std::move(text).error());
        text = std::make_shared<const std::string>();
      }
      loaded.payloads.emplace_back(key, std::move(*text));
    }
    std::set<Hash256> wanted(request.definitions.begin(), request.definitions.end());
    for (const RunKey key : request.runs) {
      const auto run = data_->runs.find(key);
      if (run == data_->runs.end()) {
        loaded.runs.emplace_back(key, std::nullopt);
        continue;
      }
      loaded.runs.emplace_back(key, data_->image(run->second));
      wanted.insert(run->second.row.definition);
    }
    for (const RunKey key : request.heads) {
      if (auto head = data_->head(key)) loaded.heads.push_back(std::move(*head));
    }
    for (const Hash256& hash : wanted) {
      const auto found = data_->definitions.find({request.shard, hash});
      if (found != data_->definitions.end()) loaded.definitions.emplace_back(hash, found->second.canonical);
    }
    for (const std::string& key : request.idempotency_keys) {
      const auto found = data_->idempotency.find({request.shard, key});
      loaded.idempotency.emplace_back(
          key, found == data_->idempotency.end() ? std::nullopt : std::optional(found->second));
    }
    for (const model::RecordKey& key : request.records) {
      const auto found = data_->records.find({request.shard, key});
      loaded.records.emplace_back(
          key, found == data_->records.end() ? std::nullopt : std::optional(found->second));
    }
    return loaded;
  };
  done(load());
}

// ---- Reader

namespace {

bool matches(const RunFilter& filter, const RunRow& row) {
  return (filter.statuses.empty() ||
          std::ranges::find(filter.statuses, row.status) != filter.statuses.end()) &&
         (filter.workflows.empty() ||
          std::ranges::find(filter.workflows, row.workflow) != filter.workflows.end()) &&
         (filter.job_ids.empty() || std::ranges::find(filter.job_ids, row.job_id) != filter.job_ids.end()) &&
         (!filter.created_from || row.created_at >= *filter.created_from) &&
         (!filter.created_before || row.created_at < *filter.created_before) &&
         (!filter.ended_before || (model::is_terminal(row.status) && row.ended_at < *filter.ended_before));
}

TaskView view(const StoredTask& task, std::size_t max_result) {
  TaskView view{task.row, std::nullopt};
  if (task.result && task.result->size() <= max_result) view.result = *task.result;
  return view;
}

}  // namespace

Result<RunPage> MemoryReader::list_runs(const RunFilter& filter, std::optional<RunKey> before,
                                        std::size_t limit) {
  const std::lock_guard lock(data_->mutex);
  RunPage page;
  const RunKey first = RunKey::make(shard_, 0);
  const RunKey end{first.value + (std::int64_t{1} << RunKey::kSequenceBits)};
  auto it = data_->runs.lower_bound(before ? std::min(*before, end) : end);
  while (it != data_->runs.begin()) {
    --it;
    if (it->first < first) break;
    if (!matches(filter, it->second.row)) continue;
    page.rows.push_back(it->second.row);
    if (page.rows.size() < limit) continue;
    page.next = it->first;
    break;
  }
  return page;
}

Result<std::optional<RunView>> MemoryReader::get_run(const RunId& id) {
  const std::lock_guard lock(data_->mutex);
  const auto found = data_->runs.find(id.key());
  if (id.key().shard() != shard_ || found == data_->runs.end() || found->second.row.id != id)
    return std::nullopt;
  return RunView{found->second.row, found->second.context ? *found->second.context : ""};
}

Result<std::vector<TaskView>> MemoryReader::list_tasks(RunKey run, Ordinal from, std::size_t limit,
                                                       std::size_t max_result) {
  const std::lock_guard lock(data_->mutex);
  std::vector<TaskView> views;
  if (run.shard() != shard_) return views;
  for (auto it = data_->tasks.lower_bound({run, from});
       it != data_->tasks.end() && it->first.run == run && views.size() < limit; ++it) {
    views.push_back(view(it->second, max_result));
  }
  return views;
}

Result<std::optional<TaskView>> MemoryReader::get_task(TaskKey key) {
  const std::lock_guard lock(data_->mutex);
  const auto found = data_->tasks.find(key);
  if (key.run.shard() != shard_ || found == data_->tasks.end()) return std::nullopt;
  return view(found->second, SIZE_MAX);
}

Result<std::optional<std::string>> MemoryReader::get_payload(const PayloadKey& key) {
  const std::lock_guard lock(data_->mutex);
  if (key.run.shard() != shard_) return std::nullopt;
  TRY(const Text text, data_->payload(key));
  return text ? std::optional(*text) : std::nullopt;
}

Result<std::optional<StoredDefinition>> MemoryReader::get_definition(const Hash256& hash) {
  const std::lock_guard lock(data_->mutex);
  const auto found = data_->definitions.find({shard_, hash});
  if (found == data_->definitions.end()) return std::nullopt;
  return found->second;
}

Result<std::optional<StoredDefinition>> MemoryReader::get_version(std::string_view workflow,
                                                                  std::uint32_t version) {
  const std::lock_guard lock(data_->mutex);
  for (const auto& [key, d] : data_->definitions) {
    if (key.first == shard_ && d.workflow == workflow && d.version == version) return d;
  }
  return std::nullopt;
}

Result<std::vector<std::string>> MemoryReader::list_workflows() {
  const std::lock_guard lock(data_->mutex);
  std::set<std::string> names;
  for (const auto& [key, d] : data_->definitions) {
    if (key.first == shard_) names.insert(d.workflow);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Result<std::vector<VersionView>> MemoryReader::list_versions(std::string_view workflow,
                                                             std::optional<std::uint32_t> before,
                                                             std::size_t limit) {
  const std::lock_guard lock(data_->mutex);
  std::vector<VersionView> list;
  for (const auto& [key, d] : data_->definitions) {
    if (key.first == shard_ && d.workflow == workflow && (!before || d.version < *before))
      list.push_back({d.version, d.hash, d.created_at});
  }
  std::ranges::sort(list, std::greater<>(), &VersionView::version);
  if (list.size() > limit) list.resize(limit);
  return list;
}

Result<std::vector<JournalView>> MemoryReader::run_journal(RunKey run, std::optional<JournalSequence> before,
                                                           std::size_t limit) {
  const std::lock_guard lock(data_->mutex);
  std::vector<JournalView> views;
  const auto found = data_->runs.find(run);
  const bool none = run.shard() != shard_ || found == data_->runs.end();
  JournalSequence at = none ? 0 : found->second.row.journal_head;
  while (at > 0 && views.size() < limit) {
    const auto entry = data_->journal.find({run.shard(), at});
    if (entry == data_->journal.end()) break;
    const auto facts = std::ranges::find(entry->second, run, &model::RunFacts::run);
    if (facts == entry->second.end()) break;
    if (!before || at < *before) views.push_back({at, *facts});
    at = facts->previous;
  }
  return views;
}

Result<std::vector<std::pair<JournalSequence, std::vector<model::RunFacts>>>> MemoryReader::journal_after(
    JournalSequence after, std::size_t limit) {
  const std::lock_guard lock(data_->mutex);
  std::vector<std::pair<JournalSequence, std::vector<model::RunFacts>>> entries;
  for (auto it = data_->journal.upper_bound({shard_, after});
       it != data_->journal.end() && it->first.first == shard_ && entries.size() < limit; ++it) {
    entries.emplace_back(it->first.second, it->second);
  }
  return entries;
}

Result<std::vector<model::Record>> MemoryReader::list_records(const RecordFilter& filter,
                                                              std::optional<std::string> after,
                                                              std::size_t limit) {
  const std::lock_guard lock(data_->mutex);
  std::vector<model::Record> list;
  for (const auto& [key, record] : data_->records) {
    if (key.first != shard_ || key.second.kind != filter.kind) continue;
    if (filter.group && record.group != *filter.group) continue;
    if (after && (filter.descending ? record.id.key >= *after : record.id.key <= *after)) continue;
    list.push_back(record);
  }
  if (filter.descending) std::ranges::reverse(list);
  if (list.size() > limit) list.resize(limit);
  return list;
}

Result<std::optional<model::Record>> MemoryReader::get_record(const model::RecordKey& key) {
  const std::lock_guard lock(data_->mutex);
  const auto found = data_->records.find({shard_, key});
  return found == data_->records.end() ? std::nullopt : std::optional(found->second);
}

Result<std::vector<RecordGroup>> MemoryReader::count_records(model::RecordKind kind) {
  const std::lock_guard lock(data_->mutex);
  std::map<std::string, RecordGroup> groups;
  for (const auto& [key, record] : data_->records) {
    if (key.first != shard_ || key.second.kind != kind) continue;
    RecordGroup& group = groups[record.group];
    group.group = record.group;
    group.first_at = group.count == 0 ? record.at : std::min(group.first_at, record.at);
    group.last_at = group.count == 0 ? record.at : std::max(group.last_at, record.at);
    group.last_key = record.id.key;
    ++group.count;
  }
  std::vector<RecordGroup> list;
  for (auto& [name, group] : groups) list.push_back(std::move(group));
  return list;
}

}  // namespace baton::store

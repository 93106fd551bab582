// What every store promises (store.hpp), run over each of them. A new store adds one line at the end.
#include "store/conformance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace baton::store {
namespace {

using model::Batch;
using model::PayloadKey;
using model::PayloadSlot;
using model::RunRow;
using model::RunStatus;
using model::TaskStatus;
using testing::facts_of;
using testing::key;
using testing::kShard;
using testing::Owner;
using testing::run_row;
using testing::task_row;
using testing::text;

// One database: what a writer stores is there for the next writer and for readers.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::unique_ptr<Writer> writer() = 0;
  virtual std::unique_ptr<Reader> reader() = 0;  // of kShard
};

class MemoryBackend final : public Backend {
 public:
  std::unique_ptr<Writer> writer() override { return std::make_unique<MemoryWriter>(data_); }
  std::unique_ptr<Reader> reader() override { return std::make_unique<MemoryReader>(data_, kShard); }

 private:
  std::shared_ptr<MemoryData> data_ = make_memory_data();
};

class SqliteBackend final : public Backend {
 public:
  // A short interval makes checkpoints part of every test.
  explicit SqliteBackend(std::size_t inline_rows) : options_{"", 3, inline_rows} {}
  std::unique_ptr<Writer> writer() override {
    return opened(open_sqlite_writer(folder_.database(), options_));
  }
  std::unique_ptr<Reader> reader() override {
    return opened(open_sqlite_reader(folder_.database(), options_, kShard));
  }

 private:
  template <typename T>
  static std::unique_ptr<T> opened(Result<std::unique_ptr<T>> result) {
    EXPECT_TRUE(result) << (result ? "" : result.error().message);
    return result ? std::move(*result) : nullptr;
  }
  testing::TemporaryFolder folder_;
  SqliteOptions options_;
};

struct Kind {
  const char* name;
  std::unique_ptr<Backend> (*make)();
};

class Store : public ::testing::TestWithParam<Kind> {
 protected:
  Store() : backend(GetParam().make()), writer(backend->writer()), reader(backend->reader()) {}

  void restart() {
    writer.reset();
    writer = backend->writer();
  }
  std::vector<std::int64_t> listed(const RunFilter& filter, std::optional<RunKey> before = {},
                                   std::size_t limit = 100, Reader* of = nullptr) {
    std::vector<std::int64_t> sequences;
    const auto page = (of != nullptr ? of : reader.get())->list_runs(filter, before, limit);
    EXPECT_TRUE(page) << (page ? "" : page.error().message);
    if (page) {
      for (const auto& row : page->rows) sequences.push_back(row.key.sequence());
      // So few that none is left out; where there is more, it begins behind the last one.
      if (page->next) EXPECT_EQ(page->next->sequence(), sequences.empty() ? 0 : sequences.back());
      if (sequences.size() < limit) EXPECT_EQ(page->next, std::nullopt);
    }
    return sequences;
  }

  std::unique_ptr<Backend> backend;
  std::unique_ptr<Writer> writer;
  std::unique_ptr<Reader> reader;
};

using Sequences = std::vector<std::int64_t>;

// ---- Shards and fences

TEST_P(Store, AFreshShardStartsAtZero) {
  const auto meta = writer->open_shard(kShard);
  ASSERT_TRUE(meta);
  EXPECT_EQ(meta->incarnation, 1U);
  EXPECT_EQ(meta->sequence, 0);
  EXPECT_EQ(meta->shard_time, ShardTime{0});
  EXPECT_EQ(meta->wall_time, WallTime{0});
  EXPECT_EQ(meta->last_run, 0);
}

TEST_P(Store, TheNextOwnerContinuesWhereTheLastOneEnded) {
  {
    Owner owner(*writer);
    Batch batch = owner.next();
    batch.shard_time = {123'456};
    batch.wall_time = {1'700'000'000'000'000};
    batch.last_run = 41;
    owner.must(std::move(batch));
  }
  restart();
  const auto meta = writer->open_shard(kShard);
  ASSERT_TRUE(meta);
  EXPECT_EQ(meta->incarnation, 2U);
  EXPECT_EQ(meta->sequence, 1);
  EXPECT_EQ(meta->shard_time, ShardTime{123'456});
  EXPECT_EQ(meta->wall_time, WallTime{1'700'000'000'000'000});
  EXPECT_EQ(meta->last_run, 41);
}

TEST_P(Store, ASecondOwnerFencesTheFirst) {
  Owner first(*writer);
  first.submit(1);
  Owner second(*writer);
  Batch late = first.next();
  late.runs.push_back({run_row(key(2)), true, text("{}"), nullptr});
  EXPECT_EQ(first.must_refuse(std::move(late)).code, ErrorCode::owned);
  EXPECT_EQ(listed({}), (Sequences{1}));
  second.submit(2);
  EXPECT_EQ(listed({}), (Sequences{2, 1}));
}

TEST_P(Store, ASequenceMayNotBeSkippedOrRepeated) {
  Owner owner(*writer);
  owner.submit(1);
  Batch gap = owner.next();
  ++gap.sequence;
  EXPECT_EQ(owner.must_refuse(std::move(gap)).code, ErrorCode::internal);
  Batch repeated = owner.next();
  --repeated.sequence;
  EXPECT_EQ(owner.must_refuse(std::move(repeated)).code, ErrorCode::internal);
  owner.submit(2);
}

TEST_P(Store, AShardThatWasNotOpenedTakesNothing) {
  Owner owner(*writer);
  Batch batch = owner.next();
  batch.shard = ShardId{9};
  owner.must_refuse(std::move(batch));
}

TEST_P(Store, ShardsAreApart) {
  Owner one(*writer, ShardId{0});
  Owner other(*writer, ShardId{4095});
  one.submit(1);
  other.submit(1);
  other.submit(2);
  const auto first = reader->of(ShardId{0});
  const auto second = reader->of(ShardId{4095});
  EXPECT_EQ(second->shard(), ShardId{4095});
  EXPECT_EQ(listed({}, {}, 100, first.get()), (Sequences{1}));
  EXPECT_EQ(listed({.statuses = {RunStatus::pending}}, {}, 100, first.get()), (Sequences{1}));
  EXPECT_EQ(listed({}, {}, 100, second.get()), (Sequences{2, 1}));
  EXPECT_EQ(listed({.workflows = {"nightly"}}, {}, 100, second.get()), (Sequences{2, 1}));
  EXPECT_EQ(listed({.statuses = {RunStatus::pending}}, {}, 100, second.get()), (Sequences{2, 1}));
  EXPECT_EQ(listed({}), Sequences{}) << "nobody has written to the third";
  EXPECT_EQ(one.open_runs().size(), 1U);
  EXPECT_EQ(other.open_runs().size(), 2U);
  const auto journal = first->journal_after(0, 10);
  ASSERT_TRUE(journal);
  EXPECT_EQ(journal->size(), 1U);
}

TEST_P(Store, ToAReaderAnotherShardsRunsDoNotExist) {
  Owner other(*writer, ShardId{4095});
  const RunKey run = other.submit(1);
  const auto known = reader->of(ShardId{4095});
  const RunId id = run_row(run).id;
  ASSERT_TRUE(*known->get_run(id));
  EXPECT_EQ(known->list_tasks(run, 0, 10, 0)->size(), 1U);
  EXPECT_TRUE(*known->get_task({run, 0}));
  EXPECT_TRUE(*known->get_payload({run, PayloadSlot::run_input}));
  EXPECT_EQ(known->run_journal(run, {}, 10)->size(), 1U);
  EXPECT_FALSE(*reader->get_run(id));
  EXPECT_EQ(reader->list_tasks(run, 0, 10, 0)->size(), 0U);
  EXPECT_FALSE(*reader->get_task({run, 0}));
  EXPECT_FALSE(*reader->get_payload({run, PayloadSlot::run_input}));
  EXPECT_EQ(reader->run_journal(run, {}, 10)->size(), 0U);
}

TEST_P(Store, AnIncarnationIsOneShardsAlone) {
  Owner one(*writer, ShardId{0});
  Owner other(*writer, ShardId{7});
  EXPECT_EQ(one.meta.incarnation, 1U);
  EXPECT_EQ(other.meta.incarnation, 2U);
  restart();
  Owner third(*writer, ShardId{7});
  Owner fourth(*writer, ShardId{0});
  EXPECT_EQ(third.meta.incarnation, 3U) << "tokens of different shards never are the same";
  EXPECT_EQ(fourth.meta.incarnation, 4U);
}

TEST_P(Store, EachShardHasItsOwnWorkflows) {
  const Hash256 same = Hash256::of("text");
  const auto define = [&](Owner& owner, const char* workflow, std::uint32_t version, const Hash256& hash) {
    Batch batch = owner.next();
    batch.definitions.push_back({workflow, version, hash, text("{}"), WallTime{version}});
    owner.must(std::move(batch));
  };
  Owner one(*writer, ShardId{0});
  Owner other(*writer, kShard);
  define(one, "secret", 1, Hash256::of("first"));
  define(one, "deploy", 1, same);
  define(other, "deploy", 1, Hash256::of("another"));
  define(other, "deploy", 2, same);
  define(other, "build", 1, Hash256::of("third"));
  const auto first = reader->of(ShardId{0});
  EXPECT_EQ(*first->list_workflows(), (std::vector<std::string>{"deploy", "secret"}));
  EXPECT_EQ(*reader->list_workflows(), (std::vector<std::string>{"build", "deploy"}));
  EXPECT_EQ((*first->get_definition(same))->version, 1U);
  EXPECT_EQ((*reader->get_definition(same))->version, 2U);
  EXPECT_FALSE(*reader->get_definition(Hash256::of("first")));
  EXPECT_FALSE(*first->get_version("deploy", 2));
  EXPECT_EQ(first->list_versions("deploy", {}, 10)->size(), 1U);
  EXPECT_EQ(reader->list_versions("deploy", {}, 10)->size(), 2U);
  EXPECT_EQ(reader->list_versions("secret", {}, 10)->size(), 0U);
  restart();
  EXPECT_EQ(writer->load_definition_keys(ShardId{0})->size(), 2U);
  EXPECT_EQ(writer->load_definition_keys(kShard)->size(), 3U);
  EXPECT_EQ(writer->load_definition(kShard, same)->version, 2U);
  EXPECT_EQ(writer->load_definition(kShard, Hash256::of("first")).error().code, ErrorCode::not_found);
  Owner next(*writer, kShard);
  LoadRequest request;
  request.shard = kShard;
  request.definitions = {same, Hash256::of("first")};
  EXPECT_EQ(next.load(std::move(request)).definitions.size(), 1U);
}

// ---- Rows

TEST_P(Store, EveryFieldOfARunReadsBack) {
  Owner owner(*writer);
  model::RunRow row = run_row(key(1), RunStatus::cancelling);
  row.job_id = "order-1\xC3\xA9";
  row.started_at = {11};
  row.recovery_attempts = 3;
  row.cancel_requested = true;
  row.terminate = true;
  row.stage = model::RunStage::cleanup;
  row.outcome = RunStatus::failed;
  row.error_type = "exit";
  row.error_message = std::string("a\0b\n\"", 5);
  row.progress = 55;
  row.counts = {6, 1, 2, 1, 1, 1};
  row.next_ordinal = 9;
  Batch batch = owner.next();
  batch.runs.push_back({row, true, text(R"({"a":1})"), text(R"({"workdir":"/"})")});
  owner.must(std::move(batch));

  const auto view = reader->get_run(row.id);
  ASSERT_TRUE(view && *view);
  EXPECT_EQ((*view)->row, row);
  EXPECT_EQ((*view)->context, R"({"workdir":"/"})");
  const auto open = owner.open_runs();
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0].run, row);
  EXPECT_EQ(*owner.payload({key(1), PayloadSlot::run_input, 0, 0}), R"({"a":1})");
}

TEST_P(Store, EveryFieldOfATaskReadsBack) {
  Owner owner(*writer);
  const RunKey run = key(1);
  std::vector<model::TaskRow> rows;
  for (const Ordinal ordinal : {0U, 1U, 100'000U, UINT32_MAX}) {
    model::TaskRow row = task_row({run, ordinal}, TaskStatus::retrying);
    row.step = 4;
    row.index = static_cast<std::int32_t>(ordinal & 0xffff);
    row.token = {3, 1'000'000'000'000};
    row.worker = "w1";
    row.due = {99};
    row.error_message = "exit code 3";
    row.expanded = true;
    row.first_item = 7;
    row.item_count = 8;
    row.history.push_back({1, {3, 98}, "w1", {1}, {2}, model::AttemptEnd::failed, "exit", "exit code 3"});
    rows.push_back(row);
  }
  Batch batch = owner.next();
  batch.runs.push_back({run_row(run), true, text("{}"), nullptr});
  for (const auto& row : rows) batch.tasks.push_back({row, true, nullptr, nullptr});
  owner.must(std::move(batch));

  const auto open = owner.open_runs();
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0].tasks, rows);
  const auto views = reader->list_tasks(run, 0, 100, 0);
  ASSERT_TRUE(views);
  ASSERT_EQ(views->size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ((*views)[i].row, rows[i]);
    const auto one = reader->get_task(rows[i].key);
    ASSERT_TRUE(one && *one);
    EXPECT_EQ((*one)->row, rows[i]);
  }
}

TEST_P(Store, AnUpdateReplacesTheStateAndKeepsWhatARunIs) {
  Owner owner(*writer);
  const RunKey run = key(1);
  model::RunRow row = run_row(run);
  row.job_id = "job";
  Batch submit = owner.next();
  submit.runs.push_back({row, true, text(R"({"in":1})"), text(R"({"con":1})")});
  submit.tasks.push_back({task_row({run, 0}), true, text(R"("task")"), nullptr});
  submit.tasks.push_back({task_row({run, 1}), true, nullptr, nullptr});
  owner.must(std::move(submit));

  // The update's row says something else about what cannot change.
  model::RunRow later = row;
  later.status = RunStatus::completed;
  later.version = 3;
  later.ended_at = {77};
  later.journal_head = 2;
  model::RunRow sent = later;
  sent.workflow = "other";
  sent.job_id = "other";
  sent.created_at = {1};
  sent.id = RunId::make(run, {1}, {1, 1});
  Batch update = owner.next();
  update.runs.push_back({sent, false, nullptr, nullptr});
  for (const Ordinal ordinal : {0U, 1U}) {
    update.tasks.push_back({task_row({run, ordinal}, TaskStatus::completed), false, nullptr, text("[1]")});
  }
  owner.must(std::move(update));

  const auto view = reader->get_run(row.id);
  ASSERT_TRUE(view && *view);
  EXPECT_EQ((*view)->row, later);
  EXPECT_EQ((*view)->context, R"({"con":1})");
  EXPECT_EQ(*owner.payload({run, PayloadSlot::run_input, 0, 0}), R"({"in":1})");
  EXPECT_EQ(*owner.payload({run, PayloadSlot::task_input, 0, 0}), R"("task")");
  EXPECT_EQ(*owner.payload({run, PayloadSlot::task_result, 0, 0}), "[1]");
  EXPECT_EQ(*owner.payload({run, PayloadSlot::task_result, 1, 0}), "[1]");
  EXPECT_EQ(owner.payload({run, PayloadSlot::task_input, 1, 0}), nullptr);
  EXPECT_TRUE(owner.open_runs().empty());
}

TEST_P(Store, TheFirstTaskMayComeAndChangeWithoutItsRun) {
  Owner owner(*writer);
  const RunKey run = key(1);
  Batch submit = owner.next();
  submit.runs.push_back({run_row(run), true, text("{}"), nullptr});
  owner.must(std::move(submit));
  EXPECT_TRUE(owner.open_runs().at(0).tasks.empty());
  EXPECT_EQ(*reader->get_task({run, 0}), std::nullopt);

  Batch appears = owner.next();
  appears.tasks.push_back({task_row({run, 0}), true, text("1"), nullptr});
  owner.must(std::move(appears));
  Batch changes = owner.next();
  changes.tasks.push_back({task_row({run, 0}, TaskStatus::failed), false, nullptr, text("2")});
  owner.must(std::move(changes));
  const auto view = reader->get_task({run, 0});
  ASSERT_TRUE(view && *view);
  EXPECT_EQ((*view)->row.status, TaskStatus::failed);
  EXPECT_EQ((*view)->result, "2");
  EXPECT_EQ(*owner.payload({run, PayloadSlot::task_input, 0, 0}), "1");
}

TEST_P(Store, RefusesWhatContradictsTheStoredRowsAndStoresNothingOfTheBatch) {
  Owner owner(*writer);
  const RunKey run = owner.submit(1);
  using Change = std::function<void(Batch&)>;
  const std::vector<std::pair<const char*, Change>> cases = {
      {"run twice", [&](Batch& b) { b.runs.push_back({run_row(run), true, text("{}"), nullptr}); }},
      {"unknown run", [&](Batch& b) { b.runs.push_back({run_row(key(9)), false, nullptr, nullptr}); }},
      {"first task twice",
       [&](Batch& b) { b.tasks.push_back({task_row({run, 0}), true, nullptr, nullptr}); }},
      {"first task of no run",
       [&](Batch& b) { b.tasks.push_back({task_row({key(9), 0}), true, nullptr, nullptr}); }},
      {"unknown task", [&](Batch& b) { b.tasks.push_back({task_row({run, 5}), false, nullptr, nullptr}); }},
      {"unknown first task of a new run",
       [&](Batch& b) {
         b.runs.push_back({run_row(key(9)), true, text("{}"), nullptr});
         b.tasks.push_back({task_row({key(9), 0}), false, nullptr, nullptr});
       }},
  };
  for (const auto& [name, change] : cases) {
    SCOPED_TRACE(name);
    Batch batch = owner.next();
    batch.runs.push_back({run_row(key(7)), true, text(std::string(10'000, '7')), nullptr});
    batch.definitions.push_back({"fresh", 1, Hash256::of("fresh"), text("{}"), {1}});
    batch.idempotency.push_back({"fresh", Hash256::of("body"), run, {1}});
    batch.facts.push_back(facts_of(run, 1));
    change(batch);
    owner.must_refuse(std::move(batch));
    EXPECT_EQ(listed({}), (Sequences{1}));
    EXPECT_EQ(reader->get_definition(Hash256::of("fresh")).value(), std::nullopt);
    EXPECT_EQ(reader->journal_after(1, 10)->size(), 0U);
    LoadRequest request;
    request.idempotency_keys = {"fresh"};
    request.shard = kShard;
    EXPECT_EQ(owner.load(request).idempotency.at(0).second.has_value(), false);
  }
  // A workflow's name that was seen only by refused commits is stored by the next one.
  Batch batch = owner.next();
  batch.runs.push_back({run_row(key(7)), true, text("{}"), nullptr});
  batch.definitions.push_back({"fresh", 1, Hash256::of("fresh"), text("{}"), {1}});
  batch.runs.back().row.workflow = "fresh";
  owner.must(std::move(batch));
  EXPECT_EQ(listed({.workflows = {"fresh"}}), (Sequences{7}));
}

TEST_P(Store, AnEmptyBatchAdvancesTheShardsTime) {
  Owner owner(*writer);
  owner.must(owner.next());
  const auto meta = writer->open_shard(kShard);
  ASSERT_TRUE(meta);
  EXPECT_EQ(meta->sequence, 1);
  EXPECT_EQ(meta->shard_time, ShardTime{1000});
}

// ---- Loading

TEST_P(Store, OpenRunsComeInTheOrderOfTheirKeysWithTheirTasks) {
  Owner owner(*writer);
  // Statuses that do not follow the keys; large batches go another way through some stores.
  const std::array statuses = {RunStatus::recovering, RunStatus::completed, RunStatus::pending,
                               RunStatus::failed,     RunStatus::paused,    RunStatus::running,
                               RunStatus::cancelled};
  Batch batch = owner.next();
  for (std::int64_t i = 40; i >= 1; --i) {
    batch.runs.push_back({run_row(key(i), statuses[static_cast<std::size_t>(i) % statuses.size()]), true,
                          text("{}"), nullptr});
    for (const Ordinal ordinal : {2U, 0U, 1U}) {
      batch.tasks.push_back({task_row({key(i), ordinal}), true, nullptr, nullptr});
    }
  }
  owner.must(std::move(batch));
  restart();
  Owner next(*writer);
  Sequences seen;
  for (const RunImage& image : next.open_runs()) {
    seen.push_back(image.run.key.sequence());
    ASSERT_EQ(image.tasks.size(), 3U);
    for (Ordinal i = 0; i < 3; ++i) EXPECT_EQ(image.tasks[i].key, (TaskKey{image.run.key, i}));
  }
  Sequences expected;
  for (std::int64_t i = 1; i <= 40; ++i) {
    if (!is_terminal(statuses[static_cast<std::size_t>(i) % statuses.size()])) expected.push_back(i);
  }
  EXPECT_EQ(seen, expected);
}

TEST_P(Store, ColdRunsLoadWithTheirTasksAndDefinitions) {
  Owner owner(*writer);
  Batch batch = owner.next();
  model::RunRow row = run_row(key(1), RunStatus::failed);
  batch.definitions.push_back({"nightly", 2, row.definition, text("{canonical}"), {1}});
  batch.runs.push_back({row, true, text("{}"), nullptr});
  batch.runs.push_back({run_row(key(2), RunStatus::completed), true, text("{}"), nullptr});
  batch.tasks.push_back({task_row({key(1), 3}), true, nullptr, nullptr});
  owner.must(std::move(batch));

  LoadRequest request;
  request.shard = kShard;
  request.runs = {key(1), key(2), key(3)};
  const Loaded loaded = owner.load(request);
  ASSERT_EQ(loaded.runs.size(), 3U);
  ASSERT_TRUE(loaded.runs[0].second);
  EXPECT_EQ(loaded.runs[0].second->run, row);
  ASSERT_EQ(loaded.runs[0].second->tasks.size(), 1U);
  EXPECT_EQ(loaded.runs[0].second->tasks[0].key.ordinal, 3U);
  EXPECT_TRUE(loaded.runs[1].second);
  EXPECT_EQ(loaded.runs[2].first, key(3));
  EXPECT_FALSE(loaded.runs[2].second);
  ASSERT_EQ(loaded.definitions.size(), 1U);  // of both runs
  EXPECT_EQ(loaded.definitions[0].first, row.definition);
  EXPECT_EQ(loaded.definitions[0].second, "{canonical}");
}

TEST_P(Store, DefinitionsAreKeptByHashAndListedByVersion) {
  Owner owner(*writer);
  Batch batch = owner.next();
  for (const std::uint32_t version : {2U, 1U, 10U}) {
    const std::string canonical = "{v" + std::to_string(version) + "}";
    batch.definitions.push_back({"b", version, Hash256::of(canonical), text(canonical), {version}});
  }
  batch.definitions.push_back({"a", 1, Hash256::of("a"), text(std::string(1 << 20, 'a')), {1}});
  owner.must(std::move(batch));
  restart();

  const auto keys = writer->load_definition_keys(kShard);
  ASSERT_TRUE(keys);
  std::vector<std::pair<std::string, std::uint32_t>> order;
  for (const auto& k : *keys) order.emplace_back(k.workflow, k.version);
  EXPECT_EQ(order,
            (std::vector<std::pair<std::string, std::uint32_t>>{{"a", 1}, {"b", 1}, {"b", 2}, {"b", 10}}));

  const auto loaded = writer->load_definition(kShard, Hash256::of("{v10}"));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->workflow, "b");
  EXPECT_EQ(loaded->version, 10U);
  EXPECT_EQ(loaded->canonical, "{v10}");
  EXPECT_EQ(loaded->created_at, WallTime{10});
  EXPECT_EQ(writer->load_definition(kShard, Hash256::of("none")).error().code, ErrorCode::not_found);

  const auto numbers = [&](const char* workflow, std::optional<std::uint32_t> before, std::size_t limit) {
    std::vector<std::uint32_t> found;
    const auto list = reader->list_versions(workflow, before, limit);
    EXPECT_TRUE(list);
    if (list) {
      for (const auto& view : *list) found.push_back(view.version);
    }
    return found;
  };
  using Numbers = std::vector<std::uint32_t>;
  EXPECT_EQ(numbers("b", {}, 10), (Numbers{10, 2, 1}));
  EXPECT_EQ(numbers("b", {}, 2), (Numbers{10, 2}));
  EXPECT_EQ(numbers("b", 10, 10), (Numbers{2, 1}));
  EXPECT_EQ(numbers("none", {}, 10), Numbers{});
  const auto newest = reader->list_versions("b", {}, 1);
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->at(0).hash, Hash256::of("{v10}"));
  EXPECT_EQ(newest->at(0).created_at, WallTime{10});
  const auto second = reader->get_version("b", 2);
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->canonical, "{v2}");
  EXPECT_EQ((*second)->hash, Hash256::of("{v2}"));
  EXPECT_EQ((*second)->created_at, WallTime{2});
  EXPECT_FALSE(*reader->get_version("b", 3));
  EXPECT_FALSE(*reader->get_version("none", 1));
  const auto large = reader->get_definition(Hash256::of("a"));
  ASSERT_TRUE(large && *large);
  EXPECT_EQ((*large)->canonical.size(), std::size_t{1} << 20);

  Owner next(*writer);
  Batch again = next.next();
  again.definitions.push_back({"b", 2, Hash256::of("changed"), text("{}"), {1}});
  next.must_refuse(std::move(again));
}

TEST_P(Store, AnIdempotencyKeyNamesItsRunUntilItIsReplaced) {
  Owner owner(*writer);
  const RunKey first = owner.submit(1);
  const RunKey second = owner.submit(2);
  const auto remember = [&](RunKey run, std::string_view body, std::int64_t expires) {
    Batch batch = owner.next();
    batch.idempotency.push_back({"key", Hash256::of(body), run, {expires}});
    owner.must(std::move(batch));
  };
  const auto look = [&](ShardId shard, std::string k) {
    LoadRequest request;
    request.idempotency_keys = {std::move(k)};
    request.shard = shard;
    return owner.load(std::move(request)).idempotency.at(0).second;
  };
  remember(first, "body", 5);  // long expired: whether that matters is the caller's to say
  auto entry = look(kShard, "key");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->run, first);
  EXPECT_EQ(entry->id, run_row(first).id);
  EXPECT_EQ(entry->body, Hash256::of("body"));
  EXPECT_EQ(entry->expires_at, WallTime{5});
  EXPECT_FALSE(look(kShard, "KEY"));
  EXPECT_FALSE(look(ShardId{0}, "key"));
  remember(second, "other", 6);
  entry = look(kShard, "key");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->run, second);
  EXPECT_EQ(entry->body, Hash256::of("other"));
}

// ---- Payloads

TEST_P(Store, PayloadsOfEverySizeReadBackFromEverySlot) {
  Owner owner(*writer);
  for (const std::size_t size :
       {std::size_t{1}, model::kInlinePayload, model::kInlinePayload + 1, std::size_t{2} << 20}) {
    SCOPED_TRACE(size);
    const RunKey run = key(static_cast<std::int64_t>(size) + 1);
    const auto sized = [&](char c) { return text(std::string(size, c)); };
    Batch batch = owner.next();
    batch.runs.push_back({run_row(run), true, sized('a'), sized('b')});
    batch.tasks.push_back({task_row({run, 0}), true, sized('c'), sized('d')});
    batch.tasks.push_back({task_row({run, 1}), true, sized('e'), sized('f')});
    owner.must(std::move(batch));
    const std::vector<std::pair<PayloadKey, char>> slots = {
        {{run, PayloadSlot::run_input, 0, 0}, 'a'},  {{run, PayloadSlot::run_context, 0, 0}, 'b'},
        {{run, PayloadSlot::task_input, 0, 0}, 'c'}, {{run, PayloadSlot::task_result, 0, 0}, 'd'},
        {{run, PayloadSlot::task_input, 1, 0}, 'e'}, {{run, PayloadSlot::task_result, 1, 0}, 'f'}};
    for (const auto& [slot, c] : slots) {
      const auto loaded = owner.payload(slot);
      ASSERT_TRUE(loaded);
      EXPECT_TRUE(*loaded == std::string(size, c));
      const auto read = reader->get_payload(slot);
      ASSERT_TRUE(read && *read);
      EXPECT_TRUE(**read == std::string(size, c));
    }
  }
}

TEST_P(Store, AnEmptyTextRemovesAPayload) {
  Owner owner(*writer);
  for (const std::size_t size : {std::size_t{1}, std::size_t{10'000}}) {
    SCOPED_TRACE(size);
    const RunKey run = key(static_cast<std::int64_t>(size));
    Batch batch = owner.next();
    batch.runs.push_back({run_row(run), true, text("{}"), text("{}")});
    for (const Ordinal ordinal : {Ordinal{0}, Ordinal{1}}) {
      batch.tasks.push_back(
          {task_row({run, ordinal}), true, text(std::string(size, 'a')), text(std::string(size, 'b'))});
    }
    owner.must(std::move(batch));
    Batch reset = owner.next();
    for (const Ordinal ordinal : {Ordinal{0}, Ordinal{1}}) {
      reset.tasks.push_back({task_row({run, ordinal}), false, text(""), text("")});
    }
    owner.must(std::move(reset));
    for (const Ordinal ordinal : {Ordinal{0}, Ordinal{1}}) {
      for (const auto slot : {PayloadSlot::task_input, PayloadSlot::task_result}) {
        EXPECT_EQ(owner.payload({run, slot, ordinal, 0}), nullptr);
        EXPECT_EQ(reader->get_payload({run, slot, ordinal, 0}).value(), std::nullopt);
      }
    }
  }
}

TEST_P(Store, APayloadThatIsNotThereIsNull) {
  Owner owner(*writer);
  const RunKey run = owner.submit(1);
  for (const PayloadKey slot : {PayloadKey{key(2), PayloadSlot::run_input, 0, 0},
                                {key(2), PayloadSlot::task_result, 4, 0},
                                {run, PayloadSlot::task_result, 0, 0},
                                {run, PayloadSlot::task_input, 3, 0}}) {
    EXPECT_EQ(owner.payload(slot), nullptr);
    EXPECT_EQ(reader->get_payload(slot).value(), std::nullopt);
  }
}

TEST_P(Store, OneOfManyEqualLargePayloadsMayChange) {
  Owner owner(*writer);
  const std::string large(10'000, 'x');
  Batch batch = owner.next();
  for (std::int64_t i = 1; i <= 3; ++i) {
    batch.runs.push_back({run_row(key(i)), true, text(large), text(large)});
    batch.tasks.push_back({task_row({key(i), 0}), true, text(large), text(large)});
    batch.tasks.push_back({task_row({key(i), 1}), true, text(large), text(large)});
  }
  owner.must(std::move(batch));
  // To something else, to a small one, to the same.
  Batch update = owner.next();
  update.runs.push_back({run_row(key(1)), false, text(std::string(9'000, 'y')), nullptr});
  update.tasks.push_back({task_row({key(1), 0}), false, nullptr, text("1")});
  update.tasks.push_back({task_row({key(1), 1}), false, text(large), text(std::string(9'000, 'y'))});
  owner.must(std::move(update));
  const auto is = [&](std::int64_t run, PayloadSlot slot, Ordinal ordinal, const std::string& expected) {
    const auto loaded = owner.payload({key(run), slot, ordinal, 0});
    ASSERT_TRUE(loaded);
    EXPECT_TRUE(*loaded == expected);
  };
  is(1, PayloadSlot::run_input, 0, std::string(9'000, 'y'));
  is(1, PayloadSlot::run_context, 0, large);
  is(1, PayloadSlot::task_input, 0, large);
  is(1, PayloadSlot::task_result, 0, "1");
  is(1, PayloadSlot::task_input, 1, large);
  is(1, PayloadSlot::task_result, 1, std::string(9'000, 'y'));
  is(2, PayloadSlot::task_result, 1, large);
  is(3, PayloadSlot::run_input, 0, large);
}

TEST_P(Store, ItemResultsAreOneListWithNulls) {
  Owner owner(*writer);
  const RunKey run = key(1);
  Batch batch = owner.next();
  batch.runs.push_back({run_row(run), true, text("{}"), nullptr});
  const auto add = [&](Ordinal ordinal, TaskStatus status, std::shared_ptr<const std::string> result) {
    model::TaskRow row = task_row({run, ordinal});
    row.status = status;
    batch.tasks.push_back({std::move(row), true, nullptr, std::move(result)});
  };
  add(0, TaskStatus::completed, text(R"("zero")"));
  add(5, TaskStatus::completed, text(R"({"five":[5]})"));
  add(6, TaskStatus::completed, nullptr);
  add(7, TaskStatus::failed, text("\"a partial one is no result\""));
  const std::string large = "\"" + std::string(5'000, 'l') + "\"";
  add(8, TaskStatus::completed, text(large));
  add(9, TaskStatus::completed, text("9"));
  owner.must(std::move(batch));
  const auto items = [&](Ordinal first, std::uint32_t count) {
    const PayloadKey wanted{run, PayloadSlot::item_results, first, count};
    const auto loaded = owner.payload(wanted);
    EXPECT_EQ(*loaded, **reader->get_payload(wanted));
    return *loaded;
  };
  EXPECT_EQ(items(5, 4), R"([{"five":[5]},null,null,)" + large + "]");
  EXPECT_EQ(items(0, 2), R"(["zero",null])");
  EXPECT_EQ(items(20, 2), "[null,null]");
  EXPECT_EQ(items(5, 0), "[]");
  LoadRequest request;
  // One list that is too long does not spoil the load.
  const PayloadKey endless{run, PayloadSlot::item_results, 0, UINT32_MAX};
  request.payloads = {endless, {run, PayloadSlot::task_result, 9, 0}};
  const Loaded loaded = owner.load(request);
  ASSERT_EQ(loaded.refused.size(), 1U);
  EXPECT_EQ(loaded.refused[0].first, endless);
  EXPECT_EQ(loaded.refused[0].second.code, ErrorCode::too_large);
  ASSERT_EQ(loaded.payloads.size(), 2U);
  EXPECT_EQ(*loaded.payloads[0].second, "");
  EXPECT_EQ(*loaded.payloads[1].second, "9");
  EXPECT_EQ(reader->get_payload(endless).error().code, ErrorCode::too_large);
}

// ---- Lists

TEST_P(Store, RunsOfATimeAreFoundByTheirKeys) {
  Owner owner(*writer);
  Batch batch = owner.next();
  const auto hour = [](std::int64_t n) { return WallTime{} + Duration::hours(n); };
  for (std::int64_t i = 1; i <= 50; ++i) {
    RunRow row = run_row(key(i));
    // Now and then a clock that is 20 minutes behind the run before.
    row.created_at = hour(i * 3) - Duration::minutes(i % 7 == 0 ? 200 : 0);
    row.status = i % 2 == 0 ? RunStatus::failed : RunStatus::completed;
    batch.runs.push_back({row, true, text("{}"), nullptr});
  }
  owner.must(std::move(batch));
  const auto rows = reader->list_runs({}, {}, 1000);
  ASSERT_TRUE(rows);
  for (const std::vector<RunStatus>& statuses :
       {std::vector<RunStatus>{}, {RunStatus::failed}, {RunStatus::completed}}) {
    for (const auto& from : {std::optional<WallTime>{}, std::optional(hour(30)), std::optional(hour(500))}) {
      for (const auto& end : {std::optional<WallTime>{}, std::optional(hour(31)), std::optional(hour(90))}) {
        Sequences expected;
        for (const auto& row : rows->rows) {
          if ((statuses.empty() || row.status == statuses[0]) && (!from || row.created_at >= *from) &&
              (!end || row.created_at < *end)) {
            expected.push_back(row.key.sequence());
          }
        }
        EXPECT_EQ(listed({.statuses = statuses, .created_from = from, .created_before = end}), expected);
      }
    }
  }
}

TEST_P(Store, SeveralWorkflowsAndJobsAtOnce) {
  Owner owner(*writer);
  Batch batch = owner.next();
  for (std::int64_t i = 1; i <= 30; ++i) {
    RunRow row = run_row(key(i));
    row.workflow = "w" + std::to_string(i % 3);
    row.job_id = "j" + std::to_string(i % 5);
    row.status = i % 2 == 0 ? RunStatus::failed : RunStatus::completed;
    batch.runs.push_back({row, true, text("{}"), nullptr});
  }
  owner.must(std::move(batch));
  EXPECT_EQ(listed({.workflows = {"w1", "w0", "w1", "none"}, .job_ids = {"j4", "j0"}}),
            (Sequences{30, 25, 24, 19, 15, 10, 9, 4}));
  EXPECT_EQ(listed({.workflows = {"w1", "w0"}, .job_ids = {"j4", "j0"}}, key(24), 3),
            (Sequences{19, 15, 10}));
  EXPECT_EQ(listed({.statuses = {RunStatus::failed}, .workflows = {"w1", "w2"}}, {}, 4),
            (Sequences{28, 26, 22, 20}));
}

TEST_P(Store, RunsAreListedNewestFirstInPages) {
  Owner owner(*writer);
  Batch batch = owner.next();
  for (std::int64_t i = 1; i <= 25; ++i) batch.runs.push_back({run_row(key(i)), true, text("{}"), nullptr});
  owner.must(std::move(batch));
  Sequences all;
  std::optional<RunKey> before;
  while (true) {
    const Sequences page = listed({}, before, 10);
    if (page.empty()) break;
    EXPECT_LE(page.size(), 10U);
    all.insert(all.end(), page.begin(), page.end());
    before = key(page.back());
  }
  Sequences expected;
  for (std::int64_t i = 25; i >= 1; --i) expected.push_back(i);
  EXPECT_EQ(all, expected);
  // A cursor of another shard is no way into it.
  EXPECT_EQ(listed({}, key(1, ShardId{4})).size(), 25U);
  EXPECT_EQ(listed({}, key(1, ShardId{2})).size(), 0U);
}

TEST_P(Store, FiltersSelectWhatTheySay) {
  Owner owner(*writer);
  constexpr std::int64_t kRuns = 64;
  Batch batch = owner.next();
  for (std::int64_t i = 0; i < kRuns; ++i) {
    model::RunRow row = run_row(key(i + 1), static_cast<RunStatus>(i % 8));
    row.workflow = i / 8 % 2 == 0 ? "even" : "odd";
    row.job_id = i % 3 == 0 ? "" : "job-" + std::to_string(i % 3);
    batch.runs.push_back({row, true, text("{}"), nullptr});
  }
  owner.must(std::move(batch));
  const auto rows = reader->list_runs({}, {}, 1000);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->rows.size(), static_cast<std::size_t>(kRuns));

  const std::vector<std::vector<RunStatus>> statuses = {
      {},
      {RunStatus::failed},
      {RunStatus::completed},
      {RunStatus::running, RunStatus::pending, RunStatus::running},
      {RunStatus::completed, RunStatus::cancelled},
      {RunStatus::pending, RunStatus::running, RunStatus::paused, RunStatus::cancelling,
       RunStatus::recovering, RunStatus::completed, RunStatus::failed, RunStatus::cancelled}};
  for (const auto& wanted : statuses) {
    for (const std::string workflow : {"", "even", "odd", "none"}) {
      for (const std::string job : {"", "job-1", "job-2", "job-9"}) {
        for (const std::size_t limit : {std::size_t{3}, std::size_t{1000}}) {
          for (const std::optional<RunKey> before : {std::optional<RunKey>{}, std::optional(key(40))}) {
            Sequences expected;
            for (const auto& row : rows->rows) {
              if ((wanted.empty() || std::ranges::count(wanted, row.status) > 0) &&
                  (workflow.empty() || row.workflow == workflow) && (job.empty() || row.job_id == job) &&
                  (!before || row.key < *before) && expected.size() < limit) {
                expected.push_back(row.key.sequence());
              }
            }
            RunFilter filter{.statuses = wanted};
            if (!workflow.empty()) filter.workflows = {workflow};
            if (!job.empty()) filter.job_ids = {job};
            EXPECT_EQ(listed(filter, before, limit), expected)
                << wanted.size() << " " << workflow << " " << job << " " << limit;
          }
        }
      }
    }
  }
}

TEST_P(Store, FiltersFollowTheStatusOfARun) {
  Owner owner(*writer);
  const RunKey run = owner.submit(1);
  for (const RunStatus status :
       {RunStatus::running, RunStatus::failed, RunStatus::recovering, RunStatus::completed}) {
    Batch batch = owner.next();
    batch.runs.push_back({run_row(run, status), false, nullptr, nullptr});
    owner.must(std::move(batch));
    for (int other = 0; other < 8; ++other) {
      const auto filter = static_cast<RunStatus>(other);
      EXPECT_EQ(listed({.statuses = {filter}}).size(), filter == status ? 1U : 0U);
    }
  }
}

TEST_P(Store, ARunIsFoundByItsWholeId) {
  Owner owner(*writer);
  const RunKey run = owner.submit(1);
  const RunId id = run_row(run).id;
  ASSERT_TRUE(reader->get_run(id)->has_value());
  RunId other = RunId::make(run, run_row(run).created_at, {5, 5});
  ASSERT_EQ(other.key(), run);
  ASSERT_NE(other, id);
  EXPECT_EQ(reader->get_run(other)->has_value(), false);
  EXPECT_EQ(reader->get_run(run_row(key(2)).id)->has_value(), false);
}

TEST_P(Store, TasksAreListedInPagesAndLongResultsLeftOut) {
  Owner owner(*writer);
  const RunKey run = key(1);
  Batch batch = owner.next();
  batch.runs.push_back({run_row(run), true, text("{}"), nullptr});
  for (Ordinal i = 0; i < 10; ++i) {
    model::TaskRow row = task_row({run, i}, TaskStatus::completed);
    row.has_result = true;
    const std::size_t size = i == 4 ? 5'000 : i == 5 ? 101 : 100;
    batch.tasks.push_back({row, true, nullptr, text(std::string(size, '1'))});
  }
  owner.must(std::move(batch));
  const auto page = [&](Ordinal from, std::size_t limit, std::size_t max_result) {
    auto views = reader->list_tasks(run, from, limit, max_result);
    EXPECT_TRUE(views);
    return *views;
  };
  ASSERT_EQ(page(0, 4, 100).size(), 4U);
  const auto rest = page(4, 100, 100);
  ASSERT_EQ(rest.size(), 6U);
  EXPECT_EQ(rest[0].row.key.ordinal, 4U);
  EXPECT_TRUE(rest[0].row.has_result);
  EXPECT_FALSE(rest[0].result);
  EXPECT_FALSE(rest[1].result);
  EXPECT_EQ(rest[2].result, std::string(100, '1'));
  EXPECT_FALSE(page(6, 1, 0).at(0).result);
  EXPECT_EQ(page(4, 1, 5'000).at(0).result, std::string(5'000, '1'));
  EXPECT_EQ(page(0, 0, 100).size(), 0U);
  EXPECT_EQ(page(10, 5, 100).size(), 0U);
  EXPECT_EQ(reader->list_tasks(key(2), 0, 5, 100)->size(), 0U);
  EXPECT_EQ((*reader->get_task({run, 4}))->result, std::string(5'000, '1'));
}

// ---- Journal

TEST_P(Store, ARunsJournalFollowsItsChain) {
  Owner owner(*writer);
  const RunKey mine = key(1);
  const RunKey other = key(2);
  JournalSequence head = 0;
  Sequences expected;
  for (int i = 0; i < 30; ++i) {
    Batch batch = owner.next();
    if (i == 0) batch.runs.push_back({run_row(other), true, text("{}"), nullptr});
    batch.facts.push_back(facts_of(other));
    if (i % 3 == 0) {
      model::RunRow row = run_row(mine);
      row.journal_head = batch.sequence;
      batch.runs.push_back({row, i == 0, i == 0 ? text("{}") : nullptr, nullptr});
      batch.facts.push_back(facts_of(mine, head, "turn " + std::to_string(i)));
      head = batch.sequence;
      expected.insert(expected.begin(), head);
    }
    owner.must(std::move(batch));
  }
  Sequences seen;
  std::optional<JournalSequence> before;
  while (true) {
    const auto page = reader->run_journal(mine, before, 4);
    ASSERT_TRUE(page);
    if (page->empty()) break;
    EXPECT_LE(page->size(), 4U);
    for (const JournalView& view : *page) {
      seen.push_back(view.sequence);
      EXPECT_EQ(view.facts.run, mine);
      EXPECT_EQ(view.facts.cause, "turn " + std::to_string(view.sequence - 1));
      EXPECT_EQ(view.facts.facts, facts_of(mine).facts);
    }
    before = page->back().sequence;
  }
  EXPECT_EQ(seen, expected);
  // Cursors that are none of the run's entries: just behind one, anywhere, from the future, before all.
  EXPECT_EQ(reader->run_journal(mine, 5, 1)->at(0).sequence, 4);
  EXPECT_EQ(reader->run_journal(mine, head + 1, 1)->at(0).sequence, head);
  EXPECT_EQ(reader->run_journal(mine, 1, 1)->size(), 0U);
  EXPECT_EQ(reader->run_journal(mine, 0, 1)->size(), 0U);
  EXPECT_EQ(reader->run_journal(mine, 6, 1)->at(0).sequence, 4);
  EXPECT_EQ(reader->run_journal(mine, 1'000, 1)->at(0).sequence, head);
  EXPECT_EQ(reader->run_journal(key(3), {}, 10)->size(), 0U);
}

TEST_P(Store, TheJournalOfAShardCanBeFollowed) {
  Owner owner(*writer);
  owner.submit(1);
  owner.must(owner.next());  // without facts: no entry
  owner.submit(2);
  owner.submit(3);
  const auto tail = [&](JournalSequence after, std::size_t limit) {
    const auto entries = reader->journal_after(after, limit);
    EXPECT_TRUE(entries);
    Sequences sequences;
    for (const auto& [sequence, facts] : *entries) {
      sequences.push_back(sequence);
      EXPECT_EQ(facts.size(), 1U);
    }
    return sequences;
  };
  EXPECT_EQ(tail(0, 10), (Sequences{1, 3, 4}));
  EXPECT_EQ(tail(0, 2), (Sequences{1, 3}));
  EXPECT_EQ(tail(3, 10), (Sequences{4}));
  EXPECT_EQ(tail(4, 10), (Sequences{}));
  EXPECT_EQ(tail(INT64_MAX, 10), (Sequences{}));
  EXPECT_EQ(reader->journal_after(0, 1)->at(0).second.at(0), facts_of(key(1)));
}

// ---- Order and threads

TEST_P(Store, CommitsAreAnsweredInTheOrderOfCalls) {
  Owner owner(*writer);
  std::vector<JournalSequence> answered;
  std::promise<void> all;
  constexpr int kCommits = 200;
  for (int i = 0; i < kCommits; ++i) {
    Batch batch = owner.next();
    // Small ones between large ones.
    const std::int64_t rows = i % 5 == 0 ? 50 : 1;
    for (std::int64_t r = 0; r < rows; ++r) {
      batch.runs.push_back({run_row(key(i * 100 + r + 1)), true, text("{}"), nullptr});
    }
    writer->begin_commit(std::move(batch), [&](CommitDone done) {
      EXPECT_EQ(done.result, CommitResult::committed) << done.error.message;
      answered.push_back(done.sequence);
      if (answered.size() == kCommits) all.set_value();
    });
  }
  all.get_future().wait();
  EXPECT_TRUE(std::ranges::is_sorted(answered));
}

TEST_P(Store, EndingFinishesWhatWasBegun) {
  Owner owner(*writer);
  std::atomic<int> answered = 0;
  for (int i = 0; i < 20; ++i) {
    Batch batch = owner.next();
    for (std::int64_t r = 0; r < 50; ++r) {
      batch.runs.push_back({run_row(key(i * 100 + r + 1)), true, text("{}"), nullptr});
    }
    writer->begin_commit(std::move(batch), [&](CommitDone done) {
      EXPECT_EQ(done.result, CommitResult::committed);
      ++answered;
    });
  }
  writer.reset();
  EXPECT_EQ(answered, 20);
  EXPECT_EQ(listed({}, {}, 2000).size(), 1000U);
}

TEST_P(Store, ReadersSeeWholeCommitsWhileTheWriterCommits) {
  Owner owner(*writer);
  std::atomic<bool> over = false;
  std::atomic<int> reads = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&] {
      while (!over) {
        // Each commit adds ten runs.
        const auto page = reader->list_runs({}, {}, 1000);
        if (!page) {
          ADD_FAILURE() << page.error().message;
          return;
        }
        EXPECT_EQ(page->rows.size() % 10, 0U);
        if (!page->rows.empty()) {
          const auto view = reader->get_run(page->rows.back().id);
          EXPECT_TRUE(view && *view);
        }
        ++reads;
      }
    });
  }
  for (int i = 0; i < 50 || reads < 50; ++i) {
    if (i < 80) {
      Batch batch = owner.next();
      for (std::int64_t r = 1; r <= 10; ++r) {
        batch.runs.push_back({run_row(key(i * 10 + r)), true, text("{}"), nullptr});
      }
      owner.must(std::move(batch));
      writer->idle();
    } else {
      std::this_thread::yield();
    }
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
}

// ---- Records

model::RecordChange kept(model::RecordKind kind, std::string name, std::string group, std::string state,
                         std::int64_t at = 7) {
  return {{{kind, std::move(name)}, std::move(group), {at}, std::move(state)}, false};
}

TEST_P(Store, RecordsAreMadeReplacedAndErased) {
  using model::RecordKind;
  Owner owner(*writer);
  Batch made = owner.next();
  made.records.push_back(kept(RecordKind::breaker, "nlp", "", std::string("\0open", 5)));
  made.records.push_back(kept(RecordKind::dead_letter, "r1/2", "timeout", "a"));
  made.records.push_back(kept(RecordKind::dead_letter, "r2/1", "exit", "b"));
  made.records.push_back(kept(RecordKind::pause, "queue/gpu", "", ""));
  owner.must(std::move(made));
  Batch changed = owner.next();
  changed.records.push_back(kept(RecordKind::breaker, "nlp", "g", "closed", 9));
  changed.records.push_back({{{RecordKind::dead_letter, "r1/2"}, {}, {}, {}}, true});
  changed.records.push_back({{{RecordKind::dead_letter, "never"}, {}, {}, {}}, true});
  owner.must(std::move(changed));
  restart();
  Owner next(*writer);
  std::vector<model::Record> resident;
  ASSERT_TRUE(writer->load_records(kShard, [&](model::Record r) { resident.push_back(std::move(r)); }));
  ASSERT_EQ(resident.size(), 2U) << "dead letters are not resident";
  EXPECT_EQ(resident[0], kept(RecordKind::pause, "queue/gpu", "", "").record);
  EXPECT_EQ(resident[1], kept(RecordKind::breaker, "nlp", "g", "closed", 9).record);
  LoadRequest request;
  request.shard = kShard;
  request.records = {{RecordKind::dead_letter, "r2/1"}, {RecordKind::dead_letter, "r1/2"}};
  const Loaded loaded = next.load(std::move(request));
  ASSERT_EQ(loaded.records.size(), 2U);
  EXPECT_EQ(loaded.records[0].second, kept(RecordKind::dead_letter, "r2/1", "exit", "b").record);
  EXPECT_EQ(loaded.records[1].second, std::nullopt);
  EXPECT_EQ(*reader->get_record({RecordKind::breaker, "nlp"}), resident[1]);
  EXPECT_EQ(*reader->of(ShardId{9})->get_record({RecordKind::breaker, "nlp"}), std::nullopt);
}

TEST_P(Store, RecordsAreListedByGroupInBothDirectionsAndCounted) {
  using model::RecordKind;
  Owner owner(*writer);
  Batch batch = owner.next();
  for (int i = 0; i < 10; ++i) {
    batch.records.push_back(
        kept(RecordKind::dead_letter, "k" + std::to_string(i), i % 2 ? "odd" : "even", "", 100 + i));
  }
  batch.records.push_back(kept(RecordKind::pause, "k3", "odd", ""));
  owner.must(std::move(batch));
  const auto keys = [&](RecordFilter filter, std::optional<std::string> after, std::size_t limit) {
    filter.kind = RecordKind::dead_letter;
    std::string all;
    const auto list = reader->list_records(filter, std::move(after), limit);
    EXPECT_TRUE(list);
    for (const auto& record : *list) all += record.id.key;
    return all;
  };
  EXPECT_EQ(keys({}, {}, 100), "k0k1k2k3k4k5k6k7k8k9");
  EXPECT_EQ(keys({.group = "odd"}, {}, 100), "k1k3k5k7k9");
  EXPECT_EQ(keys({.group = "odd"}, "k3", 2), "k5k7");
  EXPECT_EQ(keys({.group = "odd", .descending = true}, "k5", 100), "k3k1");
  EXPECT_EQ(keys({.descending = true}, {}, 2), "k9k8");
  EXPECT_EQ(keys({.group = ""}, {}, 100), "");
  const auto groups = reader->count_records(RecordKind::dead_letter);
  ASSERT_TRUE(groups);
  ASSERT_EQ(groups->size(), 2U);
  EXPECT_EQ((*groups)[0].group, "even");
  EXPECT_EQ((*groups)[1].group, "odd");
  EXPECT_EQ((*groups)[1].count, 5U);
  EXPECT_EQ((*groups)[1].first_at.us, 101);
  EXPECT_EQ((*groups)[1].last_at.us, 109);
  EXPECT_EQ((*groups)[1].last_key, "k9");
}

TEST_P(Store, RecordsOfARefusedBatchAreNotStored) {
  Owner owner(*writer);
  Batch batch = owner.next();
  batch.records.push_back(kept(model::RecordKind::breaker, "nlp", "", "open"));
  batch.runs.push_back({run_row(key(1)), false, nullptr, nullptr});  // is not stored
  owner.must_refuse(std::move(batch));
  EXPECT_EQ(*reader->get_record({model::RecordKind::breaker, "nlp"}), std::nullopt);
}

TEST_P(Store, AProbeOfAHealthyStoreSucceeds) {
  Owner owner(*writer);
  owner.submit(1);
  EXPECT_TRUE(writer->probe());
  owner.submit(2);
}

// ---- Removals

model::RunRemoval removal_of(const RunRow& row) {
  return {row.key, row.id, row.journal_head, row.next_ordinal, row.additions};
}

// A run with two tasks, large and small payloads, that ended in its second commit.
RunRow ended_run(Owner& owner, std::int64_t number, WallTime ended, RunStatus status = RunStatus::completed) {
  owner.submit(number);
  Batch batch = owner.next();
  RunRow row = run_row(key(number), status);
  row.ended_at = ended;
  row.next_ordinal = 2;
  row.journal_head = batch.sequence;
  batch.runs.push_back({row, false, nullptr, nullptr});
  batch.tasks.push_back({task_row({key(number), 0}, TaskStatus::completed), false, nullptr,
                         text('"' + std::string(6000, 'r') + '"')});
  batch.tasks.push_back({task_row({key(number), 1}, TaskStatus::completed), true,
                         text('"' + std::string(5000, 'i') + '"'), text("1")});
  batch.idempotency.push_back(
      {"key-" + std::to_string(number), Hash256::of("b"), key(number), {ended.us + 9}});
  batch.facts.push_back(facts_of(key(number), batch.sequence - 1, "report"));
  owner.must(std::move(batch));
  return row;
}

TEST_P(Store, ARemovedRunIsGoneForEveryReader) {
  Owner owner(*writer);
  const RunRow first = ended_run(owner, 1, {100});
  const RunRow second = ended_run(owner, 2, {200});
  Batch batch = owner.next();
  batch.removals.push_back(removal_of(first));
  owner.must(std::move(batch));

  EXPECT_FALSE(*reader->get_run(first.id));
  EXPECT_EQ(reader->list_runs({}, {}, 10)->rows.size(), 1U);
  EXPECT_TRUE(reader->run_journal(first.key, {}, 10)->empty());
  EXPECT_FALSE(*reader->get_payload({first.key, PayloadSlot::run_input, 0, 0}));
  LoadRequest request;
  request.runs = {first.key};
  request.heads = {first.key, second.key};
  request.shard = kShard;
  request.idempotency_keys = {"key-1", "key-2"};
  const Loaded loaded = owner.load(std::move(request));
  ASSERT_EQ(loaded.runs.size(), 1U);
  EXPECT_FALSE(loaded.runs[0].second);
  ASSERT_EQ(loaded.heads.size(), 1U);
  EXPECT_EQ(loaded.heads[0].row.id, second.id);
  EXPECT_EQ(loaded.heads[0].key_until, WallTime{209});
  EXPECT_FALSE(loaded.heads[0].dead_letter);
  EXPECT_FALSE(loaded.idempotency[0].second);
  EXPECT_TRUE(loaded.idempotency[1].second);

  // Nothing of the other one is missing.
  EXPECT_TRUE(writer->probe());  // waits until the rest is cleared away
  EXPECT_EQ(reader->run_journal(second.key, {}, 10)->size(), 2U);
  EXPECT_EQ(reader->list_tasks(second.key, 0, 10, 0)->size(), 2U);
  EXPECT_EQ((*reader->get_payload({second.key, PayloadSlot::task_result, 0, 0}))->size(), 6002U);
  EXPECT_EQ((*reader->get_payload({second.key, PayloadSlot::task_input, 1, 0}))->size(), 5002U);
}

TEST_P(Store, FactsOfARemovedRunLeaveTheEntriesThatOthersShare) {
  Owner owner(*writer);
  std::vector<RunRow> rows;
  Batch batch = owner.next();
  for (std::int64_t i = 1; i <= 3; ++i) {
    RunRow row = run_row(key(i), RunStatus::completed);
    row.journal_head = batch.sequence;
    row.next_ordinal = 1;
    rows.push_back(row);
    batch.runs.push_back({row, true, text("{}"), text("{}")});
    batch.facts.push_back(facts_of(key(i)));
  }
  const JournalSequence sequence = batch.sequence;
  owner.must(std::move(batch));
  const auto left = [&]() -> std::size_t {
    const auto entries = *reader->journal_after(sequence - 1, 10);
    for (const auto& [at, facts] : entries) {
      if (at == sequence) return facts.size();
    }
    return 0;
  };
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(left(), 3 - i);
    Batch next = owner.next();
    next.removals.push_back(removal_of(rows[i]));
    owner.must(std::move(next));
    EXPECT_TRUE(writer->probe());
  }
  EXPECT_EQ(left(), 0U);
}

TEST_P(Store, ARunThatIsNotThereCannotBeRemoved) {
  Owner owner(*writer);
  Batch batch = owner.next();
  batch.removals.push_back(removal_of(run_row(key(7), RunStatus::completed)));
  EXPECT_EQ(owner.must_refuse(std::move(batch)).code, ErrorCode::internal);
}

TEST_P(Store, RunsAreFoundByTheTimeOfTheirEnd) {
  Owner owner(*writer);
  const WallTime made = run_row(key(1)).created_at;
  const RunRow early = ended_run(owner, 1, made + Duration::seconds(10));
  const RunRow late = ended_run(owner, 2, made + Duration::seconds(20), RunStatus::failed);
  owner.submit(3);
  const auto found = [&](Duration before, std::vector<RunStatus> statuses = {}) {
    std::vector<RunKey> keys;
    for (const RunRow& row :
         reader->list_runs({.statuses = statuses, .ended_before = made + before}, {}, 10)->rows)
      keys.push_back(row.key);
    return keys;
  };
  EXPECT_EQ(found(Duration::seconds(10)), std::vector<RunKey>{});
  EXPECT_EQ(found(Duration::seconds(10) + Duration{1}), std::vector{early.key});
  EXPECT_EQ(found(Duration::hours(1)), (std::vector{late.key, early.key}));
  EXPECT_EQ(found(Duration::hours(1), {RunStatus::failed}), std::vector{late.key});
  EXPECT_EQ(*reader->list_workflows(), (std::vector<std::string>{}));
}

INSTANTIATE_TEST_SUITE_P(
    Every, Store,
    ::testing::Values(
        Kind{"Memory", [] { return std::unique_ptr<Backend>(std::make_unique<MemoryBackend>()); }},
        Kind{"SqliteInline", [] { return std::unique_ptr<Backend>(std::make_unique<SqliteBackend>(8)); }},
        Kind{"SqliteThread", [] { return std::unique_ptr<Backend>(std::make_unique<SqliteBackend>(0)); }}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace baton::store

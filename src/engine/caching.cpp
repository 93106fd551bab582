#include "engine/caching.hpp"

#include "engine/flow.hpp"
#include "engine/gates.hpp"
#include "engine/items.hpp"
#include "engine/phases.hpp"
#include "engine/rendering.hpp"
#include "model/cached_result.hpp"

namespace baton::engine {
namespace {

using model::Blocker;
using model::FactKind;
using model::RecordKind;

std::optional<Blocker> pause_of(const State& state, const Run& run, const Task& task) {
  if (run.row.status == model::RunStatus::paused) return Blocker::run_paused(run.row.key);
  Blocker step = Blocker::step_paused(run.row.key, task.row.step);
  return is_paused(state, step) ? std::optional(std::move(step)) : std::nullopt;
}

void begin_asking(State& state, Run& run, Task& task, std::string key) {
  task.asking = true;
  if (task.row.index >= 0) ++run.tasks[task.row.step].items_asking;
  state.lookups[task.row.key] = std::move(key);
  state.work.push_back({WorkKind::ready, task.row.key, 0});
}

// A damaged one, or one that is too old, is as good as none.
std::optional<model::CachedResult> fresh_result(const State& state, const std::string& key, Duration ttl,
                                                WallTime now) {
  const model::Record* record = state.record({RecordKind::cached_result, key});
  if (record == nullptr) return std::nullopt;
  auto cached = model::cached_of(*record);
  if (!cached || cached->made_at + ttl <= now) return std::nullopt;
  return std::move(*cached);
}

void take(State& state, Run& run, Task& task, model::CachedResult cached, const Moment& moment,
          Effects& effects) {
  start_run(state, run, moment, effects);
  effects.touch(run, task.row.key.ordinal);
  effects.put(result_of(task.row.key), std::move(cached.result));
  task.row.has_result = true;
  task.row.via = model::Via::cache;
  task.row.cache.edit().from = cached.task;
  task.row.ready_at = task.row.started_at = moment.wall;
  effects.record(run, {.kind = FactKind::task_cached,
                       .at = moment.wall,
                       .task = task.row.key.ordinal,
                       .step = task.row.step,
                       .index = task.row.index,
                       .text = cached.task.text()});
  complete_task(state, run, task, moment, effects);
}

}  // namespace

Result<CacheAnswer> ask_cache(State& state, Run& run, Task& task, const std::optional<std::string>& asked,
                              const Moment& moment, Effects& effects) {
  std::string key;
  if (asked) {
    key = *asked;  // an expression need not give the same twice
  } else {
    TRY(key, render_cache_key(state, run, task));
    if (key.empty()) return CacheAnswer::miss;
  }
  if (task.row.generation == 1) {
    if (!state.records.contains({RecordKind::cached_result, key})) {
      begin_asking(state, run, task, std::move(key));
      return CacheAnswer::asked;
    }
    const Duration ttl = run.program->step(task.row.step).cache->ttl;
    if (auto cached = fresh_result(state, key, ttl, moment.wall)) {
      if (const auto pause = pause_of(state, run, task)) {
        block(state, task, *pause);
        return CacheAnswer::asked;
      }
      task.row.cache.edit().key = std::move(key);
      take(state, run, task, std::move(*cached), moment, effects);
      return CacheAnswer::taken;
    }
  }
  if (task.stored) effects.touch(run, task.row.key.ordinal);  // else not before it is queued
  task.row.cache.edit().key = std::move(key);
  return CacheAnswer::miss;
}

std::optional<std::string> stop_asking(State& state, Run& run, Task& task) {
  if (!task.asking) return std::nullopt;
  task.asking = false;
  if (task.row.index >= 0) {
    Task& group = run.tasks[task.row.step];
    --group.items_asking;
    refill(state, run, group);
  }
  auto lookup = state.lookups.extract(task.row.key);
  return lookup.empty() ? std::nullopt : std::optional(std::move(lookup.mapped()));
}

void keep_result(Run& run, Task& task, const std::string& result, const Moment& moment, Effects& effects) {
  const model::Step& step = run.program->step(task.row.step);
  if (task.row.cache->key.empty() || task.row.phase != model::Phase::primary || !step.cache) return;
  if (result.size() > model::kMaxCachedResult) {
    raise_alert(run, task, model::Severity::warning,
                {.type = model::error_type::kValidation,
                 .message = "the result is not kept for `cache`: it has " + std::to_string(result.size()) +
                            " bytes, and results of up to " + std::to_string(model::kMaxCachedResult) +
                            " bytes are kept"},
                moment, effects);
    return;
  }
  effects.put(model::to_record({.key = task.row.cache->key,
                                .task = {run.row.id, task.row.key.ordinal},
                                .made_at = moment.wall,
                                .expires_at = moment.wall + step.cache->ttl,
                                .result = result}));
}

}  // namespace baton::engine

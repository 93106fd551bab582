#include "engine/resources.hpp"

#include "base/seeded_bug.hpp"
#include "base/text.hpp"

namespace baton::engine {
namespace {

// Until one is found that fits; bodies may be large and many.
template <typename Fits>
bool any_of(const State& state, const std::string& prefix, Fits fits) {
  const model::RecordKey first{model::RecordKind::resource, prefix};
  for (auto at = state.records.lower_bound(first); at != state.records.end(); ++at) {
    const auto& [key, known] = *at;
    if (key.kind != model::RecordKind::resource || !key.key.starts_with(prefix)) return false;
    if (!known.record) continue;
    const auto resource = model::resource_of(*known.record);
    if (resource && fits(*resource)) return true;
  }
  return false;
}

template <typename Visit>
void each_of(const State& state, const std::string& prefix, Visit visit) {
  const model::RecordKey first{model::RecordKind::resource, prefix};
  for (auto at = state.records.lower_bound(first); at != state.records.end(); ++at) {
    const auto& [key, known] = *at;
    if (key.kind != model::RecordKind::resource || !key.key.starts_with(prefix)) return;
    if (!known.record) continue;
    if (auto resource = model::resource_of(*known.record)) visit(std::move(*resource));
  }
}

std::vector<model::Resource> all_of(const State& state, const std::string& prefix) {
  std::vector<model::Resource> out;
  each_of(state, prefix, [&](model::Resource resource) { out.push_back(std::move(resource)); });
  return out;
}

model::Fact fact_of(const Run& run, const model::Resource& resource, model::FactKind kind, WallTime at) {
  const model::TaskRow& row = run.tasks[resource.task.ordinal].row;
  return {.kind = kind,
          .at = at,
          .task = resource.task.ordinal,
          .step = row.step,
          .index = row.index,
          .attempt = resource.attempt,
          .text = resource.name};
}

}  // namespace

std::vector<model::Resource> resources_of(const State& state, const TaskId& task) {
  return all_of(state, task.text() + ':');
}

std::vector<model::Resource> resources_of(const State& state, const RunId& run) {
  return all_of(state, run.text() + '.');
}

std::vector<model::Resource> orphans_of(const State& state, RunKey run) {
  std::vector<model::Resource> out;
  each_of(state, "", [&](model::Resource resource) {
    if (resource.task.run.key() != run || resource.status == model::ResourceStatus::leaked) return;
    out.push_back(std::move(resource));
  });
  return out;
}

std::optional<model::Resource> find_resource(const State& state, const TaskId& task, std::string_view name) {
  const model::Record* record = state.record({model::RecordKind::resource, model::resource_id(task, name)});
  if (record == nullptr) return std::nullopt;
  auto resource = model::resource_of(*record);
  if (!resource) return std::nullopt;
  return std::move(*resource);
}

std::optional<model::Resource> newest_open(const State& state, const TaskId& task) {
  std::optional<model::Resource> newest;
  each_of(state, task.text() + ':', [&](model::Resource resource) {
    if (resource.status != model::ResourceStatus::open) return;
    if (!newest || resource.order > newest->order) newest = std::move(resource);
  });
  return newest;
}

bool has_open(const State& state, const RunId& run, Ordinal tasks) {
  const auto first = state.records.lower_bound({model::RecordKind::resource, ""});
  if (first == state.records.end() || first->first.kind != model::RecordKind::resource) return false;
  return any_of(state, run.text() + '.', [&](const model::Resource& resource) {
    return resource.status != model::ResourceStatus::leaked && resource.task.ordinal < tasks;
  });
}

bool has_orphans(const State& state) {
  return any_of(state, "", [](const model::Resource& resource) {
    return resource.status != model::ResourceStatus::leaked;
  });
}

void scan_orphans(State& state) {
  std::optional<RunKey> last;
  each_of(state, "", [&](const model::Resource& resource) {
    const RunKey key = resource.task.run.key();
    if (resource.status == model::ResourceStatus::leaked || last == key) return;
    const Run* run = state.find(key);
    if (run != nullptr && !model::is_terminal(run->row.status)) return;
    last = key;
    state.work.push_back({WorkKind::orphans, {key, kWholeRun}, 0});
  });
}

void arm_orphan_scan(State& state, ShardTime now) {
  if (state.orphan_scan || !has_orphans(state)) return;
  state.orphan_scan = now + state.settings.orphan_scan;
  state.timers.insert({*state.orphan_scan, TimerKind::orphans, {}, {}});
}

void open_resource(Run& run, const model::Resource& resource, WallTime at, Effects& effects) {
  if (!seeded_bug(Bug::resource_not_stored)) effects.put(model::record_of(resource));
  effects.record(run, fact_of(run, resource, model::FactKind::resource_opened, at));
}

void leak_resource(Run& run, model::Resource resource, std::string why, WallTime at, Effects& effects) {
  resource.status = model::ResourceStatus::leaked;
  resource.error = utf8_prefix(why, model::kMessageLimit);
  effects.put(model::record_of(resource));
  model::Fact fact = fact_of(run, resource, model::FactKind::resource_leaked, at);
  fact.other = resource.error;
  effects.record(run, std::move(fact));
}

void close_resource(Run& run, const model::Resource& resource, model::FactKind how, WallTime at,
                    Effects& effects) {
  effects.erase({model::RecordKind::resource, model::resource_id(resource.task, resource.name)});
  effects.record(run, fact_of(run, resource, how, at));
}

}  // namespace baton::engine

// What the handlers share.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/api.hpp"
#include "api/attempt_logs.hpp"
#include "api/call.hpp"
#include "api/entrance.hpp"
#include "api/queries.hpp"
#include "api/watches.hpp"
#include "api/worker_facts.hpp"
#include "api/worker_names.hpp"
#include "api/workers.hpp"

namespace baton::api {

// The workers whose claims wait for tasks. Any thread.
class WaitingClaims {
 public:
  void add(const std::string& worker) {
    const std::lock_guard lock(mutex_);
    workers_.insert(worker);
  }
  void remove(const std::string& worker) {
    const std::lock_guard lock(mutex_);
    if (const auto one = workers_.find(worker); one != workers_.end()) workers_.erase(one);
  }
  std::multiset<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return workers_;
  }

 private:
  mutable std::mutex mutex_;
  std::multiset<std::string> workers_;  // guarded by mutex_
};

struct Core;
using CorePtr = std::shared_ptr<Core>;

// The namespaces that are open. Any thread.
class Spaces {
 public:
  // Null: there is none of that name.
  CorePtr find(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(name);
    return found == open_.end() ? nullptr : found->second;
  }
  std::vector<CorePtr> all() const {
    const std::lock_guard lock(mutex_);
    std::vector<CorePtr> cores;
    for (const auto& [name, core] : open_) cores.push_back(core);
    return cores;
  }
  void add(const std::string& name, CorePtr core) {
    const std::lock_guard lock(mutex_);
    open_[name] = std::move(core);
  }
  // Those that could not be opened.
  void add_unavailable(const std::string& name, Error why) {
    const std::lock_guard lock(mutex_);
    unavailable_.insert_or_assign(name, std::move(why));
  }
  std::optional<Error> why_unavailable(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = unavailable_.find(name);
    return found == unavailable_.end() ? std::nullopt : std::optional(found->second);
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    open_.clear();
  }
  CorePtr take(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = open_.extract(name);
    return found.empty() ? nullptr : found.mapped();
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, CorePtr> open_;       // guarded by mutex_
  std::map<std::string, Error> unavailable_;  // guarded by mutex_
};

// What all namespaces share.
struct Common {
  explicit Common(Services s)
      : services(std::move(s)), entrance(services.entrance), alarms(services.loop), workers(2) {}

  Services services;
  Entrance entrance;
  Alarms alarms;
  Workers workers;
  Spaces spaces;
  std::atomic<bool> backup_under_way = false;
  std::atomic<bool> stopping = false;  // what takes long on a worker's thread breaks off
};

// One namespace. A handler sees that of its request and no other: its store shows one shard, and its commands
// go to that shard's loop. Routes of the whole server get that of `default`.
struct Core {
  Core(std::shared_ptr<Common> with, Space space)
      : common(std::move(with)),
        name(std::move(space.name)),
        runs(space.runs),
        store(space.store),
        metrics(std::move(space.metrics)),
        vault(space.vault),
        own_worker(std::move(space.own_worker)),
        services(common->services),
        entrance(common->entrance),
        alarms(common->alarms),
        workers(common->workers),
        stopping(common->stopping),
        queries(store) {}

  const std::shared_ptr<Common> common;
  const std::string name;
  runtime::Handle& runs;
  store::Reader& store;
  const std::function<std::vector<telemetry::Sample>()> metrics;
  secrets::Vault* const vault;  // null = no secrets
  const std::function<WorkerFacts()> own_worker;
  // Of common, since they are used everywhere.
  Services& services;
  Entrance& entrance;
  Alarms& alarms;
  Workers& workers;
  std::atomic<bool>& stopping;

  Queries queries;
  Watches watches;
  WaitingClaims claims;
  KnownWorkers known_workers;
  WorkerNames worker_names;
  AttemptLogs attempt_logs;
};

// What "now" means in a filter by time.
inline WallTime wall_now(const Core& core) {
  return core.services.wall ? core.services.wall() : WallTime{};
}

// What masks secrets in what attempts say; null = there are none.
inline std::shared_ptr<const secrets::Redactor> redactor_of(const Core& core) {
  return core.vault != nullptr ? core.vault->redactor() : nullptr;
}

}  // namespace baton::api

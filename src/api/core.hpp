// What the handlers share.
#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <string>

#include "api/api.hpp"
#include "api/attempt_logs.hpp"
#include "api/call.hpp"
#include "api/entrance.hpp"
#include "api/queries.hpp"
#include "api/watches.hpp"
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

struct Core {
  explicit Core(Services s)
      : services(std::move(s)),
        queries(services.store),
        entrance(services.entrance),
        alarms(services.loop),
        workers(2) {}

  Services services;
  Queries queries;
  Entrance entrance;
  Watches watches;
  Alarms alarms;
  WaitingClaims claims;
  AttemptLogs attempt_logs;
  Workers workers;
  std::atomic<bool> backup_under_way = false;
  std::atomic<bool> stopping = false;  // what takes long on a worker's thread breaks off
};
using CorePtr = std::shared_ptr<Core>;

// What "now" means in a filter by time.
inline WallTime wall_now(const Core& core) {
  return core.services.wall ? core.services.wall() : WallTime{};
}

// What masks secrets in what attempts say; null = there are none.
inline std::shared_ptr<const secrets::Redactor> redactor_of(const Core& core) {
  return core.services.vault != nullptr ? core.services.vault->redactor() : nullptr;
}

}  // namespace baton::api

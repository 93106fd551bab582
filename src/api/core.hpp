// What the handlers share.
#pragma once

#include <atomic>
#include <string>

#include "api/api.hpp"
#include "api/call.hpp"
#include "api/queries.hpp"
#include "api/watches.hpp"
#include "api/workers.hpp"

namespace baton::api {

struct Core {
  explicit Core(Services s)
      : services(std::move(s)), queries(services.store), alarms(services.loop), workers(2) {}

  Services services;
  Queries queries;
  Watches watches;
  Alarms alarms;
  Workers workers;
  std::atomic<bool> backup_under_way = false;
  std::atomic<bool> stopping = false;  // what takes long on a worker's thread breaks off
};
using CorePtr = std::shared_ptr<Core>;

// What "now" means in a filter by time.
inline WallTime wall_now(const Core& core) {
  return core.services.wall ? core.services.wall() : WallTime{};
}

}  // namespace baton::api

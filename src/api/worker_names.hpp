// Whose a worker's name is: as long as it calls, that of the key that it came with. So no worker's key can
// say farewell for another worker, or take its tasks, by knowing what it is called.
//
// Not stored: after a restart of the server a name is that of the first who calls, and a worker calls within
// its heartbeat. What an attempt may say is its token's matter, not its name's.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>

#include "auth/principal.hpp"
#include "base/error.hpp"
#include "net/loop.hpp"

namespace baton::api {

// Any thread.
class WorkerNames {
 public:
  // A name that nobody has used for so long is free: several leases.
  static constexpr Duration kKept = Duration::minutes(2);
  // Names that are kept; beyond them nothing is bound, nor refused.
  static constexpr std::size_t kMost = 20'000;

  // `who` calls as this worker. not_allowed: it is somebody else's. Whoever may do more than workers
  // (operators) may call as any, and takes no name.
  Status use(const std::string& name, const auth::Principal& who, net::MonoTime now);
  // It has ended.
  void forget(const std::string& name);

 private:
  struct Owner {
    std::string who;
    net::MonoTime used;
  };
  std::mutex mutex_;
  std::map<std::string, Owner> owners_;  // guarded by mutex_
};

}  // namespace baton::api

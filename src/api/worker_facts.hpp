// What workers say of themselves with their registration and their heartbeats, for people to look at: nothing
// is decided by it. In memory; after a restart of the server the next heartbeat says it again.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "telemetry/meter.hpp"

namespace baton::api {

class JsonText;
class RequestBody;

struct WorkerFacts {
  std::optional<std::vector<std::string>> tags;  // ascending, distinct
  std::optional<std::uint32_t> concurrency;      // attempts at a time
  std::optional<double> cpu_percent;             // 100 = one core, since the last time that it said so
  std::optional<std::uint64_t> memory_bytes;
  WallTime heard;  // when it last said anything
};

// The members of WorkerFacts in a body: tags and concurrency, and of a heartbeat also the others.
Result<WorkerFacts> read_facts(const RequestBody& body);
// As members of the object that is being written; null where it has not said so.
void write_facts(const WorkerFacts& facts, JsonText& out);

// Of one namespace, by the worker's name. Any thread.
class KnownWorkers {
 public:
  static constexpr std::size_t kMost = 10'000;  // beyond that, who was heard longest ago is forgotten

  // The process is new: what one of its name has said before counts no more.
  void begin(const std::string& worker, WorkerFacts facts);
  // What it does not say stays as it was.
  void update(const std::string& worker, WorkerFacts facts);
  // It is alive until then, unless it is heard again.
  void keep_until(const std::string& worker, WallTime end);
  void forget(const std::string& worker);

  // Those that are alive.
  std::map<std::string, WorkerFacts> all(WallTime now) const;
  std::vector<telemetry::Sample> samples(WallTime now, const std::string& space) const;

 private:
  struct Entry {
    WorkerFacts facts;
    WallTime end;
  };
  Entry& entry(const std::string& worker);

  mutable std::mutex mutex_;
  std::map<std::string, Entry> workers_;  // guarded by mutex_
};

}  // namespace baton::api

// The workloads that Baton's speed is measured with, each once. Durations are of the whole, as the client
// sees it.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "benchmark/server.hpp"

namespace baton::benchmark {

inline constexpr int kChain = 40;    // steps of the second workload
inline constexpr int kFan = 1000;    // items of the third
inline constexpr int kSingle = 500;  // runs of the fourth

// Applies the workflows that the others start.
Status apply_workflows(const client::Server& server);

// Independent one-step runs, submitted in batches over two connections, until the last one has ended. `ids`:
// gets those that were acknowledged; null = nobody asks. With a `key` a batch whose answer was lost is sent
// again until it is answered, and makes no other runs.
Result<Duration> independent(const client::Server& server, int tasks, std::set<std::string>* ids = nullptr,
                             const std::string& key = {});
// A run whose steps need one another, one after the other.
Result<Duration> chain(const client::Server& server);
// One step, then many beside each other, then one.
Result<Duration> fan(const client::Server& server);
// Runs of one step, each from its submission to the answer that it has ended, one after the other.
Result<std::vector<Duration>> singles(const client::Server& server, int count = kSingle);

// How many runs of one step there are in each state, and which of `ids` are not completed.
struct Found {
  std::size_t runs = 0;
  std::size_t completed = 0;
  std::vector<std::string> missing;
};
Result<Found> look_for(const client::Server& server, const std::set<std::string>& ids);

}  // namespace baton::benchmark

// Removes what is over (docs/design/011-retention.md): looks every ten minutes for runs whose time to be kept
// is over and for cached results that nobody may take any more, and has the engine remove them; deletes the
// files of removed runs, whoever had them removed.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/retention.hpp"
#include "runtime/handle.hpp"
#include "store/store.hpp"

namespace baton::embedded {

struct RetentionOptions {
  ShardId shard{};
  // Of workflows that do not say so themselves. Zero = for ever.
  Duration completed = model::kKeepCompleted;
  Duration failed = model::kKeepFailed;
  bool look = true;  // false: only deletes files
  std::string logs;
  std::string scratch;
  std::function<WallTime()> wall;
  std::function<void(std::string_view)> log;  // one line for operators; any thread
};

class RetentionKeeper {
 public:
  // Both must outlive join().
  RetentionKeeper(runtime::Handle& runs, store::Reader& store, RetentionOptions options);
  ~RetentionKeeper();  // stop() and join()

  void start();
  // Runs were removed. Any thread.
  void files_left();
  // From here on nothing new is begun. Any thread.
  void stop();
  // Waits for the thread's end. A command under way must be answered meanwhile.
  void join();

  // What the thread does, for tests: one look at everything, and the files that are left.
  Status look();
  Status delete_files();

 private:
  void work();
  bool stopping() const;
  Status remove_old(const std::string& workflow, const std::vector<model::RunStatus>& statuses,
                    Duration keep);
  Status forget_old_results();

  runtime::Handle& runs_;
  store::Reader& store_;
  RetentionOptions options_;
  // Runs that had to stay when they were last asked about: not asked about again in each round.
  std::set<RunKey> kept_;
  unsigned rounds_ = 0;

  mutable std::mutex mutex_;  // guards the next three
  std::condition_variable changed_;
  bool stopping_ = false;
  bool files_left_ = true;  // of an owner before
  std::thread thread_;
};

}  // namespace baton::embedded

// Removes what is over (docs/design/011-retention.md): looks every ten minutes for runs whose time to be kept
// is over and for cached results that nobody may take any more, and has the engine remove them; deletes the
// files of removed runs, whoever had them removed.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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
  // Of workflows that do not say so themselves. Zero = for ever.
  Duration completed = model::kKeepCompleted;
  Duration failed = model::kKeepFailed;
  bool look = true;  // false: only deletes files
  std::string logs;
  std::string scratch;
  std::function<WallTime()> wall;
};

// Of one namespace. Its work is done on one thread; stop() and clear() may come from any.
class RetentionKeeper {
 public:
  // Both must outlive this.
  RetentionKeeper(runtime::Handle& runs, store::Reader& store, RetentionOptions options);

  // One look at everything.
  Status look();
  // Deletes the files that are left.
  Status delete_files();

  // From here on nothing new is begun.
  void stop() { stopping_ = true; }
  // The namespace was deleted: nothing is kept any more. `cleared` is called, once, when nothing is left.
  void clear(std::function<void()> cleared);

 private:
  Status remove_old(const std::vector<std::string>& workflows, const std::vector<model::RunStatus>& statuses,
                    std::optional<Duration> keep);
  Status forget_old_results();
  Status clear_all();

  runtime::Handle& runs_;
  store::Reader& store_;
  RetentionOptions options_;
  // Runs that had to stay when they were last asked about: not asked about again in each round.
  std::set<RunKey> kept_;
  unsigned rounds_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::function<void()> cleared_;  // guarded by mutex_; empty: it is not deleted
};

// The thread of all keepers of a process.
class Housekeeping {
 public:
  // `look`: as RetentionOptions::look, of all of them.
  Housekeeping(bool look, std::function<void(std::string_view)> log) : look_(look), log_(std::move(log)) {}
  ~Housekeeping();  // stop() and join()

  void add(std::shared_ptr<RetentionKeeper> keeper);  // any thread
  void start();
  // Runs were removed. Any thread.
  void files_left();
  // Somebody wants everything looked at now. Any thread.
  void look_now();
  // From here on nothing new is begun. Any thread.
  void stop();
  // Waits for the thread's end. A command under way must be answered meanwhile.
  void join();

 private:
  void work();

  const bool look_;
  const std::function<void(std::string_view)> log_;
  std::mutex mutex_;  // guards the next five
  std::condition_variable changed_;
  std::vector<std::shared_ptr<RetentionKeeper>> keepers_;
  bool stopping_ = false;
  bool files_left_ = true;  // of an owner before
  bool look_now_ = true;
  std::thread thread_;
};

}  // namespace baton::embedded

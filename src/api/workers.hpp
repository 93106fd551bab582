// The threads that answer requests: reading the database must not stop the sockets' loop.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace baton::api {

class Workers {
 public:
  using Job = std::move_only_function<void()>;  // must not throw

  explicit Workers(unsigned threads);
  ~Workers() { stop(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Any thread. After stop() the job is destroyed unrun.
  void post(Job job);
  // Waits until everything that was posted is done: a job may be the answer to a command that is committed,
  // and whoever asked must not be left to ask again. Not on a worker's thread. Twice is fine.
  void stop();

 private:
  void work();

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool stopped_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace baton::api

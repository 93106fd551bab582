// Reads the events of a run on a thread of its own.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "cli/session.hpp"
#include "client/client.hpp"

namespace baton::cli {

class Follower {
 public:
  // Begins after the event `after` ("" = from the start).
  Follower(const Session& session, std::string run, std::string after);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Readable when take() or over() has something new.
  int fd() const { return wake_.get(); }
  // The events that came since the last call.
  std::vector<client::Event> take();
  // Whether the stream has ended, and how. Events may still be there to take.
  bool over() const { return over_; }
  const Status& end() const { return end_; }  // once over()

 private:
  void follow(client::Client client, const std::string& run, const std::string& after);
  void wake();

  Fd wake_;
  net::Cancellation cancel_;
  std::mutex mutex_;
  std::vector<client::Event> events_;  // guarded by mutex_
  Status end_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

}  // namespace baton::cli

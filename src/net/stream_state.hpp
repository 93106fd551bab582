// What a StreamWriter (any thread) and its connection (the loop's thread) share. Internal to net.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "net/loop.hpp"

namespace baton::net {

class Connection;

class StreamState : public std::enable_shared_from_this<StreamState> {
 public:
  StreamState(std::shared_ptr<Connection> connection, Mailbox mailbox, std::size_t limit, bool chunked);

  // Writer's side, any thread.
  bool write(std::string_view piece);
  std::size_t buffered() const;
  bool open() const;
  void on_close(Task callback);
  void when_drained(std::size_t level, Task callback);
  void finish();   // no more writes; what is queued goes out
  void abandon();  // the writer is gone without finish(): break off

  bool chunked() const { return chunked_; }

  // Connection's side, on the loop.
  struct Pieces {
    std::string bytes;
    bool finished = false;  // and nothing follows
    bool broken = false;    // to be broken off: abandoned or over the limit
  };
  Pieces take();
  void sent(std::size_t bytes);  // this many of the taken ones were handed to the socket
  // The stream is over: writes return false, the callbacks run. Once; later calls do nothing.
  void over();

 private:
  void wake(std::unique_lock<std::mutex>& lock);

  const Mailbox mailbox_;
  const std::size_t limit_;
  const bool chunked_;

  mutable std::mutex mutex_;
  std::shared_ptr<Connection> connection_;  // until over
  std::string pending_;
  std::size_t unsent_ = 0;  // pending and taken
  bool finished_ = false;
  bool broken_ = false;
  bool over_ = false;
  bool awake_ = false;  // the connection has been told to take()
  std::vector<Task> callbacks_;
  std::size_t drain_level_ = 0;
  Task on_drained_;
};

}  // namespace baton::net

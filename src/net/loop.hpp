// The thread that sockets, timers and whatever is posted run on: one io_context, one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/time.hpp"

namespace boost::asio {
class io_context;
}

namespace baton::net {

// Monotonic time since an arbitrary origin of this process; comparable between all loops of the process.
using MonoTime = Instant<struct MonoTimeTag>;

// Work for a loop. Must not throw: an exception that leaves a task ends the process.
using Task = std::move_only_function<void()>;

// A handle to a loop's mailbox that may outlive the loop. Any thread.
class Mailbox {
 public:
  // Appends a task. Tasks run on the loop's thread in the order of their posting; a burst costs one wake-up.
  // Posting never blocks on the loop. Before the loop runs, or while it is stopped, tasks wait for its next
  // run; once it is destroyed they are dropped.
  void post(Task task) const;
  bool on_loop_thread() const;

 private:
  friend class Loop;
  struct State;
  std::shared_ptr<State> state_;
};

// A running timer; destroying or cancelling it on the loop's thread means that its task will not run. The
// handle may outlive the loop.
class Timer {
 public:
  Timer();
  Timer(Timer&&) noexcept;
  Timer& operator=(Timer&&) noexcept;  // cancels the one that it held
  ~Timer();

  void cancel();  // of a timer that has fired or was cancelled: no effect
  bool pending() const;

 private:
  friend class Loop;
  struct Wheel;
  std::weak_ptr<Wheel> wheel_;
  MonoTime due_;
  std::uint64_t id_ = 0;
};

class Loop {
 public:
  Loop();
  // Stops and joins. What was posted and has not run is destroyed unrun. Must not be called on the loop's
  // own thread.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs on the calling thread until stop(). What was posted before stop() has run on return.
  void run();
  // Runs on a thread of its own.
  void start();
  // Makes run() return; a stop before run() ends the next run at once. Any thread, any number of times;
  // does not wait.
  void stop();
  // Waits for the thread of start(), if there is one. Any number of times, not on the loop's thread.
  void join();

  void post(Task task) { mailbox_.post(std::move(task)); }
  const Mailbox& mailbox() const { return mailbox_; }
  bool on_loop_thread() const { return mailbox_.on_loop_thread(); }
  // Runs `work` on the loop's thread and waits for its end; at once on the calling thread if that is the
  // loop's, or if the loop is not running (then the caller must be the only user of the loop).
  void invoke(const std::function<void()>& work);

  static MonoTime now();
  // Timers: on the loop's thread, or while the loop is not running. A time in the past fires in the next
  // turn; equal times fire in the order of the calls.
  [[nodiscard]] Timer call_at(MonoTime due, Task task);
  [[nodiscard]] Timer call_after(Duration delay, Task task);

  // From now on each of these signals calls `handler(number)` on the loop instead of its usual effect.
  // Replaces an earlier handler; an empty one gives the usual effects back. On the loop's thread, or while
  // the loop is not running; at most one loop of the process.
  void on_signals(const std::vector<int>& numbers, std::function<void(int)> handler);

  // For the sources of net only.
  boost::asio::io_context& io_context();

 private:
  struct Impl;

  void begin();
  void run_begun();

  std::unique_ptr<Impl> impl_;
  Mailbox mailbox_;
};

}  // namespace baton::net

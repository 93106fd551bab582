// Requests that wait for something: for a change of a run, for time to pass, for their client to take what
// was sent.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "api/workers.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "net/loop.hpp"

namespace baton::api {

class Alarms;

// look() runs on a worker's thread, never twice at the same time, and at least once after each wake().
class Watch : public std::enable_shared_from_this<Watch> {
 public:
  explicit Watch(Workers& workers) : workers_(workers) {}
  virtual ~Watch() = default;

  // Any thread. Wakes that come while one waits already are one.
  void wake();

 protected:
  // Sees what there is to do. False: it is done and wants no more wakes.
  virtual bool look() = 0;
  // For look(): sees to it that it is called again after `delay`, or earlier.
  void look_again_after(Duration delay, Alarms& alarms);

 private:
  enum class State { asleep, scheduled, looking, looking_again, done };
  void run();

  Workers& workers_;
  std::mutex mutex_;
  State state_ = State::asleep;  // guarded by mutex_
  net::MonoTime alarm_;          // when the last alarm that was set is due
};

// Who wants to know when a run changes. Thread-safe.
class Watches {
 public:
  // Keeps the watch alive until it is done.
  void add(RunKey run, std::shared_ptr<Watch> watch);
  void remove(RunKey run, const Watch* watch);
  void wake(const std::vector<RunKey>& changed);
  void wake_all();
  void clear();  // and takes no more

 private:
  std::mutex mutex_;  // guards what follows
  bool closed_ = false;
  std::multimap<RunKey, std::shared_ptr<Watch>> watches_;
};

// Wakes watches after a while. The timers live on the loop's thread; a watch that is gone by then is left
// alone.
class Alarms {
 public:
  explicit Alarms(net::Loop& loop) : mailbox_(loop.mailbox()), timers_(std::make_shared<Timers>(loop)) {}
  ~Alarms() { clear(); }

  void wake_after(Duration delay, std::weak_ptr<Watch> watch);  // any thread
  void clear();                                                 // any thread

 private:
  struct Timers {
    explicit Timers(net::Loop& l) : loop(l) {}
    net::Loop& loop;
    std::uint64_t last = 0;
    std::map<std::uint64_t, net::Timer> running;
  };

  net::Mailbox mailbox_;
  std::shared_ptr<Timers> timers_;  // touched on the loop's thread only
};

}  // namespace baton::api

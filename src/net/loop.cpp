#include "net/loop.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace baton::net {
namespace asio = boost::asio;
using SteadyTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                               asio::io_context::executor_type>;

// The posted tasks and the flag that says who runs them are one object under one lock. Only the first task
// of a burst goes through Asio; the rest are appended to the vector that its handler swaps out.
struct Mailbox::State {
  std::mutex mutex;
  std::vector<Task> tasks;
  asio::io_context* context = nullptr;  // null once the loop is gone
  bool scheduled = false;               // a drain is on its way through Asio
  // finishing: run() was stopped and runs what had been posted until then.
  enum class Phase : std::uint8_t { idle, running, finishing } phase = Phase::idle;
  std::condition_variable became_idle;
  std::atomic<std::thread::id> thread;

  // Sees to it that `tasks` are run; under the lock.
  void schedule(const std::shared_ptr<State>& self);
};

namespace {

void run_all(std::vector<Task>& tasks) noexcept {
  for (auto& task : tasks) {
    task();
    task = nullptr;  // what it holds goes now, not behind the others
  }
}

}  // namespace

void Mailbox::State::schedule(const std::shared_ptr<State>& self) {
  if (scheduled) return;
  scheduled = true;
  asio::post(*context, [self] {
    std::vector<Task> batch;
    {
      const std::lock_guard lock(self->mutex);
      self->scheduled = false;
      batch.swap(self->tasks);
    }
    run_all(batch);
  });
}

void Mailbox::post(Task task) const {
  const std::lock_guard lock(state_->mutex);
  if (state_->context == nullptr) return;
  state_->tasks.push_back(std::move(task));
  state_->schedule(state_);
}

bool Mailbox::on_loop_thread() const {
  return state_->thread.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

// All timers of a loop in one ordered map, with one Asio timer for the earliest.
struct Timer::Wheel : std::enable_shared_from_this<Timer::Wheel> {
  using Key = std::pair<MonoTime, std::uint64_t>;

  explicit Wheel(asio::io_context& context) : alarm(context.get_executor()) {}

  void add(Key key, Task task) {
    tasks.emplace(key, std::move(task));
    rearm();
  }

  void rearm() {
    if (tasks.empty()) return;
    // At most a day ahead: a time point in nanoseconds cannot hold every MonoTime.
    const auto due = std::min(tasks.begin()->first.first, Loop::now() + Duration::hours(24));
    if (armed && *armed <= due) return;
    armed = due;
    // Setting a new time cancels the wait for the old one; a cancelled wait reports an error and does
    // nothing.
    alarm.expires_at(std::chrono::steady_clock::time_point(std::chrono::microseconds(due.us)));
    alarm.async_wait([weak = weak_from_this()](const boost::system::error_code& ec) {
      const auto self = weak.lock();
      if (!ec && self) self->fire();
    });
  }

  void fire() {
    armed.reset();
    const auto now = Loop::now();
    // A timer that a task adds for "now" gets a larger id and waits for the next turn.
    const auto last_id = next_id;
    while (!tasks.empty() && tasks.begin()->first.first <= now && tasks.begin()->first.second < last_id) {
      auto node = tasks.extract(tasks.begin());
      node.mapped()();
    }
    rearm();
  }

  SteadyTimer alarm;
  std::map<Key, Task> tasks;
  std::optional<MonoTime> armed;
  std::uint64_t next_id = 1;
};

Timer::Timer() = default;
Timer::Timer(Timer&& other) noexcept
    : wheel_(std::move(other.wheel_)), due_(other.due_), id_(std::exchange(other.id_, 0)) {}
Timer& Timer::operator=(Timer&& other) noexcept {
  if (this != &other) {
    cancel();
    wheel_ = std::move(other.wheel_);
    due_ = other.due_;
    id_ = std::exchange(other.id_, 0);
  }
  return *this;
}
Timer::~Timer() {
  cancel();
}

void Timer::cancel() {
  if (id_ == 0) return;
  if (const auto wheel = wheel_.lock()) wheel->tasks.erase({due_, id_});
  id_ = 0;
}

bool Timer::pending() const {
  if (id_ == 0) return false;
  const auto wheel = wheel_.lock();
  return wheel && wheel->tasks.contains({due_, id_});
}

struct Loop::Impl {
  using Signals = asio::basic_signal_set<asio::io_context::executor_type>;

  // The hint says that one thread runs the context; posting from others stays safe.
  Impl() : wheel(std::make_shared<Timer::Wheel>(context)) {}

  void wait_for_signal() {
    signals->async_wait([this](const boost::system::error_code& ec, int number) {
      if (ec) return;
      const auto handler = signal_handler;  // a copy: the handler may replace itself
      wait_for_signal();
      handler(number);
    });
  }

  asio::io_context context{1};
  std::shared_ptr<Timer::Wheel> wheel;
  std::optional<Signals> signals;
  std::function<void(int)> signal_handler;
  std::thread thread;
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {
  mailbox_.state_ = std::make_shared<Mailbox::State>();
  mailbox_.state_->context = &impl_->context;
}

Loop::~Loop() {
  assert(!on_loop_thread() && "a loop cannot be destroyed by its own task");
  stop();
  join();
  std::vector<Task> unrun;
  {
    const std::lock_guard lock(mailbox_.state_->mutex);
    mailbox_.state_->context = nullptr;
    unrun.swap(mailbox_.state_->tasks);
  }
  unrun.clear();  // outside of the lock: destructors may post
}

void Loop::begin() {
  auto& state = *mailbox_.state_;
  const std::lock_guard lock(state.mutex);
  assert(state.phase == Mailbox::State::Phase::idle && "one thread at a time runs a loop");
  state.phase = Mailbox::State::Phase::running;
}

void Loop::run() {
  begin();
  run_begun();
}

void Loop::run_begun() {
  auto& state = *mailbox_.state_;
  state.thread = std::this_thread::get_id();
  {
    const auto work = asio::make_work_guard(impl_->context);
    impl_->context.run();
  }
  impl_->context.restart();
  std::vector<Task> last;
  {
    const std::lock_guard lock(state.mutex);
    state.phase = Mailbox::State::Phase::finishing;
    last.swap(state.tasks);
  }
  run_all(last);
  const std::lock_guard lock(state.mutex);
  state.thread = std::thread::id();
  state.phase = Mailbox::State::Phase::idle;
  state.became_idle.notify_all();
}

void Loop::invoke(const std::function<void()>& work) {
  if (on_loop_thread()) return work();
  auto& state = *mailbox_.state_;
  std::unique_lock lock(state.mutex);
  if (state.phase == Mailbox::State::Phase::running) {
    // A task that is in the mailbox while the loop runs will be run, if only by the end of run().
    std::promise<void> promise;
    const auto finished = promise.get_future();
    state.tasks.push_back([&work, promise = std::move(promise)]() mutable {
      work();
      promise.set_value();
    });
    state.schedule(mailbox_.state_);
    lock.unlock();
    return finished.wait();
  }
  state.became_idle.wait(lock, [&] { return state.phase == Mailbox::State::Phase::idle; });
  lock.unlock();
  work();
}

void Loop::start() {
  assert(!impl_->thread.joinable() && "a loop is started once until it is joined");
  begin();  // here, so that an invoke() that follows waits for the thread
  impl_->thread = std::thread([this] { run_begun(); });
}

void Loop::stop() {
  impl_->context.stop();
}

void Loop::join() {
  if (impl_->thread.joinable()) impl_->thread.join();
}

MonoTime Loop::now() {
  const auto since_origin = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since_origin).count()};
}

Timer Loop::call_at(MonoTime due, Task task) {
  Timer timer;
  timer.wheel_ = impl_->wheel;
  timer.due_ = due;
  timer.id_ = impl_->wheel->next_id++;
  impl_->wheel->add({timer.due_, timer.id_}, std::move(task));
  return timer;
}

Timer Loop::call_after(Duration delay, Task task) {
  return call_at(now() + delay, std::move(task));
}

void Loop::on_signals(const std::vector<int>& numbers, std::function<void(int)> handler) {
  impl_->signals.reset();
  impl_->signal_handler = std::move(handler);
  if (!impl_->signal_handler) return;
  impl_->signals.emplace(impl_->context.get_executor());
  for (const int number : numbers) impl_->signals->add(number);
  impl_->wait_for_signal();
}

boost::asio::io_context& Loop::io_context() {
  return impl_->context;
}

}  // namespace baton::net

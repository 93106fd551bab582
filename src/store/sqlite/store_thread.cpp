#include "store/sqlite/store_thread.hpp"

#include <utility>

namespace baton::store::sqlite {

StoreThread::StoreThread() : thread_([this] { work(); }) {}

StoreThread::~StoreThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void StoreThread::post(Job job) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
  }
  changed_.notify_all();
}

StoreThread::Turn StoreThread::try_enter() {
  const std::lock_guard lock(mutex_);
  if (busy_ || !queue_.empty()) return {};
  busy_ = true;
  return Turn(this);
}

StoreThread::Turn StoreThread::enter() {
  std::unique_lock lock(mutex_);
  ++waiting_;
  changed_.wait(lock, [this] { return !busy_ && queue_.empty(); });
  --waiting_;
  busy_ = true;
  return Turn(this);
}

void StoreThread::leave() {
  bool somebody_waits = false;
  {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    somebody_waits = !queue_.empty() || waiting_ > 0 || stopping_;
  }
  if (somebody_waits) changed_.notify_all();
}

void StoreThread::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return !busy_ && (!queue_.empty() || stopping_); });
    if (queue_.empty()) return;
    busy_ = true;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job();
    job = nullptr;  // what it holds ends before the next turn begins
    lock.lock();
    busy_ = false;
    if (queue_.empty() && waiting_ > 0) changed_.notify_all();  // for enter()
  }
}

}  // namespace baton::store::sqlite

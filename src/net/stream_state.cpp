#include "net/stream_state.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "net/connection.hpp"

namespace baton::net {

StreamState::StreamState(std::shared_ptr<Connection> connection, Mailbox mailbox, std::size_t limit,
                         bool chunked)
    : mailbox_(std::move(mailbox)), limit_(limit), chunked_(chunked), connection_(std::move(connection)) {}

void StreamState::wake(std::unique_lock<std::mutex>& lock) {
  if (awake_ || over_) return;
  awake_ = true;
  auto connection = connection_;
  lock.unlock();
  mailbox_.post([self = shared_from_this(), connection = std::move(connection)] { connection->pump(self); });
}

bool StreamState::write(std::string_view piece) {
  std::unique_lock lock(mutex_);
  if (over_ || finished_ || broken_) return false;
  if (piece.empty()) return true;
  const auto before = pending_.size();
  if (chunked_) {
    std::array<char, 16> size;
    const auto end = std::to_chars(size.data(), size.data() + size.size(), piece.size(), 16).ptr;
    pending_.append(size.data(), end).append("\r\n").append(piece).append("\r\n");
  } else {
    pending_.append(piece);
  }
  const auto added = pending_.size() - before;
  if (unsent_ + added > limit_) {
    pending_.resize(before);
    broken_ = true;
    wake(lock);
    return false;
  }
  unsent_ += added;
  wake(lock);
  return true;
}

std::size_t StreamState::buffered() const {
  const std::lock_guard lock(mutex_);
  return unsent_;
}

bool StreamState::open() const {
  const std::lock_guard lock(mutex_);
  return !over_ && !finished_ && !broken_;
}

void StreamState::on_close(Task callback) {
  const std::lock_guard lock(mutex_);
  if (over_) {
    mailbox_.post(std::move(callback));
  } else {
    callbacks_.push_back(std::move(callback));
  }
}

void StreamState::when_drained(std::size_t level, Task callback) {
  const std::lock_guard lock(mutex_);
  if (over_ || unsent_ <= level) {
    mailbox_.post(std::move(callback));
    return;
  }
  drain_level_ = level;
  on_drained_ = std::move(callback);
}

void StreamState::finish() {
  std::unique_lock lock(mutex_);
  if (over_ || finished_ || broken_) return;
  finished_ = true;
  if (chunked_) {
    pending_ += "0\r\n\r\n";
    unsent_ += 5;
  }
  wake(lock);
}

void StreamState::abandon() {
  std::unique_lock lock(mutex_);
  if (over_ || finished_ || broken_) return;
  broken_ = true;
  wake(lock);
}

StreamState::Pieces StreamState::take() {
  const std::lock_guard lock(mutex_);
  awake_ = false;
  return {std::exchange(pending_, {}), finished_, broken_};
}

void StreamState::sent(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  unsent_ -= bytes;
  if (on_drained_ && unsent_ <= drain_level_) mailbox_.post(std::exchange(on_drained_, nullptr));
}

void StreamState::over() {
  std::vector<Task> callbacks;
  std::shared_ptr<Connection> connection;  // released outside of the lock
  {
    const std::lock_guard lock(mutex_);
    if (over_) return;
    over_ = true;
    callbacks.swap(callbacks_);
    if (on_drained_) callbacks.push_back(std::exchange(on_drained_, nullptr));
    connection.swap(connection_);
  }
  // Posted, not called: the connection is in the middle of something.
  for (auto& callback : callbacks) mailbox_.post(std::move(callback));
}

}  // namespace baton::net

#include "cli/follower.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

namespace baton::cli {

Follower::Follower(const Session& session, std::string run, std::string after)
    : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this, client = session.new_client(&cancel_), run = std::move(run),
               after = std::move(after)]() mutable { follow(std::move(client), run, after); }) {}

Follower::~Follower() {
  cancel_.cancel();
  thread_.join();
}

void Follower::follow(client::Client client, const std::string& run, const std::string& after) {
  end_ = client.events(run, after, [this](client::Event event) {
    bool first = false;
    {
      const std::lock_guard lock(mutex_);
      first = events_.empty();
      events_.push_back(std::move(event));
    }
    if (first) wake();
    return !cancel_.cancelled();
  });
  over_ = true;
  wake();
}

void Follower::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

std::vector<client::Event> Follower::take() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t read = ::read(wake_.get(), &count, sizeof count);
  const std::lock_guard lock(mutex_);
  return std::exchange(events_, {});
}

}  // namespace baton::cli

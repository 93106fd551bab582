#include "cli/session.hpp"

#include <poll.h>

#include "cli/background.hpp"
#include "net/loop.hpp"

namespace baton::cli {
namespace {

constexpr Duration kPatience = Duration::seconds(20);
constexpr Duration kSayWhy = Duration::seconds(2);
constexpr int kPauseMs = 50;

net::Endpoint endpoint_of(const Settings& settings) {
  net::Endpoint endpoint;
  endpoint.unix_socket = true;
  endpoint.path = embedded::socket_path_of(settings.data_dir);
  return endpoint;
}

}  // namespace

client::Client Session::new_client(const net::Cancellation* cancel) const {
  return client::Client(endpoint_of(settings_), cancel);
}

Status Session::connect() {
  client_.emplace(endpoint_of(settings_));
  if (auto version = client_->version(); !version) return fail(version.error());
  return {};
}

Status Session::open(Purpose purpose, const std::function<bool()>& interrupted) {
  bool said = false;
  for (const net::MonoTime begin = net::Loop::now();;) {
    const auto connected = connect();
    if (connected) return {};
    if (connected.error().code != ErrorCode::unavailable) return connected;

    embedded::OwnerOptions options;
    options.data_dir = settings_.data_dir;
    options.concurrency = settings_.concurrency;
    options.execute = purpose == Purpose::run;
    options.log = [this](std::string_view line) { console_.note(line); };
    auto owner = embedded::Owner::open(std::move(options));
    if (owner) {
      owner_ = std::move(*owner);
      // Whoever only looks does not start tasks that its own end would interrupt: open runs go on in the background,
      // and this command is a client of that.
      if (purpose == Purpose::look && owner_->open_runs() > 0) {
        close();
        continue;
      }
      return connect();
    }
    // Somebody has the lock but does not serve yet, or does not serve any more.
    if (owner.error().code != ErrorCode::owned) return fail(owner.error());
    const Duration waited = net::Loop::now() - begin;
    if (waited > kPatience) {
      return fail(ErrorCode::unavailable, owner.error().message + ", and that process does not answer");
    }
    if (waited > kSayWhy && !said) {
      console_.note("waiting for the process that owns " + settings_.data_dir);
      said = true;
    }
    ::poll(nullptr, 0, kPauseMs);
    if (interrupted && interrupted()) return fail(ErrorCode::interrupted, "interrupted");
  }
}

Status Session::open_in_background() {
  for (const net::MonoTime begin = net::Loop::now();;) {
    const auto connected = connect();
    if (connected || connected.error().code != ErrorCode::unavailable) return connected;
    auto lease = start_background_owner(settings_);
    if (lease) {
      lease_ = std::move(*lease);
      continue;
    }
    if (lease.error().code != ErrorCode::owned || net::Loop::now() - begin > kPatience)
      return fail(lease.error());
    ::poll(nullptr, 0, kPauseMs);
  }
}

void Session::close(bool hand_over) {
  client_.reset();
  if (!owner_) return;
  const std::size_t open_runs = hand_over && !owner_->fatal() ? owner_->open_runs() : 0;
  owner_->stop();
  owner_.reset();
  if (open_runs == 0) return;
  const auto lease = start_background_owner(settings_);
  // `owned`: somebody else goes on with them.
  if (!lease && lease.error().code != ErrorCode::owned) {
    console_.error("open runs do not go on: " + lease.error().message);
    return;
  }
  console_.note((open_runs == 1 ? "1 run that was left goes on"
                                : std::to_string(open_runs) + " runs that were left go on") +
                " in the background");
}

}  // namespace baton::cli

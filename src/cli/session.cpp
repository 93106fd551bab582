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
    if (connected || connected.error().code != ErrorCode::unavailable) return connected;
    close(false);  // an owner that does not answer itself is none
    const auto made = make_owner(purpose);
    if (made) continue;
    // Somebody has the lock but does not serve yet, or does not serve any more.
    if (made.error().code != ErrorCode::owned) return made;
    const Duration waited = net::Loop::now() - begin;
    if (waited > kPatience) {
      return fail(ErrorCode::unavailable, made.error().message + ", and that process does not answer");
    }
    if (waited > kSayWhy && !said) {
      console_.note("waiting for the process that owns " + settings_.data_dir);
      said = true;
    }
    ::poll(nullptr, 0, kPauseMs);
    if (interrupted && interrupted()) return fail(ErrorCode::interrupted, "interrupted");
  }
}

Status Session::make_owner(Purpose purpose) {
  if (purpose != Purpose::background) {
    embedded::OwnerOptions options;
    options.data_dir = settings_.data_dir;
    options.concurrency = settings_.concurrency;
    options.egress = settings_.egress;
    options.min_free_space = settings_.min_free_space;
    options.keep_completed = settings_.keep_completed;
    options.keep_failed = settings_.keep_failed;
    options.execute = purpose == Purpose::run;
    options.log = [this](std::string_view line) { console_.note(line); };
    TRY(owner_, embedded::Owner::open(std::move(options)));
    // Whoever only looks does not start tasks that its own end would interrupt: then a process in the
    // background owns.
    if (purpose == Purpose::look && owner_->open_runs() > 0) close();
    return {};
  }
  TRY(lease_, start_background_owner(settings_));
  return {};
}

void Session::close(bool hand_over) {
  client_.reset();
  if (!owner_) return;
  owner_->stop();
  const std::size_t open_runs = owner_->fatal() ? 0 : owner_->open_runs();
  owner_.reset();
  if (!hand_over || open_runs == 0) return;
  const auto lease = start_background_owner(settings_);
  if (lease) {
    console_.note((open_runs == 1 ? "1 run goes on" : std::to_string(open_runs) + " runs go on") +
                  " in the background");
  } else if (lease.error().code != ErrorCode::owned) {  // then somebody else goes on with them
    console_.error("open runs do not go on: " + lease.error().message);
  }
}

}  // namespace baton::cli

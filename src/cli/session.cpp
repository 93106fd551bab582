#include "cli/session.hpp"

#include <poll.h>

#include "cli/background.hpp"
#include "cli/contexts.hpp"
#include "cli/output.hpp"
#include "embedded/first_key.hpp"
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
  return client::Client(server_, cancel);
}

// A server of this user on this machine needs no key from him: it lies in its data directory. Whether the one
// that listens there is that server says its socket, so that the key goes to nobody else who has taken the
// port.
Result<std::string> own_key(const Settings& settings) {
  client::Client own(endpoint_of(settings));
  const auto version = own.version();
  if (!version || whole_number_of(*version, "port") != settings.remote->endpoint.port) return std::string();
  return read_key_file(embedded::first_key_path(settings.data_dir));
}

Result<client::Server> find_server(const Settings& settings) {
  if (!settings.remote) return client::Server{.endpoint = endpoint_of(settings), .space = settings.space};
  const Remote& remote = *settings.remote;
  client::Server server{.endpoint = remote.endpoint, .key = remote.key, .space = settings.space};
  if (!remote.key_file.empty()) {
    TRY(server.key, read_key_file(remote.key_file));
  }
  const std::string& host = remote.endpoint.host;
  if (server.key.empty() && (host == "localhost" || host == "127.0.0.1" || host == "::1")) {
    TRY(server.key, own_key(settings));
  }
  if (remote.endpoint.tls) {
    TRY(server.tls, net::TlsContext::client({.ca_file = remote.ca_file}));
  }
  return server;
}

Status Session::connect() {
  TRY(server_, find_server(settings_));
  client_.emplace(server_);
  auto version = client_->version();
  if (version) return {};
  Error error = std::move(version).error();
  if (settings_.remote && server_.key.empty() && error.code == ErrorCode::not_allowed)
    error.message += ". Set BATON_API_KEY, or add a context with it: baton context add --help";
  return fail(std::move(error));
}

Status Session::open(Purpose purpose, const std::function<bool()>& interrupted) {
  bool said = false;
  for (const net::MonoTime begin = net::Loop::now();;) {
    const auto connected = connect();
    if (settings_.remote) return connected;
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
    options.secrets_key_file = settings_.secrets_key_file;
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

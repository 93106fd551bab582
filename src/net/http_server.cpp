#include "net/http_server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "net/connection.hpp"
#include "net/http_date.hpp"
#include "net/server_state.hpp"

namespace baton::net {
namespace {

constexpr int kAcceptBurst = 64;  // then others get their turn
// So many connections beyond the limit are told 503; further ones are closed without a word.
constexpr std::size_t kTurnedAway = 64;
constexpr Duration kAcceptPause = Duration::millis(100);

// Fine enough for the shortest time-out, at most once in 10 ms, at least once a second.
Duration sweep_period(const ServerOptions& options) {
  const auto shortest = std::min({options.header_deadline, options.idle_timeout, options.body_grace,
                                  options.write_timeout, options.linger});
  return std::clamp(Duration{shortest.us / 4}, Duration::millis(10), Duration::seconds(1));
}

}  // namespace

Status ServerState::add_listener(Fd fd, bool tcp, const std::string& unix_path) {
  if (draining || closed) return fail(ErrorCode::unavailable, "the server is stopping");
  boost::system::error_code ec;
  StreamDescriptor descriptor(loop.io_context().get_executor());
  descriptor.assign(fd.get(), ec);
  if (ec) return fail(ErrorCode::io, "cannot watch a listening socket: " + ec.message());
  fd.release();
  auto listener = std::make_shared<Listener>(std::move(descriptor));
  listener->tcp = tcp;
  if (struct stat file{}; !tcp && ::stat(unix_path.c_str(), &file) == 0) {
    listener->unix_path = unix_path;
    listener->device = file.st_dev;
    listener->inode = file.st_ino;
  }
  listeners.push_back(listener);
  await_connection(listener);
  return {};
}

void ServerState::await_connection(const std::shared_ptr<Listener>& listener) {
  listener->descriptor.async_wait(StreamDescriptor::wait_read,
                                  [self = shared_from_this(), listener](const boost::system::error_code& ec) {
                                    if (!ec && listener->descriptor.is_open()) self->accept_all(listener);
                                  });
}

void ServerState::accept_all(const std::shared_ptr<Listener>& listener) {
  for (int i = 0; i < kAcceptBurst && listener->descriptor.is_open(); ++i) {
    Fd fd(::accept4(listener->descriptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      adopt(std::move(fd), listener->tcp);
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // The connection stays in the queue; without a pause this would spin.
      report("cannot accept connections: " + errno_text(errno));
      listener->pause =
          loop.call_after(kAcceptPause, [self = shared_from_this(), weak = std::weak_ptr(listener)] {
            const auto waiting = weak.lock();
            if (waiting && waiting->descriptor.is_open()) self->accept_all(waiting);
          });
      return;
    }
    // Anything else concerns one connection that is gone already (ECONNABORTED, EPROTO, …).
  }
  if (listener->descriptor.is_open()) await_connection(listener);
}

void ServerState::adopt(Fd fd, bool tcp) {
  ++stats.accepted;
  if (connections.size() >= options.max_connections + kTurnedAway) return;
  const bool welcome = connections.size() < options.max_connections;
  const int on = 1;
  if (tcp) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto peer = peer_of(fd.get());
  std::optional<TlsSession> tls;
  if (tcp && tls_context) {
    auto session = TlsSession::server(tls_context);
    if (!session) return report(session.error().message);
    tls = std::move(*session);
  }
  boost::system::error_code ec;
  StreamSocket socket(loop.io_context().get_executor());
  socket.assign(boost::asio::generic::stream_protocol(tcp ? AF_INET : AF_UNIX, 0), fd.get(), ec);
  if (ec) return report("cannot watch a connection: " + ec.message());
  fd.release();
  const auto connection =
      std::make_shared<Connection>(shared_from_this(), std::move(socket), std::move(peer), std::move(tls));
  connections.insert(connection);
  schedule_sweep();
  if (welcome) {
    connection->start();
  } else {
    connection->turn_away("the server has too many connections");
  }
}

void ServerState::remove(const std::shared_ptr<Connection>& connection) {
  connections.erase(connection);
  check_drained();
}

void ServerState::schedule_sweep() {
  if (sweep_timer.pending() || connections.empty()) return;
  sweep_timer = loop.call_after(sweep_period(options), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    const auto now = Loop::now();
    const std::vector<std::shared_ptr<Connection>> all(self->connections.begin(), self->connections.end());
    for (const auto& connection : all) connection->sweep(now);
    self->schedule_sweep();
  });
}

void ServerState::stop_accepting() {
  for (const auto& listener : listeners) {
    struct stat file{};
    if (!listener->unix_path.empty() && ::lstat(listener->unix_path.c_str(), &file) == 0 &&
        file.st_dev == listener->device && file.st_ino == listener->inode) {
      ::unlink(listener->unix_path.c_str());
    }
    boost::system::error_code ignored;
    listener->descriptor.close(ignored);
    listener->pause.cancel();
  }
  listeners.clear();
}

void ServerState::close() {
  closed = true;
  stop_accepting();
  const std::vector<std::shared_ptr<Connection>> all(connections.begin(), connections.end());
  for (const auto& connection : all) connection->break_off();
  sweep_timer.cancel();
  check_drained();
}

void ServerState::check_drained() {
  if (!(draining || closed) || !connections.empty()) return;
  drain_deadline.cancel();
  for (auto& done : drained) mailbox.post(std::move(done));
  drained.clear();
}

const std::string& ServerState::date() {
  const WallTime now = options.now();
  const std::int64_t second = now.us / 1'000'000;
  if (second != date_second) {
    date_second = second;
    date_text = to_http_date(now);
  }
  return date_text;
}

void ServerState::report(const std::string& what) const {
  if (options.report) options.report(what);
}

HttpServer::HttpServer(Loop& loop, ServerOptions options, Handler handler)
    : state_(std::make_shared<ServerState>(loop, std::move(options), std::move(handler))) {}

HttpServer::~HttpServer() {
  close();
}

Status HttpServer::listen_unix(const std::string& path, std::uint32_t mode, IfExists if_exists) {
  TRY(auto fd, net::listen_unix(path, mode, if_exists));
  Status added;
  state_->loop.invoke([&] { added = state_->add_listener(std::move(fd), false, path); });
  return added;
}

Result<std::uint16_t> HttpServer::listen_tcp(const std::string& address, std::uint16_t port) {
  TRY(auto listener, net::listen_tcp(address, port));
  Status added;
  state_->loop.invoke([&] { added = state_->add_listener(std::move(listener.fd), true, {}); });
  if (!added) return fail(std::move(added).error());
  return listener.port;
}

void HttpServer::use_tls(std::shared_ptr<const TlsContext> tls) {
  state_->loop.invoke([&] {
    if (state_->tls_context) state_->tls_context = std::move(tls);
  });
}

void HttpServer::stop_accepting() {
  state_->loop.invoke([&] { state_->stop_accepting(); });
}

void HttpServer::drain(Duration deadline, Task done) {
  state_->loop.invoke([&] {
    auto& state = *state_;
    state.stop_accepting();
    state.draining = true;
    state.drained.push_back(std::move(done));
    state.drain_deadline = state.loop.call_after(deadline, [weak = state.weak_from_this()] {
      if (const auto self = weak.lock()) self->close();
    });
    const std::vector<std::shared_ptr<Connection>> all(state.connections.begin(), state.connections.end());
    for (const auto& connection : all) connection->close_if_idle();
    state.check_drained();
  });
}

void HttpServer::close() {
  state_->loop.invoke([&] { state_->close(); });
}

ServerStats HttpServer::stats() const {
  ServerStats stats;
  state_->loop.invoke([&] {
    stats = state_->stats;
    stats.connections = state_->connections.size();
  });
  return stats;
}

}  // namespace baton::net

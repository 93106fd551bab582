// What a server's connections and listeners share. On the loop's thread only. Internal to net.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "net/asio_types.hpp"
#include "net/http_server.hpp"

namespace baton::net {

class Connection;

struct Listener {
  explicit Listener(StreamDescriptor socket) : descriptor(std::move(socket)) {}

  StreamDescriptor descriptor;
  bool tcp = false;
  std::string unix_path;  // to be removed at the end if it is still this file:
  dev_t device = 0;
  ino_t inode = 0;
  Timer pause;  // after accept() failed for want of descriptors or memory
};

struct ServerState : std::enable_shared_from_this<ServerState> {
  ServerState(Loop& owner, ServerOptions opts, Handler handle)
      : loop(owner),
        mailbox(owner.mailbox()),
        options(std::move(opts)),
        handler(std::move(handle)),
        tls_context(options.tls) {}

  Status add_listener(Fd fd, bool tcp, const std::string& unix_path);
  void await_connection(const std::shared_ptr<Listener>& listener);
  void accept_all(const std::shared_ptr<Listener>& listener);
  void adopt(Fd fd, bool tcp);
  void stop_accepting();
  void close();
  void remove(const std::shared_ptr<Connection>& connection);
  void schedule_sweep();
  void check_drained();
  void report(const std::string& what) const;
  // The present time as HTTP writes it; made anew once a second.
  const std::string& date();

  Loop& loop;
  const Mailbox mailbox;
  const ServerOptions options;
  const Handler handler;
  std::shared_ptr<const TlsContext> tls_context;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::unordered_set<std::shared_ptr<Connection>> connections;
  ServerStats stats;
  std::uint64_t receiving = 0;  // bytes of unfinished bodies
  bool draining = false;
  bool closed = false;
  std::vector<Task> drained;
  Timer drain_deadline;
  Timer sweep_timer;
  std::string date_text;
  std::int64_t date_second = -1;
};

}  // namespace baton::net

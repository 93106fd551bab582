// A server: the owner of a data directory that stays, and serves more than its own user. Says where it may
// listen, reads certificates again, ends in good order.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/entrance.hpp"
#include "base/error.hpp"
#include "embedded/owner.hpp"
#include "server/listen_address.hpp"

namespace baton::server {

// How long what runs may go on when the server is to end.
inline constexpr Duration kGrace = Duration::seconds(30);

struct ServerOptions {
  embedded::OwnerOptions owner;  // but for `listen`
  ListenAddress listen;
  net::TlsServerOptions tls;  // both files, or neither
  api::EntranceOptions entrance;
};

class Server {
 public:
  // The errors of Owner::open (`owned`: nothing was written), and bad_configuration: an address that others
  // reach without TLS and without a proxy that has it, or certificates that cannot be read. Call it before
  // the process has threads of its own.
  static Result<std::unique_ptr<Server>> open(ServerOptions options);

  const std::string& url() const { return url_; }  // "http://127.0.0.1:7711", with the real port
  const std::string& socket_path() const { return owner_->socket_path(); }
  embedded::Owner& owner() { return *owner_; }

  // Reads the certificates again. bad_configuration: they cannot be read, and the old ones stay in use.
  Status reload();

  // Starts nothing more, waits for what runs for `grace` or until `now` says so (asked ten times a second),
  // and stops the owner, which interrupts the rest: it goes on with the next start.
  void stop(Duration grace, const std::function<bool()>& now);

 private:
  Server(ServerOptions options, std::unique_ptr<embedded::Owner> owner);

  const ServerOptions options_;
  std::unique_ptr<embedded::Owner> owner_;
  std::string url_;
};

}  // namespace baton::server

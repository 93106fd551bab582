#include "server/server.hpp"

namespace baton::server {
namespace {

// `baton server & baton apply …`: the command may have become the owner first, for a moment.
constexpr Duration kPatience = Duration::seconds(1);
constexpr Duration kSlice = Duration::millis(100);

Result<std::shared_ptr<const net::TlsContext>> read_certificates(const net::TlsServerOptions& tls) {
  if (tls.certificate_file.empty() && tls.key_file.empty()) return nullptr;
  if (tls.certificate_file.empty() || tls.key_file.empty()) {
    return fail(
        ErrorCode::bad_configuration,
        "TLS needs a certificate and its key: set both tls.cert (--tls-cert) and tls.key (--tls-key)");
  }
  return net::TlsContext::server(tls);
}

}  // namespace

Server::Server(ServerOptions options, std::unique_ptr<embedded::Owner> owner)
    : options_(std::move(options)), owner_(std::move(owner)) {
  ListenAddress real = options_.listen;
  real.port = owner_->port();
  url_ = (options_.tls.certificate_file.empty() ? "http://" : "https://") + real.text();
}

Result<std::unique_ptr<Server>> Server::open(ServerOptions options) {
  TRY(auto tls, read_certificates(options.tls));
  const bool open = !options.listen.loopback && tls == nullptr;
  if (open && options.entrance.proxies.empty()) {
    return fail(
        ErrorCode::bad_configuration,
        "on " + options.listen.text() +
            " keys and everything else would go through the network readable: set tls.cert and tls.key, or "
            "listen on 127.0.0.1, or say which proxy has TLS (--trusted-proxy)");
  }
  options.entrance.proxies_only = open;
  embedded::OwnerOptions owner = options.owner;
  owner.patience = kPatience;
  owner.listen = {.address = options.listen.address,
                  .port = options.listen.port,
                  .tls = std::move(tls),
                  .entrance = options.entrance};
  TRY(auto opened, embedded::Owner::open(std::move(owner)));
  return std::unique_ptr<Server>(new Server(std::move(options), std::move(opened)));
}

Status Server::reload() {
  TRY(auto tls, read_certificates(options_.tls));
  owner_->use_tls(std::move(tls));
  return {};
}

void Server::stop(Duration grace, const std::function<bool()>& now) {
  owner_->drain();
  for (Duration waited; waited < grace && !owner_->fatal() && !now(); waited = waited + kSlice) {
    if (owner_->drained(kSlice)) break;
  }
  owner_->stop();
}

}  // namespace baton::server

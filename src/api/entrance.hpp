// The door: from which place a request may come, and who it is from. Everything that a header can say about
// that is looked at here and nowhere else.
#pragma once

#include <sys/types.h>

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "auth/guesses.hpp"
#include "auth/keys.hpp"
#include "base/time.hpp"
#include "net/address_policy.hpp"
#include "net/http.hpp"

namespace baton::api {

struct EntranceOptions {
  std::vector<std::string> hosts;  // names that the server is called by, besides addresses and localhost
  std::vector<net::AddressRange> proxies;  // whose X-Forwarded-For is believed
  bool proxies_only = false;               // nobody else is let in
};

struct Visitor {
  auth::Principal principal;
  std::string from;  // "socket", or the address that it came from
  std::string key;   // whose use the store should hear of; "" = none
};

// Any thread. Refusals are complete answers.
class Entrance {
 public:
  explicit Entrance(EntranceOptions options);

  auth::Keys& keys() { return keys_; }

  // Whether a request of a TCP connection may come from where it comes: through a proxy, to a name of this
  // server (a foreign name that leads here is how a page gets around the browser's rules), and not from
  // another page.
  std::expected<void, net::Response> place(const net::Request& request) const;

  // A same-user peer of the socket (or root), or whose key it is. 401: no key, or none that is valid; 429:
  // too many that were none.
  std::expected<Visitor, net::Response> who(const net::Request& request, WallTime now);

 private:
  std::expected<Visitor, net::Response> local(const net::Request& request) const;
  std::string address_of(const net::Request& request) const;
  bool is_proxy(const net::AddressBytes& address) const;

  const EntranceOptions options_;
  const uid_t own_uid_;
  const std::string own_name_;
  auth::Keys keys_;
  auth::Guesses guesses_;
};

}  // namespace baton::api

// The door: from which place a request may come, and who it is from. Everything that a header can say about
// that is looked at here and nowhere else.
#pragma once

#include <sys/types.h>

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/guesses.hpp"
#include "auth/keys.hpp"
#include "auth/sessions.hpp"
#include "base/time.hpp"
#include "net/address_policy.hpp"
#include "net/http.hpp"

namespace baton::api {

struct EntranceOptions {
  std::vector<std::string> hosts;  // names that the server is called by, besides addresses and localhost
  std::vector<net::AddressRange> proxies;  // whose X-Forwarded-For is believed
  bool proxies_only = false;               // nobody else is let in
  std::vector<std::string> origins;        // of pages elsewhere that may ask, such as "https://ops.example"
  bool secure = false;                     // browsers reach it by TLS: they send cookies by nothing else then
};

inline constexpr std::string_view kSessionCookie = "baton_session";

struct Visitor {
  auth::Principal principal;
  std::string from;                      // "socket", or the address that it came from
  std::string key;                       // whose use the store should hear of; "" = none
  std::optional<Hash256> credential;     // the key that counts; none: the socket's word is enough
  std::optional<auth::Session> session;  // that the request came with instead of a key
};
struct Entered {
  Visitor visitor;
  auth::OpenedSession opened;
};

// Any thread. Refusals are complete answers.
class Entrance {
 public:
  explicit Entrance(EntranceOptions options);

  auth::Keys& keys() { return keys_; }

  // Whether a request of a TCP connection may come from where it comes: through a proxy, to a name of this
  // server (a foreign name that leads here is how a page gets around the browser's rules), and not from
  // another page.
  // The answer is the origin of the page that asks, if it is one of those that may; else "".
  std::expected<std::string, net::Response> place(const net::Request& request) const;

  // A same-user peer of the socket (or root), or whose key it is. 401: no key, or none that is valid; 429:
  // too many that were none.
  // A session counts if there is no key; pages of other origins have none.
  std::expected<Visitor, net::Response> who(const net::Request& request, WallTime now);

  // Whether whoever was let in with these (of a Visitor) still would be.
  bool admits_still(const std::optional<Hash256>& credential, const std::optional<auth::Session>& session,
                    WallTime now) const;

  // ---- Signing in, for pages
  // With a key; refusals are as of who().
  std::expected<Entered, net::Response> sign_in(const net::Request& request, std::string_view key,
                                                WallTime now);
  // Who comes with a session that counts.
  std::optional<Visitor> signed_in(const net::Request& request, WallTime now);
  void sign_out(const net::Request& request);
  bool secure() const { return options_.secure; }

 private:
  std::expected<Visitor, net::Response> admit(const net::Request& request, const Hash256& key, WallTime now);

  std::expected<Visitor, net::Response> local(const net::Request& request) const;
  std::string address_of(const net::Request& request) const;
  bool is_proxy(const net::AddressBytes& address) const;

  const EntranceOptions options_;
  const uid_t own_uid_;
  const std::string own_name_;
  auth::Keys keys_;
  auth::Guesses guesses_;
  auth::Sessions sessions_;
};

}  // namespace baton::api

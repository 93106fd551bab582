#include "api/entrance.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "api/credentials.hpp"
#include "api/problem.hpp"
#include "base/text.hpp"

namespace baton::api {
namespace {

std::string user_name(uid_t uid) {
  char buffer[4096];
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) return entry.pw_name;
  return "uid " + std::to_string(uid);
}

std::unexpected<net::Response> refuse(std::string message) {
  return std::unexpected(problem({ErrorCode::not_allowed, std::move(message), ""}));
}

// The same words whatever is wrong with a key that is none.
std::unexpected<net::Response> ask_for_key(std::string message) {
  net::Response response = problem({ErrorCode::not_allowed, std::move(message), ""}, 401);
  response.headers.add("WWW-Authenticate", "Bearer realm=\"baton\"");
  response.headers.add("WWW-Authenticate", "Basic realm=\"baton\", charset=\"UTF-8\"");
  return std::unexpected(std::move(response));
}

// "[::1]:7711", "example.org:80", "10.0.0.1" without the port and brackets.
std::string_view without_port(std::string_view authority) {
  if (!authority.starts_with('[')) return authority.substr(0, authority.rfind(':'));
  const std::size_t end = authority.find(']');
  return end == authority.npos ? authority : authority.substr(1, end - 1);
}

// Nothing if the text is no address.
std::optional<net::AddressRange> address_in(std::string_view text) {
  if (text.find('/') != text.npos) return std::nullopt;
  auto range = net::AddressRange::parse(text);
  if (!range) return std::nullopt;
  return *std::move(range);
}

// An IPv4 address, or the network of 64 bits of an IPv6 address: who has one of those has all of it.
std::string neighbourhood(const std::string& address) {
  const auto range = address_in(address);
  if (!range || range->ipv4) return address;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    text += kHex[range->bytes[i] >> 4];
    text += kHex[range->bytes[i] & 15];
  }
  return text;
}

// The text of the cookie. A request of a page elsewhere has none, whatever it carries.
std::optional<std::string> session_of(const net::Request& request) {
  if (const auto origin = request.headers.find("Origin")) {
    const std::size_t scheme = origin->find("://");
    const std::string_view authority = request.headers.find("Host").value_or("");
    if (scheme == origin->npos || !net::equals_ignoring_case(origin->substr(scheme + 3), authority))
      return std::nullopt;
  }
  for (const auto& [name, value] : request.headers) {
    if (!net::equals_ignoring_case(name, "Cookie")) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const std::size_t end = rest.find(';');
      std::string_view one = rest.substr(0, end);
      rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
      one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
      if (one.starts_with(kSessionCookie) && one.substr(kSessionCookie.size()).starts_with('='))
        return std::string(one.substr(kSessionCookie.size() + 1));
    }
  }
  return std::nullopt;
}

}  // namespace

Entrance::Entrance(EntranceOptions options)
    : options_(std::move(options)), own_uid_(::geteuid()), own_name_(user_name(own_uid_)) {}

bool Entrance::is_proxy(const net::AddressBytes& address) const {
  return std::ranges::any_of(options_.proxies, [&](const auto& range) { return range.contains(address); });
}

// Behind proxies: the last address of X-Forwarded-For that none of ours has. What stands before that anybody
// could have written.
std::string Entrance::address_of(const net::Request& request) const {
  std::string address(without_port(request.peer.address));
  auto range = address_in(address);
  if (!range || !is_proxy(range->bytes)) return address;
  std::string all;
  for (const auto& [name, value] : request.headers) {
    if (net::equals_ignoring_case(name, "X-Forwarded-For")) all += (all.empty() ? "" : ",") + value;
  }
  std::string_view rest = all;
  while (!rest.empty()) {
    const std::size_t comma = rest.rfind(',');
    std::string_view last = comma == rest.npos ? rest : rest.substr(comma + 1);
    rest = comma == rest.npos ? std::string_view() : rest.substr(0, comma);
    last.remove_prefix(std::min(last.find_first_not_of(' '), last.size()));
    last = last.substr(0, last.find_last_not_of(' ') + 1);
    const auto hop = address_in(last);
    if (!hop) break;
    address = last;
    if (!is_proxy(hop->bytes)) break;
  }
  return address;
}

std::expected<std::string, net::Response> Entrance::place(const net::Request& request) const {
  if (options_.proxies_only) {
    const auto peer = address_in(without_port(request.peer.address));
    if (!peer || !is_proxy(peer->bytes)) return refuse("this server is reached through its proxy only");
  }
  const std::string_view authority = request.headers.find("Host").value_or("");
  const std::string_view host = without_port(authority);
  const bool named = net::equals_ignoring_case(host, "localhost") ||
                     std::ranges::any_of(options_.hosts, [&](const std::string& name) {
                       return net::equals_ignoring_case(name, host);
                     });
  if (!named && !address_in(host)) {
    return refuse("this server is not called \"" + printable(utf8_prefix(host, 253)) +
                  "\": add the name to the setting \"hosts\" if it should be");
  }
  const auto origin = request.headers.find("Origin");
  if (origin) {
    const std::size_t scheme = origin->find("://");
    const bool own =
        scheme != origin->npos && net::equals_ignoring_case(origin->substr(scheme + 3), authority);
    if (!own && std::ranges::find(options_.origins, *origin) == options_.origins.end())
      return refuse("requests of other pages are not answered");
    if (!own) return std::string(*origin);
  }
  if (!origin && request.method != net::Method::get &&
      request.headers.find("Sec-Fetch-Site").value_or("") == "cross-site") {
    return refuse("requests of other pages are not answered");
  }
  return std::string();
}

std::expected<Visitor, net::Response> Entrance::local(const net::Request& request) const {
  const net::Peer& peer = request.peer;
  if (peer.uid != own_uid_ && peer.uid != 0)
    return refuse("only processes of the user who runs Baton may use this socket");
  const bool cli = request.headers.find("User-Agent").value_or("").starts_with("baton-cli");
  const std::string name = (cli ? "cli:" : "api:") + (peer.uid == own_uid_ ? own_name_ : std::string("root"));
  return Visitor{.principal = {name, model::Role::admin, std::string(model::kEveryNamespace)},
                 .from = "socket",
                 .key = "",
                 .credential = std::nullopt,
                 .session = std::nullopt};
}

std::expected<Visitor, net::Response> Entrance::who(const net::Request& request, WallTime now) {
  if (request.peer.local) return local(request);
  const auto key = key_of(request.headers);
  if (!key) return ask_for_key(key.error().message);
  if (*key) return admit(request, Hash256::of(**key), now);
  if (auto visitor = signed_in(request, now)) return *std::move(visitor);
  return ask_for_key("a key is needed here: Authorization: Bearer KEY, or X-API-Key: KEY");
}

std::expected<Visitor, net::Response> Entrance::admit(const net::Request& request, const Hash256& key,
                                                      WallTime now) {
  const std::string address = address_of(request);
  const std::string guesser = neighbourhood(address);
  const Duration locked = guesses_.locked_for(guesser, now);
  const auth::Answer answer = keys_.check(key, guesser, now, locked == Duration{});
  if (locked > Duration{} && !(answer.standing == auth::Standing::valid && answer.known_here)) {
    net::Response response = problem(
        {ErrorCode::overloaded, "too many keys that are none came from " + address + ": wait a minute", ""});
    response.headers.set("Retry-After", std::to_string(locked.us / 1'000'000 + 1));
    return std::unexpected(std::move(response));
  }
  switch (answer.standing) {
    case auth::Standing::valid:
      return Visitor{.principal = answer.principal,
                     .from = address,
                     .key = answer.note_use ? answer.name : "",
                     .credential = key,
                     .session = std::nullopt};
    case auth::Standing::expired:
      return ask_for_key("the key \"" + answer.name + "\" has expired");
    case auth::Standing::revoked:
      return ask_for_key("the key \"" + answer.name + "\" was revoked");
    case auth::Standing::unknown:
      break;
  }
  guesses_.wrong(guesser, now);
  return ask_for_key("this is no key of this server");
}

bool Entrance::admits_still(const std::optional<Hash256>& credential,
                            const std::optional<auth::Session>& session, WallTime now) const {
  if (session && !sessions_.is_open(session->id, now)) return false;
  return !credential || keys_.is_valid(*credential, now);
}

std::expected<Entered, net::Response> Entrance::sign_in(const net::Request& request, std::string_view key,
                                                        WallTime now) {
  const Hash256 hash = Hash256::of(key);
  auto visitor = admit(request, hash, now);
  if (!visitor) return std::unexpected(std::move(visitor).error());
  auto opened = sessions_.open(hash, now);
  if (!opened) return std::unexpected(problem(opened.error()));
  visitor->session = opened->session;
  return Entered{*std::move(visitor), *std::move(opened)};
}

std::optional<Visitor> Entrance::signed_in(const net::Request& request, WallTime now) {
  const auto text = session_of(request);
  if (!text) return std::nullopt;
  const auto session = sessions_.find(*text, now);
  if (!session) return std::nullopt;
  const std::string address = address_of(request);
  // Its key may have been revoked or be over since.
  const auth::Answer answer = keys_.check(session->key, neighbourhood(address), now);
  if (answer.standing != auth::Standing::valid) return std::nullopt;
  return Visitor{.principal = answer.principal,
                 .from = address,
                 .key = answer.note_use ? answer.name : "",
                 .credential = session->key,
                 .session = session};
}

void Entrance::sign_out(const net::Request& request) {
  if (const auto text = session_of(request)) sessions_.close(*text);
}

}  // namespace baton::api

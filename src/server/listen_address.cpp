#include "server/listen_address.hpp"

#include <charconv>

#include "base/text.hpp"
#include "net/address_policy.hpp"

namespace baton::server {
namespace {

constexpr std::uint16_t kUsualPort = 7711;

bool is_loopback(const net::AddressBytes& address) {
  static const auto kOfIpv4 = net::AddressRange::parse("127.0.0.0/8");
  static const auto kOfIpv6 = net::AddressRange::parse("::1");
  return kOfIpv4->contains(address) || kOfIpv6->contains(address);
}

}  // namespace

std::string ListenAddress::text() const {
  const bool ipv6 = address.find(':') != std::string::npos;
  return (ipv6 ? '[' + address + ']' : address) + ':' + std::to_string(port);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::usage, "\"" + printable(text) + "\" is no address to listen on: " +
                                      std::string(why) + " (such as 127.0.0.1:7711 or [::1]:7711)");
  };
  ListenAddress out{.port = kUsualPort};
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    if (end == host.npos) return bad("\"]\" is missing");
    port = host.substr(end + 1);
    host = host.substr(1, end - 1);
    has_port = !port.empty();
    if (has_port && port.front() != ':') return bad("a \":\" must follow \"]\"");
    if (has_port) port.remove_prefix(1);
  } else if (const auto colon = host.find(':'); colon != host.npos && colon == host.rfind(':')) {
    has_port = true;
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (host == "localhost") host = "127.0.0.1";
  const auto range = net::AddressRange::parse(host);
  if (!range || host.find('/') != host.npos) return bad("an IP address must stand in front of the port");
  out.address = host;
  out.loopback = is_loopback(range->bytes);
  if (!has_port) return out;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc{} || end != port.data() + port.size())
    return bad("the port must be a number up to 65535");
  return out;
}

}  // namespace baton::server

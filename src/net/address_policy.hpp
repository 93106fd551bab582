// Which addresses a client may connect to. Checked on the resolved address just before the connection is
// made, so that no name, no spelling of a number and no answer of a name server leads around it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

struct sockaddr;

namespace baton::net {

// 16 bytes as in IPv6; IPv4 in its mapped form (::ffff:a.b.c.d).
using AddressBytes = std::array<std::uint8_t, 16>;

// "10.0.0.0/8", "fd00::/8", or a single address.
struct AddressRange {
  AddressBytes bytes{};
  unsigned bits = 0;  // of the 128 that count; IPv4: 96 more than written
  bool ipv4 = false;
  std::string text;  // as it was written

  bool contains(const AddressBytes& address) const;
  // usage: not an address, a length that is too long, or bits that are set behind it.
  static Result<AddressRange> parse(std::string_view text);
};

// Immutable; any thread. An address is denied if a range of `deny` contains it and none of `allow` does.
// Addresses that lead to another one count as that: IPv4 in IPv6 (mapped, compatible, NAT64, 6to4) is looked
// at as both, 0.0.0.0 and :: are this host.
class AddressPolicy {
 public:
  AddressPolicy() = default;  // denies nothing
  AddressPolicy(std::vector<AddressRange> deny, std::vector<AddressRange> allow)
      : deny_(std::move(deny)), allow_(std::move(allow)) {}

  // The range that denies it, or nothing.
  std::optional<std::string> denied_by(const sockaddr* address) const;
  std::optional<std::string> denied_by(const AddressBytes& address) const;

 private:
  std::vector<AddressRange> deny_;
  std::vector<AddressRange> allow_;
};

// "192.0.2.1", "2001:db8::1".
std::string address_text(const sockaddr* address);

}  // namespace baton::net

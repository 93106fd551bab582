#include "net/address_policy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.hpp"

namespace baton::net {
namespace {

constexpr unsigned kMapped = 96;  // bits in front of an IPv4 address

AddressBytes mapped(std::span<const std::uint8_t, 4> ipv4) {
  AddressBytes out{};
  out[10] = out[11] = 0xff;
  std::ranges::copy(ipv4, out.begin() + 12);
  return out;
}

bool begins(const AddressBytes& address, std::initializer_list<std::uint8_t> bytes) {
  return std::equal(bytes.begin(), bytes.end(), address.begin());
}

bool is_mapped(const AddressBytes& address) {
  return begins(address, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff});
}

// The address itself and what it leads to.
std::vector<AddressBytes> readings(const AddressBytes& address) {
  std::vector<AddressBytes> out{address};
  const auto at = [&](std::size_t from) {
    return mapped(std::span<const std::uint8_t, 4>(address.data() + from, 4));
  };
  if (!is_mapped(address)) {
    AddressBytes loopback{};
    loopback[15] = 1;
    if (address == AddressBytes{}) {
      out.push_back(loopback);
    } else if (address != loopback && begins(address, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) {
      out.push_back(at(12));
    }
    if (begins(address, {0, 0x64, 0xff, 0x9b})) out.push_back(at(12));  // 64:ff9b::/96 and 64:ff9b:1::/48
    if (begins(address, {0x20, 0x02})) out.push_back(at(2));            // 2002::/16
  }
  const std::size_t known = out.size();
  for (std::size_t i = 0; i < known; ++i) {
    if (is_mapped(out[i]) && out[i][12] == 0)
      out.push_back(mapped(std::array<std::uint8_t, 4>{127, 0, 0, 1}));
  }
  return out;
}

std::optional<AddressBytes> bytes_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
    return mapped(bytes);
  }
  if (address->sa_family == AF_INET6) {
    AddressBytes bytes{};
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, 16);
    return bytes;
  }
  return std::nullopt;
}

}  // namespace

bool AddressRange::contains(const AddressBytes& address) const {
  if (ipv4 != is_mapped(address)) return false;
  const std::size_t whole = bits / 8;
  if (!std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(whole), address.begin()))
    return false;
  const unsigned rest = bits % 8;
  return rest == 0 || (bytes[whole] ^ address[whole]) >> (8 - rest) == 0;
}

Result<AddressRange> AddressRange::parse(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::usage, "\"" + printable(utf8_prefix(text, 60)) +
                                      "\" is not a range of addresses: " + std::string(why) +
                                      " (like 10.0.0.0/8 or fd00::/8)");
  };
  AddressRange out;
  out.text = text;
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  std::array<std::uint8_t, 4> ipv4{};
  if (::inet_pton(AF_INET, address.c_str(), ipv4.data()) == 1) {
    out.ipv4 = true;
    out.bytes = mapped(ipv4);
  } else if (::inet_pton(AF_INET6, address.c_str(), out.bytes.data()) == 1) {
    out.ipv4 = is_mapped(out.bytes);
  } else {
    return bad("the address cannot be read");
  }
  const bool written_as_ipv4 = address.find(':') == address.npos;
  const unsigned most = written_as_ipv4 ? 32 : 128;
  unsigned length = most;
  if (slash != text.npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc() || end != digits.data() + digits.size() || length > most)
      return bad("the length must be a number from 0 to " + std::to_string(most));
  }
  out.bits = written_as_ipv4 ? length + kMapped : length;
  if (out.ipv4 && out.bits < kMapped) return bad("write ranges of IPv4 addresses as such");
  for (unsigned bit = out.bits; bit < 128; ++bit) {
    if ((out.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0)
      return bad("bits are set behind the first " + std::to_string(length));
  }
  return out;
}

std::optional<std::string> AddressPolicy::denied_by(const AddressBytes& address) const {
  const std::vector<AddressBytes> all = readings(address);
  const auto range_of = [&](const std::vector<AddressRange>& ranges) -> const AddressRange* {
    for (const AddressRange& range : ranges) {
      if (std::ranges::any_of(all, [&](const AddressBytes& a) { return range.contains(a); })) return &range;
    }
    return nullptr;
  };
  if (range_of(allow_) != nullptr) return std::nullopt;
  const AddressRange* denied = range_of(deny_);
  if (denied == nullptr) return std::nullopt;
  return denied->text;
}

std::optional<std::string> AddressPolicy::denied_by(const sockaddr* address) const {
  const auto bytes = bytes_of(address);
  if (!bytes) return "an unknown kind of address";
  return denied_by(*bytes);
}

std::string address_text(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address->sa_family == AF_INET6) {
    bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  } else {
    bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  }
  if (::inet_ntop(address->sa_family, bytes, text.data(), text.size()) == nullptr) return "?";
  return text.data();
}

}  // namespace baton::net

// Where a server listens, as people write it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace baton::server {

struct ListenAddress {
  std::string address;  // an IP address, without brackets
  std::uint16_t port = 0;
  bool loopback = false;  // only this machine gets there

  std::string text() const;  // "127.0.0.1:7711", "[::1]:7711"
};

// "ADDR:PORT", "[ADDR]:PORT", or an address alone (then with the port 7711). ADDR is an IP address or
// `localhost`; port 0 = any free one. usage: anything else.
Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace baton::server

// Host names to addresses, with a deadline. Internal to net.
#pragma once

#include <netdb.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "net/loop.hpp"

namespace baton::net {

struct AddressListDeleter {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, AddressListDeleter>;  // never empty when it comes from a Result

// An address that is written as a number: never blocks. `flags` as of getaddrinfo. unavailable: it is none.
Result<AddressList> resolve_number(const std::string& host, std::uint16_t port, int flags);

// Names as well. The system's resolver blocks and knows no deadline, so it runs on a thread of its own, which
// is left behind when the time is up (timed_out) or `cancel_fd` becomes readable (interrupted). unavailable:
// no such host, or no answer of the name servers.
Result<AddressList> resolve(const std::string& host, std::uint16_t port, MonoTime deadline, int cancel_fd);

}  // namespace baton::net

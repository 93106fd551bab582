// Where requests of steps may go.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "net/address_policy.hpp"

namespace baton::executors::http {

// Ranges of addresses (net::AddressRange).
struct Egress {
  std::vector<std::string> deny;   // besides usually_denied()
  std::vector<std::string> allow;  // wins
};

// What no step may reach unless `allow` says so: link-local addresses, and those at which clouds hand out the
// credentials of the machine. Names like metadata.google.internal lead to these addresses.
std::span<const std::string_view> usually_denied();

// usage: one of them is not a range of addresses.
Result<std::shared_ptr<const net::AddressPolicy>> policy_of(const Egress& egress);

}  // namespace baton::executors::http

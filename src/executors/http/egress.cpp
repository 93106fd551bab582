#include "executors/http/egress.hpp"

namespace baton::executors::http {
namespace {

constexpr std::string_view kUsuallyDenied[] = {
    "169.254.0.0/16",   // link-local; the metadata of AWS, Azure, Google, OpenStack, …
    "fe80::/10",        // link-local
    "fd00:ec2::254",    // AWS
    "fd20:ce::254",     // Google
    "100.100.100.200",  // Alibaba
    "168.63.129.16",    // Azure's host
    "192.0.0.192",      // Oracle
};

}  // namespace

std::span<const std::string_view> usually_denied() {
  return kUsuallyDenied;
}

Result<std::shared_ptr<const net::AddressPolicy>> policy_of(const Egress& egress) {
  std::vector<net::AddressRange> deny;
  std::vector<net::AddressRange> allow;
  for (const std::string_view text : kUsuallyDenied) {
    TRY(net::AddressRange range, net::AddressRange::parse(text));
    deny.push_back(std::move(range));
  }
  for (const std::string& text : egress.deny) {
    TRY(net::AddressRange range, net::AddressRange::parse(text));
    deny.push_back(std::move(range));
  }
  for (const std::string& text : egress.allow) {
    TRY(net::AddressRange range, net::AddressRange::parse(text));
    allow.push_back(std::move(range));
  }
  return std::make_shared<const net::AddressPolicy>(std::move(deny), std::move(allow));
}

}  // namespace baton::executors::http

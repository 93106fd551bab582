#include "net/address_policy.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/socket.h>

#include "net/resolver.hpp"
#include "net/socket.hpp"

namespace baton::net {
namespace {

std::vector<AddressRange> ranges(std::initializer_list<const char*> texts) {
  std::vector<AddressRange> out;
  for (const char* text : texts) {
    auto range = AddressRange::parse(text);
    EXPECT_TRUE(range) << text << ": " << range.error().message;
    if (range) out.push_back(std::move(*range));
  }
  return out;
}

// As the connection's address would be after the resolver had read `text`.
std::optional<std::string> denied(const AddressPolicy& policy, const char* text) {
  const auto list = resolve_number(text, 80, 0);
  EXPECT_TRUE(list) << text;
  if (!list) return std::nullopt;
  return policy.denied_by((*list)->ai_addr);
}

TEST(AddressRange, IsRead) {
  for (const char* text : {"10.0.0.0/8", "169.254.169.254", "0.0.0.0/0", "::/0", "fd00::/8", "fe80::/10",
                           "::1", "::ffff:10.0.0.0/104"}) {
    EXPECT_TRUE(AddressRange::parse(text)) << text;
  }
  for (const char* text :
       {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.1/8", "10.0/8", "example.org",
        "fd00::1/8", "fd00::/129", "::ffff:0:0/90", "010.0.0.1"}) {
    const auto range = AddressRange::parse(text);
    ASSERT_FALSE(range) << text;
    EXPECT_EQ(range.error().code, ErrorCode::usage);
  }
}

TEST(AddressPolicy, EverySpellingOfAnAddressIsThatAddress) {
  const AddressPolicy policy(ranges({"169.254.0.0/16", "fe80::/10", "fd00:ec2::254"}), {});
  for (const char* text :
       {"169.254.169.254", "169.254.1.1", "0xa9.0xfe.0xa9.0xfe", "0xa9fea9fe", "2852039166",
        "0251.0376.0251.0376", "169.254.43518", "169.16689662", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe",
        "::169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fe80::1", "febf::1", "fd00:ec2::254",
        "fd00:0ec2:0:0::0254"}) {
    EXPECT_TRUE(denied(policy, text)) << text;
  }
  for (const char* text : {"127.0.0.1", "10.0.0.1", "8.8.8.8", "::1", "::", "fd00:ec2::255", "fec0::1",
                           "169.253.255.255", "169.255.0.0", "64:ff9b::808:808", "2002:808:808::"}) {
    EXPECT_FALSE(denied(policy, text)) << text;
  }
  EXPECT_EQ(denied(policy, "2852039166"), "169.254.0.0/16");
}

TEST(AddressPolicy, ThisHostHasManyAddresses) {
  const AddressPolicy policy(ranges({"127.0.0.0/8", "::1"}), {});
  for (const char* text :
       {"127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "0", "::", "::1",
        "::ffff:127.0.0.1", "::ffff:0.0.0.0", "::127.0.0.1", "64:ff9b::7f00:1"}) {
    EXPECT_TRUE(denied(policy, text)) << text;
  }
  EXPECT_FALSE(denied(policy, "128.0.0.1"));
}

TEST(AddressPolicy, AllowWins) {
  const AddressPolicy policy(ranges({"0.0.0.0/0", "::/0"}), ranges({"10.1.0.0/16", "fd00::/8"}));
  for (const char* text : {"10.1.2.3", "::ffff:10.1.2.3", "fd12::1"})
    EXPECT_FALSE(denied(policy, text)) << text;
  for (const char* text : {"10.2.0.1", "8.8.8.8", "::1", "2001:db8::1"})
    EXPECT_TRUE(denied(policy, text)) << text;
  EXPECT_FALSE(denied(AddressPolicy{}, "169.254.169.254"));
  // ::/0 is about IPv6 only, 0.0.0.0/0 about IPv4 only.
  EXPECT_FALSE(denied(AddressPolicy(ranges({"::/0"}), {}), "8.8.8.8"));
  EXPECT_FALSE(denied(AddressPolicy(ranges({"0.0.0.0/0"}), {}), "2001:db8::1"));
}

TEST(AddressPolicy, IsAskedBeforeTheConnectionIsMade) {
  const auto listener = listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(listener) << listener.error().message;
  const AddressPolicy policy(ranges({"127.0.0.0/8", "::1"}), {});
  for (const char* host : {"127.0.0.1", "localhost", "0x7f.1", "0.0.0.0"}) {
    const Endpoint endpoint{.host = host, .port = listener->port};
    const auto refused = connect_to(endpoint, Loop::now() + Duration::seconds(60), -1, &policy);
    ASSERT_FALSE(refused) << host;
    EXPECT_EQ(refused.error().code, ErrorCode::not_allowed) << refused.error().message;
    EXPECT_TRUE(connect_to(endpoint, Loop::now() + Duration::seconds(60), -1)) << host;
  }
}

TEST(Resolver, NamesThatAreNone) {
  const auto nowhere = resolve("no-such-host.invalid", 80, Loop::now() + Duration::seconds(60), -1);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::unavailable);
  EXPECT_NE(nowhere.error().message.find("no-such-host.invalid"), std::string::npos);
}

}  // namespace
}  // namespace baton::net

#include "executors/http/egress.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "executors/http/test_support.hpp"

namespace baton::executors::http {
namespace {

using test::answer;
using test::Conversation;
using test::Harness;
using test::Server;

TEST(Egress, MetadataIsNeverAsked) {
  const auto policy = policy_of({});
  ASSERT_TRUE(policy) << policy.error().message;
  Harness harness(*policy);
  for (const char* url :
       {"http://169.254.169.254/latest/meta-data/", "http://2852039166/", "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/", "http://[::ffff:169.254.169.254]/", "http://[fd00:ec2::254]/",
        "http://[fe80::1]/", "https://169.254.170.2/v2/credentials", "http://100.100.100.200/",
        "http://168.63.129.16/", "http://192.0.0.192/", "http://[64:ff9b::a9fe:a9fe]/"}) {
    const auto outcome = harness.get(url);
    EXPECT_EQ(outcome.failure.type, "connection") << url;
    EXPECT_TRUE(outcome.failure.never_retry) << url;
    EXPECT_NE(outcome.failure.message.find("is denied"), std::string::npos) << outcome.failure.message;
    EXPECT_NE(outcome.failure.message.find("egress.allow"), std::string::npos) << outcome.failure.message;
  }
  // What is on this machine and in its network is where embedded users have their services.
  Server server([](Conversation& client, int) {
    client.read_request();
    client.write(answer("x"));
  });
  EXPECT_EQ(harness.get(server.url()).kind, model::Outcome::Kind::completed);
}

TEST(Egress, WhatIsSaidBesides) {
  const auto policy = policy_of({.deny = {"0.0.0.0/0", "::/0"}, .allow = {"10.0.0.0/8", "169.254.7.0/24"}});
  ASSERT_TRUE(policy);
  const auto denied = [&](std::array<std::uint8_t, 4> ipv4) {
    net::AddressBytes bytes{};
    bytes[10] = bytes[11] = 0xff;
    std::ranges::copy(ipv4, bytes.begin() + 12);
    return (*policy)->denied_by(bytes).has_value();
  };
  EXPECT_FALSE(denied({10, 1, 2, 3}));
  EXPECT_FALSE(denied({169, 254, 7, 1}));
  EXPECT_TRUE(denied({169, 254, 8, 1}));
  EXPECT_TRUE(denied({8, 8, 8, 8}));
  EXPECT_FALSE(policy_of({.deny = {"everything"}, .allow = {}}));
  EXPECT_FALSE(policy_of({.deny = {}, .allow = {"10.0.0.0/99"}}));
}

}  // namespace
}  // namespace baton::executors::http

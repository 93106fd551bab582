#include "api/entrance.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace baton::api {
namespace {

constexpr WallTime kNow{Duration::hours(1000).us};

net::Request request(const std::string& peer, net::Headers headers = {{"Host", "127.0.0.1:7711"}}) {
  net::Request asked;
  asked.path = "/api/v1/runs";
  asked.headers = std::move(headers);
  asked.peer.address = peer;
  return asked;
}
net::Request with_key(const std::string& key, const std::string& peer = "192.0.2.1:5") {
  return request(peer, {{"Host", "127.0.0.1"}, {"X-API-Key", key}});
}

class EntranceTest : public testing::Test {
 protected:
  EntranceTest() {
    entrance_.keys().replace(
        {{.name = "ci", .hash = Hash256::of("good"), .role = model::Role::operator_},
         {.name = "old", .hash = Hash256::of("old"), .role = model::Role::admin, .expires_at = kNow}});
  }
  int status_of(const net::Request& asked) {
    const auto visitor = entrance_.who(asked, kNow);
    return visitor ? 200 : visitor.error().status;
  }
  Entrance entrance_{EntranceOptions{}};
};

TEST_F(EntranceTest, AKeyIsSomebody) {
  const auto visitor = entrance_.who(with_key("good"), kNow);
  ASSERT_TRUE(visitor);
  EXPECT_EQ(visitor->principal.name, "key:ci");
  EXPECT_EQ(visitor->from, "192.0.2.1");
  EXPECT_EQ(visitor->key, "ci") << "the store should hear of its first use";
  EXPECT_EQ(entrance_.who(with_key("good"), kNow)->key, "");
}

TEST_F(EntranceTest, WhoWasLetInStaysAsLongAsTheKeyAndTheSessionCount) {
  const auto by_key = entrance_.who(with_key("good"), kNow);
  const auto by_old = entrance_.who(with_key("old"), kNow - Duration::seconds(1));
  const auto opened = entrance_.sign_in(request("192.0.2.1:5"), "good", kNow);
  ASSERT_TRUE(by_key && by_old && opened);
  const auto in_session = [](const std::string& text) {
    return request("192.0.2.1:5", {{"Host", "127.0.0.1"}, {"Cookie", "baton_session=" + text}});
  };
  const auto by_session = entrance_.who(in_session(opened->opened.text), kNow);
  ASSERT_TRUE(by_session);
  const auto stays = [&](const Visitor& visitor, WallTime now = kNow) {
    return entrance_.admits_still(visitor.credential, visitor.session, now);
  };
  EXPECT_TRUE(stays(*by_key));
  EXPECT_TRUE(stays(*by_session));
  EXPECT_TRUE(stays(*by_old, kNow - Duration::seconds(1)));
  EXPECT_FALSE(stays(*by_old)) << "it has expired";
  EXPECT_TRUE(stays(*by_key, kNow + auth::kSessionLasts));
  EXPECT_FALSE(stays(*by_session, kNow + auth::kSessionLasts));
  entrance_.sign_out(in_session(opened->opened.text));
  EXPECT_FALSE(stays(*by_session));
  EXPECT_TRUE(stays(*by_key));
  entrance_.keys().replace({{.name = "ci", .hash = Hash256::of("good"), .revoked_at = kNow}});
  EXPECT_FALSE(stays(*by_key));
}

TEST_F(EntranceTest, NobodyElseIs) {
  EXPECT_EQ(status_of(request("192.0.2.1:5")), 401);
  EXPECT_EQ(status_of(with_key("bad")), 401);
  EXPECT_EQ(status_of(with_key("old")), 401);
  EXPECT_EQ(status_of(request("192.0.2.1:5", {{"Authorization", "Bearer"}})), 401);
}

TEST_F(EntranceTest, PeersOfTheSocketAreTheKernelsWord) {
  net::Request asked = request("unix");
  asked.peer.local = true;
  asked.peer.uid = ::geteuid();
  const auto visitor = entrance_.who(asked, kNow);
  ASSERT_TRUE(visitor);
  EXPECT_EQ(visitor->principal.role, model::Role::admin);
  EXPECT_EQ(visitor->from, "socket");
  asked.peer.uid = ::geteuid() + 1;
  EXPECT_EQ(status_of(asked), asked.peer.uid == 0 ? 200 : 403);
}

TEST_F(EntranceTest, GuessingIsLimited) {
  ASSERT_EQ(status_of(with_key("good", "192.0.2.9:1")), 200);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(status_of(with_key("bad " + std::to_string(i), "192.0.2.9:2")), 401);
  const auto locked = entrance_.who(with_key("bad", "192.0.2.9:3"), kNow);
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().status, 429);
  EXPECT_TRUE(locked.error().headers.find("Retry-After"));
  EXPECT_EQ(status_of(with_key("good", "192.0.2.9:4")), 200) << "it was in use there before";
  EXPECT_EQ(status_of(with_key("bad", "192.0.2.8:4")), 401) << "elsewhere";
  for (int i = 0; i < 10; ++i) status_of(with_key("bad", "192.0.2.8:4"));
  EXPECT_EQ(status_of(with_key("good", "192.0.2.8:4")), 429) << "a guess that hits is no way in";
  EXPECT_TRUE(entrance_.who(with_key("good", "192.0.2.8:4"), kNow + Duration::minutes(1)));
}

TEST_F(EntranceTest, AnExpiredKeyIsNoGuess) {
  for (int i = 0; i < 30; ++i) EXPECT_EQ(status_of(with_key("old")), 401);
  EXPECT_EQ(status_of(with_key("good")), 200);
}

TEST_F(EntranceTest, OneNetworkOfIpv6IsOneGuesser) {
  for (int i = 0; i < 10; ++i) status_of(with_key("bad", "[2001:db8:1:2::" + std::to_string(i + 1) + "]:7"));
  EXPECT_EQ(status_of(with_key("bad", "[2001:db8:1:2:ffff::9]:7")), 429);
  EXPECT_EQ(status_of(with_key("bad", "[2001:db8:1:3::1]:7")), 401);
}

TEST_F(EntranceTest, OnlyByItsOwnNames) {
  const auto place = [](const Entrance& entrance, const std::string& host) {
    return entrance.place(request("127.0.0.1:5", {{"Host", host}})).has_value();
  };
  for (const char* host :
       {"127.0.0.1:7711", "127.0.0.1", "localhost:7711", "LOCALHOST", "[::1]:7711", "192.0.2.1"})
    EXPECT_TRUE(place(entrance_, host)) << host;
  for (const char* host : {"", "evil.example", "evil.example:7711", "127.0.0.1.evil.example",
                           "localhost.evil.example", "10.0.0.0/8", "[::1", "127.0.0.1/8:80"})
    EXPECT_FALSE(place(entrance_, host)) << host;
  const Entrance named(EntranceOptions{.hosts = {"baton.example"}});
  EXPECT_TRUE(place(named, "Baton.example:443"));
  EXPECT_FALSE(place(named, "x.baton.example"));
}

TEST_F(EntranceTest, NotFromOtherPages) {
  const auto place = [&](net::Method method, net::Headers more) {
    net::Request asked = request("127.0.0.1:5", {{"Host", "127.0.0.1:7711"}});
    asked.method = method;
    for (const auto& [name, value] : more) asked.headers.add(name, value);
    return entrance_.place(asked).has_value();
  };
  EXPECT_TRUE(place(net::Method::post, {{"Origin", "http://127.0.0.1:7711"}}));
  for (const char* origin : {"null", "http://evil.example", "http://127.0.0.1:7712", "http://localhost:7711",
                             "", "127.0.0.1:7711"}) {
    EXPECT_FALSE(place(net::Method::post, {{"Origin", origin}})) << origin;
    EXPECT_FALSE(place(net::Method::get, {{"Origin", origin}})) << origin;
  }
  EXPECT_FALSE(place(net::Method::post, {{"Sec-Fetch-Site", "cross-site"}}));
  EXPECT_TRUE(place(net::Method::post, {{"Sec-Fetch-Site", "same-origin"}}));
}

TEST_F(EntranceTest, OtherPagesOnlyIfSomebodySaidSo) {
  Entrance entrance(EntranceOptions{.origins = {"https://ops.example"}});
  const auto place = [&](const std::string& origin) {
    return entrance.place(request("127.0.0.1:5", {{"Host", "127.0.0.1:7711"}, {"Origin", origin}}));
  };
  EXPECT_EQ(place("https://ops.example").value_or("refused"), "https://ops.example");
  EXPECT_EQ(place("http://127.0.0.1:7711").value_or("refused"), "") << "its own";
  for (const char* origin :
       {"http://ops.example", "https://ops.example:8443", "https://ops.example.evil", "null"})
    EXPECT_FALSE(place(origin)) << origin;
  EXPECT_EQ(
      entrance_.place(request("127.0.0.1:5", {{"Host", "127.0.0.1:7711"}, {"Origin", "https://ops.example"}}))
          .has_value(),
      false);
  // Never by the cookie of somebody who looks at that page.
  entrance.keys().replace({{.name = "ci", .hash = Hash256::of("good"), .role = model::Role::viewer}});
  const auto entered = entrance.sign_in(request("127.0.0.1:5"), "good", kNow);
  ASSERT_TRUE(entered);
  net::Request asked = request("127.0.0.1:5", {{"Host", "127.0.0.1:7711"}});
  asked.headers.add("Cookie", "baton_session=" + entered->opened.text);
  EXPECT_TRUE(entrance.who(asked, kNow));
  asked.headers.add("Origin", "https://ops.example");
  EXPECT_FALSE(entrance.who(asked, kNow));
}

TEST_F(EntranceTest, AProxySaysForWhomItAsks) {
  Entrance entrance(
      EntranceOptions{.proxies = {*net::AddressRange::parse("10.0.0.0/8")}, .proxies_only = true});
  entrance.keys().replace({{.name = "ci", .hash = Hash256::of("good"), .role = model::Role::viewer}});
  const auto from = [&](const std::string& peer, const std::string& forwarded) {
    net::Request asked = with_key("good", peer);
    if (!forwarded.empty()) asked.headers.add("X-Forwarded-For", forwarded);
    const auto visitor = entrance.who(asked, kNow);
    return visitor ? visitor->from : "";
  };
  EXPECT_EQ(from("10.0.0.1:5", "192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(from("10.0.0.1:5", "6.6.6.6, 192.0.2.1, 10.0.0.2"), "192.0.2.1")
      << "what stands in front anybody can write";
  EXPECT_EQ(from("10.0.0.1:5", ""), "10.0.0.1");
  EXPECT_EQ(from("10.0.0.1:5", "nonsense"), "10.0.0.1");
  EXPECT_EQ(from("192.0.2.7:5", "1.2.3.4"), "192.0.2.7") << "not a proxy";
  EXPECT_TRUE(entrance.place(request("10.0.0.1:5")));
  EXPECT_FALSE(entrance.place(request("192.0.2.7:5")));
}

}  // namespace
}  // namespace baton::api

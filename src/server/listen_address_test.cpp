#include "server/listen_address.hpp"

#include <gtest/gtest.h>

namespace baton::server {
namespace {

TEST(ListenAddress, SaysWhereAndWhoGetsThere) {
  const struct {
    const char* text;
    const char* read;
    bool loopback;
  } cases[] = {
      {"127.0.0.1:7711", "127.0.0.1:7711", true},
      {"127.9.9.9:1", "127.9.9.9:1", true},
      {"localhost:80", "127.0.0.1:80", true},
      {"localhost", "127.0.0.1:7711", true},
      {"[::1]:9", "[::1]:9", true},
      {"::1", "[::1]:7711", true},
      {"[::ffff:127.0.0.1]:9", "[::ffff:127.0.0.1]:9", true},
      {"0.0.0.0:7711", "0.0.0.0:7711", false},
      {"::", "[::]:7711", false},
      {"192.0.2.7", "192.0.2.7:7711", false},
      {"127.0.0.1:0", "127.0.0.1:0", true},
  };
  for (const auto& c : cases) {
    const auto address = parse_listen_address(c.text);
    ASSERT_TRUE(address) << c.text << ": " << address.error().message;
    EXPECT_EQ(address->text(), c.read);
    EXPECT_EQ(address->loopback, c.loopback) << c.text;
  }
}

TEST(ListenAddress, RefusesWhatIsNone) {
  for (const char* text :
       {"", ":7711", "example.org:80", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:-1", "[::1", "[::1]x",
        "127.0.0.0/8:80", "127.0.0.0/8", "1.2.3.4:5:6", "127.0.0.1:80 "}) {
    const auto address = parse_listen_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, ErrorCode::usage);
  }
}

}  // namespace
}  // namespace baton::server

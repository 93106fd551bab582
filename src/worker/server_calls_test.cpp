#include "worker/server_calls.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <thread>

#include "net/test_support.hpp"

namespace baton::worker {
namespace {

// The connection may repeat a call by itself, but then without what the worker has: the task of the lost
// answer would wait for two leases.
TEST(ServerCalls, AClaimWhoseAnswerWasLostIsLeftToTheWorker) {
  constexpr std::string_view kBody = R"({"tasks":[],"reports":[]})";
  const std::string answer =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(kBody.size()) +
      "\r\n\r\n" + std::string(kBody);
  net::test::TempDir dir;
  const std::string path = dir.file("s");
  const auto listener = net::listen_unix(path, 0600, net::IfExists::fail);
  ASSERT_TRUE(listener);
  std::jthread server([&] {
    const auto accept = [&] {
      pollfd state{listener->get(), POLLIN, 0};
      return net::Fd(::poll(&state, 1, 60'000) > 0 ? ::accept(listener->get(), nullptr, nullptr) : -1);
    };
    const net::Fd first = accept();
    const auto read_request = [](const net::Fd& fd) {
      std::string text;
      char c = 0;
      while (!text.ends_with("\"reports\":[]}") && ::read(fd.get(), &c, 1) == 1) text += c;
    };
    read_request(first);
    EXPECT_GT(::write(first.get(), answer.data(), answer.size()), 0);
    read_request(first);
    ::shutdown(first.get(), SHUT_RDWR);  // without an answer
    const net::Fd second = accept();
    read_request(second);
    EXPECT_GT(::write(second.get(), answer.data(), answer.size()), 0);
  });
  net::Endpoint endpoint;
  endpoint.unix_socket = true;
  endpoint.path = path;
  ServerCalls calls({.endpoint = endpoint}, "w");
  EXPECT_TRUE(calls.claim({}, 1, Duration{}, {}));
  const auto lost = calls.claim({}, 1, Duration{}, {});
  ASSERT_FALSE(lost) << "sent once more by itself";
  EXPECT_EQ(lost.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(calls.claim({}, 1, Duration{}, {}, std::vector<Token>{{4, 9}}));
}

}  // namespace
}  // namespace baton::worker

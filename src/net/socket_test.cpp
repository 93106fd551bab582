#include "net/socket.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "net/test_support.hpp"

namespace baton::net {
namespace {

using test::kPatience;
using test::TempDir;

Endpoint at(const std::string& path) {
  return {.unix_socket = true, .path = path, .host = {}, .port = 0};
}

bool reachable(const std::string& path) {
  return connect_to(at(path), Loop::now() + kPatience, -1).has_value();
}

TEST(ListenUnixTest, SetsTheModeWhateverTheUmask) {
  const TempDir dir;
  const auto old = ::umask(0777);
  const auto fd = listen_unix(dir.file("s"), 0640, IfExists::fail);
  ::umask(old);
  ASSERT_TRUE(fd) << fd.error().message;
  struct stat file{};
  ASSERT_EQ(::stat(dir.file("s").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, 0640u);
  EXPECT_TRUE(reachable(dir.file("s")));
}

TEST(ListenUnixTest, ReplacesOnlyWhenToldAndOnlySockets) {
  const TempDir dir;
  const auto path = dir.file("s");
  {
    const auto dead = listen_unix(path, 0600, IfExists::fail);
  }
  EXPECT_FALSE(reachable(path));
  EXPECT_EQ(listen_unix(path, 0600, IfExists::fail).error().code, ErrorCode::owned);
  const auto replaced = listen_unix(path, 0600, IfExists::replace);
  ASSERT_TRUE(replaced);
  EXPECT_TRUE(reachable(path));
  std::ofstream(dir.file("file")) << "precious";
  EXPECT_EQ(listen_unix(dir.file("file"), 0600, IfExists::replace).error().code, ErrorCode::owned);
  EXPECT_EQ(std::filesystem::file_size(dir.file("file")), 8u);
  int names = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir.file(""))) ++names;
  EXPECT_EQ(names, 2) << "no temporary name is left";
}

TEST(ListenUnixTest, LongPathsWork) {
  const TempDir dir;
  auto folder = dir.file(std::string(100, 'd'));
  std::filesystem::create_directory(folder);
  folder += "/" + std::string(100, 'e');
  std::filesystem::create_directory(folder);
  const auto fd = listen_unix(folder + "/baton.sock", 0600, IfExists::fail);
  ASSERT_TRUE(fd) << fd.error().message;
  EXPECT_TRUE(reachable(folder + "/baton.sock"));
}

TEST(ListenUnixTest, BadPathsAreClearErrors) {
  EXPECT_FALSE(listen_unix("", 0600, IfExists::fail));
  EXPECT_FALSE(listen_unix("/nonexistent/folder/s", 0600, IfExists::fail));
  EXPECT_FALSE(listen_unix("/tmp/" + std::string(300, 'x'), 0600, IfExists::fail));
}

TEST(ListenTcpTest, TakenPortAndNames) {
  const auto first = listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(listen_tcp("127.0.0.1", first->port).error().code, ErrorCode::owned);
  EXPECT_EQ(listen_tcp("localhost", 0).error().code, ErrorCode::usage);
  EXPECT_EQ(listen_tcp("", 0).error().code, ErrorCode::usage);
  EXPECT_EQ(listen_tcp("192.0.2.1", 0).error().code, ErrorCode::usage);
}

TEST(ConnectTest, BothSidesNoticeWhenTheOtherVanishes) {
  const auto listener = listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(listener) << listener.error().message;
  Endpoint endpoint;
  endpoint.host = "127.0.0.1";
  endpoint.port = listener->port;
  const auto client = connect_to(endpoint, Loop::now() + kPatience, -1);
  ASSERT_TRUE(client);
  pollfd waiting{listener->fd.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&waiting, 1, 60'000), 1);
  const Fd accepted(::accept(listener->fd.get(), nullptr, nullptr));
  for (const int fd : {client->get(), accepted.get()}) {
    int on = 0;
    socklen_t size = sizeof on;
    ASSERT_EQ(::getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size), 0);
    EXPECT_NE(on, 0);
  }
}

TEST(ConnectTest, SaysWhatWasTried) {
  const TempDir dir;
  const auto missing = connect_to(at(dir.file("none")), Loop::now() + kPatience, -1);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::unavailable);
  EXPECT_NE(missing.error().message.find("unix:" + dir.file("none")), std::string::npos);
  EXPECT_NE(missing.error().message.find("No such file"), std::string::npos);
}

}  // namespace
}  // namespace baton::net

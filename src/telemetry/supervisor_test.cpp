#include "telemetry/supervisor.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/fd.hpp"

namespace baton::telemetry {
namespace {

class SupervisorTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/baton-notify-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    environment_["NOTIFY_SOCKET"] = folder_ + "/notify";
    listen("NOTIFY_SOCKET");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void listen(const char* variable) {
    std::string path = environment_[variable];
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size())),
              0);
  }
  Supervisor supervisor() {
    return Supervisor([this](const char* name) -> const char* {
      const auto found = environment_.find(name);
      return found == environment_.end() ? nullptr : found->second.c_str();
    });
  }
  std::string heard() {
    std::array<char, 256> buffer{};
    const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    return n < 0 ? "(nothing)" : std::string(buffer.data(), static_cast<std::size_t>(n));
  }

  std::string folder_;
  std::map<std::string, std::string> environment_;
  Fd socket_;
};

TEST_F(SupervisorTest, SaysWhatSystemdListensFor) {
  const Supervisor systemd = supervisor();
  EXPECT_TRUE(systemd.is_there());
  systemd.ready("serves http://127.0.0.1:7711");
  EXPECT_EQ(heard(), "READY=1\nSTATUS=serves http://127.0.0.1:7711");
  systemd.reloading(Duration{42});
  EXPECT_EQ(heard(), "RELOADING=1\nMONOTONIC_USEC=42");
  systemd.alive();
  EXPECT_EQ(heard(), "WATCHDOG=1");
  systemd.stopping("two\nWATCHDOG=trigger");
  EXPECT_EQ(heard(), "STOPPING=1\nSTATUS=two");
}

TEST_F(SupervisorTest, KnowsTheAbstractNamespace) {
  environment_["NOTIFY_SOCKET"] = "@baton-test-" + std::to_string(::getpid());
  listen("NOTIFY_SOCKET");
  supervisor().alive();
  EXPECT_EQ(heard(), "WATCHDOG=1");
}

TEST_F(SupervisorTest, IsSilentWhereNobodyListens) {
  socket_.reset();
  supervisor().alive();  // no error, no signal
  for (const std::string& none : {std::string(), std::string("relative"), '/' + std::string(200, 'x')}) {
    environment_["NOTIFY_SOCKET"] = none;
    EXPECT_FALSE(supervisor().is_there()) << none;
  }
  environment_.clear();
  EXPECT_FALSE(supervisor().is_there());
}

TEST_F(SupervisorTest, IsWatchedHalfAsLongAsSystemdWaits) {
  EXPECT_FALSE(supervisor().watchdog());
  environment_["WATCHDOG_USEC"] = "30000000";
  EXPECT_EQ(supervisor().watchdog(), Duration::seconds(15));
  environment_["WATCHDOG_PID"] = std::to_string(::getpid());
  EXPECT_EQ(supervisor().watchdog(), Duration::seconds(15));
  environment_["WATCHDOG_PID"] = "1";
  EXPECT_FALSE(supervisor().watchdog()) << "it is another process that is watched";
  environment_.erase("WATCHDOG_PID");
  for (const char* wrong : {"", "0", "-1", "soon"}) {
    environment_["WATCHDOG_USEC"] = wrong;
    EXPECT_FALSE(supervisor().watchdog()) << wrong;
  }
}

}  // namespace
}  // namespace baton::telemetry

// The promise behind the spawner: whatever happens to the owner, nothing that it started goes on.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/fd.hpp"
#include "executors/process/test_support.hpp"

namespace baton::executors::process {
namespace {

class Owner {
 public:
  explicit Owner(const std::string& directory) {
    std::string arguments[] = {"owner", test::kOwnerCommand, directory};
    char* const argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
    EXPECT_EQ(::posix_spawn(&pid_, "/proc/self/exe", nullptr, nullptr, argv, environ), 0);
  }
  void kill(int signal) {
    ASSERT_EQ(::kill(pid_, signal), 0);
    ASSERT_EQ(::waitpid(pid_, nullptr, 0), pid_);
  }

 private:
  pid_t pid_ = -1;
};

TEST(OwnerDeath, NoDescendantSurvivesAKilledOwner) {
  const test::ScratchDirectory directory;
  const std::string pids = directory.path() + "/pids";
  ASSERT_EQ(::mkfifo(pids.c_str(), 0600), 0);
  const Fd announcements(::open(pids.c_str(), O_RDWR | O_CLOEXEC));
  Owner owner(directory.path());
  std::string text;
  while (std::ranges::count(text, '\n') < 6) {  // all kinds of tasks are there
    char buffer[64];
    const ssize_t n = ::read(announcements.get(), buffer, sizeof buffer);
    ASSERT_GT(n, 0);
    text.append(buffer, static_cast<std::size_t>(n));
  }
  ASSERT_GE(test::processes_with("PIDS=" + pids).size(), 5U);
  const Fd lock(::open((directory.path() + "/lock").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(lock);
  EXPECT_NE(::flock(lock.get(), LOCK_EX | LOCK_NB), 0);

  owner.kill(SIGKILL);
  // The spawner holds the lock until the last one is gone.
  ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);
  EXPECT_EQ(test::processes_with("PIDS=" + pids), std::vector<std::string>{});
}

}  // namespace
}  // namespace baton::executors::process

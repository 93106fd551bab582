#include "executors/process/lock.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "base/fd.hpp"
#include "executors/process/test_support.hpp"

namespace baton::executors::process {
namespace {

class Lock : public ::testing::Test {
 protected:
  Fd file() const {
    return Fd(::open((directory_.path() + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  }

 private:
  test::ScratchDirectory directory_;
};

TEST_F(Lock, NamesWhoHasIt) {
  const Fd first = file();
  ASSERT_TRUE(hold_lock(first.get(), {}, "taken"));
  const Status second = hold_lock(file().get(), Duration::millis(50), "taken");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::owned);
  EXPECT_EQ(second.error().message, "taken (process " + std::to_string(::getpid()) + ")");
}

TEST_F(Lock, SaysNothingOfWhatItCannotRead) {
  const Fd first = file();
  ASSERT_TRUE(hold_lock(first.get(), {}, "taken"));
  for (const std::string text : {"", "\n", "12x4\n", "../etc\n"}) {
    ASSERT_EQ(::ftruncate(first.get(), 0), 0);
    ASSERT_EQ(::pwrite(first.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    EXPECT_EQ(hold_lock(file().get(), {}, "taken").error().message, "taken");
  }
}

TEST_F(Lock, WaitsForWhoIsAboutToGo) {
  Fd first = file();
  ASSERT_TRUE(hold_lock(first.get(), {}, "taken"));
  Fd inherited(::fcntl(first.get(), F_DUPFD_CLOEXEC, 3));
  first = Fd();
  EXPECT_FALSE(hold_lock(file().get(), {}, "taken")) << "a copy is open";
  std::jthread goes([fd = std::move(inherited)]() mutable { fd = Fd(); });
  EXPECT_TRUE(hold_lock(file().get(), Duration::minutes(1), "taken"));
}

}  // namespace
}  // namespace baton::executors::process

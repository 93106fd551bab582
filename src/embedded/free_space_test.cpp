#include "embedded/free_space.hpp"

#include <gtest/gtest.h>

#include "executors/process/disk_room.hpp"

namespace baton::embedded {
namespace {

constexpr std::uint64_t kGibi = std::uint64_t{1} << 30;

TEST(FreeSpace, TheUsualReserveIsATwentiethWithinBounds) {
  using executors::process::usual_reserve;
  EXPECT_EQ(usual_reserve(kGibi), kGibi / 4);
  EXPECT_EQ(usual_reserve(20 * kGibi), kGibi);
  EXPECT_EQ(usual_reserve(1000 * kGibi), 10 * kGibi);
}

TEST(FreeSpace, SaysWhatIsMissingAndWhatToDo) {
  EXPECT_TRUE(check_free_space("/", 0));
  EXPECT_TRUE(check_free_space("/no/such/place", ~std::uint64_t{0}));
  const Status refused = check_free_space("/", ~std::uint64_t{0});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::read_only);
  EXPECT_NE(refused.error().message.find("MiB free"), std::string::npos);
  EXPECT_NE(refused.error().message.find("min_free_space"), std::string::npos);
}

}  // namespace
}  // namespace baton::embedded

#include "embedded/connection_room.hpp"

#include <gtest/gtest.h>

namespace baton::embedded {
namespace {

TEST(ConnectionRoom, TasksAndTheStoreComeFirst) {
  EXPECT_EQ(connection_room(1'000'000, 8), 10'000U) << "the usual limit";
  EXPECT_EQ(connection_room(UINT64_MAX, 8), 10'000U);
  EXPECT_EQ(connection_room(1024, 8), 360U);
  EXPECT_LT(2 * connection_room(4096, 500) + 5 * 500, 4096U);
  EXPECT_EQ(connection_room(100, 8), 16U) << "somebody has to get in";
}

}  // namespace
}  // namespace baton::embedded

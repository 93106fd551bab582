#include "api/worker_names.hpp"

#include <gtest/gtest.h>

namespace baton::api {
namespace {

using model::Role;

const auth::Principal kMine{.name = "key:mine", .role = Role::worker};
const auth::Principal kOther{.name = "key:other", .role = Role::worker};
const auth::Principal kOperator{.name = "key:ops", .role = Role::operator_};

TEST(WorkerNames, ANameIsThatOfTheKeyThatCallsByIt) {
  WorkerNames names;
  const net::MonoTime now = net::Loop::now();
  EXPECT_TRUE(names.use("w", kMine, now));
  EXPECT_TRUE(names.use("w", kMine, now + WorkerNames::kKept));
  const auto refused = names.use("w", kOther, now + WorkerNames::kKept + WorkerNames::kKept);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::not_allowed);
  EXPECT_TRUE(names.use("w2", kOther, now));
  // An operator may, but the name stays whose it was.
  EXPECT_TRUE(names.use("w", kOperator, now));
  EXPECT_FALSE(names.use("w", kOther, now));
}

TEST(WorkerNames, ANameThatNobodyUsesIsFree) {
  WorkerNames names;
  const net::MonoTime now = net::Loop::now();
  EXPECT_TRUE(names.use("w", kMine, now));
  const net::MonoTime later = now + WorkerNames::kKept + Duration{1};
  EXPECT_TRUE(names.use("w", kOther, later));
  EXPECT_FALSE(names.use("w", kMine, later));
  names.forget("w");
  EXPECT_TRUE(names.use("w", kMine, later));
}

TEST(WorkerNames, AreSoManyAtTheMost) {
  WorkerNames names;
  const net::MonoTime now = net::Loop::now();
  for (std::size_t i = 0; i < WorkerNames::kMost; ++i) EXPECT_TRUE(names.use(std::to_string(i), kMine, now));
  EXPECT_TRUE(names.use("more", kMine, now));
  EXPECT_TRUE(names.use("more", kOther, now)) << "not kept";
  EXPECT_FALSE(names.use("7", kOther, now));
  // Those that are free make room.
  const net::MonoTime later = now + WorkerNames::kKept + Duration{1};
  EXPECT_TRUE(names.use("more", kMine, later));
  EXPECT_FALSE(names.use("more", kOther, later));
}

}  // namespace
}  // namespace baton::api

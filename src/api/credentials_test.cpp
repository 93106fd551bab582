#include "api/credentials.hpp"

#include <gtest/gtest.h>

namespace baton::api {
namespace {

TEST(Credentials, ThreeWaysToCarryAKey) {
  EXPECT_EQ(**key_of({{"Authorization", "Bearer k"}}), "k");
  EXPECT_EQ(**key_of({{"authorization", "bearer  k"}}), "k");
  EXPECT_EQ(**key_of({{"X-API-Key", "k"}}), "k");
  EXPECT_EQ(**key_of({{"Authorization", "Basic YW55Ym9keTpr"}}), "k");  // anybody:k
  EXPECT_EQ(**key_of({{"Authorization", "Basic OmE6Yg=="}}), "a:b");    // :a:b
  EXPECT_EQ(**key_of({{"Authorization", "Bearer k"}, {"x-api-key", "k"}}), "k");
  EXPECT_FALSE(*key_of({{"Cookie", "k"}}));
}

TEST(Credentials, WhatCannotBeReadIsNotGuessedAt) {
  for (const char* value :
       {"", "k", "Bearer", "Digest k", "Basic", "Basic ###=", "Basic YW5", "Basic YW55", "Basic ="}) {
    const auto key = key_of({{"Authorization", value}});
    ASSERT_FALSE(key) << value;
    EXPECT_EQ(key.error().code, ErrorCode::not_allowed);
  }
  EXPECT_FALSE(key_of({{"Authorization", "Bearer a"}, {"X-API-Key", "b"}}));
  EXPECT_FALSE(key_of({{"Authorization", "Bearer a"}, {"Authorization", "Bearer b"}}));
  EXPECT_FALSE(key_of({{"X-API-Key", "a"}, {"X-API-Key", ""}}));
}

}  // namespace
}  // namespace baton::api

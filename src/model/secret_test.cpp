#include "model/secret.hpp"

#include <gtest/gtest.h>

namespace baton::model {
namespace {

SecretRow full() {
  return {.name = "TOKEN",
          .sealed = std::string("\x01\x00\xff", 3),
          .earlier = {"older", "oldest"},
          .version = 7,
          .by = "cli:ada",
          .why = "rotated",
          .at = {1},
          .changed_at = {9}};
}

TEST(Secret, ComesBackAsItWas) {
  for (const SecretRow& row : {full(), SecretRow{.name = "a", .sealed = "b"}}) {
    const auto read = secret_of(to_record(row));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, row);
  }
}

TEST(Secret, WhatIsDamagedIsSaid) {
  Record record = to_record(full());
  record.state.resize(record.state.size() / 2);
  ASSERT_FALSE(secret_of(record));
  EXPECT_EQ(secret_of(record).error().code, ErrorCode::corrupt);
  record.state.clear();
  EXPECT_FALSE(secret_of(record));
}

}  // namespace
}  // namespace baton::model

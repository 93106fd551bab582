#include "base/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace baton {
namespace {

TEST(Error, TableStandsInTheOrderOfTheEnumeration) {
  std::set<std::string_view> names;
  std::size_t position = 0;
  for (const auto& row : all_error_codes()) {
    EXPECT_EQ(static_cast<std::size_t>(row.code), position++) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(error_code_from_name(row.name), row.code);
  }
  EXPECT_EQ(position, static_cast<std::size_t>(ErrorCode::internal) + 1);
  EXPECT_EQ(error_code_from_name("nonsense"), std::nullopt);
}

Result<int> half(int n) {
  if (n % 2 != 0) return fail(ErrorCode::usage, "odd");
  return n / 2;
}
Result<int> quarter(int n) {
  TRY(int h, half(n));
  return half(h);
}

TEST(Error, TryPassesValueAndError) {
  EXPECT_EQ(quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
  EXPECT_EQ(quarter(7).error().code, ErrorCode::usage);
}

TEST(Error, ErrnoTextDoesNotDependOnLocale) {
  EXPECT_EQ(errno_text(ENOSPC), "No space left on device");
}

}  // namespace
}  // namespace baton

#include "model/api_key.hpp"

#include <gtest/gtest.h>

#include "base/codec.hpp"

namespace baton::model {
namespace {

KeyRow full() {
  return {.name = "ci",
          .hash = Hash256::of("baton_x"),
          .role = Role::editor,
          .space = "team-a",
          .by = "cli:ada",
          .why = "builds",
          .at = {1},
          .expires_at = WallTime{9},
          .revoked_at = WallTime{5},
          .revoked_by = "key:admin",
          .used_at = WallTime{4}};
}

TEST(ApiKey, ComesBackAsItWas) {
  for (const KeyRow& row : {full(), KeyRow{.name = "a", .hash = Hash256::of("b"), .role = Role::viewer}}) {
    const auto read = api_key_of(to_record(row));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, row);
  }
}

TEST(ApiKey, IsValidUntilItExpiresOrIsRevoked) {
  KeyRow row{.name = "a", .at = {1}};
  EXPECT_TRUE(row.is_valid({1'000'000}));
  row.expires_at = WallTime{9};
  EXPECT_TRUE(row.is_valid({8}));
  EXPECT_FALSE(row.is_valid({9}));
  EXPECT_FALSE(full().is_valid({2})) << "whenever it was revoked";
}

// A record as versions with one namespace wrote it.
TEST(ApiKey, AnAdminOfTheTimeOfOneNamespaceIsForAll) {
  for (const Role role : {Role::viewer, Role::editor, Role::admin}) {
    Encoder out;
    const Hash256 hash = Hash256::of("x");
    out.bytes(1, {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()});
    out.number(2, static_cast<std::uint64_t>(role));
    out.bytes(3, "default");
    const auto read = api_key_of({api_key_key("ci"), "", {1}, out.take()});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->space, role == Role::admin ? "*" : "default");
  }
}

TEST(ApiKey, ADamagedOneIsNone) {
  Record record = to_record(full());
  for (std::size_t size = 0; size < record.state.size(); ++size) {
    Record cut = record;
    cut.state.resize(size);
    const auto read = api_key_of(cut);
    if (read) EXPECT_EQ(read->hash, full().hash) << "cut behind a field at " << size;
  }
  record.state = "";
  EXPECT_FALSE(api_key_of(record));
}

TEST(ApiKey, AnUnknownRoleIsNone) {
  KeyRow row = full();
  for (const int role : {0, static_cast<int>(kLastRole) + 1, 200}) {
    row.role = static_cast<Role>(role);
    EXPECT_FALSE(api_key_of(to_record(row))) << role;
  }
}

TEST(ApiKey, RolesHaveNames) {
  for (const Role role : {Role::viewer, Role::operator_, Role::editor, Role::admin, Role::worker})
    EXPECT_EQ(role_from(name(role)), role);
  EXPECT_EQ(name(Role::operator_), "operator");
  EXPECT_FALSE(role_from("Admin"));
  EXPECT_FALSE(role_from(""));
}

}  // namespace
}  // namespace baton::model

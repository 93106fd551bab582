#include "secrets/vault.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace baton::secrets {
namespace {

class VaultTest : public testing::Test {
 protected:
  VaultTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~VaultTest() override { std::filesystem::remove_all(folder_); }

  VaultOptions options() {
    return {.key_file = folder_ + "/secrets.key",
            .read = [this]() -> Result<std::vector<model::SecretRow>> { return rows_; }};
  }
  // As the engine does it.
  Status set(Vault& vault, const std::string& name, const std::string& value) {
    TRY(std::string sealed, vault.seal(name, value));
    std::erase_if(rows_, [&](model::SecretRow& row) {
      if (row.name == name) earlier_ = {row.sealed};
      return row.name == name;
    });
    rows_.push_back({.name = name, .sealed = std::move(sealed), .earlier = std::exchange(earlier_, {})});
    return vault.refresh();
  }
  static std::string use(const Vault& vault, const std::string& name) {
    const auto spec = vault.reveal("[\"${{ secrets." + name + " }}\"]");
    return spec ? *spec : spec.error().message;
  }

  std::string folder_ =
      testing::TempDir() + "vault_" + testing::UnitTest::GetInstance()->current_test_info()->name();
  std::vector<model::SecretRow> rows_;
  std::vector<std::string> earlier_;
};

TEST_F(VaultTest, WithoutSecretsThereIsNoKeyFileAndNothingToMask) {
  Vault vault(options());
  ASSERT_TRUE(vault.refresh());
  EXPECT_EQ(vault.redactor(), nullptr);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/secrets.key"));
  EXPECT_NE(use(vault, "TOKEN").find("there is no secret \"TOKEN\""), std::string::npos);
}

TEST_F(VaultTest, WhatIsSetIsUsedAndMaskedAlsoByTheNextOwner) {
  {
    Vault vault(options());
    ASSERT_TRUE(set(vault, "TOKEN", "first-value"));
    EXPECT_EQ(use(vault, "TOKEN"), R"(["first-value"])");
    ASSERT_TRUE(set(vault, "TOKEN", "second-value"));
    EXPECT_EQ(use(vault, "TOKEN"), R"(["second-value"])");
  }
  Vault vault(options());
  ASSERT_TRUE(vault.refresh());
  EXPECT_EQ(use(vault, "TOKEN"), R"(["second-value"])");
  EXPECT_EQ(vault.redactor()->mask("first-value second-value"), "*** ***");
  EXPECT_EQ(vault.values_in(R"(["${{ secrets.TOKEN }}","${{ secrets.TOKEN }}"])"),
            std::vector<std::string>{"second-value"});
}

TEST_F(VaultTest, WhatWasDeletedIsMaskedAsLongAsTheOwnerLives) {
  Vault vault(options());
  ASSERT_TRUE(set(vault, "TOKEN", "some-value"));
  rows_.clear();
  ASSERT_TRUE(vault.refresh());
  EXPECT_NE(use(vault, "TOKEN").find("there is no secret"), std::string::npos);
  EXPECT_EQ(vault.redactor()->mask("some-value"), "***");
}

TEST_F(VaultTest, WithoutItsKeyEverythingIsSaidAndNoNewKeyIsMade) {
  Vault vault(options());
  ASSERT_TRUE(set(vault, "TOKEN", "some-value"));
  std::filesystem::remove(folder_ + "/secrets.key");
  Vault next(options());
  ASSERT_TRUE(next.refresh());
  EXPECT_NE(use(next, "TOKEN").find("secrets.key is missing (a backup does not have it)"), std::string::npos);
  EXPECT_TRUE(next.problem("TOKEN"));
  const Status refused = set(next, "OTHER", "other-value");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/secrets.key"));
  // Another key is no better.
  ASSERT_TRUE(write_key_file(folder_ + "/secrets.key", Key::random()));
  ASSERT_TRUE(next.refresh());
  EXPECT_NE(use(next, "TOKEN").find("sealed with another key"), std::string::npos);
  EXPECT_FALSE(set(next, "OTHER", "other-value"));
  rows_.clear();
  EXPECT_TRUE(set(next, "OTHER", "other-value"));
}

TEST_F(VaultTest, TheKeyIsOfAllShards) {
  std::vector<model::SecretRow> theirs;
  VaultOptions other{
      .key_file = folder_ + "/secrets.key", .shard = ShardId{1}, .read = [&] { return theirs; }};
  Vault first(other);
  auto sealed = first.seal("TOKEN", "their-value");
  ASSERT_TRUE(sealed);
  theirs.push_back({.name = "TOKEN", .sealed = std::move(*sealed)});
  VaultOptions mine = options();
  mine.others = [&] {
    std::vector<std::pair<ShardId, model::SecretRow>> all;
    for (const model::SecretRow& row : theirs) all.emplace_back(ShardId{1}, row);
    return all;
  };
  Vault vault(mine);
  ASSERT_TRUE(set(vault, "TOKEN", "my-value"));
  ASSERT_TRUE(first.refresh());
  EXPECT_EQ(use(first, "TOKEN"), R"(["their-value"])");
  EXPECT_EQ(vault.redactor()->mask("their-value my-value"), "their-value ***");
  rows_.clear();
  std::filesystem::remove(folder_ + "/secrets.key");
  Status refused = set(vault, "NEW", "new-value");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_EQ(refused.error().message.find("TOKEN"), std::string::npos) << "names of others are theirs";
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/secrets.key"));
  ASSERT_TRUE(write_key_file(folder_ + "/secrets.key", Key::random()));
  refused = set(vault, "NEW", "new-value");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_EQ(refused.error().message.find("TOKEN"), std::string::npos);
  theirs.clear();
  EXPECT_TRUE(set(vault, "NEW", "new-value"));
}

TEST_F(VaultTest, ValuesThatCannotBeOnesAreRefused) {
  Vault vault(options());
  const std::string bad[] = {"",
                             "abc",
                             " ab \n",
                             std::string("nul\0byte", 8),
                             "\xff\xfe\xfd\xfc",
                             std::string(model::kMaxSecretValue + 1, 'x')};
  for (const std::string& value : bad) {
    const auto sealed = vault.seal("TOKEN", value);
    ASSERT_FALSE(sealed) << value.size();
    EXPECT_EQ(sealed.error().message.find(value.empty() ? "\x01" : value), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/secrets.key"));
  EXPECT_TRUE(vault.seal("TOKEN", "abcd"));
  EXPECT_TRUE(vault.seal("TOKEN", std::string(model::kMaxSecretValue, 'x')));
}

TEST_F(VaultTest, AMisspeltNameSaysWhatWasMeant) {
  Vault vault(options());
  ASSERT_TRUE(set(vault, "API_TOKEN", "some-value"));
  EXPECT_NE(use(vault, "API_TOKN").find("did you mean \"API_TOKEN\""), std::string::npos);
}

}  // namespace
}  // namespace baton::secrets

#include <gtest/gtest.h>

#include "engine/testing/world.hpp"
#include "model/api_key.hpp"
#include "model/audit.hpp"
#include "model/space.hpp"

namespace baton::engine {
namespace {

using testing::World;

const model::Sender kAda{"cli:ada", "socket"};

std::string refused(const model::ReplyBody& reply) {
  const auto* error = std::get_if<Error>(&reply);
  return error == nullptr ? "" : error->message;
}

std::optional<model::SpaceRow> stored(World& world, unsigned number) {
  const auto& records = world.disk().records();
  const auto found = records.find(model::space_key(static_cast<ShardId>(number)));
  if (found == records.end()) return std::nullopt;
  return model::space_of(found->second).value();
}

TEST(CreateNamespace, IsARecordWithANumberOfItsOwn) {
  World world;
  EXPECT_EQ(refused(world.ask(model::CreateNamespace{"team-a", "for builds"}, kAda)), "");
  EXPECT_EQ(refused(world.ask(model::CreateNamespace{"team-b", ""}, kAda)), "");
  world.restart();
  EXPECT_EQ(stored(world, 1)->name, "team-a");
  EXPECT_EQ(stored(world, 1)->by, "cli:ada");
  EXPECT_EQ(stored(world, 1)->why, "for builds");
  EXPECT_EQ(stored(world, 2)->name, "team-b");
}

TEST(CreateNamespace, RefusesNamesThatAreNone) {
  World world;
  for (const char* name : {"", "*", "a b", "-x", "a/b"})
    EXPECT_NE(refused(world.ask(model::CreateNamespace{name, ""}, kAda)), "") << name;
  EXPECT_NE(refused(world.ask(model::CreateNamespace{"default", ""}, kAda)), "");
  world.ask(model::CreateNamespace{"a", ""}, kAda);
  EXPECT_NE(refused(world.ask(model::CreateNamespace{"a", ""}, kAda)).find("already"), std::string::npos);
  EXPECT_FALSE(stored(world, 2));
}

TEST(CreateNamespace, ThereAreAtMostSoMany) {
  World world({.check_memory = false});
  for (std::size_t i = 1; i < model::kMaxNamespaces; ++i)
    ASSERT_EQ(refused(world.ask(model::CreateNamespace{"n" + std::to_string(i), ""}, kAda)), "") << i;
  EXPECT_NE(refused(world.ask(model::CreateNamespace{"more", ""}, kAda)).find("at most"), std::string::npos);
  world.ask(model::DeleteNamespace{ShardId{1}, "a", false, ""}, kAda);
  EXPECT_NE(refused(world.ask(model::CreateNamespace{"more", ""}, kAda)), "") << "its runs are still there";
  world.ask(model::DeleteNamespace{ShardId{1}, "a", true, ""}, "retention");
  EXPECT_EQ(refused(world.ask(model::CreateNamespace{"more", ""}, kAda)), "");
}

TEST(DeleteNamespace, FreesTheNameAndNeverTheNumber) {
  World world;
  world.ask(model::CreateNamespace{"a", ""}, kAda);
  EXPECT_EQ(refused(world.ask(model::DeleteNamespace{ShardId{1}, "a", false, ""}, kAda)), "");
  EXPECT_EQ(stored(world, 1)->deleted_at, world.wall());
  EXPECT_FALSE(stored(world, 1)->cleared);
  EXPECT_EQ(refused(world.ask(model::DeleteNamespace{ShardId{1}, "a", true, ""}, "retention")), "");
  EXPECT_TRUE(stored(world, 1)->cleared);
  EXPECT_EQ(refused(world.ask(model::DeleteNamespace{ShardId{1}, "a", false, ""}, kAda)), "");
  EXPECT_TRUE(stored(world, 1)->cleared) << "twice is fine";
  EXPECT_EQ(refused(world.ask(model::CreateNamespace{"a", ""}, kAda)), "");
  EXPECT_EQ(stored(world, 2)->name, "a");
  EXPECT_NE(refused(world.ask(model::DeleteNamespace{ShardId{9}, "a", false, ""}, kAda)), "");
}

TEST(DeleteNamespace, ItsKeysAreRevokedWithIt) {
  World world;
  const auto make = [&](const char* name, const char* space) {
    EXPECT_EQ(
        refused(world.ask(model::CreateKey{.name = name, .hash = Hash256::of(name), .space = space}, kAda)),
        "");
  };
  const auto key = [&](const char* name) {
    return model::api_key_of(world.disk().records().at(model::api_key_key(name))).value();
  };
  world.ask(model::CreateNamespace{"a", ""}, kAda);
  world.ask(model::CreateNamespace{"b", ""}, kAda);
  make("of-a", "a");
  make("of-b", "b");
  make("of-all", "*");
  world.ask(model::DeleteNamespace{ShardId{1}, "a", false, ""}, kAda);
  EXPECT_EQ(key("of-a").revoked_at, world.wall());
  EXPECT_EQ(key("of-a").revoked_by, "cli:ada");
  EXPECT_FALSE(key("of-b").revoked_at);
  EXPECT_FALSE(key("of-all").revoked_at);
  make("late", "a");  // whoever made it had not heard yet
  world.ask(model::CreateNamespace{"a", ""}, kAda);
  EXPECT_TRUE(key("late").revoked_at);
  make("new", "a");
  world.ask(model::DeleteNamespace{ShardId{1}, "a", true, ""}, "retention");
  EXPECT_FALSE(key("new").revoked_at) << "it is of the one that has the name now";
}

TEST(CloseShard, TheDefaultNamespaceStays) {
  World world;
  EXPECT_NE(refused(world.ask(model::CloseShard{}, kAda)).find("default"), std::string::npos);
}

}  // namespace
}  // namespace baton::engine

#include <gtest/gtest.h>

#include "engine/testing/world.hpp"
#include "model/api_key.hpp"

namespace baton::engine {
namespace {

using testing::World;

const model::Sender kAda{"cli:ada", "socket"};

std::string refused(const model::ReplyBody& reply) {
  const auto* error = std::get_if<Error>(&reply);
  return error == nullptr ? "" : error->message;
}
model::CreateKey key(const std::string& name, const std::string& text = "text") {
  return {.name = name, .hash = Hash256::of(text), .role = model::Role::operator_, .reason = "for builds"};
}
model::KeyRow stored(const World& world, const std::string& name) {
  const auto found = world.disk().records().find(model::api_key_key(name));
  if (found == world.disk().records().end()) return {};
  return *model::api_key_of(found->second);
}

TEST(CreateKey, IsKept) {
  World world;
  EXPECT_EQ(refused(world.ask(key("ci"), kAda)), "");
  world.restart();
  const model::KeyRow row = stored(world, "ci");
  EXPECT_EQ(row.hash, Hash256::of("text"));
  EXPECT_EQ(row.role, model::Role::operator_);
  EXPECT_EQ(row.by, "cli:ada");
  EXPECT_EQ(row.why, "for builds");
  EXPECT_TRUE(row.is_valid(world.wall()));
}

TEST(CreateKey, ANameIsForOneAtATime) {
  World world;
  world.ask(key("ci"), kAda);
  EXPECT_NE(refused(world.ask(key("ci", "other"), kAda)).find("revoke it first"), std::string::npos);
  EXPECT_EQ(stored(world, "ci").hash, Hash256::of("text"));
  world.ask(model::RevokeKey{"ci", ""}, kAda);
  EXPECT_EQ(refused(world.ask(key("ci", "other"), kAda)), "");
  EXPECT_EQ(stored(world, "ci").hash, Hash256::of("other"));
  EXPECT_FALSE(stored(world, "ci").revoked_at);
}

TEST(CreateKey, AnExpiredNameIsFree) {
  World world;
  model::CreateKey soon = key("ci");
  soon.expires_at = world.wall() + Duration::hours(1);
  world.ask(soon, kAda);
  EXPECT_NE(refused(world.ask(key("ci"), kAda)), "");
  world.advance(Duration::hours(1));
  EXPECT_EQ(refused(world.ask(key("ci"), kAda)), "");
}

TEST(CreateKey, RefusesWhatMakesNoSense) {
  World world;
  for (const char* name : {"", "-x", "a b", "a/b"})
    EXPECT_NE(refused(world.ask(key(name), kAda)), "") << name;
  model::CreateKey past = key("ci");
  past.expires_at = world.wall();
  EXPECT_NE(refused(world.ask(past, kAda)).find("expired already"), std::string::npos);
  EXPECT_TRUE(world.disk().records().empty());
}

TEST(CreateKey, ThereIsRoomForSoManyAndTheOldestInvalidOneGoes) {
  World world({.check_memory = false});
  world.ask(key(std::string(model::kFirstKey)), kAda);
  world.ask(model::RevokeKey{std::string(model::kFirstKey), ""}, kAda);
  for (std::size_t i = 1; i < model::kMaxKeys; ++i) world.ask(key("k" + std::to_string(i)), kAda);
  EXPECT_NE(refused(world.ask(key("more"), kAda)).find("revoke"), std::string::npos);
  world.ask(model::RevokeKey{"k7", ""}, kAda);
  EXPECT_EQ(refused(world.ask(key("more"), kAda)), "");
  EXPECT_FALSE(world.disk().records().contains(model::api_key_key("k7")));
  EXPECT_TRUE(stored(world, std::string(model::kFirstKey)).revoked_at)
      << "it says that its file is not to be believed";
}

TEST(RevokeKey, TwiceIsFineAndNobodyIsSaid) {
  World world;
  world.ask(key("ci"), kAda);
  EXPECT_EQ(refused(world.ask(model::RevokeKey{"ci", ""}, "key:admin")), "");
  const model::KeyRow row = stored(world, "ci");
  EXPECT_EQ(row.revoked_by, "key:admin");
  EXPECT_FALSE(row.is_valid(world.wall()));
  world.advance(Duration::hours(1));
  EXPECT_EQ(refused(world.ask(model::RevokeKey{"ci", ""}, "key:other")), "");
  EXPECT_EQ(stored(world, "ci"), row);
  EXPECT_NE(refused(world.ask(model::RevokeKey{"none", ""}, kAda)), "");
}

TEST(NoteKeyUse, IsKept) {
  World world;
  world.ask(key("ci"), kAda);
  EXPECT_FALSE(stored(world, "ci").used_at);
  world.advance(Duration::hours(1));
  world.ask(model::NoteKeyUse{"ci"}, "server");
  EXPECT_EQ(stored(world, "ci").used_at, world.wall());
  world.ask(model::NoteKeyUse{"none"}, "server");
  EXPECT_FALSE(world.disk().records().contains(model::api_key_key("none")));
}

}  // namespace
}  // namespace baton::engine

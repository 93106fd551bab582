#include "model/secret.hpp"

#include <gtest/gtest.h>

#include "engine/testing/world.hpp"
#include "model/audit.hpp"

namespace baton::engine {
namespace {

using testing::World;

const model::Sender kAda{"cli:ada", "socket"};

std::string refused(const model::ReplyBody& reply) {
  const auto* error = std::get_if<Error>(&reply);
  return error == nullptr ? "" : error->message;
}
model::SecretRow stored(const World& world, const std::string& name) {
  const auto found = world.disk().records().find(model::secret_key(name));
  if (found == world.disk().records().end()) return {};
  return *model::secret_of(found->second);
}

TEST(SetSecret, IsKeptAndCounted) {
  World world;
  EXPECT_EQ(refused(world.ask(model::SetSecret{"TOKEN", "sealed-1", "new"}, kAda)), "");
  const WallTime first = world.wall();
  world.advance(Duration::hours(1));
  world.restart();
  EXPECT_EQ(refused(world.ask(model::SetSecret{"TOKEN", "sealed-2", "rotated"}, "key:bo")), "");
  const model::SecretRow row = stored(world, "TOKEN");
  EXPECT_EQ(row.sealed, "sealed-2");
  EXPECT_EQ(row.earlier, std::vector<std::string>{"sealed-1"});
  EXPECT_EQ(row.version, 2U);
  EXPECT_EQ(row.by, "key:bo");
  EXPECT_EQ(row.why, "rotated");
  EXPECT_EQ(row.at, first);
  EXPECT_EQ(row.changed_at, world.wall());
}

TEST(SetSecret, AFewEarlierValuesStay) {
  World world;
  for (const char* value : {"1", "2", "3", "4"}) world.ask(model::SetSecret{"TOKEN", value, ""}, kAda);
  EXPECT_EQ(stored(world, "TOKEN").earlier, (std::vector<std::string>{"3", "2"}));
}

TEST(SetSecret, RefusesWhatMakesNoSense) {
  World world;
  for (const char* name : {"", "-x", "a b", "a/b"})
    EXPECT_NE(refused(world.ask(model::SetSecret{name, "sealed", ""}, kAda)), "") << name;
  EXPECT_NE(refused(world.ask(model::SetSecret{"a", "", ""}, kAda)), "");
  EXPECT_TRUE(world.disk().records().empty());
}

TEST(SetSecret, ThereIsRoomForSoMany) {
  World world({.check_memory = false});
  for (std::size_t i = 0; i < model::kMaxSecrets; ++i)
    ASSERT_EQ(refused(world.ask(model::SetSecret{"s" + std::to_string(i), "x", ""}, "engine")), "");
  EXPECT_NE(refused(world.ask(model::SetSecret{"more", "x", ""}, kAda)).find("delete one"),
            std::string::npos);
  EXPECT_EQ(refused(world.ask(model::SetSecret{"s7", "y", ""}, kAda)), "");
  world.ask(model::DeleteSecret{"s7", ""}, kAda);
  EXPECT_EQ(refused(world.ask(model::SetSecret{"more", "x", ""}, kAda)), "");
  const std::string large(model::kMaxSealed, 'x');
  EXPECT_NE(refused(world.ask(model::SetSecret{"more", large, ""}, kAda)).find("the limit is"),
            std::string::npos);
}

TEST(DeleteSecret, TakesItAndItsEarlierValuesAway) {
  World world;
  world.ask(model::SetSecret{"TOKEN", "sealed", ""}, kAda);
  EXPECT_EQ(refused(world.ask(model::DeleteSecret{"TOKEN", ""}, kAda)), "");
  EXPECT_FALSE(world.disk().records().contains(model::secret_key("TOKEN")));
  EXPECT_NE(refused(world.ask(model::DeleteSecret{"TOKEN", ""}, kAda)).find("no secret \"TOKEN\""),
            std::string::npos);
}

TEST(SetSecret, ChangesOnlyWhatIsStillAsItWasSeen) {
  World world;
  const auto tag = [&] {
    const auto found = world.disk().records().find(model::secret_key("TOKEN"));
    return model::tag_of(found == world.disk().records().end() ? nullptr : &found->second);
  };
  const auto set = [&](const char* sealed, const std::string& expected) {
    return refused(world.ask(model::SetSecret{"TOKEN", sealed, "", expected}, kAda));
  };
  EXPECT_NE(set("1", "*"), "");
  EXPECT_EQ(set("1", "0"), "");
  EXPECT_NE(set("2", "0"), "") << "somebody has set it";
  const std::string seen = tag();
  EXPECT_EQ(set("2", seen), "");
  EXPECT_NE(set("3", seen), "");
  EXPECT_NE(refused(world.ask(model::DeleteSecret{"TOKEN", "", seen}, kAda)), "");
  EXPECT_EQ(stored(world, "TOKEN").sealed, "2");
  EXPECT_EQ(refused(world.ask(model::DeleteSecret{"TOKEN", "", tag()}, kAda)), "");
}

TEST(SetSecret, TheAuditHasTheNameAlone) {
  World world;
  world.ask(model::SetSecret{"TOKEN", "sealed", "why"}, kAda);
  bool found = false;
  for (const auto& [key, record] : world.disk().records()) {
    if (key.kind != model::RecordKind::audit) continue;
    EXPECT_EQ(record.state.find("sealed"), std::string::npos);
    const auto entry = model::audit_entry_of(record);
    ASSERT_TRUE(entry);
    found |= entry->action == "set_secret" && entry->target == "TOKEN" &&
             entry->detail.find("why") != std::string::npos;
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace baton::engine

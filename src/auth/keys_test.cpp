#include "auth/keys.hpp"

#include <gtest/gtest.h>

#include <set>

#include "auth/key_text.hpp"

namespace baton::auth {
namespace {

constexpr WallTime kNow{Duration::hours(1000).us};

model::KeyRow row(const std::string& name, const std::string& text, model::Role role = model::Role::viewer) {
  return {.name = name, .hash = Hash256::of(text), .role = role};
}

TEST(KeyText, IsRandomAndRecognised) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto text = new_key_text();
    ASSERT_TRUE(text);
    EXPECT_TRUE(is_key_text(*text)) << *text;
    EXPECT_TRUE(seen.insert(*text).second);
  }
  const std::string text = *seen.begin();
  EXPECT_FALSE(is_key_text(text.substr(1)));
  EXPECT_FALSE(is_key_text(text + "0"));
  EXPECT_FALSE(is_key_text(text.substr(0, text.size() - 1) + "G"));
  EXPECT_FALSE(is_key_text(""));
}

TEST(Keys, LetInWhoHasOne) {
  Keys keys;
  keys.replace({row("a", "one", model::Role::editor), row("b", "two")});
  const Answer answer = keys.check("one", "here", kNow);
  EXPECT_EQ(answer.standing, Standing::valid);
  EXPECT_EQ(answer.principal.name, "key:a");
  EXPECT_EQ(answer.principal.role, model::Role::editor);
  EXPECT_EQ(answer.principal.space, "default");
  for (const char* wrong : {"", "On", "onee", "one ", "three"})
    EXPECT_EQ(keys.check(wrong, "here", kNow).standing, Standing::unknown) << wrong;
}

TEST(Keys, ExpireAndAreRevoked) {
  Keys keys;
  model::KeyRow old = row("old", "old");
  old.expires_at = kNow;
  model::KeyRow gone = row("gone", "gone");
  gone.revoked_at = WallTime{1};
  keys.replace({old, gone});
  EXPECT_EQ(keys.check("old", "here", kNow - Duration::micros(1)).standing, Standing::valid);
  EXPECT_EQ(keys.check("old", "here", kNow).standing, Standing::expired);
  EXPECT_EQ(keys.check("gone", "here", kNow).standing, Standing::revoked);
  EXPECT_EQ(keys.check("gone", "here", kNow).name, "gone");
}

TEST(Keys, TheStoreHearsOfTheirUseNowAndThen) {
  Keys keys;
  keys.replace({row("a", "one")});
  EXPECT_TRUE(keys.check("one", "here", kNow).note_use);
  EXPECT_FALSE(keys.check("one", "here", kNow + Duration::seconds(1)).note_use);
  keys.replace({row("a", "one")});  // before the store has it
  EXPECT_FALSE(keys.check("one", "here", kNow + Duration::seconds(2)).note_use);
  EXPECT_TRUE(keys.check("one", "here", kNow + kNoteUseEvery).note_use);
}

TEST(Keys, KnowWhereTheyWereUsed) {
  Keys keys;
  keys.replace({row("a", "one")});
  EXPECT_FALSE(keys.check("one", "here", kNow, false).known_here);
  EXPECT_FALSE(keys.check("one", "here", kNow).known_here) << "what was not let in is not remembered";
  EXPECT_TRUE(keys.check("one", "here", kNow).known_here);
  EXPECT_FALSE(keys.check("one", "there", kNow).known_here);
  keys.replace({row("a", "one")});
  EXPECT_TRUE(keys.check("one", "here", kNow).known_here);
  for (int i = 0; i < 100; ++i) keys.check("one", std::to_string(i), kNow);
  EXPECT_FALSE(keys.check("one", "here", kNow).known_here) << "a bounded number";
}

}  // namespace
}  // namespace baton::auth

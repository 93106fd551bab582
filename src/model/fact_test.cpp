#include "model/fact.hpp"

#include <gtest/gtest.h>

namespace baton::model {
namespace {

TEST(Fact, EntryReadsBack) {
  std::vector<RunFacts> entry(2);
  entry[0] = {RunKey::make(ShardId{1}, 5), 17, "report", "worker:local", {{}, {}}};
  entry[0].facts[0] = {.kind = FactKind::attempt_ended,
                       .at = {1234567},
                       .task = 3,
                       .step = 2,
                       .index = 0,
                       .attempt = 2,
                       .role = 1,
                       .text = "failed",
                       .other = "exit"};
  entry[0].facts[1] = {.kind = FactKind::task_retrying, .at = {1234567}, .task = 3, .number = -7};
  entry[1] = {RunKey::make(ShardId{1}, 6), 0, "", "", {}};
  auto back = decode_journal_entry(encode(entry));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, entry);
}

TEST(Fact, DamageIsAnErrorNeverACrash) {
  std::vector<RunFacts> entry(1);
  entry[0] = {RunKey::make(ShardId{0}, 1), 0, "submit", "user", {{.text = "hello"}}};
  const std::string bytes = encode(entry);
  for (std::size_t n = 1; n < bytes.size(); ++n) EXPECT_FALSE(decode_journal_entry(bytes.substr(0, n))) << n;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 0xFF);
    (void)decode_journal_entry(flipped);
  }
}

}  // namespace
}  // namespace baton::model

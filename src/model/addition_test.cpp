#include "model/addition.hpp"

#include <gtest/gtest.h>

namespace baton::model {
namespace {

Addition sample() {
  Addition addition;
  addition.run = *RunId::parse("0190a2b4-5c6d-7e8f-9012-3456789abcde");
  addition.first = 12;
  addition.count = 3;
  addition.parent = 1;
  addition.parent_step = 1;
  addition.scope = "split";
  addition.generation = 2;
  addition.detach = true;
  addition.outside = {0, 4};
  addition.hash = Hash256::of("text");
  addition.text = R"({"steps":{}})";
  addition.at = {5};
  return addition;
}

TEST(Addition, IsReadAsItWasWritten) {
  const auto read = addition_of(record_of(sample()));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, sample());
}

TEST(Addition, KeysStandInTheOrderOfOrdinals) {
  Addition later = sample();
  later.first = 100;
  EXPECT_LT(record_of(sample()).id.key, record_of(later).id.key);
  EXPECT_TRUE(record_of(later).id.key.starts_with(additions_of(later.run)));
}

TEST(Addition, DamageIsSeen) {
  Record record = record_of(sample());
  for (std::size_t length = 0; length < record.state.size(); ++length) {
    Record cut = record;
    cut.state.resize(length);
    const auto read = addition_of(cut);
    EXPECT_TRUE(!read || read->scope != sample().scope) << length;
  }
  record.id.key = "nonsense";
  EXPECT_FALSE(addition_of(record));
}

}  // namespace
}  // namespace baton::model

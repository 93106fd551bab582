#include "base/rare.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace baton {
namespace {

struct Part {
  int number = 7;
  std::string text;
  friend bool operator==(const Part&, const Part&) = default;
};

TEST(Rare, AnAbsentOneReadsAsADefault) {
  const Rare<Part> rare;
  EXPECT_EQ(rare->number, 7);
  EXPECT_EQ(sizeof(rare), sizeof(void*));
}

TEST(Rare, CopiesDoNotShareTheirPart) {
  Rare<Part> one;
  one.edit().text = "one";
  Rare<Part> two = one;
  two.edit().text = "two";
  EXPECT_EQ(one->text, "one");
  one = two;
  EXPECT_EQ(one, two);
  one = Rare<Part>();
  EXPECT_EQ(one->text, "");
  const Rare<Part> moved = std::move(two);
  EXPECT_EQ(moved->text, "two");
}

TEST(Rare, EqualityIsThatOfWhatIsRead) {
  Rare<Part> made;
  made.edit();
  EXPECT_EQ(made, Rare<Part>());
  made.edit().number = 8;
  EXPECT_NE(made, Rare<Part>());
  EXPECT_NE(Rare<Part>(), made);
}

}  // namespace
}  // namespace baton

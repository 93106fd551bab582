#include "store/item_list.hpp"

#include <gtest/gtest.h>

namespace baton::store {
namespace {

ItemList list_of(Ordinal first, std::uint32_t count) {
  return ItemList({RunKey{1}, model::PayloadSlot::item_results, first, count});
}

TEST(ItemList, MissingItemsAreNull) {
  ItemList list = list_of(3, 5);
  ASSERT_TRUE(list.add(4, "1"));
  ASSERT_TRUE(list.add(6, R"({"a":[2]})"));
  EXPECT_EQ(list.take(), R"([null,1,null,{"a":[2]},null])");
}

TEST(ItemList, NoItemsAreAnEmptyList) {
  EXPECT_EQ(list_of(3, 0).take(), "[]");
}

TEST(ItemList, ReachesTheLastOrdinal) {
  ItemList list = list_of(UINT32_MAX - 1, 2);
  ASSERT_TRUE(list.add(UINT32_MAX, "7"));
  EXPECT_EQ(list.take(), "[null,7]");
}

TEST(ItemList, StopsAtTheLimit) {
  const std::string large(kItemListLimit / 2, '1');
  ItemList list = list_of(0, 3);
  ASSERT_TRUE(list.add(0, large));
  const Status second = list.add(1, large);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::too_large);
  // A hostile count does not make the store fill its memory with "null".
  EXPECT_EQ(list_of(0, UINT32_MAX).take().error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace baton::store

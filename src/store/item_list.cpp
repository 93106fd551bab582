#include "store/item_list.hpp"

#include <cassert>

namespace baton::store {

Error ItemList::over_limit() const {
  return {ErrorCode::too_large,
          "the results of " + std::to_string(key_.count) + " items are together larger than " +
              std::to_string(kItemListLimit >> 20) + " MiB: let the items write files and return their names",
          {}};
}

Status ItemList::append(std::string_view item) {
  if (text_.size() + item.size() + 2 > kItemListLimit) return fail(over_limit());
  if (text_.size() > 1) text_ += ',';
  text_ += item;
  ++next_;
  return {};
}

Status ItemList::fill_until(std::uint64_t ordinal) {
  constexpr std::string_view kNull = "null";
  const std::uint64_t missing = ordinal > next_ ? ordinal - next_ : 0;
  if (missing > kItemListLimit / (kNull.size() + 1)) return fail(over_limit());
  for (std::uint64_t i = 0; i < missing; ++i) TRY_VOID(append(kNull));
  return {};
}

Status ItemList::add(Ordinal ordinal, std::string_view result) {
  assert(ordinal >= next_);
  TRY_VOID(fill_until(ordinal));
  return append(result);
}

Result<std::string> ItemList::take() {
  TRY_VOID(fill_until(std::uint64_t{key_.ordinal} + key_.count));
  text_ += ']';
  return std::move(text_);
}

}  // namespace baton::store

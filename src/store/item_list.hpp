// The virtual payload `item_results`: the results of a mapped step's items as one JSON array, null where an
// item has none. Every store assembles it with this class, so that the text and its limit are the same.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "model/payload.hpp"

namespace baton::store {

// Bytes that one assembled list may have; beyond it: ErrorCode::too_large. Two million items of nothing but
// null fit; a list is held in memory once by the store and once parsed.
inline constexpr std::size_t kItemListLimit = 64 << 20;

class ItemList {
 public:
  explicit ItemList(const model::PayloadKey& key) : key_(key), next_(key.ordinal) {}

  // `ordinal`s ascending, within [key.ordinal, key.ordinal + key.count); left-out ones are null. `result` is
  // JSON text.
  Status add(Ordinal ordinal, std::string_view result);
  // The array. The list is empty afterwards.
  Result<std::string> take();

 private:
  Status fill_until(std::uint64_t ordinal);  // with null
  Status append(std::string_view item);
  Error over_limit() const;

  model::PayloadKey key_;
  std::uint64_t next_;  // ordinal of the item that comes next; wider than Ordinal, so that the end fits
  std::string text_ = "[";
};

}  // namespace baton::store

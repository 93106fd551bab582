// Payloads in rows: small ones stand in their column, large ones (over model::kInlinePayload) once per
// content in the payload table, counted by the columns that refer to them. All functions may throw
// SQLite::Exception.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "model/batch.hpp"
#include "store/sqlite/query.hpp"

namespace baton::store::sqlite {

// What a column gets: nothing, the text, or the number of a large one. `text` must outlive it.
struct PayloadCell {
  const std::string* text = nullptr;
  std::int64_t id = 0;
};
// Stores a large payload, or counts one up: once per column and change. Within a transaction.
PayloadCell store_payload(Connection& connection, const model::Text& text);
void bind_payload(Query& query, int parameter, const PayloadCell& cell);
// One column less refers to the payload; the last one takes it along. Within a transaction.
void release_payload(Connection& connection, std::int64_t id);

// The column's payload; nullopt if it is NULL, or longer than `max_size`; corrupt if it refers to nothing.
Result<std::optional<std::string>> payload_at(Connection& connection, const Query& query, int column,
                                              std::size_t max_size = SIZE_MAX);

}  // namespace baton::store::sqlite

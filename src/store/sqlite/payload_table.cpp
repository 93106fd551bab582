#include "store/sqlite/payload_table.hpp"

#include "base/hash.hpp"
#include "model/payload.hpp"

namespace baton::store::sqlite {
namespace {

std::string_view bytes_of(const Hash256& hash) {
  return {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()};
}

std::int64_t acquire(Connection& connection, const std::string& content) {
  const Hash256 hash = Hash256::of(content);
  std::int64_t id = 0;
  bool is_new = false;
  {
    Query query = connection.query(
        "INSERT INTO payload(hash, refs, size) VALUES(?1, 1, ?2) "
        "ON CONFLICT(hash) DO UPDATE SET refs = refs + 1 RETURNING id, refs");
    query.blob(1, bytes_of(hash)).number(2, static_cast<std::int64_t>(content.size()));
    query.next();
    id = query.number_at(0);
    is_new = query.number_at(1) == 1;
    query.run();
  }
  if (is_new) {
    connection.query("INSERT INTO payload_content(id, content) VALUES(?1, ?2)")
        .number(1, id)
        .text(2, content)
        .run();
  }
  return id;
}

}  // namespace

PayloadCell store_payload(Connection& connection, const model::Text& text) {
  if (!text || text->empty()) return {};
  if (text->size() <= model::kInlinePayload) return {text.get(), 0};
  return {nullptr, acquire(connection, *text)};
}

void bind_payload(Query& query, int parameter, const PayloadCell& cell) {
  if (cell.text) {
    query.text(parameter, *cell.text);
  } else if (cell.id != 0) {
    query.number(parameter, cell.id);
  } else {
    query.null(parameter);
  }
}

void release_payload(Connection& connection, std::int64_t id) {
  bool unused = false;
  {
    Query query = connection.query("UPDATE payload SET refs = refs - 1 WHERE id = ?1 RETURNING refs");
    query.number(1, id);
    if (query.next()) {
      unused = query.number_at(0) <= 0;
      query.run();
    }
  }
  if (!unused) return;
  connection.query("DELETE FROM payload WHERE id = ?1").number(1, id).run();
  connection.query("DELETE FROM payload_content WHERE id = ?1").number(1, id).run();
}

Result<std::optional<std::string>> payload_at(Connection& connection, const Query& query, int column,
                                              std::size_t max_size) {
  if (query.is_null_at(column)) return std::nullopt;
  if (!query.is_number_at(column)) {
    const std::string_view text = query.bytes_at(column);
    if (text.size() > max_size) return std::nullopt;
    return std::string(text);
  }
  const std::int64_t id = query.number_at(column);
  if (max_size != SIZE_MAX) {
    Query size = connection.query("SELECT size FROM payload WHERE id = ?1");
    size.number(1, id);
    if (size.next() && static_cast<std::size_t>(size.number_at(0)) > max_size) return std::nullopt;
  }
  Query content = connection.query("SELECT content FROM payload_content WHERE id = ?1");
  content.number(1, id);
  if (!content.next()) {
    return fail(ErrorCode::corrupt, "payload " + std::to_string(id) + " is missing");
  }
  return std::string(content.bytes_at(0));
}

}  // namespace baton::store::sqlite

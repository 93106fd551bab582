#include "model/space.hpp"

#include <charconv>

#include "base/codec.hpp"

namespace baton::model {

// In the order of the numbers.
RecordKey space_key(ShardId shard) {
  std::string digits = std::to_string(static_cast<unsigned>(shard));
  return {RecordKind::space, std::string(4 - std::min<std::size_t>(digits.size(), 4), '0') + digits};
}

Record to_record(const SpaceRow& row) {
  Encoder out;
  out.bytes(1, row.name);
  out.bytes(2, row.by);
  out.bytes(3, row.why);
  if (row.deleted_at) out.number(4, static_cast<std::uint64_t>(row.deleted_at->us));
  out.number(5, row.cleared ? 1 : 0);
  return {space_key(row.shard), "", row.at, out.take()};
}

Result<SpaceRow> space_of(const Record& record) {
  const std::string& key = record.id.key;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
  SpaceRow row{.shard = static_cast<ShardId>(number), .at = record.at};
  Decoder in(record.state);
  while (in.next()) {
    if (in.field() == 1) row.name = in.bytes();
    if (in.field() == 2) row.by = in.bytes();
    if (in.field() == 3) row.why = in.bytes();
    if (in.field() == 4) row.deleted_at = WallTime{static_cast<std::int64_t>(in.number())};
    if (in.field() == 5) row.cleared = in.number() != 0;
  }
  const bool numbered = error == std::errc{} && end == key.data() + key.size() && number > 0 &&
                        number <= kLastShard && space_key(row.shard).key == key;
  if (in.failed() || !numbered || row.name.empty()) {
    return fail(ErrorCode::corrupt, "the record of namespace " + key + " is damaged");
  }
  return row;
}

}  // namespace baton::model

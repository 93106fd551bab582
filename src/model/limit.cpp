#include "model/limit.hpp"

#include "base/codec.hpp"

namespace baton::model {

Record to_record(const LimitRow& row) {
  Encoder out;
  out.number(1, row.limit);
  out.bytes(2, row.by);
  out.bytes(3, row.why);
  return {limit_key(row.name), "", row.at, out.take()};
}

Result<LimitRow> limit_of(const Record& record) {
  LimitRow row{.name = record.id.key, .at = record.at};
  Decoder in(record.state);
  while (in.next()) {
    if (in.field() == 1) row.limit = static_cast<std::uint32_t>(in.number());
    if (in.field() == 2) row.by = in.bytes();
    if (in.field() == 3) row.why = in.bytes();
  }
  if (in.failed()) return fail(ErrorCode::corrupt, "the record of limit " + row.name + " is damaged");
  return row;
}

Record to_record(const RateRow& row) {
  Encoder out;
  out.number(1, static_cast<std::uint64_t>(row.used_until));
  out.number(2, static_cast<std::uint64_t>(row.interval));
  out.number(3, row.burst);
  return {rate_key(row.name), "", {}, out.take()};
}

Result<RateRow> rate_of(const Record& record) {
  RateRow row{.name = record.id.key, .burst = 0};
  Decoder in(record.state);
  while (in.next()) {
    if (in.field() == 1) row.used_until = static_cast<std::int64_t>(in.number());
    if (in.field() == 2) row.interval = static_cast<std::int64_t>(in.number());
    if (in.field() == 3) row.burst = static_cast<std::uint32_t>(in.number());
  }
  if (in.failed() || row.interval <= 0 || row.burst == 0 || row.used_until < 0) {
    return fail(ErrorCode::corrupt, "the record of rate " + row.name + " is damaged");
  }
  return row;
}

}  // namespace baton::model

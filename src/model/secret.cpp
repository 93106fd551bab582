#include "model/secret.hpp"

#include "base/codec.hpp"

namespace baton::model {

Record to_record(const SecretRow& row) {
  Encoder out;
  out.bytes(1, row.sealed);
  for (const std::string& value : row.earlier) out.bytes(2, value);
  out.number(3, row.version);
  out.bytes(4, row.by);
  out.bytes(5, row.why);
  out.number(6, static_cast<std::uint64_t>(row.changed_at.us));
  return {secret_key(row.name), "", row.at, out.take()};
}

Result<SecretRow> secret_of(const Record& record) {
  SecretRow row{.name = record.id.key, .at = record.at};
  Decoder in(record.state);
  while (in.next()) {
    if (in.field() == 1) row.sealed = in.bytes();
    if (in.field() == 2) row.earlier.emplace_back(in.bytes());
    if (in.field() == 3) row.version = static_cast<std::uint32_t>(in.number());
    if (in.field() == 4) row.by = in.bytes();
    if (in.field() == 5) row.why = in.bytes();
    if (in.field() == 6) row.changed_at = WallTime{static_cast<std::int64_t>(in.number())};
  }
  if (in.failed() || row.sealed.empty()) {
    return fail(ErrorCode::corrupt, "the record of secret " + row.name + " is damaged");
  }
  return row;
}

}  // namespace baton::model

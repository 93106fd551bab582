#include "model/retention.hpp"

#include "base/codec.hpp"

namespace baton::model {

// Plus one: a field that is zero is left out.
Record to_record(std::string_view workflow, const Retention& retention, WallTime at) {
  Encoder out;
  if (retention.completed) out.number(1, static_cast<std::uint64_t>(retention.completed->us) + 1);
  if (retention.failed) out.number(2, static_cast<std::uint64_t>(retention.failed->us) + 1);
  return {retention_key(workflow), "", at, out.take()};
}

Result<Retention> retention_of(const Record& record) {
  Retention retention;
  Decoder in(record.state);
  while (in.next()) {
    const Duration span{static_cast<std::int64_t>(in.number()) - 1};
    if (in.field() == 1) retention.completed = span;
    if (in.field() == 2) retention.failed = span;
  }
  if (in.failed())
    return fail(ErrorCode::corrupt, "the record of the retention of " + record.id.key + " is damaged");
  return retention;
}

}  // namespace baton::model

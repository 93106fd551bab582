#include "model/removal.hpp"

#include <cstring>

#include "base/codec.hpp"
#include "base/time.hpp"

namespace baton::model {

std::string removal_key(WallTime at, const RunId& first) {
  return to_rfc3339(at) + "." + first.text();
}

Record to_record(const Removal& removal) {
  Encoder out;
  out.signed_number(1, removal.at.us);
  out.bytes(2, removal.by);
  out.bytes(3, removal.why);
  out.number(4, removal.count);
  for (const RunId& run : removal.runs)
    out.bytes(5, {reinterpret_cast<const char*>(run.bytes.data()), run.bytes.size()});
  return {{RecordKind::removal, removal.key}, "", removal.at, out.take()};
}

Result<Removal> removal_of(const Record& record) {
  Removal removal;
  removal.key = record.id.key;
  bool damaged = false;
  Decoder in(record.state);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        removal.at.us = in.signed_number();
        break;
      case 2:
        removal.by = in.bytes();
        break;
      case 3:
        removal.why = in.bytes();
        break;
      case 4:
        removal.count = in.number();
        break;
      case 5: {
        RunId& run = removal.runs.emplace_back();
        damaged |= in.bytes().size() != run.bytes.size();
        if (!damaged) std::memcpy(run.bytes.data(), in.bytes().data(), run.bytes.size());
        break;
      }
      default:
        break;
    }
  }
  if (damaged || in.failed())
    return fail(ErrorCode::corrupt, "the record of the removal " + record.id.key + " is damaged");
  return removal;
}

}  // namespace baton::model

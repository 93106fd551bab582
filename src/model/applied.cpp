#include "model/applied.hpp"

#include "base/codec.hpp"

namespace baton::model {
namespace {

bool read(std::string_view bytes, Application& out) {
  Decoder in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        out.version = static_cast<std::uint32_t>(in.number());
        break;
      case 2:
        out.at = WallTime{in.signed_number()};
        break;
      case 3:
        out.by = in.bytes();
        break;
      case 4:
        out.note = in.bytes();
        break;
      default:
        break;
    }
  }
  return !in.failed() && out.version > 0;
}

}  // namespace

Record to_record(const AppliedWorkflow& workflow) {
  Encoder out;
  for (const Application& application : workflow.applications) {
    Encoder one;
    one.number(1, application.version);
    one.signed_number(2, application.at.us);
    one.bytes(3, application.by);
    one.bytes(4, application.note);
    out.message(1, one);
  }
  return {applied_key(workflow.name), "", workflow.applications.front().at, out.take()};
}

Result<AppliedWorkflow> applied_of(const Record& record) {
  AppliedWorkflow workflow{record.id.key, {}};
  bool damaged = false;
  Decoder in(record.state);
  while (in.next()) {
    if (in.field() != 1) continue;
    damaged |= !read(in.bytes(), workflow.applications.emplace_back());
  }
  if (damaged || in.failed() || workflow.applications.empty()) {
    return fail(ErrorCode::corrupt, "the record of the workflow " + record.id.key + " is damaged");
  }
  return workflow;
}

}  // namespace baton::model

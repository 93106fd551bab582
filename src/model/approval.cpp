#include "model/approval.hpp"

#include "base/codec.hpp"

namespace baton::model {

RecordKey approval_key(const TaskId& task) {
  return {RecordKind::approval, task.text()};
}

Record to_record(const Approval& approval) {
  Encoder out;
  out.bytes(1, approval.workflow);
  out.bytes(2, approval.step);
  out.bytes(3, approval.title);
  out.signed_number(4, approval.index);
  out.bytes(5, approval.question);
  out.bytes(6, approval.job_id);
  out.signed_number(7, approval.until.us);
  return {approval_key(approval.task), approval.task.run.text(), approval.asked_at, out.take()};
}

Result<Approval> approval_of(const Record& record) {
  Approval approval;
  approval.index = 0;  // zero is left out of the bytes; the struct's default is for new ones
  approval.asked_at = record.at;
  Decoder in(record.state);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        approval.workflow = in.bytes();
        break;
      case 2:
        approval.step = in.bytes();
        break;
      case 3:
        approval.title = in.bytes();
        break;
      case 4:
        approval.index = static_cast<std::int32_t>(in.signed_number());
        break;
      case 5:
        approval.question = in.bytes();
        break;
      case 6:
        approval.job_id = in.bytes();
        break;
      case 7:
        approval.until.us = in.signed_number();
        break;
      default:
        break;
    }
  }
  const auto task = TaskId::parse(record.id.key);
  if (in.failed() || !task || approval.step.empty()) {
    return fail(ErrorCode::corrupt, "the record of approval " + record.id.key + " is damaged");
  }
  approval.task = *task;
  return approval;
}

}  // namespace baton::model

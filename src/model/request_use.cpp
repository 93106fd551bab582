#include "model/request_use.hpp"

#include <charconv>
#include <cstring>

#include "base/codec.hpp"

namespace baton::model {
namespace {

constexpr std::size_t kDigits = 20;
constexpr std::string_view kByKey = "k/";
constexpr std::string_view kByNumber = "n/";

// Stored: append, never renumber.
enum class Tag : std::uint8_t { done = 1, cancel, discarded, run, approval, cleaning, applied, removed, signal };

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::corrupt, "the record of " + std::string(what) + " is damaged");
}

bool read_hash(std::string_view bytes, Hash256& hash) {
  if (bytes.size() != hash.bytes.size()) return false;
  std::memcpy(hash.bytes.data(), bytes.data(), bytes.size());
  return true;
}

void put_tag(Encoder& out, Tag tag) {
  out.number(1, static_cast<std::uint64_t>(tag));
}

// One for each answer that is kept.
void pack(const Done&, Encoder& out) {
  put_tag(out, Tag::done);
}
void pack(const CancelAccepted& answer, Encoder& out) {
  put_tag(out, Tag::cancel);
  out.bytes(2, answer.run.text());
  out.number(3, static_cast<std::uint64_t>(answer.status));
}
void pack(const RunAccepted& answer, Encoder& out) {
  put_tag(out, Tag::run);
  out.bytes(2, answer.run.text());
  out.number(3, static_cast<std::uint64_t>(answer.status));
}
void pack(const Discarded& answer, Encoder& out) {
  put_tag(out, Tag::discarded);
  out.number(3, answer.count);
  for (const std::string& id : answer.unknown) {
    Encoder one;
    one.bytes(1, id);
    out.message(4, one);
  }
}
void pack(const ApprovalAnswered& answer, Encoder& out) {
  put_tag(out, Tag::approval);
  out.bytes(2, answer.task.text());
  out.number(3, static_cast<std::uint64_t>(answer.status));
}
void pack(const SignalAccepted& answer, Encoder& out) {
  put_tag(out, Tag::signal);
  out.bytes(2, answer.run.text());
  out.number(3, answer.number);
}
void pack(const CleaningBegun& answer, Encoder& out) {
  put_tag(out, Tag::cleaning);
  out.bytes(2, answer.by.text());
  out.number(3, answer.existing ? 1 : 0);
}
void pack(const WorkflowApplied& answer, Encoder& out) {
  put_tag(out, Tag::applied);
  out.bytes(2, answer.workflow);
  out.number(3, answer.version);
  out.number(5, answer.previous);
  out.number(6, answer.created ? 1 : 0);
}
void pack(const RunsRemoved& answer, Encoder& out) {
  if (answer.removed == 0) return;  // a refusal, for all that it is about
  put_tag(out, Tag::removed);
  out.number(3, answer.removed);
  for (const auto& [run, error] : answer.kept) {
    Encoder one;
    one.bytes(1, run.text());
    one.bytes(2, info(error.code).name);
    one.bytes(3, error.message);
    one.bytes(4, error.where);
    out.message(7, one);
  }
}
template <typename Other>
void pack(const Other&, Encoder&) {}

struct Fields {
  std::uint64_t tag = 0;
  std::string name;          // 2
  std::uint64_t number = 0;  // 3
  std::vector<std::string> texts;
  std::uint64_t previous = 0;
  bool created = false;
  std::vector<std::pair<RunId, Error>> kept;
};

bool read_kept(std::string_view bytes, std::pair<RunId, Error>& out) {
  Decoder in(bytes);
  bool named = false;
  bool coded = false;
  while (in.next()) {
    if (in.field() == 1) {
      const auto run = RunId::parse(in.bytes());
      named = run.has_value();
      if (run) out.first = *run;
    }
    if (in.field() == 2) {
      const auto code = error_code_from_name(in.bytes());
      coded = code.has_value();
      if (code) out.second.code = *code;
    }
    if (in.field() == 3) out.second.message = in.bytes();
    if (in.field() == 4) out.second.where = in.bytes();
  }
  return !in.failed() && named && coded;
}

std::optional<Fields> read(std::string_view packed) {
  Fields fields;
  bool sound = true;
  Decoder in(packed);
  while (in.next()) {
    if (in.field() == 1) fields.tag = in.number();
    if (in.field() == 2) fields.name = in.bytes();
    if (in.field() == 3) fields.number = in.number();
    if (in.field() == 4) {
      Decoder one(in.bytes());
      std::string& text = fields.texts.emplace_back();
      while (one.next()) {
        if (one.field() == 1) text = one.bytes();
      }
      sound &= !one.failed();
    }
    if (in.field() == 5) fields.previous = in.number();
    if (in.field() == 6) fields.created = in.number() != 0;
    if (in.field() == 7) sound &= read_kept(in.bytes(), fields.kept.emplace_back());
  }
  if (in.failed() || !sound) return std::nullopt;
  return fields;
}

}  // namespace

RecordKey request_use_key(std::string_view key) {
  return {RecordKind::request, std::string(kByKey) + std::string(key)};
}

RecordKey request_number_key(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return {RecordKind::request, std::string(kByNumber) + std::string(kDigits - digits.size(), '0') + digits};
}

Record to_record(const RequestUse& use) {
  Encoder out;
  out.bytes(1, {reinterpret_cast<const char*>(use.body.bytes.data()), use.body.bytes.size()});
  out.number(2, use.number);
  out.bytes(3, use.answer);
  return {request_use_key(use.key), "", use.at, out.take()};
}

Result<RequestUse> request_use_of(const Record& record) {
  RequestUse use{.at = record.at};
  if (!record.id.key.starts_with(kByKey)) return damaged("a request");
  use.key = record.id.key.substr(kByKey.size());
  bool hashed = false;
  Decoder in(record.state);
  while (in.next()) {
    if (in.field() == 1) hashed = read_hash(in.bytes(), use.body);
    if (in.field() == 2) use.number = in.number();
    if (in.field() == 3) use.answer = in.bytes();
  }
  if (in.failed() || !hashed || use.number == 0) return damaged("a request");
  return use;
}

Record number_record(const RequestUse& use) {
  Encoder out;
  out.bytes(1, use.key);
  return {request_number_key(use.number), "", use.at, out.take()};
}

std::optional<NumberedRequest> numbered_request_of(const Record& record) {
  const std::string_view key = record.id.key;
  if (!key.starts_with(kByNumber) || key.size() != kByNumber.size() + kDigits) return std::nullopt;
  NumberedRequest found{.at = record.at};
  const auto [end, error] =
      std::from_chars(key.data() + kByNumber.size(), key.data() + key.size(), found.number);
  if (error != std::errc() || end != key.data() + key.size()) return std::nullopt;
  Decoder in(record.state);
  while (in.next()) {
    if (in.field() == 1) found.key = in.bytes();
  }
  if (in.failed()) return std::nullopt;
  return found;
}

std::optional<std::string> packed(const ReplyBody& answer) {
  Encoder out;
  std::visit([&](const auto& body) { pack(body, out); }, answer);
  if (out.view().empty()) return std::nullopt;
  return out.take();
}

Result<ReplyBody> answer_of(std::string_view packed) {
  const auto fields = read(packed);
  if (!fields) return damaged("an answer");
  const auto run = RunId::parse(fields->name);
  const auto task = TaskId::parse(fields->name);
  switch (static_cast<Tag>(fields->tag)) {
    case Tag::done:
      return Done{};
    case Tag::cancel:
      if (run && fields->number <= static_cast<std::uint64_t>(RunStatus::cancelled))
        return CancelAccepted{*run, static_cast<RunStatus>(fields->number)};
      break;
    case Tag::run:
      if (run && fields->number <= static_cast<std::uint64_t>(RunStatus::cancelled))
        return RunAccepted{*run, static_cast<RunStatus>(fields->number)};
      break;
    case Tag::discarded:
      return Discarded{static_cast<std::uint32_t>(fields->number), fields->texts};
    case Tag::approval:
      if (task && fields->number <= static_cast<std::uint64_t>(TaskStatus::cancelled))
        return ApprovalAnswered{*task, static_cast<TaskStatus>(fields->number)};
      break;
    case Tag::signal:
      if (run) return SignalAccepted{*run, static_cast<std::uint32_t>(fields->number), true};
      break;
    case Tag::cleaning:
      if (task) return CleaningBegun{*task, fields->number != 0};
      break;
    case Tag::applied:
      return WorkflowApplied{static_cast<std::uint32_t>(fields->number),
                             static_cast<std::uint32_t>(fields->previous), fields->created, fields->name};
    case Tag::removed:
      return RunsRemoved{static_cast<std::uint32_t>(fields->number), fields->kept};
  }
  return damaged("an answer");
}

}  // namespace baton::model

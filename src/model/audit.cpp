#include "model/audit.hpp"

#include <algorithm>
#include <charconv>

#include "base/codec.hpp"
#include "base/text.hpp"

namespace baton::model {
namespace {

constexpr std::size_t kSequenceDigits = 19;  // of the largest
constexpr std::size_t kPlaceDigits = 10;

std::string padded(std::uint64_t number, std::size_t digits) {
  const std::string text = std::to_string(number);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string_view bytes_of(const Hash256& hash) {
  return {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()};
}

bool read(std::string_view bytes, Hash256& hash) {
  if (bytes.size() != hash.bytes.size()) return false;
  std::ranges::copy(bytes, hash.bytes.begin());
  return true;
}

// Everything but place and time, which stand beside it in the record.
Encoder packed(const AuditEntry& entry) {
  Encoder out;
  out.bytes(1, entry.actor);
  out.bytes(2, entry.from);
  out.bytes(3, entry.action);
  out.bytes(4, entry.target);
  out.bytes(5, entry.detail);
  out.bytes(6, bytes_of(entry.previous));
  out.number(8, entry.number);
  return out;
}

}  // namespace

Hash256 AuditEntry::hash() const {
  Encoder out = packed(*this);
  out.number(9, static_cast<std::uint64_t>(sequence));
  out.number(10, place);
  out.number(11, static_cast<std::uint64_t>(at.us));
  return Hash256::of(out.view());
}

RecordKey audit_key(JournalSequence sequence, std::uint32_t place) {
  return {RecordKind::audit,
          padded(static_cast<std::uint64_t>(sequence), kSequenceDigits) + '.' + padded(place, kPlaceDigits)};
}

Record to_record(const AuditEntry& entry) {
  Encoder out = packed(entry);
  // Its own hash as well: which entry it is that was changed can be told only so.
  out.bytes(7, bytes_of(entry.hash()));
  return {audit_key(entry.sequence, entry.place), "", entry.at, out.take()};
}

Result<AuditEntry> audit_entry_of(const Record& record) {
  AuditEntry entry{.at = record.at};
  const std::string_view key = record.id.key;
  const std::size_t dot = std::min(key.find('.'), key.size());
  bool readable = read_number(key.substr(0, dot), entry.sequence) &&
                  read_number(key.substr(std::min(dot + 1, key.size())), entry.place);
  Hash256 hash;
  Decoder in(record.state);
  while (in.next()) {
    if (in.field() == 1) entry.actor = in.bytes();
    if (in.field() == 2) entry.from = in.bytes();
    if (in.field() == 3) entry.action = in.bytes();
    if (in.field() == 4) entry.target = in.bytes();
    if (in.field() == 5) entry.detail = in.bytes();
    if (in.field() == 6) readable &= read(in.bytes(), entry.previous);
    if (in.field() == 7) readable &= read(in.bytes(), hash);
    if (in.field() == 8) entry.number = in.number();
  }
  if (in.failed() || !readable || hash != entry.hash()) {
    return fail(ErrorCode::corrupt, "entry " + std::to_string(entry.number) + " of the audit (record " +
                                        printable(key) + ") was changed");
  }
  return entry;
}

Record to_record(const AuditHead& head) {
  Encoder out;
  out.number(1, head.count);
  out.bytes(2, bytes_of(head.hash));
  out.number(3, static_cast<std::uint64_t>(head.sequence));
  out.number(4, head.place);
  return {audit_head_key(), "", {}, out.take()};
}

Result<AuditHead> audit_head_of(const Record& record) {
  AuditHead head;
  bool readable = false;
  Decoder in(record.state);
  while (in.next()) {
    if (in.field() == 1) head.count = in.number();
    if (in.field() == 2) readable = read(in.bytes(), head.hash);
    if (in.field() == 3) head.sequence = static_cast<JournalSequence>(in.number());
    if (in.field() == 4) head.place = static_cast<std::uint32_t>(in.number());
  }
  if (in.failed() || !readable) return fail(ErrorCode::corrupt, "the head of the audit is damaged");
  return head;
}

}  // namespace baton::model

// The audit: who changed what, when and from where, as a chain. Each entry has the hash of the one before it,
// so that an entry that is changed, taken out or put in between does not fit; the head, a record of its own,
// says how many there are, so that one that is cut off at the end is missed.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

struct AuditEntry {
  JournalSequence sequence =
      0;  // of the commit, and its place in that: the order, whatever becomes of the head
  std::uint32_t place = 0;
  std::uint64_t number = 0;  // 1, 2, 3 …
  WallTime at;
  std::string actor;   // "key:ci", "cli:ada"
  std::string from;    // "socket", "192.0.2.7"
  std::string action;  // "cancel", "create_key"
  std::string target;  // a run's or task's id, a name; may be empty
  std::string detail;  // the reason that was given, and what else tells changes of the same kind apart
  Hash256 previous;    // zero of the first one

  Hash256 hash() const;
  friend bool operator==(const AuditEntry&, const AuditEntry&) = default;
};

struct AuditHead {
  std::uint64_t count = 0;
  JournalSequence sequence = 0;  // of the last entry
  std::uint32_t place = 0;
  Hash256 hash;  // of the last entry

  friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

RecordKey audit_key(JournalSequence sequence, std::uint32_t place);  // in the order of both
inline RecordKey audit_head_key() {
  return {RecordKind::audit_head, "head"};
}
Record to_record(const AuditEntry& entry);
Record to_record(const AuditHead& head);
Result<AuditEntry> audit_entry_of(const Record& record);  // or corrupt
Result<AuditHead> audit_head_of(const Record& record);    // or corrupt

}  // namespace baton::model

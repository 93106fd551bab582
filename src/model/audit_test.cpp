#include "model/audit.hpp"

#include <gtest/gtest.h>

namespace baton::model {
namespace {

const AuditEntry kEntry{.sequence = 7,
                        .place = 2,
                        .number = 3,
                        .at = {1234},
                        .actor = "key:ci",
                        .from = "192.0.2.7",
                        .action = "cancel",
                        .target = "a run",
                        .detail = "why not",
                        .previous = Hash256::of("before")};

TEST(Audit, ComesBackAsItWas) {
  const auto entry = audit_entry_of(to_record(kEntry));
  ASSERT_TRUE(entry) << entry.error().message;
  EXPECT_EQ(*entry, kEntry);
  const AuditHead head{3, 7, 2, kEntry.hash()};
  const auto read = audit_head_of(to_record(head));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, head);
}

TEST(Audit, KeysAreInTheOrderOfEntries) {
  EXPECT_LT(audit_key(9, 5).key, audit_key(10, 0).key);
  EXPECT_LT(audit_key(9, 9).key, audit_key(9, 10).key);
  EXPECT_LT(audit_key(9, 4'000'000'000).key, audit_key(INT64_MAX, 0).key);
}

TEST(Audit, EveryFieldIsInTheHash) {
  const auto changed = [](auto change) {
    AuditEntry entry = kEntry;
    change(entry);
    return entry.hash() != kEntry.hash();
  };
  EXPECT_TRUE(changed([](AuditEntry& e) { e.sequence = 8; }));
  EXPECT_TRUE(changed([](AuditEntry& e) { e.place = 3; }));
  EXPECT_TRUE(changed([](AuditEntry& e) { e.number = 4; }));
  EXPECT_TRUE(changed([](AuditEntry& e) { e.at = {1235}; }));
  EXPECT_TRUE(changed([](AuditEntry& e) {
    e.actor = "key:c";
    e.from = "i192.0.2.7";
  }));
  EXPECT_TRUE(changed([](AuditEntry& e) { e.action = ""; }));
  EXPECT_TRUE(changed([](AuditEntry& e) { e.target = "another run"; }));
  EXPECT_TRUE(changed([](AuditEntry& e) { e.detail = ""; }));
  EXPECT_TRUE(changed([](AuditEntry& e) { e.previous = {}; }));
}

TEST(Audit, AnyChangedByteIsSeen) {
  const Record record = to_record(kEntry);
  for (std::size_t i = 0; i < record.state.size(); ++i) {
    for (const int bit : {0, 3, 7}) {
      Record other = record;
      other.state[i] = static_cast<char>(other.state[i] ^ (1 << bit));
      EXPECT_FALSE(audit_entry_of(other)) << "byte " << i << " bit " << bit;
    }
  }
  Record moved = record;
  moved.id = audit_key(8, 2);
  EXPECT_FALSE(audit_entry_of(moved));
  Record later = record;
  later.at = {1235};
  EXPECT_FALSE(audit_entry_of(later));
}

}  // namespace
}  // namespace baton::model

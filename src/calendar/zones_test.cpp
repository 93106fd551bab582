#include "calendar/zones.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/time.hpp"

namespace baton::calendar {
namespace {

constexpr Seconds kHour = 3600;

// A slim TZif file of version 2: one type (before all transitions), no transitions, and a rule.
std::string slim(std::string_view rule, std::int32_t offset = 0) {
  const auto u32 = [](std::uint32_t v) {
    return std::string{static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
                       static_cast<char>(v)};
  };
  const std::string head = std::string("TZif2") + std::string(15, '\0');
  const std::string counts = u32(0) + u32(0) + u32(0) + u32(0) + u32(1) + u32(4);
  const std::string block =
      u32(static_cast<std::uint32_t>(offset)) + std::string(2, '\0') + std::string("LMT\0", 4);
  return head + counts + block + head + counts + block + "\n" + std::string(rule) + "\n";
}

Seconds utc(int y, int m, int d, int h = 0, int min = 0) {
  return wall_of({.year = y, .month = m, .day = d, .hour = h, .minute = min}).us / 1'000'000;
}

template <typename T>
ErrorCode code_of(const Result<T>& result) {
  return result ? ErrorCode::internal : result.error().code;
}

TEST(Zone, FixedNeverChanges) {
  const auto zone = Zone::fixed(-9000, "X");
  EXPECT_EQ(zone.at(0), (ZoneSpan{INT64_MIN, INT64_MAX, -9000, false, "X"}));
  const auto local = zone.local(0);
  EXPECT_EQ(local.kind, LocalMapping::Kind::unique);
  EXPECT_EQ(local.first.offset, -9000);
}

TEST(Zone, RuleOfTheFooterGoesOnWithoutEnd) {
  const auto zone = Zone::from_tzif(slim("EST5EDT,M3.2.0,M11.1.0"));
  ASSERT_TRUE(zone) << zone.error().message;
  for (const int year : {1999, 2026, 2037, 2038, 2100, 9998}) {
    EXPECT_EQ(zone->at(utc(year, 1, 15)).offset, -5 * kHour) << year;
    EXPECT_EQ(zone->at(utc(year, 7, 15)).offset, -4 * kHour) << year;
  }
  // 2026: the second Sunday of March is the 8th, the first of November the 1st.
  const auto summer = zone->at(utc(2026, 7, 1));
  EXPECT_EQ(summer.begin, utc(2026, 3, 8, 7));
  EXPECT_EQ(summer.end, utc(2026, 11, 1, 6));
  EXPECT_TRUE(summer.dst);
  EXPECT_EQ(summer.abbreviation, "EDT");
  EXPECT_EQ(zone->at(summer.begin - 1).abbreviation, "EST");
}

TEST(Zone, LocalTimesInGapAndOverlap) {
  const auto zone = Zone::from_tzif(slim("CET-1CEST,M3.5.0,M10.5.0/3"));
  ASSERT_TRUE(zone) << zone.error().message;
  const auto gap = zone->local(utc(2026, 3, 29, 2, 30));
  EXPECT_EQ(gap.kind, LocalMapping::Kind::gap);
  EXPECT_EQ(gap.first.offset, kHour);
  EXPECT_EQ(gap.second.offset, 2 * kHour);
  EXPECT_EQ(gap.second.begin, utc(2026, 3, 29, 1));
  const auto overlap = zone->local(utc(2026, 10, 25, 2, 30));
  EXPECT_EQ(overlap.kind, LocalMapping::Kind::overlap);
  EXPECT_EQ(overlap.first.offset, 2 * kHour);
  EXPECT_EQ(overlap.second.offset, kHour);
  // Both edges of each.
  EXPECT_EQ(zone->local(utc(2026, 3, 29, 1, 59)).kind, LocalMapping::Kind::unique);
  EXPECT_EQ(zone->local(utc(2026, 3, 29, 3, 0)).kind, LocalMapping::Kind::unique);
  EXPECT_EQ(zone->local(utc(2026, 10, 25, 1, 59)).kind, LocalMapping::Kind::unique);
  EXPECT_EQ(zone->local(utc(2026, 10, 25, 3, 0)).kind, LocalMapping::Kind::unique);
}

TEST(Zone, FormsOfRules) {
  // Both halves of the year south of the equator, a quoted name, days of the year, times beyond a day.
  const auto sydney = Zone::from_tzif(slim("AEST-10AEDT,M10.1.0,M4.1.0/3"));
  ASSERT_TRUE(sydney);
  EXPECT_EQ(sydney->at(utc(2026, 1, 1)).offset, 11 * kHour);
  EXPECT_EQ(sydney->at(utc(2026, 7, 1)).offset, 10 * kHour);

  const auto plain = Zone::from_tzif(slim("<+0545>-5:45"));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->at(0), (ZoneSpan{INT64_MIN, INT64_MAX, 20'700, false, "+0545"}));

  const auto julian = Zone::from_tzif(slim("AAA0BBB,J60/0,J300/0"));
  ASSERT_TRUE(julian);  // J60 is 1 March in every year
  EXPECT_EQ(julian->at(utc(2024, 7, 1)).begin, utc(2024, 3, 1));
  EXPECT_EQ(julian->at(utc(2025, 7, 1)).begin, utc(2025, 3, 1));

  const auto day = Zone::from_tzif(slim("AAA0BBB,59/0,300/0"));
  ASSERT_TRUE(day);  // day 59 is 29 February or 1 March
  EXPECT_EQ(day->at(utc(2024, 7, 1)).begin, utc(2024, 2, 29));
  EXPECT_EQ(day->at(utc(2025, 7, 1)).begin, utc(2025, 3, 1));

  const auto gaza = Zone::from_tzif(slim("EET-2EEST,M3.4.4/50,M10.4.4/50"));
  ASSERT_TRUE(gaza);
  EXPECT_EQ(gaza->at(utc(2025, 7, 1)).begin, utc(2025, 3, 29, 0));

  const auto always_summer = Zone::from_tzif(slim("XXX3EDT4,0/0,J365/23"));
  ASSERT_TRUE(always_summer);
  for (const auto t : {utc(2026, 1, 1), utc(2026, 6, 1), utc(2026, 12, 31, 23, 30)})
    EXPECT_EQ(always_summer->at(t).offset, -4 * kHour);
}

TEST(Zone, DamagedFilesAreErrors) {
  const auto good = slim("EST5EDT,M3.2.0,M11.1.0");
  for (std::size_t n = 0; n < good.size(); ++n)
    EXPECT_FALSE(Zone::from_tzif(good.substr(0, n))) << "cut to " << n << " bytes";
  for (const auto* rule : {"EST", "E5T5", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0", "<EST5",
                           "EST5EDT,M3.2.7,M11.1.0", "EST999", "EST5EDT,J0,J1", "EST5EDT,M3.2.0,M11.1.0x"})
    EXPECT_EQ(code_of(Zone::from_tzif(slim(rule))), ErrorCode::corrupt) << rule;
  auto many = good;
  many.replace(32, 4, "\xFF\xFF\xFF\xFF");  // the number of transitions
  EXPECT_FALSE(Zone::from_tzif(many));
}

TEST(ZoneTable, UtcOnly) {
  const auto table = ZoneTable::utc_only();
  ASSERT_TRUE(table.find("UTC"));
  EXPECT_EQ(table.find("UTC")->at(0).offset, 0);
  EXPECT_FALSE(table.find("Europe/Berlin"));
}

TEST(ZoneTable, LoadsADirectory) {
  namespace fs = std::filesystem;
  const auto dir = fs::path(testing::TempDir()) / "zones_test";
  fs::remove_all(dir);
  fs::create_directories(dir / "Area");
  fs::create_directories(dir / "right");
  const auto write = [&](const char* name, const std::string& content) {
    std::ofstream(dir / name, std::ios::binary) << content;
  };
  write("Area/City", slim("EST5EDT,M3.2.0,M11.1.0"));
  write("Link", slim("EST5EDT,M3.2.0,M11.1.0"));
  write("Broken", "TZif2 and no more");
  write("right/City", slim("EST5"));
  write("zone.tab", "not a zone");
  write("tzdata.zi", "# version 2031b\nrest\n");
  const auto table = ZoneTable::load(dir.string());
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->names(), (std::vector<std::string_view>{"Area/City", "Link"}));
  EXPECT_EQ(table->find("Area/City"), table->find("Link")) << "equal files share one zone";
  EXPECT_EQ(table->skipped(), std::vector<std::string>{"Broken"});
  EXPECT_EQ(table->version(), "2031b");
  fs::remove_all(dir);

  EXPECT_EQ(code_of(ZoneTable::load(dir.string())), ErrorCode::io);
}

TEST(ZoneTable, TheSystemsZones) {
  const auto table = ZoneTable::load();
  if (!table) GTEST_SKIP() << table.error().message;
  EXPECT_TRUE(table->skipped().empty());
  const auto* berlin = table->find("Europe/Berlin");
  ASSERT_TRUE(berlin);
  EXPECT_EQ(berlin->at(utc(2026, 1, 1)).offset, kHour);
  EXPECT_EQ(berlin->at(utc(2026, 7, 1)).offset, 2 * kHour);
  EXPECT_EQ(berlin->at(utc(2060, 7, 1)).offset, 2 * kHour);
  EXPECT_EQ(berlin->at(utc(1850, 1, 1)).abbreviation, "LMT");
  // Every span of every zone ends where the next one begins, and is found again from its local time.
  for (const auto name : table->names()) {
    const auto* zone = table->find(name);
    for (auto span = zone->at(utc(1900, 1, 1)); span.end < utc(2045, 1, 1);) {
      const auto next = zone->at(span.end);
      ASSERT_EQ(next.begin, span.end) << name;
      const auto mapping = zone->local(next.begin + next.offset);
      ASSERT_TRUE(mapping.first == next || mapping.second == next) << name << " at " << next.begin;
      span = next;
    }
  }
}

}  // namespace
}  // namespace baton::calendar

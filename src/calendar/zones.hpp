// The time zones of the IANA database as an immutable table: read once from the system's zoneinfo directory,
// never touched again, so that everything that computes with zones does no I/O and gives the same answer as
// long as it has the same table. The files are TZif (RFC 9636), both in their "fat" and in their "slim" form:
// after the last transition of a file its POSIX rule ("EST5EDT,M3.2.0,M11.1.0") goes on without end.
//
// Thread safety: const after load; any thread may read. A `const Zone*` lives as long as its table.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace baton::calendar {

// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
using Seconds = std::int64_t;

// What holds in a zone from `begin` to before `end`.
struct ZoneSpan {
  Seconds begin = INT64_MIN;  // INT64_MIN: since ever
  Seconds end = INT64_MAX;    // INT64_MAX: for ever
  std::int32_t offset = 0;    // local time = UTC + offset, seconds; east is positive
  bool dst = false;
  std::string_view abbreviation;  // "CET"; points into the zone

  friend bool operator==(const ZoneSpan&, const ZoneSpan&) = default;
};

// How a local time maps to instants: once, never (the clock sprang over it), or twice (the clock was set
// back).
struct LocalMapping {
  enum class Kind : std::uint8_t { unique, gap, overlap };
  Kind kind = Kind::unique;
  ZoneSpan first;   // unique: the span; gap: the span before the jump; overlap: the earlier reading
  ZoneSpan second;  // as first for unique; gap: the span after the jump; overlap: the later reading
};

class Zone {
 public:
  // From the bytes of one TZif file. Damaged input is an error (ErrorCode::corrupt).
  static Result<Zone> from_tzif(std::string_view bytes);
  // A zone that never changes.
  static Zone fixed(std::int32_t offset_seconds, std::string abbreviation);

  ZoneSpan at(Seconds instant) const;
  // `local` = seconds since 1970-01-01T00:00:00 on the zone's own clock.
  LocalMapping local(Seconds local) const;

 private:
  struct Type {
    std::int32_t offset = 0;
    bool dst = false;
    std::uint8_t abbreviation = 0;  // index into abbreviations_, ends at a NUL
    friend bool operator==(const Type&, const Type&) = default;
  };
  // One of the two days of the year on which the POSIX rule changes the clock.
  struct Change {
    enum class Form : std::uint8_t { month_week_day, julian_no_leap, day_of_year };
    Form form = Form::month_week_day;
    int month = 1, week = 1, day = 0;
    Seconds time = 7200;  // seconds after local midnight; may be negative or above a day

    Seconds in_year(int year) const;  // as local seconds since 1970
  };
  struct Rule {
    Type standard;
    std::optional<Type> summer;
    Change to_summer, to_standard;
  };

  Status read(std::string_view bytes);
  Status read_rule(std::string_view text);
  Result<std::uint8_t> add_abbreviation(std::string_view name);
  ZoneSpan span(Seconds begin, Seconds end, const Type& type) const;
  ZoneSpan by_rule(Seconds instant) const;

  std::vector<Seconds> transitions_;
  std::vector<std::uint8_t> type_after_;  // per transition
  std::vector<Type> types_;               // types_[0] holds before the first transition
  std::string abbreviations_;
  std::optional<Rule> rule_;
};

class ZoneTable {
 public:
  // Reads every zone below `directory`. A single damaged file is left out and named in `skipped()`; a
  // directory that cannot be read or holds no zone is an error.
  static Result<ZoneTable> load(const std::string& directory = "/usr/share/zoneinfo");
  // Only "UTC" and its usual names.
  static ZoneTable utc_only();

  // IANA name, exact ("Europe/Berlin", "US/Central", "UTC"); nullptr when there is none.
  const Zone* find(std::string_view name) const;
  // All names in byte order.
  std::vector<std::string_view> names() const;
  // The release of the database ("2024a"), or "unknown".
  const std::string& version() const { return version_; }
  const std::vector<std::string>& skipped() const { return skipped_; }

 private:
  std::map<std::string, std::shared_ptr<const Zone>, std::less<>> zones_;  // links share their zone
  std::string version_ = "unknown";
  std::vector<std::string> skipped_;
};

}  // namespace baton::calendar

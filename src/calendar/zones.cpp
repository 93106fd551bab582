#include "calendar/zones.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unordered_map>

namespace baton::calendar {
namespace {

constexpr Seconds kDay = 86'400;
// The last second of the year 9999: rules are not computed beyond it.
constexpr Seconds kLastInstant = 253'402'300'799;
constexpr std::size_t kMaxFileBytes = 1 << 20;

std::unexpected<Error> damaged(std::string what) {
  return fail(ErrorCode::corrupt, "damaged time zone file: " + std::move(what));
}

// A big-endian reader that never reads beyond its input.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool has(std::uint64_t n) const { return n <= bytes_.size() - at_; }
  std::string_view take(std::size_t n) {
    const auto part = bytes_.substr(at_, n);
    at_ += n;
    return part;
  }
  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (const char c : take(width)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view rest() const { return bytes_.substr(at_); }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

// The header of a data block, RFC 9636 section 3.1.
struct Header {
  char version = 0;
  std::uint64_t isut = 0, isstd = 0, leap = 0, time = 0, type = 0, chars = 0;

  std::uint64_t block_bytes(std::uint64_t width) const {
    return time * (width + 1) + type * 6 + chars + leap * (width + 4) + isstd + isut;
  }
};

Result<Header> read_header(Reader& in) {
  if (!in.has(44)) return damaged("the header is cut off");
  if (in.take(4) != "TZif") return damaged("it does not start with TZif");
  Header h;
  h.version = in.take(1)[0];
  in.take(15);
  for (auto* count : {&h.isut, &h.isstd, &h.leap, &h.time, &h.type, &h.chars}) *count = in.number(4);
  return h;
}

// The text form of a POSIX TZ rule, RFC 9636 section 3.3.1.
class RuleText {
 public:
  explicit RuleText(std::string_view text) : text_(text) {}

  bool done() const { return at_ == text_.size(); }
  bool skip(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool peek_digit_or_sign() const {
    return at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '+' || text_[at_] == '-');
  }
  std::optional<std::string> name() {
    const std::size_t start = at_;
    if (skip('<')) {
      while (at_ < text_.size() && text_[at_] != '>') ++at_;
      const auto inner = text_.substr(start + 1, at_ - start - 1);
      if (!skip('>') || inner.empty()) return std::nullopt;
      return std::string(inner);
    }
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    if (at_ == start) return std::nullopt;
    return std::string(text_.substr(start, at_ - start));
  }
  std::optional<int> number(int low, int high) {
    int value = 0;
    const std::size_t start = at_;
    while (at_ < text_.size() && is_digit(text_[at_]) && at_ - start < 5)
      value = value * 10 + (text_[at_++] - '0');
    if (at_ == start || value < low || value > high) return std::nullopt;
    return value;
  }
  // [+-]hh[:mm[:ss]] in seconds
  std::optional<Seconds> time() {
    const bool negative = skip('-');
    if (!negative) skip('+');
    const auto hours = number(0, 167);
    if (!hours) return std::nullopt;
    Seconds value = *hours * Seconds{3600};
    Seconds unit = 60;
    while (unit > 0 && skip(':')) {
      const auto part = number(0, 59);
      if (!part) return std::nullopt;
      value += *part * unit;
      unit = unit == 60 ? 1 : 0;
    }
    return negative ? -value : value;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

  std::string_view text_;
  std::size_t at_ = 0;
};

Seconds start_of(std::chrono::sys_days day) {
  return day.time_since_epoch().count() * kDay;
}

}  // namespace

Seconds Zone::Change::in_year(int year) const {
  namespace ch = std::chrono;
  const ch::year y(year);
  ch::sys_days date;
  switch (form) {
    case Form::month_week_day: {
      const auto m = ch::month(static_cast<unsigned>(month));
      const auto d = ch::weekday(static_cast<unsigned>(day));
      date = week == 5 ? ch::sys_days(y / m / d[ch::last])
                       : ch::sys_days(y / m / d[static_cast<unsigned>(week)]);
      break;
    }
    case Form::julian_no_leap:  // 1 … 365, 29 February is never counted
      date = ch::sys_days(y / 1 / 1) + ch::days(day - 1 + (y.is_leap() && day >= 60 ? 1 : 0));
      break;
    case Form::day_of_year:  // 0 … 365
      date = ch::sys_days(y / 1 / 1) + ch::days(day);
      break;
  }
  return start_of(date) + time;
}

Result<Zone> Zone::from_tzif(std::string_view bytes) {
  Zone zone;
  TRY_VOID(zone.read(bytes));
  return zone;
}

Zone Zone::fixed(std::int32_t offset_seconds, std::string abbreviation) {
  Zone zone;
  zone.abbreviations_ = std::move(abbreviation) + '\0';
  zone.types_ = {{.offset = offset_seconds}};
  return zone;
}

Status Zone::read(std::string_view bytes) {
  Reader in(bytes);
  TRY(Header h, read_header(in));
  std::uint64_t width = 4;
  if (h.version >= '2') {  // the first block repeats the data in 32 bits
    const auto first_block = h.block_bytes(4);
    if (!in.has(first_block)) return damaged("the first block is cut off");
    in.take(first_block);
    TRY(h, read_header(in));
    width = 8;
  }
  if (!in.has(h.block_bytes(width))) return damaged("the data block is cut off");
  if (h.type == 0 || h.type > 255 || h.chars == 0 || h.chars > 255) return damaged("impossible counts");

  transitions_.reserve(h.time);
  for (std::uint64_t i = 0; i < h.time; ++i) {
    const auto raw = in.number(width);
    const Seconds at = width == 4 ? static_cast<std::int32_t>(raw) : static_cast<Seconds>(raw);
    if (!transitions_.empty() && at <= transitions_.back()) return damaged("transitions are not in order");
    transitions_.push_back(at);
  }
  for (std::uint64_t i = 0; i < h.time; ++i) {
    const auto type = static_cast<std::uint8_t>(in.number(1));
    if (type >= h.type) return damaged("a transition to an unknown type");
    type_after_.push_back(type);
  }
  for (std::uint64_t i = 0; i < h.type; ++i) {
    Type type;
    type.offset = static_cast<std::int32_t>(in.number(4));
    type.dst = in.number(1) != 0;
    type.abbreviation = static_cast<std::uint8_t>(in.number(1));
    // RFC 9636 allows any offset but -2^31; a day and a bit covers every zone that ever was.
    if (type.offset < -93'599 || type.offset > 93'599) return damaged("an impossible offset");
    if (type.abbreviation >= h.chars) return damaged("an abbreviation out of range");
    types_.push_back(type);
  }
  abbreviations_ = in.take(h.chars);
  if (abbreviations_.back() != '\0') return damaged("an abbreviation without an end");
  in.take(h.leap * (width + 4) + h.isstd + h.isut);
  if (width == 4) return {};

  auto footer = in.rest();
  if (footer.size() < 2 || footer.front() != '\n') return damaged("the footer is missing");
  footer.remove_prefix(1);
  const auto end = footer.find('\n');
  if (end == std::string_view::npos) return damaged("the footer is cut off");
  return end == 0 ? Status() : read_rule(footer.substr(0, end));
}

Result<std::uint8_t> Zone::add_abbreviation(std::string_view name) {
  const auto known = abbreviations_.find(std::string(name) + '\0');
  if (known != std::string::npos && known < 256) return static_cast<std::uint8_t>(known);
  const auto at = abbreviations_.size();
  if (at > 255) return damaged("too many abbreviations");
  abbreviations_.append(name).push_back('\0');
  return static_cast<std::uint8_t>(at);
}

Status Zone::read_rule(std::string_view text) {
  const auto bad = [&] { return damaged("bad rule `" + std::string(text) + "`"); };
  RuleText in(text);
  Rule rule;

  const auto read_type = [&](Type& type, Seconds default_offset) -> Status {
    const auto name = in.name();
    if (!name) return bad();
    TRY(type.abbreviation, add_abbreviation(*name));
    Seconds offset = default_offset;
    if (in.peek_digit_or_sign()) {
      const auto west = in.time();
      if (!west || *west < -90'000 || *west > 90'000) return bad();
      offset = -*west;
    }
    type.offset = static_cast<std::int32_t>(offset);
    return {};
  };
  const auto read_change = [&](Change& change) -> Status {
    using Form = Change::Form;
    std::optional<int> a;
    if (!in.skip(',')) return bad();
    if (in.skip('M')) {
      const auto month = in.number(1, 12);
      const auto week = month && in.skip('.') ? in.number(1, 5) : std::nullopt;
      a = week && in.skip('.') ? in.number(0, 6) : std::nullopt;
      if (!a) return bad();
      change = {.form = Form::month_week_day, .month = *month, .week = *week, .day = *a};
    } else if (in.skip('J')) {
      if (!(a = in.number(1, 365))) return bad();
      change = {.form = Form::julian_no_leap, .day = *a};
    } else {
      if (!(a = in.number(0, 365))) return bad();
      change = {.form = Form::day_of_year, .day = *a};
    }
    if (in.skip('/')) {
      const auto time = in.time();
      if (!time) return bad();
      change.time = *time;
    }
    return {};
  };

  TRY_VOID(read_type(rule.standard, INT32_MAX));
  if (rule.standard.offset == INT32_MAX) return bad();
  if (!in.done()) {
    Type summer{.dst = true};
    TRY_VOID(read_type(summer, rule.standard.offset + Seconds{3600}));
    rule.summer = summer;
    TRY_VOID(read_change(rule.to_summer));
    TRY_VOID(read_change(rule.to_standard));
    if (!in.done()) return bad();
  }
  rule_ = rule;
  return {};
}

ZoneSpan Zone::span(Seconds begin, Seconds end, const Type& type) const {
  return {begin, end, type.offset, type.dst,
          std::string_view(abbreviations_.c_str() +
                           std::min<std::size_t>(type.abbreviation, abbreviations_.size()))};
}

ZoneSpan Zone::by_rule(Seconds instant) const {
  if (!rule_->summer) return span(INT64_MIN, INT64_MAX, rule_->standard);
  namespace ch = std::chrono;
  instant = std::clamp(instant, -kLastInstant, kLastInstant);
  const auto day = ch::floor<ch::days>(ch::sys_seconds(ch::seconds(instant + rule_->standard.offset)));
  const int year = static_cast<int>(ch::year_month_day(day).year());

  struct Jump {
    Seconds at;
    bool to_summer;
  };
  std::array<Jump, 6> jumps;
  std::size_t n = 0;
  for (int y = year - 1; y <= year + 1; ++y) {
    jumps[n++] = {rule_->to_summer.in_year(y) - rule_->standard.offset, true};
    jumps[n++] = {rule_->to_standard.in_year(y) - rule_->summer->offset, false};
  }
  // Where summer time lasts all year, standard time ends in the same second in which it begins.
  std::sort(jumps.begin(), jumps.end(), [](const Jump& a, const Jump& b) {
    return a.at != b.at ? a.at < b.at : a.to_summer < b.to_summer;
  });
  const auto next = std::upper_bound(jumps.begin(), jumps.end(), instant,
                                     [](Seconds t, const Jump& jump) { return t < jump.at; });
  if (next == jumps.begin()) return span(INT64_MIN, next->at, rule_->standard);
  const auto& last = *std::prev(next);
  const Seconds end = next == jumps.end() ? INT64_MAX : next->at;
  return span(last.at, end, last.to_summer ? *rule_->summer : rule_->standard);
}

ZoneSpan Zone::at(Seconds instant) const {
  const auto next = std::upper_bound(transitions_.begin(), transitions_.end(), instant);
  const auto index = static_cast<std::size_t>(next - transitions_.begin());
  if (index == transitions_.size() && rule_) {
    auto found = by_rule(instant);
    if (!transitions_.empty()) found.begin = std::max(found.begin, transitions_.back());
    return found;
  }
  const Seconds end = next == transitions_.end() ? INT64_MAX : *next;
  if (index == 0) return span(INT64_MIN, end, types_[0]);
  return span(transitions_[index - 1], end, types_[type_after_[index - 1]]);
}

LocalMapping Zone::local(Seconds local) const {
  local = std::clamp(local, -kLastInstant, kLastInstant);
  // No offset is larger than two days, so the spans that can matter lie within that of UTC's reading.
  LocalMapping found;
  int readings = 0;
  ZoneSpan span = at(local - 2 * kDay);
  while (true) {
    const bool begun = span.begin == INT64_MIN || span.begin + span.offset <= local;
    const bool ended = span.end != INT64_MAX && span.end + span.offset <= local;
    if (begun && !ended) {
      if (readings++ == 0) found.first = span;
      found.second = span;
    }
    if (span.end == INT64_MAX || span.end > local + 2 * kDay) break;
    const ZoneSpan next = at(span.end);
    if (readings == 0 && ended && next.begin + next.offset > local) {
      return {LocalMapping::Kind::gap, span, next};
    }
    span = next;
  }
  found.kind = readings > 1 ? LocalMapping::Kind::overlap : LocalMapping::Kind::unique;
  return found;
}

namespace {

std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string content(std::istreambuf_iterator<char>(in), {});
  if (!in && !in.eof()) return std::nullopt;
  return content;
}

// "# version 2024a" in the first line of tzdata.zi, or the file +VERSION.
std::string read_version(const std::filesystem::path& root) {
  for (const auto* name : {"tzdata.zi", "+VERSION"}) {
    std::ifstream in(root / name);
    std::string line;
    if (!std::getline(in, line)) continue;
    constexpr std::string_view prefix = "# version ";
    if (line.starts_with(prefix)) line.erase(0, prefix.size());
    if (!line.empty() && line.size() < 32) return line;
  }
  return "unknown";
}

}  // namespace

Result<ZoneTable> ZoneTable::load(const std::string& directory) {
  namespace fs = std::filesystem;
  ZoneTable table;
  std::unordered_map<std::string, std::shared_ptr<const Zone>> by_content;
  std::error_code error;
  const fs::path root(directory);
  fs::recursive_directory_iterator it(root, fs::directory_options::skip_permission_denied, error);
  if (error)
    return fail(ErrorCode::io, "cannot read the time zones in " + directory + ": " + error.message(),
                directory);
  for (const fs::recursive_directory_iterator end; it != end; it.increment(error)) {
    if (error) break;
    const std::string name = it->path().lexically_relative(root).generic_string();
    // Copies with and without leap seconds, and links to whatever the host has chosen.
    if (name == "posix" || name == "right") it.disable_recursion_pending();
    if (name == "localtime" || name == "posixrules") continue;
    std::error_code ignored;
    if (!it->is_regular_file(ignored) || it->file_size(ignored) > kMaxFileBytes) continue;
    auto content = read_file(it->path());
    if (!content) {
      table.skipped_.push_back(name);
      continue;
    }
    if (!content->starts_with("TZif")) continue;
    auto& shared = by_content[*content];
    if (!shared) {
      auto zone = Zone::from_tzif(*content);
      if (!zone) {
        table.skipped_.push_back(name);
        continue;
      }
      shared = std::make_shared<const Zone>(std::move(*zone));
    }
    table.zones_.emplace(name, shared);
  }
  if (error)
    return fail(ErrorCode::io, "cannot read the time zones in " + directory + ": " + error.message(),
                directory);
  if (table.zones_.empty())
    return fail(ErrorCode::io, "no time zones in " + directory + ": is the package tzdata installed?",
                directory);
  std::sort(table.skipped_.begin(), table.skipped_.end());
  table.version_ = read_version(root);
  return table;
}

ZoneTable ZoneTable::utc_only() {
  ZoneTable table;
  const auto utc = std::make_shared<const Zone>(Zone::fixed(0, "UTC"));
  for (const auto* name : {"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Z", "Zulu"}) table.zones_.emplace(name, utc);
  return table;
}

const Zone* ZoneTable::find(std::string_view name) const {
  const auto found = zones_.find(name);
  return found == zones_.end() ? nullptr : found->second.get();
}

std::vector<std::string_view> ZoneTable::names() const {
  std::vector<std::string_view> result;
  result.reserve(zones_.size());
  for (const auto& [name, zone] : zones_) result.push_back(name);
  return result;
}

}  // namespace baton::calendar

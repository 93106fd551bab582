#include "calendar/cron.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace baton::calendar {
namespace {

enum class Part : std::uint8_t { second, minute, hour, day, month, weekday };

struct PartInfo {
  std::string_view title;
  int first;
  int last;
};
constexpr std::array<PartInfo, 6> kParts = {{{"second", 0, 59},
                                             {"minute", 0, 59},
                                             {"hour", 0, 23},
                                             {"day of month", 1, 31},
                                             {"month", 1, 12},
                                             {"day of week", 0, 7}}};
constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<int, 12> kLongest = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
constexpr std::array<std::string_view, 7> kNicknames = {"@yearly", "@annually", "@monthly", "@weekly",
                                                        "@daily",  "@midnight", "@hourly"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::optional<int> digits(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || text[0] == '-') return {};
  return number;
}

// One field. What it may match is only needed to see whether the whole can fire.
class Reader {
 public:
  Reader(Part part, std::string_view text) : part_(part), info_(kParts[static_cast<std::size_t>(part)]) {
    text_ = lower(text);
  }

  Status read() {
    for (const std::string_view item : split(text_, ",")) TRY_VOID(this->item(item));
    return {};
  }

  bool any() const { return any_; }
  bool has_special() const { return special_; }
  bool has(int value) const { return (bits_ >> value & 1) != 0; }

 private:
  Status wrong(std::string_view item, std::string_view why) const {
    return fail(ErrorCode::invalid_definition, "the " + std::string(info_.title) + " \"" +
                                                   printable(utf8_prefix(item, 40)) + "\" " +
                                                   std::string(why));
  }
  std::string range() const {
    std::string text = "from " + std::to_string(info_.first) + " to " + std::to_string(info_.last);
    if (part_ == Part::month) text += ", or jan to dec";
    if (part_ == Part::weekday) text += ", or sun to sat";
    return text;
  }

  std::optional<int> value(std::string_view text) const {
    if (part_ == Part::month) {
      const auto found = std::ranges::find(kMonths, text);
      if (found != kMonths.end()) return static_cast<int>(found - kMonths.begin()) + 1;
    }
    if (part_ == Part::weekday) {
      const auto found = std::ranges::find(kDays, text);
      if (found != kDays.end()) return static_cast<int>(found - kDays.begin());
    }
    const auto number = digits(text);
    if (!number || *number < info_.first || *number > info_.last) return std::nullopt;
    return number;
  }

  Status item(std::string_view item) {
    if (item.empty()) return wrong(text_, "has an empty part");
    if (part_ == Part::day && special_day(item)) return {};
    if (part_ == Part::weekday && special_weekday(item)) return {};
    const std::size_t slash = item.find('/');
    const std::string_view base = item.substr(0, slash);
    int step = 1;
    if (slash != std::string_view::npos) {
      const auto number = digits(item.substr(slash + 1));
      if (!number || *number < 1 || *number > info_.last) {
        return wrong(item, "has no step from 1 to " + std::to_string(info_.last) + " after `/`");
      }
      step = *number;
    }
    int first = info_.first;
    int last = info_.last;
    if (base == "*" || (base == "?" && (part_ == Part::day || part_ == Part::weekday))) {
      if (step == 1) any_ = true;
    } else if (base.starts_with('h')) {
      special_ = true;
      return hashed(base, item);
    } else if (const std::size_t dash = base.find('-'); dash != std::string_view::npos) {
      const auto from = value(base.substr(0, dash));
      const auto to = value(base.substr(dash + 1));
      if (!from || !to) return wrong(item, "is no range: both ends are " + range());
      const bool wraps = part_ == Part::weekday && *to < *from;
      if (*to < *from && !wraps) return wrong(item, "is a range that ends before it begins");
      first = *from;
      last = wraps ? *to + 7 : *to;
    } else {
      const auto number = value(base);
      if (!number) return wrong(item, "is none: it must be " + range());
      first = *number;
      if (slash == std::string_view::npos) last = first;
    }
    for (int v = first; v <= last; v += step) {
      bits_ |= std::uint64_t{1} << (part_ == Part::weekday ? v % 7 : v);
    }
    return {};
  }

  // H, H(a-b)
  Status hashed(std::string_view base, std::string_view item) const {
    base.remove_prefix(1);
    if (base.empty()) return {};
    if (base.size() > 2 && base.front() == '(' && base.back() == ')') {
      base = base.substr(1, base.size() - 2);
      const std::size_t dash = base.find('-');
      if (dash != std::string_view::npos) {
        const auto from = value(base.substr(0, dash));
        const auto to = value(base.substr(dash + 1));
        if (from && to && *from <= *to) return {};
      }
    }
    return wrong(item, "is none: write H, H/15 or H(1-5), with values " + range());
  }

  bool special_day(std::string_view item) {
    bool known = item == "l" || item == "lw";
    if (item.starts_with("l-")) {
      const auto days = digits(item.substr(2));
      known = days && *days <= 30;
    } else if (item.size() > 1 && item.back() == 'w') {
      const auto day = value(item.substr(0, item.size() - 1));
      known = known || day.has_value();
    }
    special_ = special_ || known;
    return known;
  }

  bool special_weekday(std::string_view item) {
    bool known = item == "l";
    if (item.size() > 1 && item.back() == 'l') known = value(item.substr(0, item.size() - 1)).has_value();
    if (const std::size_t hash = item.find('#'); hash != std::string_view::npos) {
      const auto nth = digits(item.substr(hash + 1));
      known = value(item.substr(0, hash)) && nth && *nth >= 1 && *nth <= 5;
    }
    special_ = special_ || known;
    return known;
  }

  Part part_;
  PartInfo info_;
  std::string text_;
  std::uint64_t bits_ = 0;
  bool any_ = false;
  bool special_ = false;  // has a part whose values are not in bits_
};

}  // namespace

Status check_cron(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  text = text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
  if (text.empty()) return fail(ErrorCode::invalid_definition, "the cron expression is empty");
  if (text.starts_with('@')) {
    const std::string word = lower(text);
    if (std::ranges::find(kNicknames, word) != kNicknames.end()) return {};
    const std::string_view meant = nearest(word, kNicknames);
    return fail(ErrorCode::invalid_definition,
                "\"" + printable(utf8_prefix(text, 40)) + "\" is no cron expression" +
                    (meant.empty() ? ": write five fields, or @hourly, @daily, @weekly, @monthly or @yearly"
                                   : ", did you mean " + std::string(meant) + "?"));
  }
  std::vector<std::string_view> fields = split(text, " \t");
  std::erase(fields, "");
  if (fields.size() != 5 && fields.size() != 6) {
    return fail(ErrorCode::invalid_definition,
                "a cron expression has five fields (minute, hour, day of month, month, day of week) or six "
                "(second first), not " +
                    std::to_string(fields.size()));
  }
  std::vector<Reader> parts;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    parts.emplace_back(static_cast<Part>(i + 6 - fields.size()), fields[i]);
    TRY_VOID(parts.back().read());
  }
  // A day that none of the months has, and no day of the week beside it: this would wait for ever.
  const Reader& day = parts[parts.size() - 3];
  const Reader& month = parts[parts.size() - 2];
  const Reader& weekday = parts[parts.size() - 1];
  if (day.any() || day.has_special() || month.has_special() || !weekday.any()) return {};
  for (int m = 1; m <= 12; ++m) {
    for (int d = 1; d <= kLongest[static_cast<std::size_t>(m - 1)]; ++d) {
      if (month.has(m) && day.has(d)) return {};
    }
  }
  return fail(ErrorCode::invalid_definition, "this never fires: no month that is named has that day");
}

}  // namespace baton::calendar

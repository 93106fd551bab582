#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "expr/library.hpp"
#include "expr/text.hpp"

namespace baton::expr {
namespace {

// Memory of one compiled pattern: far more than a usual one needs, a small part of what a hostile one wants.
constexpr std::int64_t kPatternBytes = std::int64_t{256} << 10;
// What a pattern costs that turns out to be too large: measured about 1 ms.
constexpr std::uint64_t kBadPatternSteps = 25'000;
constexpr std::size_t kPatternLength = 4096;

std::unexpected<Fault> out_of_range(std::int64_t index) {
  return fault("index out of range: " + std::to_string(index));
}

Outcome new_string(Budget& budget, std::string_view text) {
  if (!budget.make(text.size())) return budget.exhausted();
  return Value::string(std::string(text));
}

Outcome map_ascii(const Call& call, char first, char last, int shift) {
  const auto text = call.args[0].as_string();
  if (!call.budget.make(text.size())) return call.budget.exhausted();
  std::string out(text);
  for (char& c : out)
    if (c >= first && c <= last) c = static_cast<char>(c + shift);
  return Value::string(std::move(out));
}

// Unicode's White_Space.
bool is_space(std::uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

std::size_t previous_code_point(std::string_view text, std::size_t at) {
  do --at;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

// The third argument of indexOf and lastIndexOf as a byte offset.
std::optional<std::size_t> offset_argument(std::string_view text, std::int64_t index) {
  if (index < 0) return std::nullopt;
  return offset_of_code_point(text, static_cast<std::uint64_t>(index));
}

// Substring search is quadratic at worst ("aaa…" in "aaa…b"): measured 5 ns for each byte of the text, and
// more for needles over 256 bytes. It is charged for that.
bool spend_search(Budget& budget, std::string_view text, std::string_view needle) {
  if (needle.size() > text.size()) return budget.spend(1);
  return budget.spend(1 + text.size() / 8 * (1 + needle.size() / 512));
}

}  // namespace

Outcome size(const Call& call) {
  const Value& v = call.args[0];
  if (!v.is(Kind::string)) return Value::integer(static_cast<std::int64_t>(v.size()));
  if (!call.budget.spend_text(v.size())) return call.budget.exhausted();
  return Value::integer(static_cast<std::int64_t>(count_code_points(v.as_string())));
}

Outcome contains(const Call& call) {
  const auto text = call.args[0].as_string();
  const auto part = call.args[1].as_string();
  if (!spend_search(call.budget, text, part)) return call.budget.exhausted();
  return Value::boolean(text.find(part) != std::string_view::npos);
}

Outcome starts_with(const Call& call) {
  if (!call.budget.spend_text(call.args[1].size())) return call.budget.exhausted();
  return Value::boolean(call.args[0].as_string().starts_with(call.args[1].as_string()));
}

Outcome ends_with(const Call& call) {
  if (!call.budget.spend_text(call.args[1].size())) return call.budget.exhausted();
  return Value::boolean(call.args[0].as_string().ends_with(call.args[1].as_string()));
}

std::shared_ptr<const re2::RE2> compile_pattern(std::string_view pattern, std::string& error) {
  if (pattern.size() > kPatternLength) {
    error = "longer than " + std::to_string(kPatternLength) + " bytes";
    return nullptr;
  }
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kPatternBytes);
  auto compiled = std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (compiled->ok()) return compiled;
  error = compiled->error();
  return nullptr;
}

Outcome matches(const Call& call) {
  const auto text = call.args[0].as_string();
  const auto pattern = call.args[1].as_string();
  std::shared_ptr<const re2::RE2> compiled;
  const re2::RE2* expression = call.pattern;
  if (!expression) {
    // Measured: 2 µs for a short pattern, 0.3 µs for each instruction of its program.
    if (!call.budget.spend(100 + 2 * pattern.size())) return call.budget.exhausted();
    std::string error;
    compiled = compile_pattern(pattern, error);
    const auto cost = compiled ? static_cast<std::uint64_t>(compiled->ProgramSize()) * 16 : kBadPatternSteps;
    if (!call.budget.spend(cost)) return call.budget.exhausted();
    if (!compiled) return fault("not a regular expression: " + error);
    expression = compiled.get();
  }
  // RE2 runs in time linear in the text; its slowest engine also in the size of the program.
  const auto program = static_cast<std::uint64_t>(expression->ProgramSize());
  if (!call.budget.spend(4 + text.size() / 16 * (1 + program / 64))) return call.budget.exhausted();
  return Value::boolean(re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *expression));
}

Outcome char_at(const Call& call) {
  const auto text = call.args[0].as_string();
  const std::int64_t index = call.args[1].as_integer();
  if (!call.budget.spend_text(text.size())) return call.budget.exhausted();
  const auto at = offset_argument(text, index);
  if (!at) return out_of_range(index);
  if (*at == text.size()) return Value::string("");
  std::size_t end = *at;
  next_code_point(text, end);
  return Value::string(std::string(text.substr(*at, end - *at)));
}

Outcome index_of(const Call& call) {
  const auto text = call.args[0].as_string();
  const auto part = call.args[1].as_string();
  const std::int64_t index = call.args.size() > 2 ? call.args[2].as_integer() : 0;
  if (!spend_search(call.budget, text, part)) return call.budget.exhausted();
  const auto from = offset_argument(text, index);
  if (!from) return out_of_range(index);
  const auto found = text.find(part, *from);
  if (found == std::string_view::npos) return Value::integer(-1);
  return Value::integer(static_cast<std::int64_t>(count_code_points(text.substr(0, found))));
}

Outcome last_index_of(const Call& call) {
  const auto text = call.args[0].as_string();
  const auto part = call.args[1].as_string();
  if (!spend_search(call.budget, text, part)) return call.budget.exhausted();
  std::size_t from = std::string_view::npos;
  if (call.args.size() > 2) {
    const auto offset = offset_argument(text, call.args[2].as_integer());
    if (!offset) return out_of_range(call.args[2].as_integer());
    from = *offset;
  }
  const auto found = text.rfind(part, from);
  if (found == std::string_view::npos) return Value::integer(-1);
  return Value::integer(static_cast<std::int64_t>(count_code_points(text.substr(0, found))));
}

Outcome lower_ascii(const Call& call) {
  return map_ascii(call, 'A', 'Z', 'a' - 'A');
}
Outcome upper_ascii(const Call& call) {
  return map_ascii(call, 'a', 'z', 'A' - 'a');
}

Outcome substring(const Call& call) {
  const auto text = call.args[0].as_string();
  if (!call.budget.spend_text(text.size())) return call.budget.exhausted();
  const std::int64_t from = call.args[1].as_integer();
  const auto begin = offset_argument(text, from);
  if (!begin) return out_of_range(from);
  std::size_t end = text.size();
  if (call.args.size() > 2) {
    const std::int64_t to = call.args[2].as_integer();
    const auto offset = offset_argument(text, to);
    if (!offset) return out_of_range(to);
    if (to < from)
      return fault("invalid range of substring: start " + std::to_string(from) + ", end " +
                   std::to_string(to));
    end = *offset;
  }
  return new_string(call.budget, text.substr(*begin, end - *begin));
}

Outcome replace(const Call& call) {
  const auto text = call.args[0].as_string();
  const auto from = call.args[1].as_string();
  const auto to = call.args[2].as_string();
  std::int64_t left = call.args.size() > 3 ? call.args[3].as_integer() : -1;
  if (left == 0) return call.args[0];
  if (!spend_search(call.budget, text, from)) return call.budget.exhausted();
  std::string out;
  std::size_t at = 0;
  while (left != 0) {
    // An empty `from` stands before every code point and at the end.
    const std::size_t found = text.find(from, at);
    if (found == std::string_view::npos) break;
    if (!call.budget.make(found - at + to.size())) return call.budget.exhausted();
    out.append(text.substr(at, found - at)).append(to);
    at = found + from.size();
    if (left > 0) --left;
    if (from.empty()) {
      if (at == text.size()) break;
      std::size_t next = at;
      next_code_point(text, next);
      out.append(text.substr(at, next - at));
      at = next;
    }
  }
  if (!call.budget.make(text.size() - at)) return call.budget.exhausted();
  out.append(text.substr(at));
  return Value::string(std::move(out));
}

Outcome split(const Call& call) {
  const auto text = call.args[0].as_string();
  const auto separator = call.args[1].as_string();
  const std::int64_t limit = call.args.size() > 2 ? call.args[2].as_integer() : -1;
  std::vector<Value> parts;
  if (limit == 0) return Value::list(std::move(parts));
  if (!spend_search(call.budget, text, separator)) return call.budget.exhausted();
  const auto add = [&](std::string_view part) {
    if (!call.budget.make(sizeof(Value) + 32 + part.size())) return false;
    parts.push_back(Value::string(std::string(part)));
    return true;
  };
  std::size_t at = 0;
  while (limit < 0 || static_cast<std::int64_t>(parts.size()) + 1 < limit) {
    std::size_t found = text.find(separator, at);
    if (separator.empty()) {  // into code points
      if (at == text.size()) break;
      found = at;
      next_code_point(text, found);
      if (found == text.size()) break;
    }
    if (found == std::string_view::npos) break;
    if (!add(text.substr(at, found - at))) return call.budget.exhausted();
    at = found + separator.size();
  }
  const bool nothing = separator.empty() && text.empty();
  if (!nothing && !add(text.substr(at))) return call.budget.exhausted();
  return Value::list(std::move(parts));
}

Outcome join(const Call& call) {
  const Value& list = call.args[0];
  const auto separator = call.args.size() > 1 ? call.args[1].as_string() : std::string_view();
  std::string out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Value item = list.at(i);
    if (!item.is(Kind::string))
      return fault("join needs a list of strings, item " + std::to_string(i) + " is " +
                   std::string(kind_name(item.kind())));
    if (!call.budget.make(item.size() + separator.size())) return call.budget.exhausted();
    if (i > 0) out.append(separator);
    out.append(item.as_string());
  }
  return Value::string(std::move(out));
}

Outcome trim(const Call& call) {
  const auto text = call.args[0].as_string();
  if (!call.budget.spend_text(text.size())) return call.budget.exhausted();
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t next = begin;
    if (!is_space(next_code_point(text, next))) break;
    begin = next;
  }
  std::size_t end = text.size();
  while (end > begin) {
    const std::size_t last = previous_code_point(text, end);
    std::size_t at = last;
    if (!is_space(next_code_point(text, at))) break;
    end = last;
  }
  return new_string(call.budget, text.substr(begin, end - begin));
}

Outcome reverse(const Call& call) {
  const auto text = call.args[0].as_string();
  if (!call.budget.make(text.size()) || !call.budget.spend(text.size() / 16)) return call.budget.exhausted();
  std::string out(text.size(), '\0');
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    next_code_point(text, at);
    std::copy(text.begin() + static_cast<std::ptrdiff_t>(begin),
              text.begin() + static_cast<std::ptrdiff_t>(at), out.end() - static_cast<std::ptrdiff_t>(at));
  }
  return Value::string(std::move(out));
}

Outcome quote(const Call& call) {
  const auto text = call.args[0].as_string();
  if (!call.budget.make(2 * text.size() + 2) || !call.budget.spend(text.size() / 32))
    return call.budget.exhausted();
  constexpr std::string_view special = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view letters = "abfnrtv\\\"";
  std::string out = "\"";
  for (const char c : text) {
    const auto i = special.find(c);
    if (i == std::string_view::npos) {
      out += c;
    } else {
      out += '\\';
      out += letters[i];
    }
  }
  out += '"';
  return Value::string(std::move(out));
}

}  // namespace baton::expr

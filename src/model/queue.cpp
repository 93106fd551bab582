#include "model/queue.hpp"

#include <algorithm>
#include <tuple>

#include "base/codec.hpp"

namespace baton::model {
namespace {

constexpr std::string_view kWildcards = "*?";

// Goes back to the last star only, so it takes |pattern| × |text| steps at most.
bool fits(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t after = 0;  // where the text goes on behind what the last star stands for
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++after;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::size_t literals(std::string_view pattern) {
  return static_cast<std::size_t>(
      std::ranges::count_if(pattern, [](char c) { return kWildcards.find(c) == std::string_view::npos; }));
}

}  // namespace

Record to_record(const QueueRow& row) {
  Encoder out;
  out.number(1, row.max_waiting);
  for (const auto& [key, weight] : row.weights) {
    Encoder one;
    one.bytes(1, key);
    one.number(2, weight);
    out.message(2, one);
  }
  out.bytes(3, row.by);
  out.bytes(4, row.why);
  return {queue_key(row.name), "", row.at, out.take()};
}

Result<QueueRow> queue_of(const Record& record) {
  QueueRow row{.name = record.id.key, .at = record.at};
  Decoder in(record.state);
  bool damaged = false;
  while (in.next()) {
    if (in.field() == 1) row.max_waiting = static_cast<std::uint32_t>(in.number());
    if (in.field() == 2) {
      Decoder one(in.bytes());
      std::string key;
      std::uint64_t weight = 0;
      while (one.next()) {
        if (one.field() == 1) key = one.bytes();
        if (one.field() == 2) weight = one.number();
      }
      damaged |= one.failed() || weight == 0 || weight > kMostWeight;
      row.weights[key] = static_cast<std::uint32_t>(weight);
    }
    if (in.field() == 3) row.by = in.bytes();
    if (in.field() == 4) row.why = in.bytes();
  }
  if (in.failed() || damaged) {
    return fail(ErrorCode::corrupt, "the record of queue " + row.name + " is damaged");
  }
  return row;
}

Record to_record(const RouteRow& row) {
  Encoder out;
  out.bytes(1, row.queue);
  out.bytes(2, row.by);
  out.bytes(3, row.why);
  return {route_key(row.pattern), "", row.at, out.take()};
}

Result<RouteRow> route_of(const Record& record) {
  RouteRow row{.pattern = record.id.key, .at = record.at};
  Decoder in(record.state);
  while (in.next()) {
    if (in.field() == 1) row.queue = in.bytes();
    if (in.field() == 2) row.by = in.bytes();
    if (in.field() == 3) row.why = in.bytes();
  }
  if (in.failed() || row.queue.empty()) {
    return fail(ErrorCode::corrupt, "the record of route " + row.pattern + " is damaged");
  }
  return row;
}

bool matches(std::string_view pattern, std::string_view workflow, std::string_view step) {
  if (pattern.find('/') == std::string_view::npos) return fits(pattern, step);
  std::string name(workflow);
  name += '/';
  name += step;
  return fits(pattern, name);
}

bool says_more(std::string_view pattern, std::string_view other) {
  return std::tuple(literals(other), other.size(), pattern) <
         std::tuple(literals(pattern), pattern.size(), other);
}

}  // namespace baton::model

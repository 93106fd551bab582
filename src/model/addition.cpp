#include "model/addition.hpp"

#include <charconv>
#include <cstring>

#include "base/codec.hpp"

namespace baton::model {
namespace {

constexpr std::size_t kDigits = 10;  // of an ordinal: keys are compared as text

std::string padded(Ordinal ordinal) {
  const std::string digits = std::to_string(ordinal);
  return std::string(kDigits - digits.size(), '0') + digits;
}

}  // namespace

std::string additions_of(const RunId& run) {
  return run.text() + '+';
}

Record record_of(const Addition& addition) {
  Encoder out;
  out.number(1, addition.count);
  out.number(2, addition.parent);
  out.number(3, addition.parent_step);
  out.number(4, addition.generation);
  out.number(5, addition.detach ? 1 : 0);
  // One more than the ordinal: a zero would be left out.
  for (const Ordinal place : addition.outside) out.number(6, std::uint64_t{place} + 1);
  out.bytes(7, {reinterpret_cast<const char*>(addition.hash.bytes.data()), addition.hash.bytes.size()});
  out.bytes(8, addition.text);
  out.bytes(9, addition.scope);
  return {.id = {RecordKind::addition, additions_of(addition.run) + padded(addition.first)},
          .group = {},
          .at = addition.at,
          .state = out.take()};
}

Result<Addition> addition_of(const Record& record) {
  const auto damaged = [&] {
    return fail(ErrorCode::corrupt, "the added tasks " + record.id.key + " are damaged");
  };
  Addition addition;
  const std::string_view key = record.id.key;
  const std::size_t plus = key.find('+');
  if (plus == std::string_view::npos || key.size() != plus + 1 + kDigits) return damaged();
  const auto run = RunId::parse(key.substr(0, plus));
  const char* end = key.data() + key.size();
  const auto [stop, error] = std::from_chars(key.data() + plus + 1, end, addition.first);
  if (!run || error != std::errc{} || stop != end) return damaged();
  addition.run = *run;
  addition.at = record.at;
  addition.generation = 0;
  Decoder in(record.state);
  while (in.next()) {
    const auto n = static_cast<std::uint32_t>(in.number());
    switch (in.field()) {
      case 1:
        addition.count = n;
        break;
      case 2:
        addition.parent = n;
        break;
      case 3:
        addition.parent_step = n;
        break;
      case 4:
        addition.generation = n;
        break;
      case 5:
        addition.detach = n != 0;
        break;
      case 6:
        if (n == 0) return damaged();
        addition.outside.push_back(n - 1);
        break;
      case 7:
        if (in.bytes().size() != addition.hash.bytes.size()) return damaged();
        std::memcpy(addition.hash.bytes.data(), in.bytes().data(), in.bytes().size());
        break;
      case 8:
        addition.text = in.bytes();
        break;
      case 9:
        addition.scope = in.bytes();
        break;
      default:
        break;
    }
  }
  if (in.failed() || addition.count == 0 || addition.generation == 0) return damaged();
  return addition;
}

}  // namespace baton::model

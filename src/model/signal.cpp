#include "model/signal.hpp"

#include <charconv>

#include "base/codec.hpp"

namespace baton::model {
namespace {

constexpr std::size_t kDigits = 10;

// So that the order of the keys is that of the numbers.
std::string digits(std::uint32_t number) {
  std::string text = std::to_string(number);
  return std::string(kDigits - text.size(), '0') + text;
}

std::unexpected<Error> damaged(const Record& record) {
  return fail(ErrorCode::corrupt, "the record of signal " + record.id.key + " is damaged");
}

bool read_number(std::string_view text, std::uint32_t& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size() && text.size() == kDigits;
}

}  // namespace

std::string signals_key(const RunId& run) {
  return run.text() + "/";
}
std::string signals_key(const RunId& run, std::string_view name) {
  return signals_key(run) + std::string(name) + "/";
}

Record to_record(const Signal& signal) {
  Encoder out;
  out.bytes(1, signal.data);
  out.bytes(2, signal.by);
  return {{RecordKind::signal, signals_key(signal.run, signal.name) + digits(signal.number)},
          signal.run.text(),
          signal.at,
          out.take()};
}

Result<Signal> signal_of(const Record& record) {
  const std::string& key = record.id.key;
  const std::size_t first = key.find('/');
  const std::size_t last = key.rfind('/');
  Signal signal;
  if (first == std::string::npos || last <= first ||
      !read_number(std::string_view(key).substr(last + 1), signal.number))
    return damaged(record);
  const auto run = RunId::parse(std::string_view(key).substr(0, first));
  if (!run) return damaged(record);
  signal.run = *run;
  signal.name = key.substr(first + 1, last - first - 1);
  signal.at = record.at;
  Decoder in(record.state);
  while (in.next()) {
    if (in.field() == 1) signal.data = in.bytes();
    if (in.field() == 2) signal.by = in.bytes();
  }
  if (in.failed()) return damaged(record);
  return signal;
}

}  // namespace baton::model

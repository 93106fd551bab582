#include "model/draft.hpp"

#include "base/codec.hpp"

namespace baton::model {
namespace {

constexpr std::size_t kMaxName = 128;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

Record to_record(const Draft& draft) {
  Encoder out;
  out.bytes(1, draft.title);
  out.bytes(2, draft.description);
  out.bytes(3, draft.by);
  return {draft_key(draft.name), "", draft.at, out.take()};
}

Result<Draft> draft_of(const Record& record) {
  Draft draft{.name = record.id.key, .at = record.at};
  Decoder in(record.state);
  while (in.next()) {
    if (in.field() == 1) draft.title = in.bytes();
    if (in.field() == 2) draft.description = in.bytes();
    if (in.field() == 3) draft.by = in.bytes();
  }
  if (in.failed())
    return fail(ErrorCode::corrupt, "the record of the draft " + record.id.key + " is damaged");
  return draft;
}

std::string name_from_title(std::string_view title) {
  std::string name;
  for (const char given : title) {
    const char c = given >= 'A' && given <= 'Z' ? static_cast<char>(given - 'A' + 'a') : given;
    if (is_letter_or_digit(c) || ((c == '.' || c == '_') && !name.empty())) {
      name += c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
    if (name.size() == kMaxName) break;
  }
  while (!name.empty() && !is_letter_or_digit(name.back())) name.pop_back();
  return name;
}

std::string numbered_name(std::string_view name, std::size_t number) {
  if (number <= 1) return std::string(name);
  const std::string suffix = '-' + std::to_string(number);
  return std::string(name.substr(0, kMaxName - suffix.size())) + suffix;
}

}  // namespace baton::model

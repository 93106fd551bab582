#include "model/dead_letter.hpp"

#include <algorithm>
#include <charconv>

#include "base/codec.hpp"
#include "base/hash.hpp"

namespace baton::model {
namespace {

constexpr std::size_t kCompared = 300;   // bytes of a message
constexpr std::size_t kShortestHex = 8;  // digits; shorter runs of a–f may be words

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::uint32_t small(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}

}  // namespace

std::string dead_letter_id(const TaskId& task, std::uint32_t generation) {
  return task.text() + '.' + std::to_string(generation);
}

bool is_dead_letter_id(std::string_view text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || dot + 1 == text.size()) return false;
  return std::ranges::all_of(text.substr(dot + 1), is_digit) &&
         TaskId::parse(text.substr(0, dot)).has_value();
}

std::string without_particulars(std::string_view message) {
  std::string out;
  const std::string_view text = message.substr(0, kCompared);
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    bool digits = false;
    while (end < text.size() && (is_hex(text[end]) || (end > at && text[end] == '-'))) {
      digits |= is_digit(text[end]);
      ++end;
    }
    const bool word_follows = end < text.size() && is_letter(text[end]);
    const bool inside_word = at > 0 && is_letter(text[at - 1]);
    const bool all_digits = end > at && std::ranges::all_of(text.substr(at, end - at), is_digit);
    if (digits && (all_digits || (end - at >= kShortestHex && !word_follows && !inside_word))) {
      out += '#';
      at = end;
    } else if (is_digit(text[at])) {
      while (at < text.size() && is_digit(text[at])) ++at;
      out += '#';
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::string failure_signature(const DeadLetter& letter) {
  constexpr std::size_t kDigits = 12;
  std::string text;
  for (const std::string_view part : {std::string_view(letter.workflow), std::string_view(letter.step),
                                      std::string_view(letter.error_type)}) {
    text += part;
    text += '\n';
  }
  return Hash256::of(text + without_particulars(letter.error_message)).hex().substr(0, kDigits);
}

Record to_record(const DeadLetter& letter) {
  Encoder out;
  out.bytes(1, letter.task.text());
  out.number(2, letter.generation);
  out.bytes(3, letter.workflow);
  out.number(4, letter.version);
  out.bytes(5, letter.step);
  out.signed_number(6, letter.index);
  out.bytes(7, letter.queue);
  out.bytes(8, letter.job_id);
  out.bytes(9, letter.error_type);
  out.bytes(10, letter.error_message);
  out.number(11, letter.attempts);
  out.number(12, letter.starts);
  out.number(13, letter.lost);
  out.number(14, letter.interrupted);
  out.bytes(15, letter.worker);
  out.signed_number(16, letter.queued_at.us);
  out.signed_number(17, letter.started_at.us);
  return {{RecordKind::dead_letter, dead_letter_id(letter.task, letter.generation)},
          failure_signature(letter),
          letter.failed_at,
          out.take()};
}

Result<DeadLetter> dead_letter_of(const Record& record) {
  DeadLetter letter;
  letter.index = 0;
  letter.failed_at = record.at;
  Decoder in(record.state);
  bool sound = true;
  while (in.next()) {
    switch (in.field()) {
      case 1:
        if (const auto task = TaskId::parse(in.bytes())) {
          letter.task = *task;
        } else {
          sound = false;
        }
        break;
      case 2:
        letter.generation = small(in.number());
        break;
      case 3:
        letter.workflow = in.bytes();
        break;
      case 4:
        letter.version = small(in.number());
        break;
      case 5:
        letter.step = in.bytes();
        break;
      case 6:
        letter.index = static_cast<std::int32_t>(in.signed_number());
        break;
      case 7:
        letter.queue = in.bytes();
        break;
      case 8:
        letter.job_id = in.bytes();
        break;
      case 9:
        letter.error_type = in.bytes();
        break;
      case 10:
        letter.error_message = in.bytes();
        break;
      case 11:
        letter.attempts = small(in.number());
        break;
      case 12:
        letter.starts = small(in.number());
        break;
      case 13:
        letter.lost = small(in.number());
        break;
      case 14:
        letter.interrupted = small(in.number());
        break;
      case 15:
        letter.worker = in.bytes();
        break;
      case 16:
        letter.queued_at.us = in.signed_number();
        break;
      case 17:
        letter.started_at.us = in.signed_number();
        break;
      default:
        break;  // of a newer version
    }
  }
  if (!sound || in.failed()) {
    return fail(ErrorCode::corrupt, "dead letter " + record.id.key + " is damaged");
  }
  return letter;
}

}  // namespace baton::model

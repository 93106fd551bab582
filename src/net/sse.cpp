#include "net/sse.hpp"

#include <charconv>
#include <utility>

namespace baton::net {
namespace {

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (char c : value) {
    if (c != '\r' && c != '\n') out += c;
  }
  out += '\n';
}

void append_lines(std::string& out, std::string_view prefix, std::string_view text) {
  for (;;) {
    const auto end = text.find_first_of("\r\n");
    out.append(prefix).append(text.substr(0, end)).append("\n");
    if (end == text.npos) return;
    const bool crlf = text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
    text.remove_prefix(end + (crlf ? 2 : 1));
  }
}

}  // namespace

std::string sse_event(std::string_view id, std::string_view event, std::string_view data) {
  std::string out;
  out.reserve(id.size() + event.size() + data.size() + 32);
  if (!id.empty()) append_line(out, "id", id);
  if (!event.empty()) append_line(out, "event", event);
  append_lines(out, "data: ", data);
  out += '\n';
  return out;
}

std::string sse_comment(std::string_view text) {
  std::string out;
  append_lines(out, ": ", text);
  out += '\n';
  return out;
}

Status SseParser::feed(std::string_view bytes, const std::function<bool(SseEvent)>& on_event) {
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const auto end = bytes.find_first_of("\r\n");
    const auto piece = bytes.substr(0, end);
    if (line_.size() + data_.size() + piece.size() > max_event_) {
      return fail(ErrorCode::too_large,
                  "an event of the stream is larger than " + std::to_string(max_event_) + " bytes");
    }
    line_ += piece;
    if (end == bytes.npos) return {};
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    end_of_line();
    if (!std::exchange(dispatch_, false)) continue;
    last_id_ = id_;
    auto event = std::exchange(event_, {});
    auto data = std::exchange(data_, {});
    if (!std::exchange(has_data_, false)) continue;
    data.pop_back();  // the line feed behind the last line
    if (!on_event({last_id_, event.empty() ? "message" : std::move(event), std::move(data)})) return {};
  }
  return {};
}

void SseParser::end_of_line() {
  const std::string owned = std::exchange(line_, {});
  std::string_view line = owned;
  if (std::exchange(first_line_, false) && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  if (line.empty()) {
    dispatch_ = true;
    return;
  }
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  auto value = colon == line.npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "data") {
    has_data_ = true;
    data_.append(value) += '\n';
  } else if (name == "event") {
    event_ = value;
  } else if (name == "id") {
    if (value.find('\0') == value.npos) id_ = value;
  } else if (name == "retry") {
    std::int64_t ms = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), ms);
    const bool digits = !value.empty() && value.front() != '-' && end == value.data() + value.size();
    if (digits && error == std::errc() && ms <= 86'400'000) retry_ = Duration::millis(ms);
  }
}

}  // namespace baton::net

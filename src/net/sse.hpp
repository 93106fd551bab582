// Server-sent events (WHATWG HTML, "Server-sent events", §9.2): the text form both ways. Pure; no I/O.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"

namespace baton::net {

struct SseEvent {
  std::string id;     // the last id that the stream has named up to here; where to resume
  std::string event;  // "message" if the stream names none
  std::string data;   // lines joined by '\n'

  friend bool operator==(const SseEvent&, const SseEvent&) = default;
};

// The bytes of one event. Empty `id` or `event`: the field is left out. Line breaks in `data` become several
// data lines (CR LF and CR arrive as LF); in `id` and `event` they are dropped. A reader ignores an
// `id` with a NUL in it.
std::string sse_event(std::string_view id, std::string_view event, std::string_view data);
// A comment: ignored by the reader, keeps the connection alive.
std::string sse_comment(std::string_view text);

// Reads a stream from pieces cut anywhere.
class SseParser {
 public:
  // `max_event`: limit for the bytes of one event's fields.
  explicit SseParser(std::size_t max_event = 4 * 1024 * 1024) : max_event_(max_event) {}

  // Calls `on_event` for every event that became complete; false from it ends the reading (the rest of
  // `bytes` is dropped). Events without data are not delivered. too_large: an event or line is over the
  // limit; the parser is unusable then.
  Status feed(std::string_view bytes, const std::function<bool(SseEvent)>& on_event);
  // For the Last-Event-ID field when reconnecting.
  const std::string& last_id() const { return last_id_; }
  // How long the stream wants its reader to wait before reconnecting, if it has said so.
  std::optional<Duration> retry() const { return retry_; }

 private:
  void end_of_line();

  std::size_t max_event_;
  std::string line_;
  bool first_line_ = true;
  bool after_cr_ = false;
  bool dispatch_ = false;  // a blank line was seen
  bool has_data_ = false;
  std::string event_;
  std::string data_;
  std::string id_;  // takes effect with the event's end
  std::string last_id_;
  std::optional<Duration> retry_;
};

}  // namespace baton::net

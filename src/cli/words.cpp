#include "cli/words.hpp"

#include <chrono>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "cli/output.hpp"

namespace baton::cli {

namespace json = boost::json;

std::string_view symbol(std::string_view status) {
  if (status == "completed") return "✓";
  if (status == "failed") return "✗";
  if (status == "running") return "●";
  if (status == "retrying" || status == "recovering") return "↻";
  if (status == "skipped") return "–";
  if (status == "cancelled" || status == "cancelling") return "⊘";
  if (status == "queued") return "◌";
  return "○";
}

std::string in_colour_of(std::string_view status, std::string_view text, const Style& style) {
  if (status == "completed") return style.green(text);
  if (status == "failed") return style.red(text);
  if (status == "running") return style.blue(text);
  if (status == "retrying" || status == "recovering" || status == "cancelling") return style.yellow(text);
  return style.dim(text);
}

std::string short_duration(Duration duration) {
  const std::int64_t tenths = std::max<std::int64_t>(duration.us, 0) / 100'000;
  const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  if (tenths < 600) return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + 's';
  const std::int64_t seconds = tenths / 10;
  if (seconds < 3600) return std::to_string(seconds / 60) + "m " + two(seconds % 60) + 's';
  const std::int64_t hours = seconds / 3600;
  if (hours < 48) return std::to_string(hours) + "h " + two(seconds / 60 % 60) + 'm';
  return std::to_string(hours / 24) + "d " + two(hours % 24) + 'h';
}

std::string delay_of(const boost::json::object& event) {
  const auto us = static_cast<std::int64_t>(number_of(event, "delay") * 1e6);
  return us < 1'000'000 ? std::to_string(us / 1000) + "ms" : short_duration(Duration::micros(us));
}

std::string duration_of(const boost::json::object& object, std::optional<WallTime> now) {
  const auto* duration = object.if_contains("duration");
  if (duration != nullptr && !duration->is_null()) {
    return short_duration(Duration::micros(static_cast<std::int64_t>(number_of(object, "duration") * 1e6)));
  }
  const std::string started = text_of(object, "started_at");
  if (!now || started.empty() || !text_of(object, "ended_at").empty()) return "";
  const auto from = parse_rfc3339(started);
  return from ? short_duration(*now - *from) : "";
}

std::string short_time(const boost::json::object& object, std::string_view field) {
  std::string text = cell_of(object, field);
  if (text.size() < 19) return text;
  text.resize(19);
  text[10] = ' ';
  return text;
}

std::string error_of(const boost::json::object& object) {
  const auto* error = object_of(object, "error");
  return error == nullptr ? "" : cell_of(*error, "type") + ": " + cell_of(*error, "message");
}

std::string full_error_of(const boost::json::object& object, std::string_view margin) {
  const auto* error = object_of(object, "error");
  if (error == nullptr) return "";
  std::string text = cell_of(*error, "type") + ": ";
  const std::string message = text_of(*error, "message");
  std::string_view rest = message;
  while (rest.ends_with('\n')) rest.remove_suffix(1);
  for (bool first = true; first || !rest.empty(); first = false) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!first) text += '\n' + std::string(margin);
    text += printable(line);
  }
  return text;
}

WallTime wall_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

Result<WallTime> instant_of(std::string_view flag, const std::string& text) {
  if (const auto at = parse_rfc3339(text)) return *at;
  if (const auto ago = parse_duration(text)) return wall_now() - *ago;
  return fail(ErrorCode::usage,
              std::string(flag) +
                  " takes an instant such as 2026-11-21T08:00:00Z, or how long ago, such as "
                  "10m; not " +
                  printable(text));
}

std::string step_of(const json::object& task) {
  const std::string index = cell_of(task, "index");
  const std::string role = cell_of(task, "role");
  return (role.empty() || role == "main" ? "" : role + " of ") + cell_of(task, "step") +
         (index.empty() ? "" : '[' + index + ']');
}

std::string progress_of(const json::object& task) {
  const std::string percent = cell_of(task, "progress");
  const std::string message =
      cell_of(task, task.contains("progress_message") ? "progress_message" : "message");
  if (percent.empty()) return message;
  return percent + (message.empty() ? "%" : "% " + message);
}

std::string wait_of(const json::object& task) {
  const json::object* nested = object_of(task, "waits_for");
  const json::object& wait = nested != nullptr ? *nested : task;
  const std::string what = cell_of(wait, "for");
  if (what == "signal") return "signal " + cell_of(wait, "signal");
  if (what == "approval") {
    const std::string question = cell_of(wait, "question");
    return question.empty() ? "an approval" : "an approval: " + question;
  }
  if (what == "poll") return "a poll";
  if (what == "run") return "run " + cell_of(wait, "run");
  return what.empty() ? "" : "time, until " + short_time(wait, "until");
}

}  // namespace baton::cli

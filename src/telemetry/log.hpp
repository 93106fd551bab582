// What Baton says of itself while it runs: one line per event, for people (text) or machines (JSON lines).
//
// Lines have names and ids, never inputs, results, environments or texts that tasks have made: those are in
// the run, which its id leads to.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/time.hpp"

namespace baton::telemetry {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
enum class LogFormat : std::uint8_t { text, json };
std::string_view name(LogLevel level);
std::optional<LogLevel> log_level_from(std::string_view name);
std::optional<LogFormat> log_format_from(std::string_view name);

struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double> value;
};

struct LogOptions {
  LogLevel level = LogLevel::info;  // what is less is left out
  LogFormat format = LogFormat::text;
  std::string file;               // "" = standard error
  std::function<WallTime()> now;  // must be there
};

// Lines that are written together.
class LogLines {
 public:
  // What is less than `level` is left out. `at`: when it happened.
  LogLines(LogFormat format, LogLevel level, WallTime at) : format_(format), level_(level), at_(at) {}

  bool takes(LogLevel level) const { return level >= level_; }
  // As Log::write().
  void add(LogLevel level, std::string_view event, std::string_view message,
           std::span<const LogField> fields);
  bool empty() const { return text_.empty(); }

 private:
  friend class Log;

  LogFormat format_;
  LogLevel level_;
  WallTime at_;
  std::string time_;  // `at_` as text, once something was added
  std::string text_;
};

// Thread-safe. Whole lines are one write(2) of at most PIPE_BUF bytes, if they are no longer: lines of
// several processes do not mix. What cannot be written (a full disk) is dropped, and counted in the next line
// that can.
class Log {
 public:
  // io or read_only: the file cannot be opened. It is made with mode 0600, and appended to.
  static Result<std::unique_ptr<Log>> open(LogOptions options);

  bool takes(LogLevel level) const { return level >= options_.level; }
  // `event` is one of a few names ("run.ended"); `message` a sentence for people.
  void write(LogLevel level, std::string_view event, std::string_view message,
             std::span<const LogField> fields = {});
  // Lines of one moment: add to them, then write them.
  LogLines lines(WallTime at) const { return {options_.format, options_.level, at}; }
  void write(const LogLines& lines);
  void write(LogLevel level, std::string_view event, std::string_view message,
             std::initializer_list<LogField> fields) {
    write(level, event, message, std::span(fields.begin(), fields.size()));
  }
  // Opens the file again by its name, after somebody has moved it away. Fails as open(); the old one stays
  // then.
  Status reopen();

 private:
  explicit Log(LogOptions options) : options_(std::move(options)) {}
  void write_some(std::string_view lines);  // under the lock

  const LogOptions options_;
  std::mutex mutex_;  // guards the rest
  Fd file_;           // none: standard error
  std::int64_t dropped_ = 0;
};

}  // namespace baton::telemetry

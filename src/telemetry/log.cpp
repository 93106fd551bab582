#include "telemetry/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <span>
#include <utility>

#include "base/text.hpp"

namespace baton::telemetry {
namespace {

constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};

// Whether JSON takes it as it is.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; });
}

// RFC 8259; `text` is made UTF-8 first.
void append_json(std::string_view text, std::string& out) {
  out += '"';
  if (is_plain(text)) {
    out.append(text) += '"';
    return;
  }
  for (const char c : to_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      constexpr std::string_view kHex = "0123456789abcdef";
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 0xF];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_printable(std::string_view text, std::string& out) {
  if (is_plain(text)) {
    out += text;
  } else {
    out += printable(text);
  }
}

template <typename Number>
void append_number(Number number, std::string& out) {
  std::array<char, 32> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), error == std::errc{} ? end : digits.data());
}

void append_value(const LogField& field, bool quoted, std::string& out) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    if (quoted || text->empty() || text->find_first_of(" \"=\\") != std::string_view::npos) {
      append_json(*text, out);
    } else {
      append_printable(*text, out);
    }
  } else if (const auto* whole = std::get_if<std::int64_t>(&field.value)) {
    append_number(*whole, out);
  } else {
    append_number(std::get<double>(field.value), out);
  }
}

Result<Fd> open_file(const std::string& path) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (file) return file;
  const bool refused = errno == EACCES || errno == EPERM || errno == EROFS || errno == ENOSPC;
  return fail(refused ? ErrorCode::read_only : ErrorCode::io,
              "cannot open the log " + path + ": " + errno_text(errno), path);
}

}  // namespace

std::string_view name(LogLevel level) {
  return kLevels[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> log_level_from(std::string_view name) {
  const auto found = std::ranges::find(kLevels, name);
  if (found == kLevels.end()) return std::nullopt;
  return static_cast<LogLevel>(found - kLevels.begin());
}

std::optional<LogFormat> log_format_from(std::string_view name) {
  if (name == "text") return LogFormat::text;
  if (name == "json") return LogFormat::json;
  return std::nullopt;
}

void LogLines::add(LogLevel level, std::string_view event, std::string_view message,
                   std::span<const LogField> fields) {
  if (!takes(level)) return;
  if (time_.empty()) time_ = to_rfc3339(at_);
  std::string& out = text_;
  if (format_ == LogFormat::json) {
    out.append(R"({"time":")").append(time_).append(R"(","level":")").append(name(level));
    out += R"(","event":)";
    append_json(event, out);
    out += R"(,"message":)";
    append_json(message, out);
    for (const LogField& field : fields) {
      out += ',';
      append_json(field.name, out);
      out += ':';
      append_value(field, true, out);
    }
    out += "}\n";
    return;
  }
  out.append(time_).append(1, ' ').append(name(level)).append(": ");
  append_printable(message, out);
  for (const LogField& field : fields) {
    out.append(1, ' ').append(field.name).append(1, '=');
    append_value(field, false, out);
  }
  out += '\n';
}

Result<std::unique_ptr<Log>> Log::open(LogOptions options) {
  std::unique_ptr<Log> log(new Log(std::move(options)));
  TRY_VOID(log->reopen());
  return log;
}

Status Log::reopen() {
  if (options_.file.empty()) return {};
  TRY(Fd file, open_file(options_.file));
  const std::lock_guard lock(mutex_);
  file_ = std::move(file);
  return {};
}

void Log::write(LogLevel level, std::string_view event, std::string_view message,
                std::span<const LogField> fields) {
  if (!takes(level)) return;
  LogLines one = lines(options_.now());
  one.add(level, event, message, fields);
  write(one);
}

void Log::write(const LogLines& lines) {
  const std::lock_guard lock(mutex_);
  for (std::string_view rest = lines.text_; !rest.empty();) {
    std::size_t size = rest.rfind('\n', PIPE_BUF - 1) + 1;
    if (size == 0) size = rest.find('\n') + 1;  // a line that is longer
    write_some(rest.substr(0, size));
    rest.remove_prefix(size);
  }
}

void Log::write_some(std::string_view lines) {
  std::string with_lost;
  if (dropped_ > 0) {
    LogLines lost(options_.format, LogLevel::warning, options_.now());
    const std::array fields = {LogField{"lines", dropped_}};
    lost.add(LogLevel::warning, "log.dropped", "lines of this log could not be written", fields);
    with_lost = lost.text_.append(lines);
  }
  const std::string_view text = with_lost.empty() ? lines : with_lost;
  const int fd = file_ ? file_.get() : STDERR_FILENO;
  ssize_t written = 0;
  do {
    written = ::write(fd, text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(text.size())) {
    dropped_ = 0;
  } else {
    dropped_ += std::ranges::count(lines, '\n');
  }
}

}  // namespace baton::telemetry

#include "telemetry/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace baton::telemetry {
namespace {

constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};

// RFC 8259; `text` is made UTF-8 first.
void append_json(std::string_view text, std::string& out) {
  out += '"';
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
      out += printable(*text);
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

std::string log_line(LogFormat format, WallTime at, LogLevel level, std::string_view event,
                     std::string_view message, std::span<const LogField> fields) {
  std::string line;
  line.reserve(512);
  if (format == LogFormat::json) {
    line += R"({"time":")" + to_rfc3339(at) + R"(","level":")" + std::string(name(level)) + R"(","event":)";
    append_json(event, line);
    line += R"(,"message":)";
    append_json(message, line);
    for (const LogField& field : fields) {
      line += ',';
      append_json(field.name, line);
      line += ':';
      append_value(field, true, line);
    }
    return line + "}\n";
  }
  line += to_rfc3339(at) + ' ' + std::string(name(level)) + ": " + printable(message);
  for (const LogField& field : fields) {
    line += ' ' + std::string(field.name) + '=';
    append_value(field, false, line);
  }
  return line + '\n';
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
  const WallTime now = options_.now();
  std::string line = log_line(options_.format, now, level, event, message, fields);
  const std::lock_guard lock(mutex_);
  if (dropped_ > 0) {
    const std::array lost = {LogField{"lines", dropped_}};
    line.insert(0, log_line(options_.format, now, LogLevel::warning, "log.dropped",
                            "lines of this log could not be written", lost));
  }
  const int fd = file_ ? file_.get() : STDERR_FILENO;
  ssize_t written = 0;
  do {
    written = ::write(fd, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(line.size())) {
    dropped_ = 0;
  } else {
    ++dropped_;
  }
}

}  // namespace baton::telemetry

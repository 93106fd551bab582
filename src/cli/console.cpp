#include "cli/console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace baton::cli {
namespace {

// 0, or errno.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

std::string Style::wrap(std::string_view code, std::string_view text) const {
  if (!colour || text.empty()) return std::string(text);
  std::string out = "\x1b[";
  out += code;
  out += 'm';
  out += text;
  out += "\x1b[0m";
  return out;
}

Console::Console()
    : out_terminal_(::isatty(STDOUT_FILENO) == 1), err_terminal_(::isatty(STDERR_FILENO) == 1) {
  const char* term = std::getenv("TERM");
  dumb_ = term == nullptr || std::string_view(term) == "dumb" || *term == '\0';
  const bool colour = !dumb_ && !is_set("NO_COLOR");
  out_style_.colour = colour && out_terminal_;
  err_style_.colour = colour && err_terminal_;
}

Console::Size Console::size() const {
  winsize size{};
  for (const int fd : {STDERR_FILENO, STDOUT_FILENO}) {
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0)
      return {size.ws_col, size.ws_row};
  }
  return {};
}

void Console::out(std::string_view text) {
  if (!written_) return;
  const int error = write_all(STDOUT_FILENO, text);
  if (error == 0) return;
  const bool gone = error == EPIPE || (error == EIO && out_terminal_);
  written_ =
      gone ? fail(ErrorCode::io, "") : fail(ErrorCode::io, "cannot write to stdout: " + errno_text(error));
}

void Console::err(std::string_view text) {
  write_all(STDERR_FILENO, text);
}

void Console::error(std::string_view message) {
  std::string text = err_style_.red("error:");
  text += ' ';
  text += message;
  if (!text.ends_with('\n')) text += '\n';
  err(text);
}

void Console::note(std::string_view message) {
  if (!quiet_) err(std::string(message) + '\n');
}

}  // namespace baton::cli

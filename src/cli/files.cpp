#include "cli/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "spec/findings.hpp"
#include "spec/read.hpp"

namespace baton::cli {

Result<std::string> read_text_file(const std::string& path, std::size_t limit) {
  const bool standard_input = path == "-";
  const std::string shown = standard_input ? "standard input" : printable(path);
  const Fd file(standard_input ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io,
                "cannot read " + shown + ": " + errno_text(errno), path);
  }
  struct stat info{};
  if (::fstat(file.get(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return fail(ErrorCode::io, "cannot read " + shown + ": it is a directory", path);
  }
  std::string text;
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(ErrorCode::io, "cannot read " + shown + ": " + errno_text(errno), path);
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > limit) {
      return fail(ErrorCode::too_large, shown + " has more than " + std::to_string(limit) + " bytes", path);
    }
  }
}

Result<boost::json::value> read_value_file(const std::string& path, std::size_t limit) {
  TRY(const std::string text, read_text_file(path, limit));
  const std::string name = path == "-" ? "standard input" : printable(path);
  const auto tree = spec::read_tree(path, text, {});
  if (!tree) {
    spec::Diagnostic place;
    spec::set_place(place, text, tree.error().span);
    return fail(ErrorCode::invalid_input, name + ":" + std::to_string(place.line) + ":" +
                                              std::to_string(place.column) + ": " + tree.error().message);
  }
  return tree->root() == spec::kNoNode ? boost::json::value() : tree->to_json(tree->root());
}

Status write_text_file(const std::string& path, std::string_view text, unsigned mode) {
  const std::string beside = path + "." + std::to_string(::getpid()) + ".tmp";
  const auto failed = [&](int why) {
    ::unlink(beside.c_str());
    return fail(ErrorCode::io, "cannot write " + printable(path) + ": " + errno_text(why), path);
  };
  {
    const Fd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!file) return failed(errno);
    while (!text.empty()) {
      const ssize_t n = ::write(file.get(), text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed(errno);
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return failed(errno);
  return {};
}

}  // namespace baton::cli

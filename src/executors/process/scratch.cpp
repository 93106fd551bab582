#include "executors/process/scratch.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "executors/process/shortage.hpp"

namespace baton::executors::process {
namespace {

constexpr std::string_view kNoInput = "{}";

ErrorCode code_of(int error) {
  return is_shortage(error) ? ErrorCode::overloaded : ErrorCode::io;
}

std::unexpected<Error> io_failure(const char* what, const std::string& path) {
  const int error = errno;
  return fail(code_of(error), std::string("cannot ") + what + " " + path + ": " + errno_text(error), path);
}

Status make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return io_failure("create the directory", path);
}

// The file must not exist.
Result<Fd> write_file(const std::string& path, std::string_view content, mode_t mode) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file) return io_failure("create", path);
  while (!content.empty()) {
    const ssize_t n = ::write(file.get(), content.data(), content.size());
    if (n < 0 && errno != EINTR) return io_failure("write", path);
    if (n > 0) content.remove_prefix(static_cast<std::size_t>(n));
  }
  return file;
}

}  // namespace

Status make_directories(const std::string& path) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    TRY_VOID(make_directory(path.substr(0, at)));
  }
  return make_directory(path);
}

Result<Scratch> Scratch::open(std::string directory) {
  TRY_VOID(make_directories(directory));
  Scratch scratch(std::move(directory));
  scratch.common_input_ = scratch.directory_ + "/.no-input.json";
  TRY_VOID(scratch.provide_common_input());
  // Whose attempts these were has died, and they with it.
  TRY_VOID(remove_tree(scratch.secret_directory()));
  return scratch;
}

Status Scratch::provide_common_input() {
  struct stat status{};
  if (common_file_ && ::fstat(common_file_.get(), &status) == 0 && status.st_nlink == 1 &&
      status.st_size == static_cast<off_t>(kNoInput.size()) && (status.st_mode & 0222) == 0)
    return {};
  ::unlink(common_input_.c_str());
  TRY(common_file_, write_file(common_input_, kNoInput, 0400));
  return {};
}

Result<AttemptFiles> Scratch::prepare(const Attempt& attempt, std::string_view input) {
  AttemptFiles files;
  files.run_dir = directory_ + '/' + attempt.task.run.text();
  files.private_dir = files.run_dir + "/.baton";
  const std::string stem = (attempt.has_secrets ? secret_directory() : files.private_dir) + '/' +
                           std::to_string(attempt.task.ordinal) + '.' + attempt.token.text();
  if (attempt.has_secrets) TRY_VOID(make_directory(secret_directory()));
  files.result = stem + ".result.json";
  files.own_input = !input.empty();
  files.input = files.own_input ? stem + ".input.json" : common_input_;
  if (::mkdir(files.private_dir.c_str(), 0700) != 0 && errno != EEXIST) {
    TRY_VOID(make_directory(files.run_dir));
    TRY_VOID(make_directory(files.private_dir));
  }
  if (files.own_input) {
    TRY(const Fd written, write_file(files.input, input, 0600));
  } else {
    TRY_VOID(provide_common_input());
  }
  return files;
}

void Scratch::remove(const AttemptFiles& files, bool result_written) {
  if (files.own_input) ::unlink(files.input.c_str());
  if (result_written) ::unlink(files.result.c_str());
}

Status remove_tree(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::remove_all(path, error);
  if (!error || error == std::errc::no_such_file_or_directory) return {};
  // Each directory gets its rights back before it is entered.
  const auto restore = [](const fs::path& entry) {
    std::error_code ignored;
    if (fs::symlink_status(entry, ignored).type() == fs::file_type::directory)
      fs::permissions(entry, fs::perms::owner_all, fs::perm_options::add, ignored);
  };
  restore(path);
  std::error_code stuck;
  for (fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied, stuck),
       end;
       !stuck && entry != end; entry.increment(stuck)) {
    restore(entry->path());
  }
  error.clear();
  fs::remove_all(path, error);
  if (!error || error == std::errc::no_such_file_or_directory) return {};
  return fail(ErrorCode::io, "cannot delete " + path + ": " + errno_text(error.value()), path);
}

Status remove_run_scratch(const std::string& scratch, const RunId& run) {
  return remove_tree(scratch + '/' + run.text());
}

}  // namespace baton::executors::process

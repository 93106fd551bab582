#include "embedded/first_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>

#include "auth/key_text.hpp"
#include "base/fd.hpp"
#include "model/api_key.hpp"

namespace baton::embedded {
namespace {

// Nothing: there is no such file.
Result<std::optional<std::string>> read_key(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file && errno == ENOENT) return std::nullopt;
  char buffer[256];
  const ssize_t size = file ? ::read(file.get(), buffer, sizeof buffer) : -1;
  if (size < 0) return fail(ErrorCode::io, "cannot read " + path + ": " + errno_text(errno), path);
  std::string text(buffer, static_cast<std::size_t>(size));
  while (text.ends_with('\n')) text.pop_back();
  if (!auth::is_key_text(text))
    return fail(ErrorCode::bad_configuration,
                path + " has no key in it: remove it, and the next start makes one", path);
  return text;
}

Status write_key(const std::string& data_dir, const std::string& text) {
  const std::string path = first_key_path(data_dir);
  const std::string beside = path + ".new";
  const auto failed = [&] {
    return fail(errno == ENOSPC || errno == EROFS ? ErrorCode::read_only : ErrorCode::io,
                "cannot write " + path + ": " + errno_text(errno), path);
  };
  ::unlink(beside.c_str());  // of a start that was killed
  const Fd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return failed();
  const std::string line = text + '\n';
  if (::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) return failed();
  if (::fsync(file.get()) != 0 || ::rename(beside.c_str(), path.c_str()) != 0) return failed();
  const Fd folder(::open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return failed();
  return {};
}

}  // namespace

std::string first_key_path(const std::string& data_dir) {
  return data_dir + "/admin.key";
}

Status ensure_first_key(const std::string& data_dir, store::Reader& store, runtime::Handle& runs) {
  TRY(const auto known, store.get_record(model::api_key_key(model::kFirstKey)));
  if (known) return {};
  TRY(auto text, read_key(first_key_path(data_dir)));
  if (!text) {
    TRY(text, auth::new_key_text());
    TRY_VOID(write_key(data_dir, *text));
  }
  model::CreateKey command{.name = std::string(model::kFirstKey),
                           .hash = Hash256::of(*text),
                           .role = model::Role::admin,
                           .space = std::string(model::kEveryNamespace)};
  command.reason = "made at the first start";
  const model::ReplyBody reply = runs.call(std::move(command), {"server", "server"});
  if (const auto* error = std::get_if<Error>(&reply)) return fail(*error);
  return {};
}

}  // namespace baton::embedded

#include "secrets/key_file.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/fd.hpp"

namespace baton::secrets {
namespace {

constexpr std::size_t kDigits = 2 * Key::kSize;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::optional<Key>> read_key_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::nullopt;
  struct stat status{};
  std::array<char, kDigits + 2> text{};
  ssize_t size = -1;
  if (file && ::fstat(file.get(), &status) == 0) size = ::read(file.get(), text.data(), text.size());
  if (size < 0) return fail(ErrorCode::io, "cannot read " + path + ": " + errno_text(errno), path);
  if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    return fail(
        ErrorCode::bad_configuration,
        path + " may be read or changed by every user of this machine; make it yours alone (chmod 600)",
        path);
  }
  std::string_view line(text.data(), static_cast<std::size_t>(size));
  while (line.ends_with('\n')) line.remove_suffix(1);
  std::array<unsigned char, Key::kSize> bytes{};
  std::size_t count = 0;
  const bool read = line.size() == kDigits && ::sodium_hex2bin(bytes.data(), bytes.size(), line.data(),
                                                               line.size(), nullptr, &count, nullptr) == 0;
  ::sodium_memzero(text.data(), text.size());
  if (!read || count != bytes.size()) {
    return fail(ErrorCode::bad_configuration,
                path + " has no key in it: 64 hexadecimal digits are expected; put the right file back",
                path);
  }
  const Key key(bytes);
  ::sodium_memzero(bytes.data(), bytes.size());
  return key;
}

Status write_key_file(const std::string& path, const Key& key) {
  const std::string beside = path + ".new";
  const auto failed = [&] {
    const int error = errno;
    return fail(error == ENOSPC || error == EROFS ? ErrorCode::read_only : ErrorCode::io,
                "cannot write " + path + ": " + errno_text(error), path);
  };
  ::unlink(beside.c_str());  // of one that was killed here
  const Fd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return failed();
  std::array<char, kDigits + 1> text{};
  ::sodium_bin2hex(text.data(), text.size(), key.data(), Key::kSize);
  text.back() = '\n';
  const bool written = ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::sodium_memzero(text.data(), text.size());
  if (!written || ::fsync(file.get()) != 0) return failed();
  // A link, unlike a rename, does not take the place of what somebody else has put there meanwhile.
  if (::link(beside.c_str(), path.c_str()) != 0) {
    if (errno != EEXIST) return failed();
    ::unlink(beside.c_str());
    return fail(ErrorCode::conflict, "there is a " + path + " already", path);
  }
  ::unlink(beside.c_str());
  const Fd folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return failed();
  return {};
}

}  // namespace baton::secrets

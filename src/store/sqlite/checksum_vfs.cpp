#include "store/sqlite/checksum_vfs.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "store/sqlite/vfs_shim.hpp"

namespace baton::store::sqlite {
namespace {

constexpr int kReserved = 8;

using Checksum = std::array<unsigned char, kReserved>;
// SQLite sees, and writes to its log, pages with this; whoever copies the log without this VFS leaves it.
constexpr Checksum kNone{};

// Two running sums over little-endian words, as in Fletcher's checksum but with each sum fed by the other.
Checksum checksum_of(const unsigned char* page, std::size_t size) {
  static_assert(std::endian::native == std::endian::little, "the stored order of bytes is little-endian");
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  for (std::size_t i = 0; i < size; i += 8) {
    std::uint32_t words[2];
    std::memcpy(words, page + i, sizeof words);
    first += words[0] + second;
    second += words[1] + first;
  }
  Checksum sum;
  std::memcpy(sum.data(), &first, 4);
  std::memcpy(sum.data() + 4, &second, 4);
  return sum;
}

class ChecksumVfs final : public VfsShim {
 public:
  ChecksumVfs(std::string name, const std::string& base) : VfsShim(std::move(name), base) {}

 protected:
  // File::state is the page size of a file with checksums, else 0.
  int read(File& file, void* data, int size, sqlite3_int64 at) override {
    const int code = real_read(file, data, size, at);
    if (!(file.flags & SQLITE_OPEN_MAIN_DB)) return code;
    if (code == SQLITE_IOERR_SHORT_READ && is_page(file, size, at) && ends_after(file, at)) {
      return SQLITE_IOERR_DATA;  // SQLite would fill the cut page with zeros
    }
    if (code != SQLITE_OK) return code;
    auto* bytes = static_cast<unsigned char*>(data);
    if (at == 0) learn(file, bytes, size);
    if (!is_page(file, size, at)) return code;
    const auto body = static_cast<std::size_t>(size - kReserved);
    Checksum stored;
    std::memcpy(stored.data(), bytes + body, stored.size());
    std::memset(bytes + body, 0, stored.size());
    return stored == kNone || stored == checksum_of(bytes, body) ? SQLITE_OK : SQLITE_IOERR_DATA;
  }

  int write(File& file, const void* data, int size, sqlite3_int64 at) override {
    if (!(file.flags & SQLITE_OPEN_MAIN_DB)) return real_write(file, data, size, at);
    const auto* bytes = static_cast<const unsigned char*>(data);
    if (at == 0) learn(file, bytes, size);
    if (!is_page(file, size, at)) return real_write(file, data, size, at);
    const auto body = static_cast<std::size_t>(size - kReserved);
    alignas(8) std::array<unsigned char, 65536> page;
    std::memcpy(page.data(), bytes, body);
    const Checksum sum = checksum_of(bytes, body);
    std::memcpy(page.data() + body, sum.data(), sum.size());
    return real_write(file, page.data(), size, at);
  }

  // A checkpoint sets the length of the file when everything of the log is in it. One that ends within a page
  // even then has lost its end, which must not become zeros.
  int truncate(File& file, sqlite3_int64 size) override {
    sqlite3_int64 now = 0;
    if ((file.flags & SQLITE_OPEN_MAIN_DB) && file.state >= 512 &&
        file.real->pMethods->xFileSize(file.real, &now) == SQLITE_OK && now < size && now % file.state != 0)
      return SQLITE_IOERR_DATA;
    return VfsShim::truncate(file, size);
  }

 private:
  // The header of the first page: size of the pages in bytes 16 and 17, reserved bytes in byte 20.
  static void learn(File& file, const unsigned char* bytes, int size) {
    if (size < 100 || std::memcmp(bytes, "SQLite format 3", 16) != 0) return;
    const std::uint32_t stored = static_cast<std::uint32_t>(bytes[16]) << 8 | bytes[17];
    file.state = bytes[20] == kReserved ? (stored == 1 ? 65536 : stored) : 0;
  }
  static bool ends_after(const File& file, sqlite3_int64 at) {
    sqlite3_int64 size = 0;
    return file.real->pMethods->xFileSize(file.real, &size) == SQLITE_OK && size > at;
  }
  static bool is_page(const File& file, int size, sqlite3_int64 at) {
    return file.state >= 512 && static_cast<std::uint32_t>(size) == file.state && at % size == 0;
  }
};

}  // namespace

std::string checksum_vfs(const std::string& base) {
  // SQLite's list of VFSs is one for the process; so is ours.
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<ChecksumVfs>>& known =
      *new std::map<std::string, std::unique_ptr<ChecksumVfs>>();
  const std::lock_guard lock(mutex);
  std::unique_ptr<ChecksumVfs>& vfs = known[base];
  if (!vfs) vfs = std::make_unique<ChecksumVfs>("baton-checksum" + (base.empty() ? "" : "-" + base), base);
  return vfs->name();
}

void reserve_checksums(Connection& connection) {
  int reserved = kReserved;
  const int code = sqlite3_file_control(connection.handle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  if (code != SQLITE_OK) throw SQLite::Exception("cannot reserve bytes for checksums", code);
}

}  // namespace baton::store::sqlite

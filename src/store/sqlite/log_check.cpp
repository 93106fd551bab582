#include "store/sqlite/log_check.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/fd.hpp"

namespace baton::store::sqlite {
namespace {

constexpr std::size_t kHeaderSize = 32;
constexpr std::size_t kFrameHeaderSize = 24;
constexpr std::uint32_t kMagic = 0x377f0682;  // its last bit: the sums are over big-endian words
constexpr std::uint32_t kMostPage = 65536;

std::uint32_t big_endian(const unsigned char* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}

struct Sum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;

  void add(const unsigned char* bytes, std::size_t size, bool big) {
    static_assert(std::endian::native == std::endian::little);
    for (std::size_t i = 0; i < size; i += 8) {
      std::uint32_t words[2];
      std::memcpy(words, bytes + i, sizeof words);
      first += (big ? __builtin_bswap32(words[0]) : words[0]) + second;
      second += (big ? __builtin_bswap32(words[1]) : words[1]) + first;
    }
  }
  bool stands_at(const unsigned char* at) const {
    return big_endian(at) == first && big_endian(at + 4) == second;
  }
};

// Reads all of `out`; false at the end of the file.
Result<bool> read_at(const Fd& file, std::uint64_t at, unsigned char* out, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(file.get(), out + done, size - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::io, "cannot read the database's log: " + errno_text(errno));
    if (got == 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

std::unexpected<Error> damaged(const std::string& path, const std::string& what) {
  return fail(ErrorCode::corrupt,
              "the log " + path + " is damaged: " + what +
                  "; restore a backup, or give up the commits behind the damage by opening the database once "
                  "with `sqlite3 baton.db 'PRAGMA wal_checkpoint'`");
}

}  // namespace

Status check_log(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return {};
    return fail(ErrorCode::io, "cannot open " + path + ": " + errno_text(errno));
  }
  std::array<unsigned char, kHeaderSize> header{};
  TRY(const bool has_header, read_at(file, 0, header.data(), header.size()));
  if (!has_header || header == std::array<unsigned char, kHeaderSize>{}) return {};
  const std::uint32_t magic = big_endian(header.data());
  const bool big = (magic & 1) != 0;
  const std::uint32_t page = big_endian(header.data() + 8);
  Sum sum;
  sum.add(header.data(), kHeaderSize - 8, big);
  if ((magic & ~1U) != kMagic || !sum.stands_at(header.data() + kHeaderSize - 8) || page < 512 ||
      page > kMostPage) {
    return damaged(path, "its header does not check");
  }

  std::vector<unsigned char> frame(kFrameHeaderSize + page);
  const auto of_this_log = [&] { return std::memcmp(frame.data() + 8, header.data() + 16, 8) == 0; };
  std::uint64_t at = kHeaderSize;
  for (;; at += frame.size()) {
    TRY(const bool whole, read_at(file, at, frame.data(), frame.size()));
    if (!whole) return {};
    sum.add(frame.data(), 8, big);
    sum.add(frame.data() + kFrameHeaderSize, page, big);
    if (!of_this_log() || !sum.stands_at(frame.data() + 16)) break;
  }
  const std::uint64_t bad = at;
  for (int commits = 0;; at += frame.size()) {
    TRY(const bool more, read_at(file, at, frame.data(), kFrameHeaderSize));
    if (!more) return {};
    const bool commits_here = of_this_log() && big_endian(frame.data() + 4) != 0;
    if (commits_here && ++commits == 2) {
      return damaged(path,
                     "the frame at byte " + std::to_string(bad) + " does not check, and commits follow it");
    }
  }
}

}  // namespace baton::store::sqlite

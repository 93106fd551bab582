#include "logs/reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace baton::logs {
namespace {

constexpr std::size_t kBuffer = 128 << 10;

// As many bytes as there are, at most `size`.
Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t n = ::pread(fd, bytes.data() + have, size - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(ErrorCode::io, "cannot read the log: " + errno_text(errno));
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  bytes.resize(have);
  return bytes;
}

}  // namespace

Result<Reader> Reader::open(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) {
    if (errno == ENOENT) return fail(ErrorCode::not_found, "no output was logged", path);
    return fail(ErrorCode::io, "cannot open the log: " + errno_text(errno), path);
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return fail(ErrorCode::corrupt, "the log is not a regular file", path);
  TRY(const std::string header, read_at(file.get(), 0, format::kFileHeader));
  // The writer may just have created it.
  if (header.size() < format::kFileHeader && format::kMagic.starts_with(header.substr(0, 8)))
    return fail(ErrorCode::not_found, "no output was logged yet", path);
  if (!header.starts_with(format::kMagic)) return fail(ErrorCode::corrupt, "this file is not a log", path);
  if (const auto version = format::get<std::uint32_t>(&header[8]); version != format::kVersion)
    return fail(ErrorCode::unsupported, "the log has format version " + std::to_string(version), path);
  return Reader(std::move(file));
}

void Reader::seek(std::uint64_t offset) {
  constexpr std::uint64_t kMax = INT64_MAX / 2;
  at_ = std::clamp<std::uint64_t>(offset, format::kFileHeader, kMax);
}

Status Reader::refresh_gap() {
  if (gap_at_ == 0) {
    TRY(const std::string position, read_at(file_.get(), format::kGapAtPosition, 8));
    if (position.size() < 8) return {};
    gap_at_ = format::get<std::uint64_t>(position.data());
    if (gap_at_ > INT64_MAX / 2) return fail(ErrorCode::corrupt, "the log's header is damaged");
    if (gap_at_ == 0) return {};
  }
  TRY(const std::string frame, read_at(file_.get(), gap_at_, format::kFrameHeader + format::kGapPayload));
  // Undecodable: being rewritten at this moment, or damaged. What was known stays true.
  const auto gap = format::decode_gap(frame);
  if (gap && gap->resume > gap_at_ && gap->resume <= INT64_MAX / 2) gap_ = *gap;
  return {};
}

// Makes `needed` bytes from at_ on available; false if the file has not that many. When the writer has
// dropped the place, moves on to what is kept and adds to `skipped`.
Result<bool> Reader::fill(std::size_t needed, std::uint64_t& skipped) {
  if (at_ >= buffer_at_ && at_ + needed <= buffer_at_ + buffer_.size()) return true;
  for (;;) {
    TRY(buffer_, read_at(file_.get(), at_, std::max(needed, kBuffer)));
    buffer_at_ = at_;
    TRY_VOID(refresh_gap());
    if (gap_at_ == 0 || at_ <= gap_at_ || at_ >= gap_.resume) return buffer_.size() >= needed;
    skipped += gap_.resume - at_;
    at_ = gap_.resume;
  }
}

Result<bool> Reader::next(Frame& frame) {
  std::uint64_t skipped = 0;
  std::size_t size = format::kFrameHeader;
  std::optional<format::FrameHeader> header;
  // Once for the header and once for the payload; what is parsed is always one piece read at one time.
  for (int round = 0; round < 2; ++round) {
    TRY(const bool available, fill(size, skipped));
    if (skipped > 0) {
      frame = Frame{.stream = Stream::gap, .dropped = skipped, .offset = at_};
      return true;
    }
    header = available ? format::decode_frame_header(here()) : std::nullopt;
    if (!header || (round == 1 && size != format::kFrameHeader + header->length)) {
      buffer_.clear();  // look again next time
      return false;
    }
    size = format::kFrameHeader + header->length;
  }
  frame = Frame{static_cast<Stream>(header->kind),
                WallTime{header->time_us},
                here().substr(format::kFrameHeader, header->length),
                (header->flags & format::kBroken) != 0,
                0,
                at_};
  if (frame.stream != Stream::gap) {
    at_ += size;
    return true;
  }
  TRY_VOID(refresh_gap());  // the newest gap, not the one in the buffer
  if (at_ != gap_at_ || gap_.resume == 0) return false;
  at_ = gap_.resume;
  if (gap_.dropped == 0) return next(frame);  // once: there is one gap, and reading went on behind it
  frame.bytes = {};
  frame.dropped = gap_.dropped;
  return true;
}

Result<Tail> read_tail(const std::string& path, std::size_t lines) {
  TRY(Reader reader, Reader::open(path));
  Tail tail;
  Frame frame;
  const auto keep = [&](std::string_view text) {
    if (lines == 0) return;
    if (tail.lines.size() == lines) tail.lines.pop_front();
    Tail::Line& line = tail.lines.emplace_back(frame, std::string(text));
    line.frame.bytes = {};
    line.frame.broken = frame.broken && text.end() == frame.bytes.end();
  };
  for (;;) {
    TRY(const bool more, reader.next(frame));
    if (!more) break;
    if (frame.stream == Stream::gap) keep({});
    for (std::string_view rest = frame.bytes; !rest.empty();) {
      const std::size_t newline = rest.find('\n');
      const std::string_view line =
          rest.substr(0, newline == std::string_view::npos ? rest.size() : newline + 1);
      keep(line);
      rest.remove_prefix(line.size());
    }
  }
  tail.next = reader.offset();
  return tail;
}

}  // namespace baton::logs

#include "logs/writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "base/error.hpp"
#include "logs/reader.hpp"

namespace baton::logs {
namespace {

constexpr std::uint64_t kLargestBlock = 64 << 10;  // of any file system

// The tail is cut at steps of this size, so that cutting is rare.
std::uint64_t trim_step(const Limits& limits) {
  return std::max<std::uint64_t>(limits.tail / 20, 1);
}

// The end of the last line within `text`; 0 if there is none. A carriage return that redraws a line counts
// (progress bars), but not one whose newline may still come.
std::size_t last_line_end(std::string_view text) {
  const std::size_t newline = text.rfind('\n');
  if (newline != std::string_view::npos) return newline + 1;
  if (text.size() < 2) return 0;
  const std::size_t redraw = text.rfind('\r', text.size() - 2);
  return redraw == std::string_view::npos ? 0 : redraw + 1;
}

bool make_parents(const std::string& path) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    if (::mkdir(path.substr(0, at).c_str(), 0700) != 0 && errno != EEXIST) return false;
  }
  return true;
}

}  // namespace

Writer::Writer(std::string path, Limits limits, Existing existing)
    : path_(std::move(path)), limits_(limits), existing_(existing) {
  limits_.line = std::clamp<std::size_t>(limits_.line, 1, format::kMaxPayload - 1);
}

void Writer::write(Stream stream, std::string_view bytes, WallTime now) {
  std::string& pending = pending_[stream == Stream::err ? 1 : 0];
  std::string joined;
  if (!pending.empty()) {
    joined = std::move(pending);
    joined += bytes;
    bytes = joined;
  }
  while (!bytes.empty()) {
    const std::string_view window = bytes.substr(0, limits_.line + 1);  // a full line and its newline
    if (const std::size_t end = last_line_end(window); end > 0) {
      emit(stream, 0, window.substr(0, end), now);
      bytes.remove_prefix(end);
    } else if (bytes.size() > limits_.line) {
      emit(stream, format::kBroken, window.substr(0, limits_.line), now);
      bytes.remove_prefix(limits_.line);
    } else {
      break;
    }
  }
  pending = std::string(bytes);
}

void Writer::remark(std::string_view text, WallTime now) {
  append(Stream::note, 0, text, now);
}

void Writer::flush(WallTime now) {
  for (const Stream stream : {Stream::out, Stream::err}) {
    std::string& pending = pending_[stream == Stream::err ? 1 : 0];
    if (pending.empty()) continue;
    emit(stream, 0, pending, now);
    pending = {};
  }
  report_lost(now);
  if (refused_ > 0 && append(Stream::note, 0,
                             std::to_string(refused_) +
                                 " bytes of output were dropped: the log is full and this file system cannot "
                                 "keep the end of it",
                             now))
    refused_ = 0;
}

void Writer::emit(Stream stream, std::uint8_t flags, std::string_view payload, WallTime now) {
  if (refusing_) {
    refused_ += payload.size();
    refused_total_ += payload.size();
    taken_ += payload.size();
    return;
  }
  if (report_lost(now) && append(stream, flags, payload, now)) return;
  lost_ += payload.size();
  lost_total_ += payload.size();
  taken_ += payload.size();
}

bool Writer::report_lost(WallTime now) {
  if (lost_ == 0) return true;
  if (!append(Stream::note, 0,
              std::to_string(lost_) + " bytes of output could not be logged: " + errno_text(last_error_),
              now))
    return false;
  lost_ = 0;
  return true;
}

bool Writer::append(Stream stream, std::uint8_t flags, std::string_view payload, WallTime now) {
  if (!open()) return false;
  const std::uint64_t size = format::kFrameHeader + payload.size();
  if (gap_at_ == 0 && end_ + size > limits_.head && !begin_tail(now)) return false;
  const auto header = format::encode(format::FrameHeader{static_cast<std::uint8_t>(stream), flags,
                                                         static_cast<std::uint32_t>(payload.size()), now.us});
  if (!write_at(end_, {header.data(), header.size()}, payload)) return false;
  if (gap_at_ != 0) {
    if (marks_.empty() || end_ - marks_.back().offset >= trim_step(limits_))
      marks_.push_back({end_, tail_payload_});
    if (stream != Stream::note) tail_payload_ += payload.size();
  }
  if (stream != Stream::note) taken_ += payload.size();
  end_ += size;
  if (gap_at_ != 0) trim_tail(now);
  return true;
}

bool Writer::open() {
  if (file_) return true;
  const int flags =
      O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (existing_ == Existing::replaced && !begun_ ? O_TRUNC : 0);
  int fd = ::open(path_.c_str(), flags, 0600);
  if (fd < 0 && errno == ENOENT && make_parents(path_)) fd = ::open(path_.c_str(), flags, 0600);
  if (fd < 0) {
    last_error_ = errno;
    return false;
  }
  file_.reset(fd);
  struct stat status{};
  if (begun_ && ::fstat(fd, &status) == 0 && static_cast<std::uint64_t>(status.st_size) == end_) return true;
  begun_ = begin();
  if (!begun_) file_.reset();
  return begun_;
}

bool Writer::begin() {
  taken_ = tail_payload_ = gap_at_ = 0;
  gap_ = {};
  marks_.clear();
  return (existing_ == Existing::continued && go_on()) || begin_file();
}

bool Writer::go_on() {
  auto reader = Reader::open(path_);
  if (!reader) return false;
  char position[8];
  if (::pread(file_.get(), position, sizeof position, format::kGapAtPosition) != sizeof position)
    return false;
  gap_at_ = format::get<std::uint64_t>(position);
  if (gap_at_ != 0) {
    char frame[format::kFrameHeader + format::kGapPayload];
    const auto size = ::pread(file_.get(), frame, sizeof frame, static_cast<off_t>(gap_at_));
    const auto gap = size == sizeof frame ? format::decode_gap({frame, sizeof frame}) : std::nullopt;
    if (!gap) return false;
    gap_ = *gap;
    tail_payload_ = gap_.dropped;
  }
  Frame frame;
  for (;;) {
    const auto more = reader->next(frame);
    if (!more) return false;
    if (!*more) break;
    const std::uint64_t size = frame.stream == Stream::gap ? frame.dropped : frame.bytes.size();
    if (frame.stream != Stream::note) taken_ += size;
    if (frame.stream == Stream::gap || gap_at_ == 0 || frame.offset < gap_at_) continue;
    if (marks_.empty() || frame.offset - marks_.back().offset >= trim_step(limits_))
      marks_.push_back({frame.offset, tail_payload_});
    if (frame.stream != Stream::note) tail_payload_ += size;
  }
  end_ = reader->offset();
  return ::ftruncate(file_.get(), static_cast<off_t>(end_)) == 0;
}

std::uint64_t Writer::taken_bytes() {
  if (!file_ && !begun_ && existing_ == Existing::continued && ::access(path_.c_str(), F_OK) == 0) open();
  return taken_;
}

bool Writer::begin_file() {
  taken_ = tail_payload_ = gap_at_ = 0;
  gap_ = {};
  marks_.clear();
  if (::ftruncate(file_.get(), 0) != 0) {
    last_error_ = errno;
    return false;
  }
  char header[format::kFileHeader] = {};
  format::kMagic.copy(header, format::kMagic.size());
  format::put(header + 8, format::kVersion);
  if (!write_at(0, {header, sizeof header}, {})) return false;
  end_ = sizeof header;
  return true;
}

bool Writer::write_at(std::uint64_t offset, std::string_view first, std::string_view second) {
  std::uint64_t at = offset;
  while (!first.empty() || !second.empty()) {
    const iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                            {const_cast<char*>(second.data()), second.size()}};
    const ssize_t n = ::pwritev(file_.get(), parts, 2, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      last_error_ = n < 0 ? errno : EIO;
      // Readers must not see half a frame that nothing completes. If even this fails, they stop there.
      if (at > offset && offset >= end_) std::ignore = ::ftruncate(file_.get(), static_cast<off_t>(offset));
      return false;
    }
    at += static_cast<std::uint64_t>(n);
    const std::size_t of_first = std::min(first.size(), static_cast<std::size_t>(n));
    first.remove_prefix(of_first);
    second.remove_prefix(static_cast<std::size_t>(n) - of_first);
  }
  return true;
}

bool Writer::begin_tail(WallTime now) {
  const std::uint64_t tail = end_ + format::kFrameHeader + format::kGapPayload;
  const auto frame = format::encode(format::Gap{0, tail}, now);
  if (!write_at(end_, {frame.data(), frame.size()}, {})) return false;
  char position[8];
  format::put(position, end_);
  if (!write_at(format::kGapAtPosition, {position, sizeof position}, {})) return false;
  gap_at_ = end_;
  gap_ = {0, tail};
  end_ = tail;
  return true;
}

void Writer::trim_tail(WallTime now) {
  while (end_ - marks_.front().offset > limits_.tail && marks_.size() > 1) marks_.pop_front();
  const format::Gap next{marks_.front().payload_before, marks_.front().offset};
  if (next.resume == gap_.resume) return;
  const auto frame = format::encode(next, now);
  if (!write_at(gap_at_, {frame.data(), frame.size()}, {})) return;  // tried again with the next frame
  // Only whole blocks are given back: what was left of the last one before goes now.
  const std::uint64_t tail_begin = gap_at_ + frame.size();
  const std::uint64_t from = std::max(tail_begin, gap_.resume - gap_.resume % kLargestBlock);
  if (::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from),
                  static_cast<off_t>(next.resume - from)) != 0) {
    last_error_ = errno;
    refusing_ = errno == EOPNOTSUPP || errno == ENOSYS;
  }
  gap_ = next;
}

}  // namespace baton::logs

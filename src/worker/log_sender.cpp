#include "worker/log_sender.hpp"

#include <unistd.h>

#include "base/text.hpp"
#include "logs/reader.hpp"

namespace baton::worker {
namespace {

constexpr std::size_t kAtOnce = 1 << 20;  // bytes of a call
constexpr std::size_t kPieces = 5000;

}  // namespace

Output output_of(const logs::Frame& frame) {
  if (frame.stream == logs::Stream::gap)
    return {logs::Stream::err,
            std::to_string(frame.dropped) + " bytes of output were dropped on the worker\n"};
  if (frame.stream == logs::Stream::note) return {logs::Stream::err, to_utf8(frame.bytes) + '\n'};
  return {frame.stream, to_utf8(frame.bytes)};
}

Result<bool> FileLogSender::send(ServerCalls& server, const Task& task) {
  auto reader = logs::Reader::open(path_);
  if (!reader) {
    if (reader.error().code == ErrorCode::not_found) return false;  // it has printed nothing
    return fail(std::move(reader).error());
  }
  reader->seek(read_);
  std::vector<Output> output;
  std::size_t size = 0;
  bool more = true;
  for (logs::Frame frame; more && size < kAtOnce && output.size() < kPieces;) {
    TRY(more, reader->next(frame));
    if (!more) break;
    Output piece = output_of(frame);
    size += piece.text.size();
    output.push_back(std::move(piece));
  }
  if (output.empty()) return false;
  TRY(const std::uint64_t taken, server.append_log(task, sent_, output));
  (void)taken;  // what it has more than was sent is from a call whose answer was lost
  sent_ += size;
  read_ = reader->offset();
  return more;
}

void FileLogSender::forget() {
  ::unlink(path_.c_str());
}

void MemoryLogSender::add(std::string_view text) {
  std::string line = to_utf8(text);
  if (!line.ends_with('\n')) line += '\n';
  const std::lock_guard lock(mutex_);
  if (dropped_ > 0 || pending_.size() + line.size() > kMost) {
    dropped_ += line.size();
  } else {
    pending_ += line;
  }
}

Result<bool> MemoryLogSender::send(ServerCalls& server, const Task& task) {
  bool more = false;
  if (taken_.empty()) {
    const std::lock_guard lock(mutex_);
    if (pending_.size() > kAtOnce) {
      taken_ = utf8_prefix(pending_, kAtOnce);
      if (const std::size_t end = taken_.rfind('\n'); end != std::string::npos) taken_.resize(end + 1);
      pending_.erase(0, taken_.size());
      more = true;
    } else {
      taken_.swap(pending_);
      if (const std::uint64_t dropped = std::exchange(dropped_, 0); dropped > 0)
        taken_ += std::to_string(dropped) + " bytes of output were dropped on the worker\n";
    }
  }
  if (taken_.empty()) return false;
  TRY_VOID(server.append_log(task, sent_, {{logs::Stream::out, taken_}}));
  sent_ += taken_.size();
  taken_.clear();
  return more;
}

}  // namespace baton::worker

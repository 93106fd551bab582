#include "worker/log_sender.hpp"

#include "base/text.hpp"
#include "logs/reader.hpp"

namespace baton::worker {
namespace {

constexpr std::size_t kAtOnce = 1 << 20;  // bytes of a call
constexpr std::size_t kPieces = 5000;

}  // namespace

Result<bool> LogSender::send(ServerCalls& server, const Task& task) {
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
    Output piece{frame.stream == logs::Stream::out ? logs::Stream::out : logs::Stream::err, {}};
    if (frame.stream == logs::Stream::gap) {
      piece.text = std::to_string(frame.dropped) + " bytes of output were dropped on the worker\n";
    } else {
      piece.text = to_utf8(frame.bytes);
    }
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

}  // namespace baton::worker

#include "api/attempt_logs.hpp"

#include <algorithm>
#include <string_view>

namespace baton::api {
namespace {

constexpr std::size_t kOpen = 64;

}  // namespace

std::shared_ptr<AttemptLogs::Log> AttemptLogs::find(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (const auto found = logs_.find(path); found != logs_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    return found->second->log;
  }
  recent_.push_front({path, std::make_shared<Log>(path)});
  logs_[path] = recent_.begin();
  auto log = recent_.front().log;
  if (recent_.size() > kOpen) {
    // One that is being written to is closed when that is done.
    logs_.erase(recent_.back().path);
    recent_.pop_back();
  }
  return log;
}

std::uint64_t AttemptLogs::append(const std::string& path, std::uint64_t offset,
                                  const std::vector<LogPiece>& pieces, WallTime now) {
  const std::shared_ptr<Log> log = find(path);
  const std::lock_guard lock(log->mutex);
  const auto taken = [&] { return log->writer.taken_bytes() + log->missing; };
  if (offset > taken()) {
    log->missing += offset - taken();
    log->writer.remark(std::to_string(log->missing) + " bytes of output did not arrive", now);
  }
  for (const LogPiece& piece : pieces) {
    const std::uint64_t known =
        std::min<std::uint64_t>(taken() - std::min(offset, taken()), piece.text.size());
    offset += piece.text.size();
    if (known == piece.text.size()) continue;
    log->writer.write(piece.stream, std::string_view(piece.text).substr(known), now);
    log->writer.flush(now);  // what comes next may come to another writer
  }
  return taken();
}

}  // namespace baton::api

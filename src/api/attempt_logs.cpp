#include "api/attempt_logs.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace baton::api {
namespace {

constexpr std::size_t kOpen = 64;     // files
constexpr std::size_t kKnown = 4096;  // logs; a few hundred bytes each

}  // namespace

void AttemptLogs::Log::write(logs::Stream stream, std::string_view bytes, WallTime now) {
  if (bytes.empty()) return;
  written += bytes.size();
  writer.write(stream, bytes, now);
}

void AttemptLogs::Log::finish(WallTime now) {
  write(logs::Stream::out, masks[0].finish(), now);
  write(logs::Stream::err, masks[1].finish(), now);
  writer.flush(now);
}

std::shared_ptr<AttemptLogs::Log> AttemptLogs::find(
    const std::string& path, const Token& token, const std::shared_ptr<const secrets::Redactor>& redactor) {
  std::shared_ptr<Log> log;
  std::shared_ptr<Log> unused;     // for longer than kOpen others
  std::shared_ptr<Log> forgotten;  // after the lock: it writes what waits, when nobody writes to it any more
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = logs_.find(path); found != logs_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second);
    } else {
      recent_.push_front({path, token, std::make_shared<Log>(path, redactor)});
      logs_[path] = recent_.begin();
    }
    log = recent_.front().log;
    if (recent_.size() > kOpen) unused = std::next(recent_.begin(), kOpen)->log;
    if (recent_.size() > kKnown) {
      forgotten = std::move(recent_.back().log);
      logs_.erase(recent_.back().path);
      recent_.pop_back();
    }
  }
  if (unused) {
    const std::lock_guard lock(unused->mutex);
    unused->writer.rest();
  }
  return log;
}

std::uint64_t AttemptLogs::append(const std::string& path, const Token& token, std::uint64_t offset,
                                  const std::vector<LogPiece>& pieces,
                                  const std::shared_ptr<const secrets::Redactor>& redactor, WallTime now) {
  const std::shared_ptr<Log> log = find(path, token, redactor);
  const std::lock_guard lock(log->mutex);
  log->last = now;
  const auto taken = [&] { return log->writer.taken_bytes() + log->missing + log->came - log->written; };
  if (offset > taken()) {
    log->missing += offset - taken();
    log->writer.remark(std::to_string(log->missing) + " bytes of output did not arrive", now);
  }
  for (const LogPiece& piece : pieces) {
    const std::uint64_t known =
        std::min<std::uint64_t>(taken() - std::min(offset, taken()), piece.text.size());
    offset += piece.text.size();
    if (known == piece.text.size()) continue;
    const std::string_view fresh = std::string_view(piece.text).substr(known);
    log->came += fresh.size();
    log->write(piece.stream, log->masks[piece.stream == logs::Stream::err ? 1 : 0].next(fresh), now);
    log->writer.flush(now);  // what comes next may come to another writer
  }
  return taken();
}

void AttemptLogs::finish(const Token& token, WallTime now) {
  std::shared_ptr<Log> log;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(recent_, token, &Entry::token);
    if (found == recent_.end()) return;
    log = std::move(found->log);
    logs_.erase(found->path);
    recent_.erase(found);
  }
  const std::lock_guard lock(log->mutex);
  log->finish(now);
}

}  // namespace baton::api

// The logs of attempts that run in other processes: what their workers send is written as if they ran here.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.hpp"
#include "logs/writer.hpp"

namespace baton::api {

struct LogPiece {
  logs::Stream stream = logs::Stream::out;
  std::string text;
};

// Thread-safe. Keeps the files of the last few logs open; one that was closed is gone on with.
class AttemptLogs {
 public:
  // `offset`: how many bytes of output were sent before these. What the log has already is left out, so that
  // a piece may be sent again; what is missing before it is noted in the log. Returns how many bytes it has
  // now. What cannot be written (a full disk) is counted as lost, as everywhere (logs/writer.hpp).
  std::uint64_t append(const std::string& path, std::uint64_t offset, const std::vector<LogPiece>& pieces,
                       WallTime now);

 private:
  struct Log {
    explicit Log(const std::string& path) : writer(path, {}, logs::Existing::continued) {}
    std::mutex mutex;
    logs::Writer writer;        // guarded by mutex
    std::uint64_t missing = 0;  // bytes that never came; guarded by mutex
  };
  struct Entry {
    std::string path;
    std::shared_ptr<Log> log;
  };

  std::shared_ptr<Log> find(const std::string& path);

  std::mutex mutex_;         // guards what follows
  std::list<Entry> recent_;  // the last one that was used first
  std::unordered_map<std::string, std::list<Entry>::iterator> logs_;
};

}  // namespace baton::api

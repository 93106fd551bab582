// The logs of attempts that run in other processes: what their workers send is written as if they ran here.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "logs/writer.hpp"
#include "secrets/redactor.hpp"

namespace baton::api {

struct LogPiece {
  logs::Stream stream = logs::Stream::out;
  std::string text;
};

// Thread-safe. Keeps the files of the last few logs open, and what it knows of many more; one that it has
// forgotten, or that was there before, is read and gone on with.
class AttemptLogs {
 public:
  // `offset`: how many bytes of output were sent before these. What the log has already is left out, so that
  // a piece may be sent again; what is missing before it is noted in the log. Returns how many bytes it has
  // now. What cannot be written (a full disk) is counted as lost, as everywhere (logs/writer.hpp).
  //
  // `redactor` (null: none) masks secrets, also across pieces and calls: what may be the beginning of one
  // waits for the next piece or finish(). What it takes away counts as output; only when the log was
  // forgotten in between (a restart of the server) those bytes are missing in the count, and the log notes
  // them.
  std::uint64_t append(const std::string& path, const Token& token, std::uint64_t offset,
                       const std::vector<LogPiece>& pieces,
                       const std::shared_ptr<const secrets::Redactor>& redactor, WallTime now);
  // The attempt prints nothing more: what waits is written. No such log: no effect.
  void finish(const Token& token, WallTime now);

 private:
  struct Log {
    Log(const std::string& path, const std::shared_ptr<const secrets::Redactor>& redactor)
        : writer(path, {}, logs::Existing::continued),
          masks{secrets::RedactedStream(redactor), secrets::RedactedStream(redactor)} {}
    ~Log() { finish(last); }

    void write(logs::Stream stream, std::string_view bytes, WallTime now);
    void finish(WallTime now);

    std::mutex mutex;
    // Guarded by mutex.
    logs::Writer writer;
    std::array<secrets::RedactedStream, 2> masks;  // of out and err
    std::uint64_t missing = 0;                     // bytes that never came
    std::uint64_t came = 0;                        // bytes of output that went into the masks
    std::uint64_t written = 0;                     // bytes that came out of them
    WallTime last;
  };
  struct Entry {
    std::string path;
    Token token;
    std::shared_ptr<Log> log;
  };

  std::shared_ptr<Log> find(const std::string& path, const Token& token,
                            const std::shared_ptr<const secrets::Redactor>& redactor);

  std::mutex mutex_;         // guards what follows
  std::list<Entry> recent_;  // the last one that was used first
  std::unordered_map<std::string, std::list<Entry>::iterator> logs_;
};

}  // namespace baton::api

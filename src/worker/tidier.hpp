// Keeps a worker's disk from filling up: the folders of runs that have ended go after a while, and no more
// tasks are taken while there is little room.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "worker/server_calls.hpp"

namespace baton::worker {

struct TidyOptions {
  std::string scratch;                   // the folders of runs
  Duration keep = Duration::hours(24);   // how long those of ended runs stay, for a look or a recovery
  std::optional<std::uint64_t> reserve;  // bytes that are to be free; nullopt: as the server has it
  std::function<WallTime()> now;
  // What has become of these runs, of which there are at most kMostRuns.
  std::function<Result<std::vector<RunEnd>>(const std::vector<RunId>&)> ask;
  // Calls `action` unless an attempt of the run is here, which does not begin meanwhile.
  std::function<void(const RunId&, const std::function<void()>& action)> unless_busy;
  std::function<void(std::string_view)> note;
};

// One thread at a time.
class Tidier {
 public:
  static constexpr std::size_t kMostRuns = 1000;
  // Of a run that the server does not know (another one may), the folder stays at least so long after its
  // use.
  static constexpr Duration kUnknown = Duration::hours(1);

  explicit Tidier(TidyOptions options) : options_(std::move(options)) {}

  // How long to wait between looks.
  Duration every() const;
  // Deletes what is due. Returns whether there is room for more tasks; while there is not, folders of ended
  // runs go at once.
  bool look();

 private:
  bool has_room();
  void sweep(Duration keep);

  const TidyOptions options_;
  bool room_ = true;
  WallTime swept_;
};

}  // namespace baton::worker

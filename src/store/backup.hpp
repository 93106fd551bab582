// What a backup is, whatever store it is of.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace baton::store {

struct BackupReport {
  std::string file;
  std::int64_t bytes = 0;
  std::int64_t schema = 0;
  std::int64_t runs = 0;
  std::int64_t open_runs = 0;
  WallTime last_commit;  // that it has; 0 = none was recorded
};

}  // namespace baton::store

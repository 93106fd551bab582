// Is a data directory in order? What `baton doctor` looks at on the machine itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace baton::embedded {

enum class Health : std::uint8_t { ok, warning, error };
std::string_view name(Health health);

struct Finding {
  std::string check;  // "database"
  Health health = Health::ok;
  std::string message;  // what there is
  std::string advice;   // what to do; "" if all is well
};

struct CheckupOptions {
  std::string data_dir;                         // that has an owner, maybe this process
  std::optional<std::uint64_t> min_free_space;  // as OwnerOptions
  bool thorough = false;                        // reads every page of the database and every index
};

// The directory, the database, the disk by what takes it, the clock, limits of the process. Changes nothing;
// takes as long as reading the database takes.
std::vector<Finding> check_data_dir(const CheckupOptions& options, WallTime now);

// What kinds of files take in a data directory. What cannot be read counts as nothing.
struct DiskUse {
  std::uint64_t database = 0;  // with its log
  std::uint64_t logs = 0;      // of tasks
  std::uint64_t scratch = 0;   // of processes
  std::uint64_t other = 0;
};
DiskUse disk_use(const std::string& data_dir);

}  // namespace baton::embedded

// Whether a disk has room for more work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace baton::executors::process {

// What has to be free when nothing else is said: a twentieth of the file system, at least 256 MiB, at most
// 10 GiB.
std::uint64_t usual_reserve(std::uint64_t file_system_bytes);

struct DiskRoom {
  std::uint64_t free = 0;    // bytes, for this user
  std::uint64_t wanted = 0;  // that are to be free
  bool enough() const { return free >= wanted; }
  std::string text() const;  // "120 MiB free, and 256 MiB are to be"
};

// Of the directory's file system; `reserve`: bytes, nullopt: the usual. One that does not say has enough.
DiskRoom disk_room(const std::string& directory, std::optional<std::uint64_t> reserve);

}  // namespace baton::executors::process

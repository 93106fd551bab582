// No new runs while the disk is nearly full, so that those which run can finish.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"

namespace baton::embedded {

// What has to be free when nothing else is said: a twentieth of the file system, at least 256 MiB, at most
// 10 GiB.
std::uint64_t usual_reserve(std::uint64_t file_system_bytes);

// read_only while fewer than `reserve` bytes (nullopt: the usual) of the directory's file system are free for
// this user. A file system that does not say counts as free.
Status check_free_space(const std::string& data_dir, std::optional<std::uint64_t> reserve);

}  // namespace baton::embedded

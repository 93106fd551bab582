// No new runs while the disk is nearly full, so that those which run can finish.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"

namespace baton::embedded {

// read_only while fewer than `reserve` bytes (nullopt: the usual) of the directory's file system are free for
// this user. A file system that does not say counts as free.
Status check_free_space(const std::string& data_dir, std::optional<std::uint64_t> reserve);

}  // namespace baton::embedded

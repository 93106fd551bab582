// Files packed together: tar (POSIX ustar).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace baton::cli {

struct PackedFile {
  std::string name;  // at most 100 bytes, beneath the archive's folder
  std::string text;
};

// `folder`: that all of them are in; at most 50 bytes. The files are readable by their owner only.
std::string tar_of(std::string_view folder, const std::vector<PackedFile>& files, WallTime at);

}  // namespace baton::cli

// Files that commands read.
#pragma once

#include <string>

#include "base/error.hpp"

namespace baton::cli {

// The whole file; "-" is standard input. not_found, io; too_large beyond `limit` bytes.
Result<std::string> read_text_file(const std::string& path, std::size_t limit);

}  // namespace baton::cli

// Compression by gzip (RFC 1952), by way of zlib. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace baton {

enum class GzipEffort : std::uint8_t {
  fast,   // for what somebody waits for
  small,  // for what is kept
};

// The whole of `bytes` as one gzip member without name and time: the same bytes give the same answer.
// internal: memory is short, or `bytes` are 4 GiB or more.
Result<std::string> gzipped(std::string_view bytes, GzipEffort effort);

}  // namespace baton

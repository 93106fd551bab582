#include "base/gzip.hpp"

#include <zlib.h>

#include <limits>

namespace baton {

Result<std::string> gzipped(std::string_view bytes, GzipEffort effort) {
  constexpr int kGzip = 15 + 16;  // the largest window, with gzip's header
  constexpr int kMemory = 8;      // zlib's usual one: 256 KiB while it works
  const auto failed = [] { return fail(ErrorCode::internal, "compressing failed"); };
  if (bytes.size() >= std::numeric_limits<uInt>::max()) return failed();
  const int level = effort == GzipEffort::fast ? Z_BEST_SPEED : Z_DEFAULT_COMPRESSION;
  z_stream stream{};
  if (::deflateInit2(&stream, level, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) return failed();
  std::string out(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib does not write there
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = ::deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (code != Z_STREAM_END) return failed();
  return out;
}

}  // namespace baton

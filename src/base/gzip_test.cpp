#include "base/gzip.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

namespace baton {
namespace {

std::string unpacked(std::string_view packed, std::size_t size) {
  z_stream stream{};
  EXPECT_EQ(::inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(size + 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  EXPECT_EQ(stream.avail_in, 0U);
  ::inflateEnd(&stream);
  return out;
}

TEST(Gzip, GivesBackWhatWasPacked) {
  std::string mixed;
  for (unsigned i = 0; i < 300'000; ++i) mixed += static_cast<char>((i * 2'654'435'761U) >> 24U);
  for (const std::string& text : {std::string(), std::string("x"), std::string(1'000'000, 'a'), mixed}) {
    for (const GzipEffort effort : {GzipEffort::fast, GzipEffort::small}) {
      const auto packed = gzipped(text, effort);
      ASSERT_TRUE(packed);
      EXPECT_EQ(unpacked(*packed, text.size()), text);
      EXPECT_EQ(gzipped(text, effort), packed) << "the same each time";
    }
  }
  EXPECT_LT(gzipped(std::string(1'000'000, 'a'), GzipEffort::fast)->size(), 10'000U);
}

}  // namespace
}  // namespace baton

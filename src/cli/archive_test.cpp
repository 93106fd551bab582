#include "cli/archive.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/gzip.hpp"

namespace baton::cli {
namespace {

std::string read(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return std::move(text).str();
}

TEST(Archive, TarReadsWhatWasPacked) {
  std::string folder = testing::TempDir() + "/baton-archive-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string large(100'000, 'x');
  const auto packed = gzipped(
      tar_of("bundle",
             {{"a.txt", "hello\n"}, {"empty", ""}, {"block", std::string(512, 'b')}, {"large", large}},
             WallTime{1'700'000'000'000'000}),
      GzipEffort::small);
  ASSERT_TRUE(packed);
  std::ofstream(folder + "/x.tar.gz", std::ios::binary) << *packed;
  ASSERT_EQ(std::system(("tar -xzf " + folder + "/x.tar.gz -C " + folder).c_str()), 0);
  EXPECT_EQ(read(folder + "/bundle/a.txt"), "hello\n");
  EXPECT_EQ(std::filesystem::file_size(folder + "/bundle/empty"), 0U);
  EXPECT_EQ(read(folder + "/bundle/block"), std::string(512, 'b'));
  EXPECT_EQ(read(folder + "/bundle/large"), large);
  EXPECT_EQ(std::filesystem::status(folder + "/bundle/a.txt").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_LT(packed->size(), 2000U);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace baton::cli

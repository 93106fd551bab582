#include "store/conformance.hpp"

#include <stdlib.h>

#include <filesystem>

namespace baton::store::testing {

TemporaryFolder::TemporaryFolder() {
  // In memory where there is such a file system: thousands of syncs cost nothing there.
  std::string pattern = "/dev/shm/baton-store-XXXXXX";
  if (!::mkdtemp(pattern.data())) {
    pattern = (std::filesystem::temp_directory_path() / "baton-store-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
  }
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace baton::store::testing

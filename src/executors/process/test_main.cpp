// The test program is also its own spawner, and the owner and a task of owner_death_test.cpp.
#include <gtest/gtest.h>

#include <string_view>

#include "executors/process/protocol.hpp"
#include "executors/process/spawner.hpp"
#include "executors/process/test_support.hpp"

int main(int argc, char** argv) {
  using namespace baton::executors::process;
  if (argc > 1 && std::string_view(argv[1]) == kSpawnerCommand) return spawner_main(protocol::kSocket);
  if (argc > 2 && std::string_view(argv[1]) == test::kOwnerCommand) return test::owner_main(argv[2]);
  if (argc > 2 && std::string_view(argv[1]) == test::kThreadsCommand) return test::threads_main(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

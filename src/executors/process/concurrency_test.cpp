// 2,000 tasks at the same time cost one thread.
#include <gtest/gtest.h>

#include <sstream>

#include "executors/process/test_support.hpp"

namespace baton::executors::process {
namespace {

int threads_of_this_process() {
  std::istringstream status(test::read_file("/proc/self/status"));
  for (std::string word; status >> word;) {
    if (word == "Threads:") {
      int count = 0;
      status >> count;
      return count;
    }
  }
  return -1;
}

TEST(Concurrency, TwoThousandTasksAtOnce) {
  constexpr int kTasks = 2000;
  test::Harness harness;
  std::vector<Token> tokens;
  for (int i = 0; i < kTasks; ++i) tokens.push_back(harness.start(R"({"argv":["/bin/sleep","5"]})"));
  for (const Token& token : tokens) harness.wait_started(token);
  EXPECT_LE(threads_of_this_process(), 16);
  for (const Token& token : tokens) {
    EXPECT_EQ(harness.wait(token).kind, model::Outcome::Kind::completed)
        << harness.wait(token).failure.message;
  }
}

}  // namespace
}  // namespace baton::executors::process

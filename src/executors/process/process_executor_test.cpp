#include "executors/process/process_executor.hpp"

#include <gtest/gtest.h>

#include "executors/process/test_support.hpp"

namespace baton::executors::process {
namespace {

using Kind = model::Outcome::Kind;
using test::Harness;

TEST(ProcessExecutor, RunsAScript) {
  Harness harness;
  const Token token = harness.start_script("echo hello; echo trouble >&2");
  const model::Outcome outcome = harness.wait(token);
  EXPECT_EQ(outcome.kind, Kind::completed) << outcome.failure.message;
  EXPECT_EQ(outcome.result, R"({"stdout":"hello\n","exit_code":0})");
  const std::string log = harness.log(token);
  EXPECT_NE(log.find("stdout hello\n"), std::string::npos) << log;
  EXPECT_NE(log.find("stderr trouble\n"), std::string::npos) << log;
}

}  // namespace
}  // namespace baton::executors::process

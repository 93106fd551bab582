#include "logs/paths.hpp"

#include <fstream>

#include "logs/test_support.hpp"

namespace baton::logs {
namespace {

class PathsTest : public test::LogTest {};

RunId run_of(std::int64_t sequence) {
  return RunId::make(RunKey::make(ShardId{0}, sequence), wall_of({2026, 11, 21, 23, 59, 59, 999000}),
                     Seed{1, 2});
}

TEST_F(PathsTest, ContainTheDayOfTheRun) {
  const RunId run = run_of(7);
  EXPECT_EQ(run_path(run), "2026-11-21/" + run.text());
  EXPECT_EQ(attempt_path({run, 12}, 3), "2026-11-21/" + run.text() + "/12.3");
}

TEST_F(PathsTest, RemovesOneRunAndTheLastOneOfTheDay) {
  for (const std::int64_t sequence : {1, 2}) {
    Writer(directory_ + '/' + attempt_path({run_of(sequence), 1}, 1)).write(Stream::out, "x\n", test::kNow);
  }
  ASSERT_TRUE(remove_run(directory_, run_of(1)));
  EXPECT_FALSE(std::filesystem::exists(directory_ + '/' + run_path(run_of(1))));
  EXPECT_TRUE(std::filesystem::exists(directory_ + '/' + run_path(run_of(2))));
  ASSERT_TRUE(remove_run(directory_, run_of(2)));
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/2026-11-21"));
  EXPECT_TRUE(remove_run(directory_, run_of(2)));
  EXPECT_TRUE(std::filesystem::exists(directory_));
}

}  // namespace
}  // namespace baton::logs

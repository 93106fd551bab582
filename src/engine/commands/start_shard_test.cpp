#include <gtest/gtest.h>

#include <boost/json/array.hpp>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::RunStatus;
using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

TEST(StartShard, ARemoteAttemptStaysValid) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto a = world.claim_one();
  world.advance(Duration::seconds(25));
  world.restart();
  world.advance(Duration::seconds(29));
  EXPECT_EQ(world.status(run, "a"), TaskStatus::running) << "its lease began anew";
  EXPECT_EQ(world.complete(a), TaskStatus::completed);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST(StartShard, ARemoteAttemptThatStaysSilentIsLost) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto a = world.claim_one();
  world.restart();
  world.advance(Duration::seconds(30));
  EXPECT_EQ(world.task(run, "a").lost, 1u);
  EXPECT_EQ(testing::error_of(world.report(a, testing::completed())).code, ErrorCode::stale_token);
  EXPECT_GT(world.claim_one().token, a.token);
}

TEST(StartShard, AnAttemptInTheServersProcessIsInterrupted) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto before = world.claim(1, "inside", {"default"}, true);
  world.restart();
  world.settle();
  const model::TaskRow row = world.task(run, "a");
  EXPECT_EQ(row.status, TaskStatus::queued);
  EXPECT_EQ(row.interrupted, 1u);
  EXPECT_EQ(row.lost, 0u);
  EXPECT_EQ(row.attempts, 0u);
  EXPECT_EQ(testing::error_of(world.report(before.at(0), testing::completed())).code, ErrorCode::stale_token);
}

TEST(StartShard, QueuedTasksKeepTheirOrder) {
  World world;
  for (int i = 0; i < 5; ++i) {
    world.submit(FlowBuilder("w").run("a").done());
    world.advance(Duration::seconds(1));
  }
  world.restart();
  const auto tasks = world.claim(5);
  ASSERT_EQ(tasks.size(), 5u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(tasks[static_cast<std::size_t>(i)].task.run.key().sequence(), i + 1);
}

// A story with everything in it, told with a new owner after every n-th commit, with slow commits and without
// a cache: it ends the same.
std::vector<std::string> ending(const WorldOptions& options) {
  World world(options);
  const RunId run =
      world.submit(FlowBuilder("w")
                       .max_parallel(2)
                       .set("values", boost::json::object{{"list", boost::json::array{1, 2, 3}}})
                       .run("m")
                       .needs({"values"})
                       .for_each("${{ steps.values.result.list }}")
                       .with("${{ item + inputs.n }}")
                       .run("flaky")
                       .attempts(3)
                       .run("no")
                       .when("run.metadata.env == 'prod'")
                       .run("bad")
                       .continue_on_error()
                       .run("join")
                       .needs({"m", "flaky", "no", "bad"})
                       .with("${{ steps.m.result }}")
                       .run("report")
                       .finally()
                       .with("${{ run.status }}")
                       .done(),
                   R"({"n":10})", R"({"metadata":{"env":"test"},"workdir":"/w","env":{"A":"1"}})");
  std::vector<std::string> out;
  for (int i = 0; i < 100 && !is_terminal(world.run(run).status); ++i) {
    auto tasks = world.claim(1);
    if (tasks.empty()) {
      world.advance(Duration::seconds(1));
      continue;
    }
    const auto& task = tasks[0];
    out.push_back(task.spec);
    if (task.step == "bad" || (task.step == "flaky" && world.task(run, "flaky").attempts < 3)) {
      world.fail(task);
    } else {
      world.complete(task, std::to_string(task.task.ordinal));
    }
  }
  std::ranges::sort(out);
  for (const char* step : {"values", "m", "flaky", "no", "bad", "join", "report"}) {
    out.push_back(std::string(step) + " " + std::string(name(world.status(run, step))) + " " +
                  world.result(run, step));
  }
  out.emplace_back(name(world.run(run).status));
  return out;
}

TEST(StartShard, RestartsSlowCommitsAndTinyCachesChangeNothing) {
  const auto expected = ending({});
  EXPECT_EQ(expected.back(), "completed");
  ASSERT_EQ(expected.size(), 3u + 3 + 1 + 1 + 1 + 7 + 1);
  for (const std::uint32_t restart_every : {0u, 1u, 2u, 3u}) {
    for (const std::size_t in_flight : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
      for (const std::size_t cache : {std::size_t{1}, std::size_t{1} << 20}) {
        SCOPED_TRACE(std::to_string(restart_every) + " " + std::to_string(in_flight) + " " +
                     std::to_string(cache));
        WorldOptions options;
        options.restart_every = restart_every;
        options.commits_in_flight = in_flight;
        options.cache_bytes = cache;
        EXPECT_EQ(ending(options), expected);
      }
    }
  }
}

}  // namespace
}  // namespace baton::engine

#include "engine/rendering.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;
namespace json = boost::json;

constexpr const char* kInput = R"({"n":3,"s":"text","list":[1,"a",null],"flag":true,"f":0.5})";
constexpr const char* kContext =
    R"({"workdir":"/home/me","env":{"PATH":"/bin","A":"theirs"},"vars":{"HOME":"/root"},"metadata":{"team":"x"}})";

std::string spec_of(FlowBuilder& flow) {
  World world;
  world.submit(flow.done(), kInput, kContext);
  return world.claim_one().spec;
}

struct Rendered {
  const char* text;
  const char* json;
};

TEST(Rendering, ValuesOfEveryVariable) {
  const std::vector<Rendered> table = {
      {"plain", R"("plain")"},
      {"${{ inputs.n }}", "3"},
      {"${{ inputs.list }}", R"([1,"a",null])"},
      {"n=${{ inputs.n }}, ${{ inputs.flag }}, ${{ inputs.list }}, ${{ null }}.",
       R"("n=3, true, [1,\"a\",null], .")"},
      {"$${{ inputs.n }}", R"("${{ inputs.n }}")"},
      {"${{ env.HOME }}", R"("/root")"},
      {"${{ has(env.NOPE) }}", "false"},
      {"${{ run.metadata.team }}", R"("x")"},
      {"${{ run.status }}", R"("pending")"},
      {"${{ run.job_id == null }}", "true"},
      {"${{ run.recovery_attempts }}", "0"},
      {"${{ size(run.id) }}", "36"},
  };
  for (const Rendered& row : table) {
    SCOPED_TRACE(row.text);
    FlowBuilder flow("w");
    const std::string spec = spec_of(flow.run("a").with(row.text));
    EXPECT_NE(spec.find("\"with\":" + std::string(row.json) + "}"), std::string::npos) << spec;
  }
}

TEST(Rendering, WhatOtherStepsLeft) {
  World world;
  const std::vector<Rendered> table = {
      {"${{ steps.ok.result.v }}", "7"},
      {"${{ steps['ok'].result }}", R"({"v":7})"},
      {"${{ steps.ok.status }} ${{ steps.ok.attempts }}", R"("completed 2")"},
      {"${{ steps.ok.error == null }}", "true"},
      {"${{ steps.bad.status }} ${{ steps.bad.error.type }} ${{ steps.bad.error.message }}",
       R"("failed exit why")"},
      {"${{ steps.bad.result == null }}", "true"},
      {"${{ steps.no.status }} ${{ steps.no.result == null }}", R"("skipped true")"},
      {"${{ has(steps.ok.result.w) }}", "false"},
      {"${{ steps.map(name, name).size() }}", "16"},
  };
  FlowBuilder flow("w");
  flow.run("ok").attempts(2).run("bad").continue_on_error().run("no").when("false");
  for (std::size_t i = 0; i < table.size(); ++i) {
    flow.run("t" + std::to_string(i)).needs({"ok", "bad", "no"}).with(table[i].text);
  }
  for (int i = 0; i < 4; ++i) flow.run("pad" + std::to_string(i)).needs({"ok"});
  world.submit(flow.done());
  auto tasks = world.claim(2);
  world.fail(tasks[0]);
  world.fail(tasks[1], {.type = "exit", .message = "why"});
  world.advance(Duration::seconds(1));
  world.complete(world.claim_one(), R"({"v":7})");
  tasks = world.claim(50);
  ASSERT_EQ(tasks.size(), table.size() + 4);
  for (const auto& task : tasks) {
    if (task.step[0] != 't') continue;
    const Rendered& row = table[static_cast<std::size_t>(task.step[1] - '0')];
    EXPECT_NE(task.spec.find("\"with\":" + std::string(row.json) + "}"), std::string::npos)
        << row.text << " gives " << task.spec;
  }
}

TEST(Rendering, TheSurroundingsOfTheSubmitterAreMergedIn) {
  FlowBuilder flow("w");
  EXPECT_EQ(spec_of(flow.run("a", "echo ${{ not a template }}")
                        .env({{"A", "mine"},
                              {"N", "${{ inputs.n }}"},
                              {"F", "${{ inputs.f }}"},
                              {"L", "${{ inputs.list }}"},
                              {"Z", "${{ null }}"}})
                        .shell({"bash", "-c"})
                        .parse_json()),
            R"({"script":"echo ${{ not a template }}","shell":["bash","-c"],)"
            R"("env":{"PATH":"/bin","A":"mine","N":"3","F":"0.5","L":"[1,\"a\",null]","Z":""},)"
            R"("workdir":"/home/me","parse":"json"})");
}

TEST(Rendering, ArgumentsAreText) {
  FlowBuilder flow("w");
  const std::string spec =
      spec_of(flow.exec("a", {"prog", "${{ inputs.n }}", "--flag=${{ inputs.flag }}", "${{ inputs.list }}"}));
  EXPECT_NE(spec.find(R"("argv":["prog","3","--flag=true","[1,\"a\",null]"])"), std::string::npos) << spec;
}

TEST(Rendering, WorkdirIsBelowTheRunsUnlessItIsAbsolute) {
  for (const Rendered& row : std::initializer_list<Rendered>{{"", R"("/home/me")"},
                                                             {"sub", R"("/home/me/sub")"},
                                                             {"${{ inputs.s }}/x", R"("/home/me/text/x")"},
                                                             {"/abs", R"("/abs")"}}) {
    FlowBuilder flow("w");
    const std::string spec = spec_of(flow.run("a").workdir(row.text));
    EXPECT_NE(spec.find("\"workdir\":" + std::string(row.json)), std::string::npos) << spec;
  }
}

TEST(Rendering, AMistakeInAnExpressionFailsTheTask) {
  for (const char* text :
       {"${{ inputs.missing }}", "${{ 1 / 0 }}", "${{ steps.skipped.result.x }}", "${{ inputs.n + 'a' }}",
        "x ${{ inputs.list[9] }}", "${{ [1].map(a, [1,2,3].map(b, a / 0)) }}"}) {
    SCOPED_TRACE(text);
    World world;
    const RunId run = world.submit(FlowBuilder("w")
                                       .run("skipped")
                                       .when("false")
                                       .run("a")
                                       .needs({"skipped"})
                                       .attempts(3)
                                       .with(text)
                                       .done(),
                                   kInput);
    EXPECT_EQ(world.status(run, "a"), TaskStatus::failed);
    EXPECT_EQ(world.task(run, "a").error_type, "expression");
    EXPECT_NE(world.task(run, "a").error_message, "");
    EXPECT_EQ(world.task(run, "a").starts, 0u);
    EXPECT_EQ(world.run(run).status, model::RunStatus::failed);
  }
}

TEST(Rendering, WhatWasRenderedIsTheSameForEachAttempt) {
  World world;
  world.submit(FlowBuilder("w").run("a").attempts(3).with("${{ run.status }}").done());
  const auto first = world.claim_one();
  world.fail(first);
  world.advance(Duration::seconds(1));
  const auto second = world.claim_one();
  EXPECT_EQ(second.spec, first.spec);
  world.fail(second);
  world.restart();
  world.advance(Duration::seconds(1));
  EXPECT_EQ(world.claim_one().spec, first.spec);
}

TEST(Rendering, AConstantStepStoresNoInput) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").with(json::object{{"k", 1}}).done());
  const auto a = world.claim_one();
  EXPECT_NE(a.spec.find(R"("with":{"k":1})"), std::string::npos);
  EXPECT_FALSE(world.task(run, "a").has_input);
}

TEST(Rendering, SetComputes) {
  World world;
  const RunId run = world.submit(
      FlowBuilder("w")
          .set("a", json::object{{"x", "${{ inputs.n * 2 }}"}, {"c", json::array{1, "${{ inputs.s }}"}}})
          .set("b", json::object{{"y", "${{ steps.a.result.x + 1 }}"}})
          .needs({"a"})
          .set("bad", json::object{{"y", "${{ steps.a.result.nope }}"}})
          .needs({"a"})
          .done(),
      kInput);
  EXPECT_EQ(world.result(run, "a"), R"({"x":6,"c":[1,"text"]})");
  EXPECT_EQ(world.result(run, "b"), R"({"y":7})");
  EXPECT_EQ(world.task(run, "a").attempts, 1u);
  EXPECT_EQ(world.status(run, "bad"), TaskStatus::failed);
  EXPECT_EQ(world.run(run).status, model::RunStatus::failed);
}

TEST(Rendering, ALargeComputedResultIsRefused) {
  testing::WorldOptions options;
  options.settings.max_result = 20;
  World world(options);
  const RunId run = world.submit(FlowBuilder("w")
                                     .set("fits", json::object{{"x", "0123456789ab"}})
                                     .set("large", json::object{{"x", "0123456789abc"}})
                                     .done());
  EXPECT_EQ(world.status(run, "fits"), TaskStatus::completed);
  EXPECT_EQ(world.task(run, "large").error_type, "validation");
}

TEST(Rendering, AnItemIsSeenByWhenAndBodyOnly) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").when("item == 1").done());
  EXPECT_EQ(world.task(run, "a").error_type, "expression") << "there is no item without for_each";
}

TEST(Rendering, AStoredResultThatIsNoJsonFailsWhoReadsIt) {
  World world;
  const RunId run =
      world.submit(FlowBuilder("w").run("a").run("b").needs({"a"}).with("${{ steps.a.result }}").done());
  world.complete(world.claim_one(), "{broken");
  EXPECT_EQ(world.task(run, "b").error_type, "expression");
}

TEST(Rendering, ARequestIsEvaluatedOnceAndItsTextsAreText) {
  World world;
  FlowBuilder flow("w");
  flow.http(
          "a",
          json::object{
              {"url", "${{ inputs.s }}"},
              {"method", "PUT"},
              {"body", "${{ inputs.list }}"},
              {"headers", json::object{{"X-N", "${{ inputs.n }}"}, {"X-S", "${{ run.status }}"}}},
              {"query", json::object{{"f", "${{ inputs.f }}"}, {"l", "${{ inputs.list }}"}, {"z", nullptr}}},
              {"tls", json::object{{"ca", "my.pem"}}}})
      .attempts(2);
  const RunId run = world.submit(flow.done(), kInput, kContext);
  const auto first = world.claim_one();
  EXPECT_EQ(first.kind, model::StepKind::http);
  EXPECT_EQ(
      first.spec,
      R"({"request":{"url":"text","method":"PUT","body":"[1,\"a\",null]","headers":{"X-N":"3","X-S":"pending"},)"
      R"("query":{"f":"0.5","l":["1","a",null],"z":null},"tls":{"ca":"/home/me/my.pem"}}})");
  world.fail(first);
  world.advance(Duration::seconds(1));
  EXPECT_EQ(world.claim_one().spec, first.spec) << "recorded: the run's status is another one by now";
  EXPECT_TRUE(world.task(run, "a").has_input);
}

TEST(Rendering, ARequestHasItsSchemaAndTheTraceOfItsRun) {
  World world;
  FlowBuilder flow("w");
  flow.http("a", json::object{{"url", "http://h/"}}).response_schema(json::object{{"type", "object"}});
  world.submit(flow.done(), "{}", R"({"workdir":"/w","traceparent":"00-1-2-01"})");
  EXPECT_EQ(
      world.claim_one().spec,
      R"({"request":{"url":"http://h/"},"response_schema":{"type":"object"},"traceparent":"00-1-2-01"})");
}

TEST(Rendering, AMappedStepCountsItsItemsAndListsTheirErrors) {
  World world;
  world.submit(
      FlowBuilder("w")
          .run("a")
          .for_each(json::array{1, 2, 3})
          .max_failures({.value = 2})
          .run("b")
          .needs({"a"})
          .with(json::object{{"counts", "${{ steps.a.counts }}"}, {"errors", "${{ steps.a.errors }}"}})
          .run("c")
          .needs({"b"})
          .with("${{ steps.b.counts }}")
          .done());
  world.complete(world.claim_one());
  world.fail(world.claim_one(), {.type = "exit", .message = "no"});
  world.complete(world.claim_one());
  const auto b = world.claim_one();
  EXPECT_NE(b.spec.find(R"({"total":3,"completed":2,"failed":1,"skipped":0,"cancelled":0})"),
            std::string::npos)
      << b.spec;
  EXPECT_NE(b.spec.find(R"([{"index":1,"type":"exit","message":"no"}])"), std::string::npos) << b.spec;
  world.complete(b);
  EXPECT_EQ(world.claim_one().spec.find("total"), std::string::npos) << "null of a step without items";
}

}  // namespace
}  // namespace baton::engine

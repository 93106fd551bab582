#include "executors/process/spec.hpp"

#include <gtest/gtest.h>

#include "base/trace_context.hpp"
#include "executors/process/test_support.hpp"

namespace baton::executors::process {
namespace {

using Texts = std::vector<std::string>;

TEST(Spec, ReadsBothForms) {
  const auto exec = parse_spec(R"({"argv":["a","b c"],"env":{"X":"1"},"workdir":"/tmp","with":{"n":[1,2]},)"
                               R"("parse":"json"})");
  ASSERT_TRUE(exec) << exec.error().message;
  EXPECT_EQ(exec->argv, (Texts{"a", "b c"}));
  EXPECT_EQ(exec->env.at("X"), "1");
  EXPECT_EQ(exec->workdir, "/tmp");
  EXPECT_EQ(exec->input, R"({"n":[1,2]})");
  EXPECT_TRUE(exec->parse_json);

  const auto script = parse_spec(R"({"script":"echo $1","shell":["bash","-c"],"parse":null})");
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_EQ(script->argv, (Texts{"bash", "-c", "echo $1"}));
  EXPECT_EQ(script->input, "");
  EXPECT_FALSE(script->parse_json);

  EXPECT_EQ(parse_spec(R"({"script":""})")->argv, (Texts{"sh", "-e", "-c", ""}));
}

TEST(Spec, RefusesWithTheMembersName) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "not JSON"},
      {"[1]", "must be an object"},
      {"{}", "`argv` and `script`"},
      {R"({"argv":["a"],"script":"b"})", "`argv` and `script`"},
      {R"({"argv":[]})", "`argv`"},
      {R"({"argv":[1]})", "`argv`"},
      {R"({"argv":[""]})", "empty"},
      {R"({"argv":["a\u0000b"]})", "NUL"},
      {R"({"argv":"a"})", "`argv`"},
      {R"({"script":"x","shell":[]})", "`shell`"},
      {R"({"argv":["a"],"env":{"A=B":"x"}})", "A=B"},
      {R"({"argv":["a"],"env":{"":"x"}})", "`env`"},
      {R"({"argv":["a"],"env":{"A":1}})", "env.A"},
      {R"({"argv":["a"],"env":[]})", "`env`"},
      {R"({"argv":["a"],"workdir":"relative"})", "absolute"},
      {R"({"argv":["a"],"parse":"yaml"})", "`parse`"},
      {R"({"argv":["a"],"timeout":3})", "timeout"},
  };
  for (const auto& [text, expected] : cases) {
    const auto spec = parse_spec(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_NE(spec.error().message.find(expected), std::string::npos) << spec.error().message;
  }
  EXPECT_FALSE(parse_spec(std::string(100'000, '[')));
}

TEST(Spec, BaseEnvironmentIsAnAllowList) {
  const char* const environment[] = {
      "PATH=/bin",     "HOME=/root", "LC_ALL=C", "LC_TIME=de_DE", "LANG=C",      "TZ=UTC", "SECRET_TOKEN=x",
      "LD_PRELOAD=/x", "PATHX=1",    "USER=me",  "broken",        "TMPDIR=/t=1", nullptr};
  EXPECT_EQ(base_environment(environment), (std::map<std::string, std::string>{{"HOME", "/root"},
                                                                               {"LANG", "C"},
                                                                               {"LC_ALL", "C"},
                                                                               {"LC_TIME", "de_DE"},
                                                                               {"PATH", "/bin"},
                                                                               {"TMPDIR", "/t=1"},
                                                                               {"TZ", "UTC"},
                                                                               {"USER", "me"}}));
  EXPECT_TRUE(base_environment(nullptr).empty());
}

TEST(Spec, FullEnvironmentCannotBeOverridden) {
  Attempt attempt;
  attempt.token = {3, 1042};
  attempt.task = {test::some_run(), 5};
  attempt.number = 2;
  Spec spec;
  spec.env = {{"A", "b"}, {"BATON_TOKEN", "forged"}};
  const std::string run = test::some_run().text();
  AttemptFiles files;
  files.run_dir = "/scratch/run";
  files.input = "/in";
  files.result = "/out";
  EXPECT_EQ(
      full_environment(spec, attempt, files),
      (Texts{"A=b", "BATON_ATTEMPT=2", "BATON_INPUT=/in", "BATON_RESULT=/out", "BATON_RUN_DIR=/scratch/run",
             "BATON_RUN_ID=" + run, "BATON_TASK_ID=" + run + ".5", "BATON_TOKEN=3-1042",
             "TRACEPARENT=" + trace_of_attempt("", test::some_run(), {3, 1042}).text()}));

  spec.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_TRUE(full_environment(spec, attempt, files)
                  .back()
                  .starts_with("TRACEPARENT=00-4bf92f3577b34da6a3ce929d0e0e4736-"));
  spec.env["TRACEPARENT"] = "the step's own";
  EXPECT_EQ(full_environment(spec, attempt, files).back(), "TRACEPARENT=the step's own");
}

}  // namespace
}  // namespace baton::executors::process

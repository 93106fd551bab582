#include "spec/parse.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace baton::spec {
namespace {

std::string errors(std::string_view text, std::string file = "w.yaml") {
  return render(parse_workflow(text, {std::move(file)}).diagnostics);
}

TEST(Parse, AWholeDefinition) {
  const auto result = parse_workflow(R"(
name: dataset-build
title: Dataset build
inputs:
  source: {type: string}
  limit: {type: integer, default: 1000}
defaults:
  timeout: 10m
  retry: {max_attempts: 4, backoff: exponential, initial: 1s, multiplier: 2, max: 60s, jitter: full}
max_recovery_attempts: 4
env: {LC_ALL: C}
steps:
  download:
    run: ./fetch.sh "$SOURCE" "$LIMIT"
    env: {SOURCE: "${{ inputs.source }}", LIMIT: "${{ inputs.limit }}", HOST: "${{ env.HOSTNAME }}"}
    estimate: 5m
  label:
    needs: [download]
    for_each: ${{ steps.download.result.batches }}
    max_parallel: 8
    exec: [./label.sh, "${{ item }}", 5]
    timeout: {soft: 4m, hard: 5m}
    retry: {max_retries: 2, jitter: {add: 1s}}
  sum:
    needs: [label]
    when: size(steps.label.result) > 0
    set: {total: "${{ size(steps.label.result) }}"}
finally:
  report: {exec: [./report.sh, "${{ run.status }}", "${{ steps.sum.result.total }}"]}
)",
                                     {"w.yaml"});
  ASSERT_TRUE(result.workflow) << render(result.diagnostics);
  const model::Workflow& w = *result.workflow;
  EXPECT_EQ(w.name, "dataset-build");
  ASSERT_EQ(w.steps.size(), 4U);
  EXPECT_EQ(w.steps[1].needs, std::vector<Ordinal>{0});
  EXPECT_EQ(w.steps[1].timeout->soft, Duration::minutes(4));
  EXPECT_EQ(w.steps[0].timeout->hard, Duration::seconds(610));
  EXPECT_EQ(w.steps[1].retry->max_attempts, 3U);
  EXPECT_EQ(w.steps[0].env.as_object().at("LC_ALL"), "C");
  EXPECT_EQ(w.reads_env, std::vector<std::string>{"HOSTNAME"});
  const auto again = parse_canonical(w.canonical);
  ASSERT_TRUE(again.workflow) << w.canonical << render(again.diagnostics);
  EXPECT_EQ(again.workflow->canonical, w.canonical);
  EXPECT_EQ(again.workflow->hash, w.hash);
}

TEST(Parse, ASmallTextDoesNotBecomeALargeWorkflow) {
  std::string text = "name: x\nenv: {LONG: " + std::string(1 << 20, 'x') + "}\nsteps:\n";
  for (int i = 0; i < 1000; ++i) text += "  s" + std::to_string(i) + ": {run: a}\n";
  const ParseResult result = parse_workflow(text, {"w.yaml"});
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_EQ(
      result.diagnostics[0].message,
      "`env` and `defaults` give 1048708 bytes to each of 1000 steps; at most 256 MiB together are possible");
}

TEST(Parse, DiagnosticsAsJson) {
  const ParseResult result = parse_workflow("name: x\nsteps: {a: {run: a, needs: [é, b]}}\n", {"w.yaml"});
  EXPECT_EQ(
      boost::json::serialize(to_json(result.diagnostics)),
      R"([{"file":"w.yaml","line":2,"column":29,"end_column":30,"severity":"error",)"
      R"("code":"invalid_definition","message":"unknown step \"é\"","suggestion":"","path":"steps.a.needs[0]"},)"
      R"({"file":"w.yaml","line":2,"column":32,"end_column":33,"severity":"error","code":"invalid_definition",)"
      R"("message":"unknown step \"b\"","suggestion":"did you mean \"a\"?","path":"steps.a.needs[1]"}])");
}

TEST(Parse, AnErrorOfLaterFieldsOnlyIsUnsupported) {
  const auto code = [](std::string_view text) { return to_error(parse_workflow(text).diagnostics).code; };
  EXPECT_EQ(code("name: x\nsteps: {a: {celery: {task: x}}}\n"), ErrorCode::unsupported);
  EXPECT_EQ(code("name: x\nsteps: {a: {celery: {task: x}, needs: [b]}}\n"), ErrorCode::invalid_definition);
}

TEST(Parse, ADraftHasAWarning) {
  const ParseResult result = parse_workflow("name: x\n", {"w.yaml"});
  ASSERT_TRUE(result.workflow);
  EXPECT_EQ(render(result.diagnostics),
            "w.yaml:1:1: warning: the workflow has no steps yet: it cannot be started\n    name: x\n    ^\n");
}

TEST(Parse, ErrorsComeAllAtOnce) {
  EXPECT_EQ(errors(R"(name: x
steps:
  fetch:
    run: ./fetch ${{ inputs.source }}
  check:
    needs: [fetsch]
    tiemout: 5m
    set: {a: "${{ steps.fetch.result }}"}
)"),
            R"(w.yaml:4:18: error: `${{ }}` is not allowed in the text of `run`: a value could become code
        run: ./fetch ${{ inputs.source }}
                     ^~~~~~~~~~~~~~~~~~~~
  help: pass it by the environment: env: {SOURCE: "${{ inputs.source }}"}, and write "$SOURCE" here
w.yaml:6:13: error: unknown step "fetsch"
        needs: [fetsch]
                ^~~~~~
  help: did you mean "fetch"?
w.yaml:7:5: error: unknown field "tiemout" of a step
        tiemout: 5m
        ^~~~~~~
  help: did you mean `timeout`?
w.yaml:8:19: error: step "check" reads steps.fetch but does not need it
        set: {a: "${{ steps.fetch.result }}"}
                      ^~~~~~~~~~~
  help: add fetch to the `needs` of check
)");
}

TEST(CheckWorkflow, WhatThisVersionDoesNotDoIsCheckedAndWarnedAbout) {
  const std::string text =
      "name: x\nschedules: [{cron: \"@daily\", timezone: Europe/Berlin}]\nsteps: {a: {celery: {task: t}}, b: "
      "{needs: "
      "[a], run: b}}\n";
  const CheckResult checked = check_workflow(text);
  ASSERT_TRUE(checked.outline);
  EXPECT_EQ(checked.outline->steps[0].kind, "celery");
  EXPECT_EQ(checked.outline->steps[1].needs, std::vector<Ordinal>{0});
  ASSERT_EQ(checked.diagnostics.size(), 2U);
  for (const Diagnostic& d : checked.diagnostics) {
    EXPECT_EQ(d.severity, Severity::warning);
    EXPECT_EQ(d.code, ErrorCode::unsupported);
  }
  EXPECT_EQ(checked.diagnostics[0].path, "schedules");
  EXPECT_EQ(checked.diagnostics[1].path, "steps.a.celery");

  const ParseResult parsed = parse_workflow(text);
  EXPECT_FALSE(parsed.workflow);
  EXPECT_EQ(to_error(parsed.diagnostics).code, ErrorCode::unsupported);
}

TEST(CheckWorkflow, TimeZonesAreLookedUpIfThereIsATable) {
  const auto zones = calendar::ZoneTable::utc_only();
  int asked = 0;
  const auto check = [&](const std::string& schedule) {
    return check_workflow("name: x\nschedules: [" + schedule + "]\nsteps: {a: {run: a}}\n", {.zones = [&] {
                            ++asked;
                            return &zones;
                          }});
  };
  EXPECT_TRUE(check("{cron: \"@daily\"}").outline);
  EXPECT_EQ(asked, 0);
  EXPECT_TRUE(check("{cron: \"@daily\", timezone: UTC}").outline);
  const CheckResult wrong = check("{cron: \"@daily\", timezone: UTT}");
  EXPECT_FALSE(wrong.outline);
  ASSERT_EQ(wrong.diagnostics.size(), 2U);
  EXPECT_EQ(wrong.diagnostics[1].message, "unknown time zone \"UTT\"");
  EXPECT_EQ(wrong.diagnostics[1].suggestion, "did you mean UTC?");
}

}  // namespace
}  // namespace baton::spec

#include "spec/parse.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace baton::spec

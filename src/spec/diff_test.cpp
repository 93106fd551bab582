#include "spec/diff.hpp"

#include <gtest/gtest.h>

#include "spec/parse.hpp"
#include "spec/read.hpp"

namespace baton::spec {
namespace {

std::string changes(std::string_view before, std::string_view after) {
  const auto a = read_tree("a.yaml", before, {});
  const auto b = read_tree("b.yaml", after, {});
  if (!a || !b) return "not YAML";
  std::string out;
  for (const Change& change : diff(*a, *b)) out += change.text() + "\n";
  return out;
}

TEST(Diff, AsAPersonWouldPutIt) {
  EXPECT_EQ(changes(R"(name: x
title: One
inputs: {limit: {type: integer, default: 1000}, source: {type: string}, old: {default: 1}}
env: {A: "1", B: "2"}
steps:
  fetch: {run: ./fetch.sh, timeout: 90s}
  label:
    needs: [fetch]
    retry: {max_attempts: 4, jitter: full}
    run: |
      first
      second
      third
  lint: {needs: [fetch], run: lint}
  deploy: {needs: [label, lint], exec: [deploy, now]}
  report: {needs: [deploy], run: report}
)",
                    R"(name: x
title: Two
inputs: {source: {type: string}, limit: {type: integer, default: 5000}, new: {type: boolean}}
env: {A: "1", C: "3"}
max_parallel: 4
steps:
  fetch: {run: ./fetch.sh, timeout: 2m}
  label:
    needs: [fetch]
    retry: {max_attempts: 6, max: 5m}
    run: |
      first
      2nd
      third
  test: {needs: [fetch, label], run: test}
  deploy: {needs: [label, test], exec: [deploy, later]}
finally:
  report: {run: report}
)"),
            R"(workflow: title One → Two
input limit: default 1000 → 5000
input new added ({type: boolean})
input old removed
input source moved to the front
workflow: env.C added: 3
workflow: env.B removed (was 2)
workflow: max_parallel added: 4
step fetch: timeout 1m30s → 2m
step label: retry.max_attempts 4 → 6
step label: retry.max added: 5m
step label: retry.jitter removed (was full)
step label: run changed
    - second
    + 2nd
step test added (run, needs fetch, label)
step deploy: now needs test
step deploy: no longer needs lint
step deploy: exec [deploy, now] → [deploy, later]
step report moved to `finally`
step report: no longer needs deploy
step lint removed
)");
}

TEST(Diff, WhatMeansTheSameIsNoDifference) {
  EXPECT_EQ(changes("name: x\nsteps: {a: {run: x, timeout: 90s, env: {P: 80}}, b: {needs: [a, c], run: y, "
                    "when: true}, c: {run: z}}\n",
                    "# comment\nname: \"x\"\nsteps:\n  a:\n    env: {P: \"80\"}\n    timeout: 1m30s\n    "
                    "run: x\n  b: {when: "
                    "\"true\", needs: [c, a], run: y}\n  c: {run: z}\n"),
            "");
  EXPECT_EQ(
      changes("{\"name\": \"x\", \"steps\": {\"a\": {\"run\": \"a\"}}}", "name: x\nsteps: {a: {run: a}}\n"),
      "");
}

TEST(Diff, ARenamedStepAndThoseThatReferToIt) {
  EXPECT_EQ(
      changes("name: x\nsteps: {a: {run: one}, b: {needs: [a], set: {v: \"${{ steps.a.result }} ${{ steps.ab "
              "}}\"}}, c: "
              "{needs: [b], run: c, when: 'steps[\"a\"].status == \"x\"'}}\n",
              "name: x\nsteps: {first: {run: one}, second: {needs: [first], set: {v: \"${{ "
              "steps.first.result }} ${{ "
              "steps.ab }}\"}}, c: {needs: [second], run: c, when: 'steps[\"first\"].status == \"x\"'}}\n"),
      "step a renamed to first\nstep b renamed to second\n");
  // With another body it is another step.
  EXPECT_EQ(changes("name: x\nsteps: {a: {run: one}}\n", "name: x\nsteps: {b: {run: two}}\n"),
            "step b added (run)\nstep a removed\n");
}

TEST(Diff, TheOrderOfSteps) {
  EXPECT_EQ(changes("name: x\nsteps: {a: {run: a}, b: {run: b}, c: {run: c}, d: {run: d}}\n",
                    "name: x\nsteps: {d: {run: d}, a: {run: a}, c: {run: c}, b: {run: b}}\n"),
            "step d moved to the front\nstep c moved behind a\n");
}

TEST(Diff, ListsOfMaps) {
  EXPECT_EQ(
      changes("name: x\nschedules: [{cron: \"@daily\"}, {every: 60s}]\nsteps: {a: {run: a}}\n",
              "name: x\nschedules: [{cron: \"@hourly\"}, {every: 1m}, {every: 5m}]\nsteps: {a: {run: a}}\n"),
      "workflow: schedules[0].cron @daily → @hourly\nworkflow: schedules[2] added: {every: 5m}\n");
}

TEST(Diff, SwitchesAndWaits) {
  const std::string rest = "  big: {run: big}\n  huge: {run: huge}\n  small: {run: small}\n";
  const std::string before =
      "name: x\nsteps:\n  s: {switch: [{when: inputs.n > 3, goto: big}, {else: small}]}\n  w: {wait: 90s}\n"
      "  v: {wait: {signal: go}}\n" +
      rest;
  EXPECT_EQ(changes(before,
                    "name: x\nsteps:\n  s: {switch: [{when: inputs.n > 5, goto: [big, huge]}, {else: "
                    "[small]}]}\n  w: {wait: {for: 1m30s}}\n  v: {wait: {approval: Now?, timeout: "
                    "1h}}\n" +
                        rest),
            "step s: switch[0].when inputs.n > 3 → inputs.n > 5\n"
            "step s: branch 0 now goes to huge\n"
            "step v: wait {signal: go} → {approval: Now?, timeout: 1h}\n");
  // A step's new name is its new name where a switch goes to it, too.
  EXPECT_EQ(changes(before,
                    "name: x\nsteps:\n  s: {switch: [{when: inputs.n > 3, goto: large}, {else: small}]}\n"
                    "  w: {wait: 90s}\n  v: {wait: {signal: go}}\n  large: {run: big}\n  huge: {run: "
                    "huge}\n  small: {run: small}\n"),
            "step big renamed to large\n");
}

TEST(Diff, AsData) {
  const auto a = read_tree("a.yaml", "name: x\nsteps: {a: {run: a}}\n", {});
  const auto b = read_tree("b.yaml", "name: x\nsteps: {a: {run: b}}\n", {});
  ASSERT_TRUE(a && b);
  const auto json = to_json(diff(*a, *b));
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0].at("kind"), "changed");
  EXPECT_EQ(json[0].at("subject"), "step a");
  EXPECT_EQ(json[0].at("path"), "run");
  EXPECT_EQ(json[0].at("before"), "a");
  EXPECT_EQ(json[0].at("after"), "b");
  EXPECT_EQ(json[0].at("text"), "step a: run a → b");
}

TEST(Diff, TextsCannotSteerTheTerminal) {
  EXPECT_EQ(
      changes("name: x\nsteps: {a: {run: a}}\n", "name: x\nsteps: {a: {run: \"\\e[2J\"}}\n").find('\x1b'),
      std::string::npos);
}

}  // namespace
}  // namespace baton::spec

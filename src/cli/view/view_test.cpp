// The views of a run, from the same events: what a terminal shows, and what a pipe gets.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "cli/text_width.hpp"
#include "cli/view/plain.hpp"
#include "cli/view/run_model.hpp"
#include "cli/view/tree.hpp"
#include "spec/parse.hpp"

namespace baton::cli {
namespace {

constexpr const char* kDefinition = R"(
name: build
title: Build it all
steps:
  fetch: {run: x, title: Fetch sources, estimate: 2s}
  label: {run: x, needs: [fetch], for_each: [1, 2, 3, 4], estimate: 6s}
  store: {run: x, needs: [label], retry: {}, estimate: 2s}
  extra: {run: x, needs: [label]}
finally:
  tell: {run: x}
)";

class View : public testing::Test {
 protected:
  View() : model_(*spec::parse_workflow(kDefinition).workflow) {}

  // `seconds` after the start; `fields` are the members besides `at`.
  void tell(double seconds, const std::string& type, const std::string& fields = "") {
    const WallTime at = start_ + Duration::millis(static_cast<std::int64_t>(seconds * 1000));
    const std::string text =
        "{\"at\":\"" + to_rfc3339(at) + "\"" + (fields.empty() ? "" : "," + fields) + "}";
    const auto event = boost::json::parse(text).as_object();
    model_.apply(type, event);
    plain_ += event_line(model_, type, event);
  }
  std::string tree(double seconds, std::size_t columns, std::size_t rows = 24) {
    TreeOptions options{columns, rows, "01a1", {}};
    std::string out;
    std::size_t count = 0;
    for (const std::string& line :
         tree_lines(model_, start_ + Duration::millis(static_cast<std::int64_t>(seconds * 1000)), options)) {
      EXPECT_LE(text_width(line), columns) << line;
      out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
      ++count;
    }
    EXPECT_LE(count, rows);
    return out;
  }

  void begin() {
    tell(0, "run.submitted");
    tell(0, "task.queued", R"("step_index":0)");
    tell(0.1, "run.started");
    tell(0.1, "attempt.started", R"("step_index":0,"attempt":1)");
    tell(2.1, "attempt.ended", R"("step_index":0,"attempt":1,"outcome":"completed")");
    tell(2.1, "task.ended", R"("step_index":0,"status":"completed","error":null)");
    tell(2.1, "task.expanded", R"("step_index":1,"items":4)");
    for (const char* index : {"0", "1", "2"}) {
      tell(2.2, "attempt.started", R"("step_index":1,"attempt":1,"index":)" + std::string(index));
    }
    tell(3.0, "task.ended", R"("step_index":1,"index":0,"status":"completed","error":null)");
    tell(
        3.1, "task.ended",
        R"("step_index":1,"index":1,"task":"01a1.6","status":"failed","error":{"type":"exit","message":"code 3\nmore"})");
    tell(3.2, "task.retrying", R"("step_index":1,"index":2,"attempt":1,"delay":1.5)");
  }
  void finish() {
    tell(5, "attempt.started", R"("step_index":1,"index":2,"attempt":2)");
    tell(6, "task.ended", R"("step_index":1,"index":2,"status":"completed","error":null)");
    tell(6, "attempt.started", R"("step_index":1,"index":3,"attempt":1)");
    tell(7, "task.ended", R"("step_index":1,"index":3,"status":"completed","error":null)");
    tell(7, "task.ended",
         R"("step_index":1,"status":"failed","error":{"type":"exit","message":"1 of 4 items failed"})");
    tell(7, "task.skipped", R"("step_index":2,"reason":"upstream_failed")");
    tell(7, "task.skipped", R"("step_index":3,"reason":"upstream_failed")");
    tell(7, "attempt.started", R"("step_index":4,"attempt":1)");
    tell(7.5, "task.ended", R"("step_index":4,"status":"completed","error":null)");
    tell(7.5, "run.ended", R"("status":"failed")");
  }

  const WallTime start_ = wall_of({2026, 11, 21, 1, 46, 0, 0});
  RunModel model_;
  std::string plain_;
};

TEST_F(View, BeforeAnythingHappened) {
  EXPECT_EQ(tree(0, 60), R"(build  Build it all  pending
 ○ fetch  Fetch sources
 ○ label
 ○ store
 ○ extra
 finally
 ○ tell
━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 0%
)");
}

TEST_F(View, WhileItRuns) {
  begin();
  EXPECT_EQ(tree(4.1, 70), R"(build  Build it all  running                                      4.1s
 ✓ fetch  Fetch sources                                           2.0s
 ● label  2/4  1 failed  1 active                                 2.0s
     ↻ [2]                                                        1.9s
 ○ store
 ○ extra
 finally
 ○ tell
━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 30%  about 9.3s left
)");
}

TEST_F(View, WhenItHasEnded) {
  begin();
  finish();
  EXPECT_EQ(
      tree(9, 100),
      R"(build  Build it all  failed  01a1                                                               7.5s
 ✓ fetch  Fetch sources                                                                         2.0s
 ✗ label  4/4  1 failed  exit: 1 of 4 items failed                                              4.9s
 – store  upstream_failed
 – extra  upstream_failed
 finally
 ✓ tell                                                                                         0.5s
)");
  ASSERT_EQ(model_.failures().size(), 1U);
  EXPECT_EQ(model_.failures()[0].name, "label[1]");
  EXPECT_EQ(model_.failures()[0].id, "01a1.6");
  EXPECT_EQ(model_.failures()[0].message, "code 3\nmore");
}

TEST_F(View, OnANarrowTerminal) {
  begin();
  EXPECT_EQ(tree(4.1, 24), R"(build  running      4.1s
 ✓ fetch            2.0s
 ● label  2/4  1 f… 2.0s
     ↻ [2]          1.9s
 ○ store
 ○ extra
 finally
 ○ tell
30%  about 9.3s left
)");
}

TEST_F(View, FitsAnySize) {
  begin();
  for (std::size_t columns = 1; columns < 130; columns += 3) {
    for (const std::size_t rows : {3, 4, 5, 6, 8, 12}) tree(4.1, columns, rows);
  }
}

TEST_F(View, OnALowTerminalTheInterestingStepsStay) {
  begin();
  EXPECT_EQ(tree(4.1, 50, 6), R"(build  running                                4.1s
 ● label  2/4  1 failed  1 active             2.0s
 ○ store
 ○ extra
   … 1 more ended, 1 more to come
━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 30%  about 9.3s left
)");
}

TEST_F(View, AsLines) {
  begin();
  finish();
  EXPECT_EQ(plain_, R"(   0.1s  ● fetch
   2.1s  ✓ fetch completed, 2.0s
   2.1s  ● label, 4 items
   3.1s  ✗ label[1] failed: exit: code 3 …
   3.2s  ↻ label[2] failed, again in 1.5s
   7.0s  ✗ label failed: exit: 1 of 4 items failed
   7.0s  – store skipped: upstream_failed
   7.0s  – extra skipped: upstream_failed
   7.0s  ● tell
   7.5s  ✓ tell completed, 0.5s
   7.5s  ✗ build failed
)");
}

TEST_F(View, RetriesOfAStep) {
  tell(0, "run.submitted");
  tell(0, "run.started");
  tell(1, "attempt.started", R"("step_index":2,"attempt":1)");
  tell(2, "attempt.ended", R"("step_index":2,"attempt":1,"outcome":"interrupted")");
  tell(2, "task.queued", R"("step_index":2)");
  tell(3, "attempt.started", R"("step_index":2,"attempt":2)");
  tell(4, "task.retrying", R"("step_index":2,"attempt":2,"delay":2)");
  EXPECT_NE(tree(5, 80).find(" ↻ store  attempt 2  again in 2.0s "), std::string::npos) << tree(5, 80);
  tell(6, "attempt.started", R"("step_index":2,"attempt":3)");
  EXPECT_NE(tree(7, 80).find(" ● store  attempt 3 "), std::string::npos) << tree(7, 80);
  EXPECT_EQ(plain_, R"(   1.0s  ● store
   2.0s  ↻ store interrupted
   3.0s  ● store, attempt 2
   4.0s  ↻ store failed, again in 2.0s
   6.0s  ● store, attempt 3
)");
}

TEST(WaitingView, SaysWhatIsWaitedForAndCountsRounds) {
  RunModel model(*spec::parse_workflow(R"(
name: slow
steps:
  ask: {wait: {approval: "Deploy?"}}
  ready: {wait: {poll: {run: x}}}
  drain: {run: x, repeat: {until: self.result.done}}
)")
                      .workflow);
  std::string plain;
  const auto tell = [&](int seconds, const std::string& type, const std::string& fields) {
    const auto event = boost::json::parse(R"({"at":"2026-11-21T08:00:0)" + std::to_string(seconds) + "Z\"" +
                                          (fields.empty() ? "" : "," + fields) + "}")
                           .as_object();
    model.apply(type, event);
    plain += event_line(model, type, event);
  };
  tell(0, "run.submitted", "");
  tell(0, "task.waiting", R"("step_index":0,"for":"approval","question":"Deploy?")");
  tell(0, "task.waiting", R"("step_index":1,"for":"poll","delay":0)");
  tell(1, "attempt.started", R"("step_index":1,"attempt":1)");
  tell(1, "task.waiting", R"("step_index":1,"for":"poll","delay":2)");
  tell(3, "attempt.started", R"("step_index":1,"attempt":2)");
  tell(3, "attempt.started", R"("step_index":2,"attempt":1)");
  tell(4, "task.retrying", R"("step_index":2,"attempt":1,"delay":1,"round":1)");
  tell(5, "attempt.started", R"("step_index":2,"attempt":2)");
  tell(6, "task.retrying", R"("step_index":2,"attempt":2,"delay":0,"round":2)");
  EXPECT_EQ(plain, R"(   0.0s  ● ask waits for an approval: Deploy?
   0.0s  ● ready waits for a poll
   3.0s  ● drain
   4.0s  ↻ drain: round 1 is done, again in 1.0s
   5.0s  ● drain, attempt 2
   6.0s  ↻ drain: round 2 is done, once more
)");
  std::string tree;
  for (const std::string& line :
       tree_lines(model, model.created_at() + Duration::seconds(6), {72, 9, "01a1", {}}))
    tree += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  EXPECT_NE(tree.find("ask    waits for an approval: Deploy?"), std::string::npos) << tree;
  EXPECT_NE(tree.find("ready  poll 2  waits for a poll"), std::string::npos) << tree;
  EXPECT_NE(tree.find("drain  round 3"), std::string::npos) << tree;
}

TEST_F(View, ForeignEventsDoNoHarm) {
  tell(0, "run.submitted");
  tell(0, "task.ended", R"("step_index":99,"status":"failed")");
  tell(0, "task.ended", R"("step_index":-1)");
  tell(0, "task.ended", R"("step_index":"x")");
  tell(0, "unknown.kind", R"("step_index":0)");
  tell(0, "task.retrying", R"("step_index":1,"index":7)");
  tree(1, 80);
  EXPECT_FALSE(model_.ended());
}

TEST_F(View, ProgressIsWeightedByEstimates) {
  EXPECT_EQ(model_.progress(), 0);
  begin();
  // 2 s of fetch and two of four items of label's 6 s; the mean of the estimates stands for extra and tell.
  EXPECT_NEAR(model_.progress(), (2 + 3) / (2 + 6 + 2 + 10.0 / 3 * 2), 1e-9);
  finish();
  EXPECT_NEAR(model_.progress(), 1, 1e-9);
}

TEST_F(View, WhatAStepSaysAboutItselfIsShownAndCounts) {
  tell(0, "run.submitted");
  tell(0.1, "run.started");
  tell(0.1, "attempt.started", R"("step_index":0,"attempt":1)");
  tell(1, "task.progress", R"("step_index":0,"attempt":1,"progress":50,"message":"half of it")");
  EXPECT_NEAR(model_.progress(), 1 / (2 + 6 + 2 + 10.0 / 3 * 2), 1e-9);
  EXPECT_NE(tree(1, 80).find("50% half of it"), std::string::npos) << tree(1, 80);
  tell(2, "attempt.ended", R"("step_index":0,"attempt":1,"outcome":"failed")");
  EXPECT_NEAR(model_.progress(), 0, 1e-9) << "the next attempt begins anew";
}

TEST_F(View, WhatGivesThingsBackStandsBesideItsStep) {
  begin();
  finish();
  tell(20, "task.added", R"("task":"r.9","step_index":0,"role":"resource","parent":"r.0","resource":"vm")");
  tell(20, "attempt.started", R"("task":"r.9","step_index":0,"attempt":1)");
  EXPECT_EQ(model_.steps()[0].status, "completed");
  EXPECT_NE(tree(20, 80).find("giving back vm of fetch"), std::string::npos) << tree(20, 80);
  const std::uint64_t failed = model_.failed_tasks();
  tell(21, "task.ended",
       R"("task":"r.9","step_index":0,"status":"failed","error":{"type":"exit","message":"no"})");
  tell(21, "resource.leaked", R"("task":"r.0","step_index":0,"resource":"vm","reason":"no")");
  EXPECT_EQ(model_.failed_tasks(), failed) << "its run is not worse for it";
  ASSERT_EQ(model_.leaks().size(), 1u);
  EXPECT_EQ(model_.leaks()[0].of, "fetch");
  EXPECT_NE(plain_.find("giving back vm of fetch failed: exit: no"), std::string::npos) << plain_;
  EXPECT_NE(plain_.find("vm of fetch leaked: no"), std::string::npos) << plain_;
  tell(90, "resource.cleaned", R"("task":"r.0","step_index":0,"resource":"vm")");
  EXPECT_TRUE(model_.leaks().empty());
}

TEST_F(View, ARecoveredRunGoesOnFromWhatIsReset) {
  begin();
  tell(3, "task.ended",
       R"("step_index":1,"status":"failed","error":{"type":"exit","message":"no"},"task":"r.1")");
  tell(3, "task.skipped", R"("step_index":2,"reason":"upstream_failed")");
  tell(4, "run.ended", R"("status":"failed")");
  EXPECT_TRUE(model_.ended());
  EXPECT_EQ(model_.steps_ended(), 3u);
  tell(60, "run.recovering", R"("recovery":1)");
  tell(60, "task.reset", R"("step_index":1)");
  tell(60, "task.reset", R"("step_index":2)");
  tell(60, "run.recovered");
  EXPECT_FALSE(model_.ended());
  EXPECT_EQ(model_.status(), "running");
  EXPECT_EQ(model_.steps_ended(), 1u);
  EXPECT_EQ(model_.steps()[1].status, "pending");
  EXPECT_EQ(model_.failed_tasks(), 0u);
}

}  // namespace
}  // namespace baton::cli

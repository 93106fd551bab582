#include "base/trace_context.hpp"

#include <gtest/gtest.h>

#include <set>

namespace baton {
namespace {

constexpr const char* kGood = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContext, ReadsWhatItWrites) {
  const auto context = TraceContext::parse(kGood);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(context->parent, "00f067aa0ba902b7");
  EXPECT_EQ(context->flags, "01");
  EXPECT_EQ(context->text(), kGood);
}

TEST(TraceContext, TakesLaterVersionsAndNothingElse) {
  EXPECT_TRUE(TraceContext::parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes"));
  for (const char* wrong : {
           "",
           "00",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",  // of version 00
           "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
           "00-4bf92f3577b34da6a3ce929d0e0e473600f067aa0ba902b7--01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\n",
       }) {
    EXPECT_FALSE(TraceContext::parse(wrong)) << wrong;
  }
}

TEST(TraceContext, AttemptsAreSpansOfTheTraceThatTheRunCameWith) {
  const RunId run = RunId::make(RunKey::make(ShardId{0}, 7), WallTime{1'700'000'000'000'000}, Seed{1, 2});
  const TraceContext given = trace_of_attempt(kGood, run, {1, 2});
  EXPECT_EQ(given.trace, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_NE(given.parent, "00f067aa0ba902b7");
  EXPECT_TRUE(TraceContext::parse(given.text()));

  const TraceContext own = trace_of_attempt("nonsense", run, {1, 2});
  std::string digits = run.text();
  std::erase(digits, '-');
  EXPECT_EQ(own.trace, digits);
  EXPECT_EQ(own.parent, given.parent) << "the same attempt, told the same again";
}

TEST(TraceContext, NoTwoAttemptsShareASpan) {
  std::set<std::string> spans;
  const RunId run = RunId::make(RunKey::make(ShardId{0}, 7), WallTime{1'700'000'000'000'000}, Seed{1, 2});
  for (std::uint32_t incarnation = 1; incarnation <= 10; ++incarnation) {
    for (std::uint64_t sequence = 1; sequence <= 1000; ++sequence) {
      EXPECT_TRUE(spans.insert(trace_of_attempt("", run, {incarnation, sequence}).parent).second);
    }
  }
}

}  // namespace
}  // namespace baton

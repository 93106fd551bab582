#include "api/where.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace baton::api {
namespace {

using model::RunStatus;

const WallTime kNow = wall_of({2026, 11, 21, 8, 0, 0, 0});

Where parsed(std::string_view text) {
  auto where = parse_where(text, kNow);
  EXPECT_TRUE(where) << text << ": " << (where ? "" : where.error().message);
  return where ? *where : Where{};
}

std::string problem_of(std::string_view text) {
  const auto where = parse_where(text, kNow);
  EXPECT_FALSE(where) << text;
  if (where) return "";
  EXPECT_EQ(where.error().code, ErrorCode::invalid_request);
  return where.error().message;
}

TEST(Where, FieldsBecomeTheStoresFilter) {
  const Where where =
      parsed(R"(status in ["failed", "FAILURE", "cancelled"] && workflow == "etl" && job_id in ["a", "b"])");
  EXPECT_EQ(where.filter.statuses, (std::vector{RunStatus::failed, RunStatus::cancelled}));
  EXPECT_EQ(where.filter.workflows, std::vector<std::string>{"etl"});
  EXPECT_EQ(where.filter.job_ids, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(where.filter.created_from || where.filter.created_before || where.nothing);
}

TEST(Where, TimesOfMakingAreARange) {
  const Where day = parsed(R"(created_at > now - duration("24h") && "2026-11-21T07:00:00Z" >= created_at)");
  EXPECT_EQ(day.filter.created_from, kNow - Duration::hours(24) + Duration::micros(1));
  EXPECT_EQ(day.filter.created_before, kNow - Duration::hours(1) + Duration::micros(1));
  const Where both = parsed(R"(created_at >= timestamp("2026-11-21T06:00:00Z") && created_at < now &&
                               created_at >= timestamp("2026-11-21T05:00:00Z"))");
  EXPECT_EQ(both.filter.created_from, kNow - Duration::hours(2));
  EXPECT_EQ(both.filter.created_before, kNow);
}

TEST(Where, SetsOfOneFieldAreJoinedAndTakenAway) {
  EXPECT_EQ(parsed(R"(status == "failed" || status == "running")").filter.statuses,
            (std::vector{RunStatus::running, RunStatus::failed}));
  EXPECT_EQ(parsed(R"(workflow == "a" || workflow in ["b"])").filter.workflows,
            (std::vector<std::string>{"a", "b"}));
  const auto others = parsed(R"(!(status == "completed") && status != "failed")").filter.statuses;
  EXPECT_EQ(others.size(), 6u);
  EXPECT_EQ(std::ranges::count(others, RunStatus::completed), 0);
  EXPECT_TRUE(parsed(R"(status == "failed" && status == "running")").nothing);
  EXPECT_TRUE(parsed(R"(workflow in [])").nothing);
}

TEST(Where, WhatNoIndexAnswersIsAnError) {
  const auto says = [](std::string_view text, std::string_view words) {
    const std::string message = problem_of(text);
    EXPECT_NE(message.find(words), std::string::npos) << text << ": " << message;
    EXPECT_NE(message.find('^'), std::string::npos) << "the place: " << message;
  };
  says("priority > 5", "there is no index of priority");
  says("labels.team == \"a\"", "there is no index of labels");
  says("statu == \"failed\"", "did you mean status?");
  says("colour == \"red\"", "runs have no field colour");
  says("status == \"faild\"", "did you mean \"failed\"?");
  says("status == 1", "expected a string");
  says("status in \"failed\"", "expected a list of strings");
  says("workflow != \"etl\"", "compared by == or in");
  says("!(workflow == \"etl\")", "`!` needs a condition on status");
  says("status == \"failed\" || workflow == \"etl\"", "`||` joins conditions on one field");
  says("created_at > now || created_at < now", "`||` joins conditions on one field");
  says("created_at == now", "compared by <");
  says("created_at > \"yesterday\"", "no instant");
  says("created_at > 5", "expected an instant");
  says("workflow == job_id", "not with another field");
  says("status", "no condition");
  says("1 == 1", "expected a field");
  says("workflow == \"a\" + 1", "");
  says("status == ", "");
  says("", "");
  EXPECT_NE(problem_of(std::string(5000, ' ') + "status == \"failed\""), "");
}

TEST(Where, NarrowsAnotherFilter) {
  store::RunFilter filter{.statuses = {RunStatus::failed, RunStatus::running}, .created_before = kNow};
  EXPECT_TRUE(narrow(filter, parsed(R"(status != "running" && created_at < now - duration("1h"))")));
  EXPECT_EQ(filter.statuses, std::vector{RunStatus::failed});
  EXPECT_EQ(filter.created_before, kNow - Duration::hours(1));
  EXPECT_FALSE(narrow(filter, parsed(R"(status == "running")")));
}

}  // namespace
}  // namespace baton::api

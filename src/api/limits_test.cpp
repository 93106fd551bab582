#include "api/test_support.hpp"

namespace baton::api {
namespace {

class LimitsTest : public test::ApiTest {
 protected:
  net::Response send(net::Method method, const std::string& target, const std::string& body) {
    net::ClientRequest request{method, target, {}, body, false};
    request.headers.set("Content-Type", "application/json");
    return call(std::move(request));
  }

  LimitsTest() {
    runtime_.answer = [](const model::CommandBody& command) -> model::ReplyBody {
      if (!std::holds_alternative<model::AskSurvey>(command)) return model::Done{};
      model::Survey survey;
      survey.limits.push_back({.name = "deploy", .in_use = 1, .waiting = 2, .holders = {{{}, "go", 1}}});
      survey.limits.push_back({.name = "gpu", .limit = 4, .by = "cli:ada", .why = "rack 2"});
      return survey;
    };
  }
};

TEST_F(LimitsTest, AreListedWithWhoHoldsThem) {
  const auto list = object(get("/api/v1/limits"));
  const auto& items = list.at("items").as_array();
  ASSERT_EQ(items.size(), 2U);
  EXPECT_TRUE(items[0].at("limit").is_null());
  EXPECT_EQ(items[0].at("waiting").as_int64(), 2);
  EXPECT_EQ(items[0].at("holders").at(0).at("step").as_string(), "go");
  EXPECT_EQ(items[1].at("limit").as_int64(), 4);
  EXPECT_EQ(items[1].at("set_by").as_string(), "cli:ada");
  EXPECT_EQ(code(get("/api/v1/limits?x=1")), "invalid_request");
}

TEST_F(LimitsTest, OneIsShown) {
  EXPECT_EQ(object(get("/api/v1/limits/gpu")).at("reason").as_string(), "rack 2");
  EXPECT_EQ(code(get("/api/v1/limits/gpus")), "not_found");
  EXPECT_NE(get("/api/v1/limits/gpus").body.find("did you mean"), std::string::npos);
}

TEST_F(LimitsTest, AreSetAndTakenAway) {
  EXPECT_EQ(object(send(net::Method::put, "/api/v1/limits/gpu", R"({"limit": 8, "reason": "new"})"))
                .at("name")
                .as_string(),
            "gpu");
  const auto& set = std::get<model::SetLimit>(runtime_.commands.at(runtime_.commands.size() - 2).first);
  EXPECT_EQ(set.name, "gpu");
  EXPECT_EQ(set.limit, 8U);
  EXPECT_EQ(set.reason, "new");
  EXPECT_TRUE(object(send(net::Method::delete_, "/api/v1/limits/licence", "")).at("limit").is_null());
  const auto& gone = std::get<model::SetLimit>(runtime_.commands.at(runtime_.commands.size() - 2).first);
  EXPECT_EQ(gone.limit, std::nullopt);
}

TEST_F(LimitsTest, AnEditOfWhatHasChangedIsRefusedAndShowsIt) {
  const auto shown = get("/api/v1/limits/gpu");
  const std::string tag(shown.headers.find("ETag").value_or(""));
  EXPECT_EQ(tag.size(), 18U) << tag;
  EXPECT_EQ(get("/api/v1/limits/deploy").headers.find("ETag"), "\"0\"") << "nobody has set it";
  const auto edit = [&](const std::string& match) {
    net::ClientRequest request{net::Method::put, "/api/v1/limits/gpu", {}, R"({"limit": 8})", false};
    request.headers.set("Content-Type", "application/json");
    request.headers.set("If-Match", match);
    return call(std::move(request));
  };
  EXPECT_EQ(edit(tag).status, 200);
  EXPECT_EQ(std::get<model::SetLimit>(runtime_.commands.at(runtime_.commands.size() - 2).first).expected,
            tag.substr(1, 16));
  for (const char* match : {"", "3", "W/\"3\"", "\"a\", \"b\"", "\"\""})
    EXPECT_EQ(edit(match).status, 400) << match;
  const auto old = runtime_.answer;
  runtime_.answer = [old](const model::CommandBody& command) -> model::ReplyBody {
    if (std::holds_alternative<model::SetLimit>(command)) return Error{ErrorCode::conflict, "changed", "tag"};
    return old(command);
  };
  const auto refused = edit("\"other\"");
  EXPECT_EQ(refused.status, 412);
  EXPECT_EQ(object(refused).at("current").at("limit").as_int64(), 4);
  EXPECT_EQ(refused.headers.find("ETag"), tag);
}

// Names come from expressions.
TEST_F(LimitsTest, NamesMayHaveSlashes) {
  EXPECT_EQ(object(send(net::Method::put, "/api/v1/limits/https://host/a%20b", R"({"limit": 8})"))
                .at("name")
                .as_string(),
            "https://host/a b");
}

TEST_F(LimitsTest, WhatIsWrongIsSaid) {
  for (const char* body :
       {"{}", R"({"limit": -1})", R"({"limit": 1.5})", R"({"limit": 1, "max": 2})", "[]"}) {
    EXPECT_EQ(code(send(net::Method::put, "/api/v1/limits/gpu", body)), "invalid_request") << body;
  }
}

}  // namespace
}  // namespace baton::api

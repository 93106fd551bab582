#include <boost/json/parse.hpp>
#include <future>
#include <thread>

#include "api/test_support.hpp"

namespace baton::api {
namespace {

using model::Outcome;

constexpr const char* kClaim = "/api/v1/workers/w1/claim";
constexpr const char* kReport = "/api/v1/workers/w1/report";

const TaskId kTask{*RunId::parse("01a1fe71-1636-7000-92a8-8b0000000001"), 3};

class WorkerProtocolTest : public test::ApiTest {
 protected:
  // One command, or an empty one if there was none of its kind.
  template <typename Command>
  Command sent() {
    for (const auto& [body, actor] : runtime_.commands) {
      if (const auto* found = std::get_if<Command>(&body)) {
        EXPECT_EQ(actor, "worker:w1");
        return *found;
      }
    }
    ADD_FAILURE() << "no such command";
    return {};
  }
  std::string report(const std::string& members, const std::string& token = "4-9") {
    return R"({"task":")" + kTask.text() + R"(","token":")" + token + "\"," + members + "}";
  }
  net::Response tell(const std::string& members) {
    return post(kReport, R"({"reports":[)" + report(members) + "]}");
  }
};

TEST_F(WorkerProtocolTest, AClaimSaysWhatTheWorkerTakes) {
  runtime_.answer = [](const model::CommandBody&) {
    model::Assignment task;
    task.token = {4, 9};
    task.task = kTask;
    task.step = "label";
    task.attempt = 2;
    task.kind = model::StepKind::task;
    task.spec = R"({"function":"images.label","with":{"a":1}})";
    task.soft_end = Duration::millis(4500);
    task.hard_end = Duration::seconds(10);
    return model::ReplyBody(model::Claimed{{task}});
  };
  const auto response = post(
      kClaim,
      R"({"protocol":1,"queues":["gpu","gpu","cpu"],"functions":["z","images.label"],"max":20,"wait":30})");
  ASSERT_EQ(response.status, 200) << response.body;
  const auto claim = sent<model::ClaimTasks>();
  EXPECT_EQ(claim.worker, "w1");
  EXPECT_FALSE(claim.in_process);
  EXPECT_EQ(claim.queues, (std::vector<std::string>{"cpu", "gpu"}));
  EXPECT_EQ(claim.abilities.functions, (std::vector<std::string>{"images.label", "z"}));
  EXPECT_FALSE(claim.abilities.steps);
  EXPECT_EQ(claim.max, 20U);
  EXPECT_EQ(claim.wait, Duration::seconds(30));
  const auto body = object(response);
  const auto& task = body.at("tasks").at(0);
  EXPECT_EQ(task.at("task"), boost::json::value(kTask.text()));
  EXPECT_EQ(task.at("token"), "4-9");
  EXPECT_EQ(task.at("kind"), "task");
  EXPECT_EQ(task.at("attempt"), 2);
  EXPECT_EQ(task.at("spec").at("function"), "images.label");
  EXPECT_EQ(task.at("timeout"), (boost::json::object{{"soft", 4.5}, {"hard", 10}}));
  EXPECT_TRUE(body.at("reports").as_array().empty());
}

TEST_F(WorkerProtocolTest, AClaimMaySayWhatTheWorkerHas) {
  runtime_.answer = [](const model::CommandBody&) { return model::ReplyBody(model::Claimed{}); };
  ASSERT_EQ(post(kClaim, R"({"steps":true})").status, 200);
  EXPECT_FALSE(sent<model::ClaimTasks>().running);
  runtime_.commands.clear();
  ASSERT_EQ(post(kClaim, R"({"steps":true,"running":["4-9","3-12"]})").status, 200);
  EXPECT_EQ(sent<model::ClaimTasks>().running, (std::vector<Token>{{3, 12}, {4, 9}}));
  EXPECT_EQ(post(kClaim, R"({"steps":true,"running":["nine"]})").status, 400);
  EXPECT_EQ(post(kClaim, R"({"steps":true,"running":7})").status, 400);
}

TEST_F(WorkerProtocolTest, WhoReportsAndClaimsDoesNotWait) {
  runtime_.answer = [](const model::CommandBody& body) {
    if (std::holds_alternative<model::ReportAttempt>(body))
      return model::ReplyBody(model::ReportAccepted{model::TaskStatus::completed});
    return model::ReplyBody(model::Claimed{});
  };
  const auto response = post(kClaim, R"({"steps":true,"wait":60,"reports":[)" +
                                         report(R"("status":"completed","result":{"n":[1,2]})") + "," +
                                         report(R"("status":"done")", "4-10") + "]}");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(sent<model::ClaimTasks>().wait, Duration{});
  EXPECT_TRUE(sent<model::ClaimTasks>().abilities.steps);
  const auto told = sent<model::ReportAttempt>();
  EXPECT_EQ(told.token, (Token{4, 9}));
  EXPECT_EQ(told.task, kTask);
  EXPECT_EQ(told.outcome.result, R"({"n":[1,2]})");
  // One that is wrong keeps no other from being told.
  const auto body = object(response);
  const auto& reports = body.at("reports").as_array();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].at("status"), "completed");
  EXPECT_EQ(reports[1].at("token"), "4-10");
  EXPECT_EQ(reports[1].at("error").at("code"), "invalid_request");
}

TEST_F(WorkerProtocolTest, HowAnAttemptEnded) {
  runtime_.answer = [](const model::CommandBody&) {
    return model::ReplyBody(model::ReportAccepted{model::TaskStatus::retrying});
  };
  auto response = tell(
      R"("status":"failed","error":{"type":"ValueError","message":"no","retry":false,"retry_after":2.5,"exit_code":3,"status":503},"result":{"at":3})");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(object(response).at("reports").at(0).at("status"), "retrying");
  const Outcome failed = sent<model::ReportAttempt>().outcome;
  EXPECT_EQ(failed.kind, Outcome::Kind::failed);
  EXPECT_EQ(failed.failure.type, "ValueError");
  EXPECT_EQ(failed.failure.message, "no");
  EXPECT_TRUE(failed.failure.never_retry);
  EXPECT_EQ(failed.failure.exit_code, 3);
  EXPECT_EQ(failed.failure.status, 503);
  EXPECT_FALSE(failed.failure.signal);
  EXPECT_EQ(failed.failure.retry_after, Duration::millis(2500));
  EXPECT_EQ(failed.result, R"({"at":3})");

  runtime_.commands.clear();
  tell(R"("status":"interrupted")");
  EXPECT_EQ(sent<model::ReportAttempt>().outcome.kind, Outcome::Kind::interrupted);

  runtime_.commands.clear();
  tell(R"("status":"completed")");
  EXPECT_EQ(sent<model::ReportAttempt>().outcome.result, "null");
}

TEST_F(WorkerProtocolTest, AStaleReportIsRefusedByItself) {
  runtime_.answer = [](const model::CommandBody&) {
    return model::ReplyBody(Error{ErrorCode::stale_token, "token 4-9 does not hold it", ""});
  };
  const auto response = tell(R"("status":"completed")");
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(object(response).at("reports").at(0).at("error").at("code"), "stale_token");
}

TEST_F(WorkerProtocolTest, BadReportsSayWhatIsWrong) {
  const auto why = [&](const std::string& members) {
    const auto response = tell(members);
    EXPECT_EQ(response.status, 200);
    return std::string(object(response).at("reports").at(0).at("error").at("message").as_string());
  };
  EXPECT_NE(why(R"("status":"failed")").find("\"error\""), std::string::npos);
  EXPECT_NE(why(R"("status":"failed","error":{"message":"x"})").find("\"type\""), std::string::npos);
  EXPECT_NE(why(R"("status":"failed","error":{"type":"x","retry":1})").find("\"retry\""), std::string::npos);
  EXPECT_NE(why(R"("status":"failed","error":{"type":"x","retry_after":-1})").find("seconds"),
            std::string::npos);
  EXPECT_NE(why(R"("status":"failed","error":{"type":"x","signal":"9"})").find("signal"), std::string::npos);
  EXPECT_NE(why(R"("status":"failed","error":{"type":"x","trace":1})").find("trace"), std::string::npos);
  EXPECT_NE(why(R"("status":"completed","output":1)").find("output"), std::string::npos);
  EXPECT_TRUE(runtime_.commands.empty());
  EXPECT_EQ(post(kReport, R"({"reports":[7]})").status, 400);
  EXPECT_EQ(post(kReport, "{}").status, 400);
}

TEST_F(WorkerProtocolTest, ResultsAreAsDeepAndNumbersAsLargeAsResultsOfSteps) {
  const auto completed = [&](const std::string& result) {
    return tell(R"("status":"completed","result":)" + result);
  };
  runtime_.answer = [](const model::CommandBody&) { return model::ReplyBody(model::ReportAccepted{}); };
  EXPECT_EQ(completed(std::string(64, '[') + std::string(64, ']')).status, 200);
  EXPECT_EQ(completed("-1.7e308").status, 200);
  ASSERT_EQ(runtime_.commands.size(), 2U);
  EXPECT_EQ(completed(std::string(65, '[') + std::string(65, ']')).status, 400);
  const auto endless = completed("[1,{\"a\":1e400}]");
  EXPECT_EQ(endless.status, 400);
  EXPECT_NE(detail(endless).find("does not fit into a double"), std::string::npos);
  EXPECT_EQ(runtime_.commands.size(), 2U);
}

TEST_F(WorkerProtocolTest, BadClaimsChangeNothing) {
  for (const char* body :
       {"{}", R"({"functions":[]})", R"({"functions":["a b"]})", R"({"functions":"a"})",
        R"({"steps":true,"queues":["*"]})", R"({"steps":true,"max":1001})", R"({"steps":true,"wait":61})",
        R"({"steps":true,"max":-1})", R"({"step":true})", "[]", "nonsense"}) {
    EXPECT_EQ(post(kClaim, body).status, 400) << body;
  }
  EXPECT_EQ(post("/api/v1/workers/local/claim", R"({"steps":true})").status, 400);
  EXPECT_EQ(post("/api/v1/workers/a%20b/claim", R"({"steps":true})").status, 400);
  const auto newer = post(kClaim, R"({"steps":true,"protocol":2})");
  EXPECT_EQ(code(newer), "unsupported");
  // Members that are unknown here may belong to that version: they do not hide what is wrong.
  EXPECT_EQ(code(post(kClaim, R"({"steps":true,"protocol":2,"shiny":1})")), "unsupported");
  EXPECT_EQ(code(post("/api/v1/workers/w1/register", R"({"steps":true,"protocol":2,"shiny":1})")),
            "unsupported");
  EXPECT_TRUE(runtime_.commands.empty());
}

TEST_F(WorkerProtocolTest, AClaimThatIsRefusedSaysSo) {
  runtime_.answer = [](const model::CommandBody&) {
    return model::ReplyBody(Error{ErrorCode::read_only, "the disk is full", ""});
  };
  EXPECT_EQ(post(kClaim, R"({"steps":true})").status, 503);
}

TEST_F(WorkerProtocolTest, RegisteringForgetsAnEarlierLife) {
  runtime_.answer = [](const model::CommandBody& body) {
    if (std::holds_alternative<model::Heartbeat>(body))
      return model::ReplyBody(model::HeartbeatAnswer{.lease = Duration::seconds(30), .stop = {}});
    if (std::holds_alternative<model::ClaimTasks>(body)) return model::ReplyBody(model::Claimed{});
    return model::ReplyBody(model::Done{});
  };
  const auto response = post("/api/v1/workers/w1/register", R"({"functions":["*"]})");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(object(response).at("protocol"), 1);
  EXPECT_EQ(object(response).at("lease").to_number<double>(), 30.0);
  ASSERT_EQ(runtime_.commands.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<model::LoseWorker>(runtime_.commands[0].first));
  EXPECT_EQ(sent<model::ClaimTasks>().max, 0U);
}

TEST_F(WorkerProtocolTest, AHeartbeatSaysWhatToStop) {
  runtime_.answer = [](const model::CommandBody&) {
    return model::ReplyBody(model::HeartbeatAnswer{
        .lease = Duration::seconds(30),
        .stop = {{Token{4, 9}, model::Stopping::soft}, {Token{4, 10}, model::Stopping::hard}}});
  };
  const auto response = post("/api/v1/workers/w1/heartbeat", R"({"running":["4-9","4-10"]})");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(sent<model::Heartbeat>().running, (std::vector<Token>{{4, 9}, {4, 10}}));
  const auto body = object(response);
  EXPECT_EQ(body.at("stop").at(0).at("mode"), "soft");
  EXPECT_EQ(body.at("stop").at(1).at("token"), "4-10");
  EXPECT_EQ(body.at("stop").at(1).at("mode"), "hard");
  EXPECT_EQ(post("/api/v1/workers/w1/heartbeat", R"({"running":"4-9"})").status, 400);
  EXPECT_EQ(post("/api/v1/workers/w1/heartbeat", R"({"running":[49]})").status, 400);
  std::string many = "\"4-9\"";
  for (int i = 1; i < 10'000; ++i) many += ",\"4-9\"";
  EXPECT_EQ(post("/api/v1/workers/w1/heartbeat", "{\"running\":[" + many + "]}").status, 200);
  EXPECT_EQ(post("/api/v1/workers/w1/heartbeat", "{\"running\":[" + many + ",\"4-9\"]}").status, 400);
}

TEST_F(WorkerProtocolTest, WhatWasNotBegunIsGivenBackAmongTheReports) {
  runtime_.answer = [](const model::CommandBody& body) {
    if (std::holds_alternative<model::ReleaseAttempt>(body)) return model::ReplyBody(model::Done{});
    return model::ReplyBody(model::ReportAccepted{model::TaskStatus::completed});
  };
  const auto response = post(kReport, R"({"reports":[)" + report(R"("status":"released")") + "," +
                                          report(R"("status":"completed")", "4-10") + "]}");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(sent<model::ReleaseAttempt>().token, (Token{4, 9}));
  EXPECT_EQ(sent<model::ReportAttempt>().token, (Token{4, 10}));
  const auto body = object(response);
  EXPECT_EQ(body.at("reports").at(0).at("status"), "queued");
  EXPECT_EQ(body.at("reports").at(1).at("status"), "completed");
}

TEST_F(WorkerProtocolTest, ReleaseAndFarewell) {
  EXPECT_EQ(post("/api/v1/workers/w1/release", R"({"task":")" + kTask.text() + R"(","token":"4-9"})").status,
            200);
  EXPECT_EQ(sent<model::ReleaseAttempt>().token, (Token{4, 9}));
  EXPECT_EQ(post("/api/v1/workers/w1/release", R"({"task":"x","token":"4-9"})").status, 400);
  EXPECT_EQ(call({net::Method::delete_, "/api/v1/workers/w1", {}, "", false}).status, 200);
  EXPECT_EQ(sent<model::LoseWorker>().worker, "w1");
}

TEST_F(WorkerProtocolTest, AClaimThatWaitsIsTakenBackWhenTheApiStops) {
  std::promise<void> waits;
  runtime_.keeps = [&](const model::CommandBody& body) {
    const auto* claim = std::get_if<model::ClaimTasks>(&body);
    if (claim != nullptr && claim->max > 0) waits.set_value();
    return claim != nullptr && claim->max > 0;
  };
  runtime_.answer = [&](const model::CommandBody& body) {
    const auto* claim = std::get_if<model::ClaimTasks>(&body);
    if (claim != nullptr && claim->max == 0) runtime_.answer_kept(model::Claimed{});
    return model::ReplyBody(model::Claimed{});
  };
  net::Response claimed;
  std::thread claiming([&] { claimed = post(kClaim, R"({"steps":true,"wait":60})"); });
  waits.get_future().wait();
  api_->stop();
  claiming.join();
  EXPECT_EQ(claimed.status, 200) << claimed.body;
  EXPECT_EQ(std::get<model::ClaimTasks>(runtime_.commands.back().first).worker, "w1");
}

}  // namespace
}  // namespace baton::api

#include <future>
#include <thread>

#include "api/test_support.hpp"

namespace baton::api {
namespace {

using model::RunStatus;

constexpr const char* kTwoSteps =
    "name: two\ntitle: Two steps\nsteps:\n  a: {run: x}\n  b: {run: y, needs: [a]}\n";

class RunsTest : public test::ApiTest {
 protected:
  static std::string path(const model::RunRow& row, const std::string& more = "") {
    return "/api/v1/runs/" + row.id.text() + more;
  }
  static std::vector<std::string> ids(const boost::json::object& page) {
    std::vector<std::string> ids;
    for (const auto& item : page.at("items").as_array()) ids.emplace_back(item.at("id").as_string());
    return ids;
  }
};

TEST_F(RunsTest, ShowsARun) {
  model::RunRow row =
      new_run(kTwoSteps, R"({"n":1.50})", R"({"workdir":"/w","env":{"A":"b"},"metadata":{"k":"v"}})");
  row.status = RunStatus::failed;
  row.job_id = "job";
  row.priority = 7;
  row.progress = 50;
  row.started_at = test::kThen + Duration::millis(250);
  row.ended_at = test::kThen + Duration::millis(1500);
  row.error_type = "exit";
  row.error_message = "line 1\nline \"2\"";
  row.counts = {.total = 2, .completed = 1, .failed = 1};
  update(row);
  const auto response = get(path(row));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.find("Content-Type"), "application/json");
  EXPECT_EQ(
      response.body,
      R"({"id":")" + row.id.text() +
          R"(","workflow":"two","version":1,"title":"Two steps","status":"failed","stage":"main","progress":50,)"
          R"("current_step":2,"total_steps":2,"job_id":null,"input":{"n":1.50},"resources":[],"metadata":{"k":"v"},"labels":{},"priority":7,)"
          R"("created_at":"2026-11-21T01:46:00.123Z","started_at":"2026-11-21T01:46:00.373Z",)"
          R"("ended_at":"2026-11-21T01:46:01.623Z","duration":1.25,"recovery_attempts":0,"parent":null,"replay_of":null,"pause":null,)"
          R"("counts":{"total":2,"completed":1,"failed":1,"skipped":0,"cancelled":0,"running":0},)"
          R"("error":{"type":"exit","message":"line 1\nline \"2\""}})");
}

TEST_F(RunsTest, UnknownRunsAreNotFound) {
  for (const char* id : {"01a1fc27-32ea-7000-9efc-100000000001", "nonsense", "..%20"}) {
    for (const char* more : {"", "/history", "/wait", "/events", "/definition"}) {
      const auto response = get("/api/v1/runs/" + std::string(id) + more);
      EXPECT_EQ(response.status, 404) << id << more;
      EXPECT_EQ(code(response), "not_found");
    }
    EXPECT_EQ(get("/api/v1/tasks?run=" + std::string(id)).status, 404);
    EXPECT_EQ(get("/api/v1/tasks/" + std::string(id) + ".0").status, 404);
    EXPECT_EQ(get("/api/v1/tasks/" + std::string(id) + ".0/logs").status, 404);
  }
}

TEST_F(RunsTest, ListsByPages) {
  std::vector<std::string> all;
  for (int i = 0; i < 5; ++i) all.insert(all.begin(), new_run(kTwoSteps).id.text());
  std::vector<std::string> seen;
  std::string cursor;
  int pages = 0;
  do {
    const auto page = object(get("/api/v1/runs?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    for (std::string& id : ids(page)) seen.push_back(std::move(id));
    cursor = page.at("next").is_null() ? "" : std::string(page.at("next").as_string());
    ++pages;
  } while (!cursor.empty());
  EXPECT_EQ(seen, all);
  EXPECT_EQ(pages, 3);
  EXPECT_FALSE(object(get("/api/v1/runs")).at("items").at(0).as_object().contains("input"))
      << "an input may be large: lists leave it out";
}

TEST_F(RunsTest, Filters) {
  const auto make = [&](RunStatus status, std::uint32_t recoveries = 0) {
    model::RunRow row = new_run(kTwoSteps);
    row.status = status;
    row.recovery_attempts = recoveries;
    update(row);
    return row.id.text();
  };
  const std::string running = make(RunStatus::running);
  const std::string failed = make(RunStatus::failed);
  const std::string hopeless = make(RunStatus::failed, 3);
  const std::string completed = make(RunStatus::completed);
  using Ids = std::vector<std::string>;
  const auto list = [&](const std::string& query) { return ids(object(get("/api/v1/runs?" + query))); };
  EXPECT_EQ(list("status=failed"), (Ids{hopeless, failed}));
  EXPECT_EQ(list("status=SUCCESS"), Ids{completed}) << "Celery's word";
  EXPECT_EQ(list("status=running,completed"), (Ids{completed, running}));
  EXPECT_EQ(list("state=active"), Ids{running});
  EXPECT_EQ(list("state=failed"), (Ids{hopeless, failed}));
  EXPECT_EQ(list("state=recoverable"), Ids{failed});
  EXPECT_EQ(list("workflow=other"), Ids{});
  EXPECT_EQ(list("workflow=two&status=failed&limit=1"), Ids{hopeless});
}

TEST_F(RunsTest, RefusesWrongQueries) {
  const auto expect = [&](const std::string& query, std::string_view part) {
    const auto response = get("/api/v1/runs?" + query);
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_EQ(code(response), "invalid_request");
    EXPECT_NE(detail(response).find(part), std::string::npos) << detail(response);
  };
  expect("status=complete", "did you mean \"completed\"");
  expect("state=dead", "active, failed or recoverable");
  expect("state=failed&status=failed", "exclude each other");
  expect("limt=3", "did you mean \"limit\"");
  expect("limit=0", "from 1 to 1000");
  expect("limit=1001", "from 1 to 1000");
  expect("limit=%2B1", "from 1 to 1000");
  expect("cursor=x", "cursor");
}

TEST_F(RunsTest, Cancels) {
  model::RunRow row = new_run(kTwoSteps);
  runtime_.answer = [&](const model::CommandBody& body) -> model::ReplyBody {
    const auto& cancel = std::get<model::CancelRun>(body);
    EXPECT_EQ(cancel.run, row.id);
    return model::CancelAccepted{cancel.run, RunStatus::cancelling};
  };
  EXPECT_EQ(post(path(row, "/cancel"), "").status, 200);
  EXPECT_EQ(post(path(row, "/cancel"), R"({"terminate":true,"reason":"enough"})").status, 200);
  EXPECT_FALSE(std::get<model::CancelRun>(runtime_.commands[0].first).terminate);
  EXPECT_TRUE(std::get<model::CancelRun>(runtime_.commands[1].first).terminate);
  EXPECT_EQ(std::get<model::CancelRun>(runtime_.commands[1].first).reason, "enough");
  EXPECT_EQ(post(path(row, "/cancel"), R"({"terminate":"yes"})").status, 400);

  runtime_.answer = [](const model::CommandBody&) -> model::ReplyBody {
    return Error{ErrorCode::conflict, "the run is completed", ""};
  };
  const auto refused = post(path(row, "/cancel"), "");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(code(refused), "conflict");
}

TEST_F(RunsTest, WaitAnswersAtOnceWhenTheRunHasEnded) {
  model::RunRow row = new_run(kTwoSteps);
  row.status = RunStatus::completed;
  update(row);
  EXPECT_EQ(object(get(path(row, "/wait?timeout=300"))).at("status"), "completed");
}

TEST_F(RunsTest, WaitAnswersThePresentStateWhenItsTimeIsOver) {
  EXPECT_EQ(object(get(path(new_run(kTwoSteps), "/wait?timeout=0"))).at("status"), "pending");
}

TEST_F(RunsTest, WaitAnswersWhenTheRunEnds) {
  model::RunRow row = new_run(kTwoSteps);
  std::string status;
  std::thread waiting([&] { status = object(get(path(row, "/wait?timeout=300"))).at("status").as_string(); });
  // Whether the request came before or after these: none may be missed.
  row.status = RunStatus::running;
  update(row);
  while (api_->under_way() == 0) std::this_thread::yield();
  row.status = RunStatus::failed;
  update(row);
  waiting.join();
  EXPECT_EQ(status, "failed");
}

TEST_F(RunsTest, History) {
  model::RunRow row = new_run(kTwoSteps);
  add_facts(row, {{.kind = model::FactKind::run_submitted, .at = test::kThen, .number = 1, .text = "two"}});
  add_facts(row, {{.kind = model::FactKind::attempt_started,
                   .at = test::kThen,
                   .task = 1,
                   .step = 1,
                   .attempt = 2,
                   .text = "local"}});
  const auto page = object(get(path(row, "/history?limit=1")));
  const auto& newest = page.at("items").at(0);
  EXPECT_EQ(newest.at("cause"), "report");
  EXPECT_EQ(newest.at("actor"), "worker:local");
  EXPECT_EQ(newest.at("facts").at(0).at("type"), "attempt.started");
  EXPECT_EQ(newest.at("facts").at(0).at("step"), "b");
  EXPECT_EQ(std::string_view(newest.at("facts").at(0).at("task").as_string()), row.id.text() + ".1");
  const auto older =
      object(get(path(row, "/history?limit=5&cursor=" + std::string(page.at("next").as_string()))));
  EXPECT_EQ(older.at("items").as_array().size(), 1U);
  EXPECT_EQ(older.at("items").at(0).at("facts").at(0).at("type"), "run.submitted");
  EXPECT_TRUE(older.at("next").is_null());
}

TEST_F(RunsTest, GivesOutTheDefinition) {
  const auto response = get(path(new_run(kTwoSteps), "/definition"));
  EXPECT_EQ(object(response).at("name"), "two");
  EXPECT_NE(spec::parse_canonical(response.body).workflow, nullptr);
}

TEST_F(RunsTest, Health) {
  EXPECT_EQ(get("/livez").body, "ok\n");
  EXPECT_EQ(get("/readyz").body, "ok\n");
  EXPECT_EQ(object(get("/api/v1/version")).at("version"), "1.2.3");
}

TEST_F(RunsTest, UnknownPathsAndMethods) {
  EXPECT_EQ(get("/nothing").status, 404);
  EXPECT_EQ(get("/api/v1/runs/").status, 404);
  EXPECT_EQ(get("/api/v1//runs").status, 404);
  EXPECT_EQ(get("/API/v1/runs").status, 404);
  const auto response = post("/api/v1/tasks", "{}");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.find("Allow"), "GET, HEAD, OPTIONS");
}

TEST_F(RunsTest, StoppedItAnswersThatItIs) {
  model::RunRow row = new_run(kTwoSteps);
  net::Response waited;
  std::thread waiting([&] { waited = get(path(row, "/wait?timeout=300")); });
  while (api_->under_way() == 0) std::this_thread::yield();
  api_->stop();
  waiting.join();
  EXPECT_EQ(waited.status, 503) << waited.body;
  EXPECT_EQ(code(waited), "unavailable");
  EXPECT_EQ(get("/livez").status, 503);
  EXPECT_EQ(api_->under_way(), 0U);
}

// Else who sent it would send it to the next owner, which refuses it: it is done.
TEST_F(RunsTest, StoppedItStillSaysWhatBecameOfACommand) {
  model::RunRow row = new_run(kTwoSteps);
  std::promise<void> begun;
  std::promise<void> committed;
  runtime_.answer = [&](const model::CommandBody&) {
    begun.set_value();
    committed.get_future().wait();
    return model::ReplyBody(model::Done{});
  };
  net::Response cancelled;
  std::thread cancelling([&] { cancelled = post(path(row, "/cancel"), "{}"); });
  begun.get_future().wait();
  std::thread stopping([&] { api_->stop(); });
  while (get("/livez").status != 503) std::this_thread::yield();
  committed.set_value();
  cancelling.join();
  stopping.join();
  EXPECT_EQ(cancelled.status, 200) << cancelled.body;
}

}  // namespace
}  // namespace baton::api

#include <boost/json/parse.hpp>

#include "api/openapi.hpp"
#include "api/test_support.hpp"
#include "model/draft.hpp"

namespace baton::api::test {
namespace {

using model::RunStatus;
using model::TaskStatus;

class SeedRoutesTest : public ApiTest {
 protected:
  boost::json::object state(const std::string& id) { return object(get("/api/tasks/" + id)); }
  model::RunRow run_with(RunStatus status, const std::string& job = "") {
    model::RunRow run = new_run("name: w\nsteps:\n  a: {run: x}\n", "{}", "{}", job);
    run.status = status;
    update(run);
    return run;
  }
  std::string cancelled() const {
    const auto* cancel =
        runtime_.commands.empty() ? nullptr : std::get_if<model::CancelRun>(&runtime_.commands.back().first);
    return cancel == nullptr ? "" : cancel->run.text();
  }
};

TEST_F(SeedRoutesTest, StatesOfRuns) {
  const std::pair<RunStatus, const char*> cases[] = {
      {RunStatus::pending, "PENDING"},    {RunStatus::running, "STARTED"},
      {RunStatus::paused, "STARTED"},     {RunStatus::cancelling, "STARTED"},
      {RunStatus::recovering, "STARTED"}, {RunStatus::completed, "SUCCESS"},
      {RunStatus::failed, "FAILURE"},     {RunStatus::cancelled, "REVOKED"}};
  for (const auto& [status, word] : cases) {
    const std::string id = run_with(status).id.text();
    const auto answer = state(id);
    EXPECT_EQ(answer.at("task_id"), boost::json::value(id));
    EXPECT_EQ(answer.at("status"), boost::json::value(word));
    const bool ended = status >= RunStatus::completed;
    EXPECT_EQ(answer.contains("result"), ended) << word;
    EXPECT_EQ(answer.contains("error"), status == RunStatus::failed) << word;
  }
}

TEST_F(SeedRoutesTest, StatesOfTasks) {
  const std::pair<TaskStatus, const char*> cases[] = {
      {TaskStatus::pending, "PENDING"}, {TaskStatus::queued, "PENDING"},    {TaskStatus::running, "STARTED"},
      {TaskStatus::retrying, "RETRY"},  {TaskStatus::completed, "SUCCESS"}, {TaskStatus::failed, "FAILURE"},
      {TaskStatus::skipped, "SUCCESS"}, {TaskStatus::cancelled, "REVOKED"}};
  for (const auto& [status, word] : cases) {
    const auto run = new_run("name: w\nsteps:\n  a: {run: x}\n");
    model::TaskRow row = task(run, 0, 0);
    row.status = status;
    row.error_type = status == TaskStatus::failed ? "exit" : "";
    row.error_message = "code 3";
    put(row, status == TaskStatus::completed ? std::optional<std::string>("{\"n\":7}") : std::nullopt);
    const auto answer = state(run.id.text() + ".0");
    EXPECT_EQ(answer.at("status"), boost::json::value(word));
    if (status == TaskStatus::completed) EXPECT_EQ(answer.at("result").at("n"), 7);
    if (status == TaskStatus::failed) EXPECT_EQ(answer.at("error"), "exit: code 3");
  }
}

TEST_F(SeedRoutesTest, TheResultOfARun) {
  const auto run = run_with(RunStatus::completed);
  model::TaskRow row = task(run, 0, 0);
  row.status = TaskStatus::completed;
  put(row, "[1,2]");
  EXPECT_EQ(state(run.id.text()).at("result"), boost::json::parse("[1,2]"));
}

TEST_F(SeedRoutesTest, TheResultsOfARunAreThoseOfItsSteps) {
  auto run = new_run("name: w\nsteps:\n  a: {run: x, cleanup: {run: y}}\n");
  run.status = RunStatus::completed;
  update(run);
  for (const Ordinal ordinal : {0U, 1U}) {
    model::TaskRow row = task(run, ordinal, 0);
    row.status = TaskStatus::completed;
    if (ordinal == 1) {
      row.role = model::TaskRole::cleanup;
      row.parent = 0;
    }
    put(row, ordinal == 0 ? "7" : "{\"cleaned\":true}");
  }
  EXPECT_EQ(state(run.id.text()).at("result"), 7);
}

TEST_F(SeedRoutesTest, TheResultsOfARunOfManySteps) {
  constexpr Ordinal kSteps = 1'100;  // more than a page
  std::string text = "name: w\nsteps:\n";
  for (Ordinal i = 0; i < kSteps; ++i) text += "  s" + std::to_string(i) + ": {run: x}\n";
  auto run = new_run(text);
  run.status = RunStatus::completed;
  update(run);
  model::TaskRow row = task(run, kSteps - 1, kSteps - 1);
  row.status = TaskStatus::completed;
  put(row, "7");
  EXPECT_EQ(state(run.id.text()).at("result").at("s" + std::to_string(kSteps - 1)), 7);
}

TEST_F(SeedRoutesTest, WhatThereIsNot) {
  EXPECT_EQ(get("/api/tasks/nothing").status, 404);
  EXPECT_EQ(get("/api/workflow/nothing/status").status, 404);
  EXPECT_EQ(post("/api/jobs/nothing/cancel", "").status, 404);
}

TEST_F(SeedRoutesTest, CancelsARunByItsId) {
  const auto run = run_with(RunStatus::running);
  runtime_.answer = [&](const model::CommandBody&) { return model::CancelAccepted{run.id}; };
  EXPECT_EQ(post("/api/jobs/" + run.id.text() + "/cancel", "").status, 200);
  EXPECT_EQ(cancelled(), run.id.text());
}

TEST_F(SeedRoutesTest, CancelsTheNewestOpenRunOfAJob) {
  run_with(RunStatus::running, "night");
  const auto newest = run_with(RunStatus::paused, "night");
  run_with(RunStatus::completed, "night");
  run_with(RunStatus::running, "day");
  runtime_.answer = [&](const model::CommandBody&) { return model::CancelAccepted{newest.id}; };
  EXPECT_EQ(post("/api/jobs/night/cancel", "").status, 200);
  EXPECT_EQ(cancelled(), newest.id.text());
  EXPECT_EQ(post("/api/jobs/evening/cancel", "").status, 404);
}

TEST_F(SeedRoutesTest, AJobMayHaveANameThatLooksLikeARun) {
  const std::string name = "01920000-0000-7000-8000-00000000abcd";
  const auto run = run_with(RunStatus::running, name);
  runtime_.answer = [&](const model::CommandBody&) { return model::CancelAccepted{run.id}; };
  EXPECT_EQ(post("/api/jobs/" + name + "/cancel", "").status, 200);
  EXPECT_EQ(cancelled(), run.id.text());
}

TEST_F(SeedRoutesTest, CancellingAgainChangesNothing) {
  const auto run = run_with(RunStatus::cancelled);
  EXPECT_EQ(post("/api/jobs/" + run.id.text() + "/cancel", "").status, 200);
  EXPECT_TRUE(runtime_.commands.empty());
}

TEST_F(SeedRoutesTest, OtherNamesOfTheSame) {
  const auto run = run_with(RunStatus::running);
  EXPECT_EQ(get("/api/workflow/" + run.id.text() + "/status").body,
            get("/api/v1/runs/" + run.id.text()).body);
  EXPECT_EQ(get("/api/circuit-breakers/status").body, get("/api/v1/breakers").body);
}

// Seed 004, "Use the REST API": its request, as it stands there.
TEST_F(SeedRoutesTest, AWorkflowWithoutStepsIsADraft) {
  runtime_.answer = [&](const model::CommandBody& body) -> model::ReplyBody {
    const auto& draft = std::get<model::MakeDraft>(body);
    model::Batch batch;
    batch.records.push_back(
        {model::to_record(model::Draft{draft.name, draft.title, draft.description, "key:x", kThen})});
    commit(std::move(batch));
    return model::WorkflowApplied{.created = true, .workflow = draft.name};
  };
  const auto made = post("/workflows", R"({"name": "API Workflow", "description": "Created via API"})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(object(made).at("id"), "api-workflow");
  EXPECT_EQ(object(made).at("title"), "API Workflow");
  EXPECT_TRUE(object(made).at("draft").as_bool());
  const auto shown = object(get(std::string(made.headers.find("Location").value_or(""))));
  EXPECT_EQ(shown.at("description"), "Created via API");
  EXPECT_TRUE(shown.at("version").is_null());
  const auto started = post("/api/v1/runs", R"({"workflow":"api-workflow"})");
  EXPECT_EQ(started.status, 409);
  EXPECT_NE(detail(started).find("draft"), std::string::npos);
}

TEST_F(SeedRoutesTest, AWorkflowWithStepsIsAppliedUnderAFreeName) {
  runtime_.answer = [&](const model::CommandBody& body) -> model::ReplyBody {
    const auto& apply = std::get<model::ApplyWorkflow>(body);
    if (apply.workflow->name == "nightly") return Error{ErrorCode::conflict, "it is there", "1"};
    return model::WorkflowApplied{.version = 1, .created = true, .workflow = apply.workflow->name};
  };
  const auto made = post("/workflows", R"({"name": "Nightly", "steps": {"a": {"run": "true"}}})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(object(made).at("name"), "nightly-2");
  EXPECT_EQ(object(made).at("version"), 1);
  EXPECT_EQ(post("/workflows", R"({"name": "x", "steps": {"a": {"rn": "true"}}})").status, 422);
  for (const char* body : {"{}", R"({"name":""})", R"({"name":"äö"})", R"({"name":"x","labels":{}})"})
    EXPECT_EQ(post("/workflows", body).status, 400) << body;
}

// Seed 000 §9: the error, too. Of a server that names a workflow: tests/integration/server/seeds_test.py.
TEST_F(SeedRoutesTest, SubmitNeedsAWorkflowInTheConfiguration) {
  const auto refused = post("/api/tasks/submit", R"({"file_path": "/data/a.mp3"})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(detail(refused).find("seed.submit_workflow"), std::string::npos);
}

// Seed 003 §5.2.
TEST_F(SeedRoutesTest, TheFiguresOfWorkflows) {
  meter_.add(telemetry::Metric::runs_ended, {"w", "completed"}, 3);
  meter_.add(telemetry::Metric::runs_ended, {"w", "failed"}, 1);
  meter_.observe(telemetry::Metric::attempt_duration, {"w", "clean"}, 0.5);
  meter_.observe(telemetry::Metric::attempt_duration, {"v", "clean"}, 1.5);
  const auto figures = object(get("/api/workflow/metrics"));
  EXPECT_EQ(figures.at("total_workflows"), 4);
  EXPECT_EQ(figures.at("successful_workflows"), 3);
  EXPECT_EQ(figures.at("failed_workflows"), 1);
  EXPECT_EQ(figures.at("step_metrics").at("clean").at("count"), 2);
  EXPECT_EQ(figures.at("step_metrics").at("clean").at("avg_duration").to_number<double>(), 1000.0);
}

TEST_F(SeedRoutesTest, TheDescriptionIsServed) {
  const auto description = object(get("/api/v1/openapi.json"));
  EXPECT_EQ(description.at("openapi"), "3.1.0");
  EXPECT_TRUE(description.at("paths").as_object().contains("/api/v1/openapi.json"));
}

}  // namespace
}  // namespace baton::api::test

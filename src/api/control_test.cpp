#include <boost/json/parse.hpp>

#include "api/test_support.hpp"

namespace baton::api {
namespace {

using model::RunStatus;

constexpr const char* kFlow =
    "name: two\ninputs: {n: {type: integer, default: 3}, o: {type: string, optional: true}}\n"
    "steps:\n  a: {run: x, estimate: 30s}\n  b: {run: y, needs: [a], title: Second}\n";

class ControlTest : public test::ApiTest {
 protected:
  static std::string path(const model::RunRow& row, const std::string& more = "") {
    return "/api/v1/runs/" + row.id.text() + more;
  }
  net::Response send(net::Method method, const std::string& target, const std::string& body) {
    net::ClientRequest request{method, target, {}, body, false};
    request.headers.set("Content-Type", "application/json");
    return call(std::move(request));
  }
  void answer_with(const model::ReplyBody& reply) {
    runtime_.answer = [reply](const model::CommandBody&) { return reply; };
  }
  template <typename Command>
  Command last() {
    EXPECT_FALSE(runtime_.commands.empty());
    const auto* command = std::get_if<Command>(&runtime_.commands.back().first);
    EXPECT_NE(command, nullptr);
    return command != nullptr ? *command : Command();
  }
};

TEST_F(ControlTest, CommandsOfRuns) {
  const model::RunRow row = new_run(kFlow, "{}", "{}");
  answer_with(model::RunAccepted{row.id, RunStatus::paused});
  EXPECT_EQ(send(net::Method::post, path(row, "/pause"), R"({"reason":"look","for":"1h"})").status, 200);
  const auto pause = last<model::PauseCommand>();
  EXPECT_EQ(pause.target.kind, model::BlockerKind::run_paused);
  EXPECT_EQ(pause.target.run, row.id);
  EXPECT_EQ(pause.lasts, Duration::hours(1));
  EXPECT_EQ(pause.why, "look");

  send(net::Method::post, path(row, "/pause"), R"({"step":"a","until":"2027-01-01T00:00:00Z"})");
  EXPECT_EQ(last<model::PauseCommand>().target.kind, model::BlockerKind::step_paused);
  EXPECT_EQ(last<model::PauseCommand>().target.name, "a");
  EXPECT_EQ(send(net::Method::post, path(row, "/resume"), "").status, 200);
  EXPECT_EQ(last<model::ResumeCommand>().target.run, row.id);

  send(net::Method::post, path(row, "/recover"),
       R"({"from":1,"keep":["a"],"failed_only":true,"force":true})");
  const auto recover = last<model::RecoverRun>();
  EXPECT_EQ(recover.from, "1");
  EXPECT_EQ(recover.keep, std::vector<std::string>{"a"});
  EXPECT_TRUE(recover.failed_only && recover.force);
  send(net::Method::post, path(row, "/retry"), "{}");
  EXPECT_TRUE(last<model::RecoverRun>().failed_only);
  send(net::Method::post, path(row, "/terminate"), "");
  EXPECT_TRUE(last<model::CancelRun>().terminate);
  EXPECT_FALSE(last<model::CancelRun>().no_cleanup);
  send(net::Method::post, path(row, "/terminate"), R"({"cleanup":false})");
  EXPECT_TRUE(last<model::CancelRun>().no_cleanup);
  EXPECT_EQ(send(net::Method::post, path(row, "/cancel"), R"({"cleanup":false})").status, 400);

  send(net::Method::patch, path(row), R"({"priority":9,"metadata":{"k":null},"labels":{"team":"a"}})");
  const auto change = last<model::ChangeRun>();
  EXPECT_EQ(change.priority, 9);
  EXPECT_EQ(change.metadata, R"({"k":null})");
  EXPECT_EQ(change.labels, R"({"team":"a"})");
}

TEST_F(ControlTest, AnEditOfARunThatHasChangedIsRefusedAndShowsIt) {
  model::RunRow row = new_run(kFlow, "{}", R"({"metadata":{"a":1}})");
  answer_with(model::RunAccepted{row.id, RunStatus::running});
  const auto tag_now = [&] { return std::string(get(path(row)).headers.find("ETag").value_or("")); };
  const std::string tag = tag_now();
  ASSERT_EQ(tag.size(), 18U) << tag;
  row.progress = 40;
  row.status = RunStatus::running;
  update(row);
  EXPECT_EQ(tag_now(), tag) << "how far it is nobody can edit";
  const auto edit = [&](const std::string& match) {
    return call({net::Method::patch,
                 path(row),
                 {{"Content-Type", "application/json"}, {"If-Match", match}},
                 R"({"priority":9})",
                 false});
  };
  const auto done = edit(tag);
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.headers.find("ETag"), tag);
  EXPECT_EQ(last<model::ChangeRun>().expected, tag.substr(1, 16));
  EXPECT_EQ(edit("\"3").status, 400);

  row.priority = 7;
  update(row);
  EXPECT_NE(tag_now(), tag);
  answer_with(Error{ErrorCode::conflict, "changed", "tag"});
  const auto refused = edit(tag);
  EXPECT_EQ(refused.status, 412);
  EXPECT_EQ(object(refused).at("current").at("priority").as_int64(), 7);
  EXPECT_EQ(refused.headers.find("ETag"), tag_now());
  EXPECT_EQ(edit(tag_now()).status, 409) << "it was as expected: it cannot be changed for another reason";
  EXPECT_EQ(edit("*").status, 409);
}

TEST_F(ControlTest, CommandsOfTasks) {
  const model::RunRow row = new_run(kFlow, "{}", "{}");
  answer_with(model::RunAccepted{row.id, RunStatus::running});
  const std::string task = "/api/v1/tasks/" + row.id.text() + ".1";
  EXPECT_EQ(send(net::Method::post, task + "/retry", "").status, 200);
  EXPECT_EQ(last<model::DecideTask>().task, (TaskId{row.id, 1}));
  send(net::Method::post, task + "/skip", R"({"reason":"not needed"})");
  EXPECT_EQ(last<model::DecideTask>().verdict, model::DecideTask::Verdict::skip);
  send(net::Method::post, task + "/complete", R"({"result":{"n":1}})");
  EXPECT_EQ(last<model::DecideTask>().result, R"({"n":1})");
}

TEST_F(ControlTest, WrongRequestsSayWhatIsWrong) {
  const model::RunRow row = new_run(kFlow, "{}", "{}");
  const auto refused = [&](const std::string& more, const std::string& body, const std::string& words) {
    const auto response = send(net::Method::post, path(row, more), body);
    EXPECT_EQ(response.status, 400) << more << body;
    EXPECT_NE(detail(response).find(words), std::string::npos) << detail(response);
  };
  refused("/pause", R"({"for":"soon"})", "no duration");
  refused("/pause", R"({"until":"soon"})", "no instant");
  refused("/pause", R"({"until":"2027-01-01T00:00:00Z","for":1})", "exclude");
  refused("/pause", R"({"reasn":"x"})", "did you mean \"reason\"");
  refused("/recover", R"({"keep":"a"})", "list of names");
  const auto bulk = [&](const std::string& body, const std::string& words) {
    const auto response = send(net::Method::post, "/api/v1/runs/bulk", body);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_NE(detail(response).find(words), std::string::npos) << detail(response);
  };
  bulk(R"({"action":"cancl","filter":{"workflow":"two"}})", "did you mean \"cancel\"");
  bulk(R"({"action":"cancel"})", "which runs");
  bulk(R"({"action":"cancel","filter":{"statu":"failed"}})", "did you mean \"status\"");
  bulk(R"({"action":"cancel","filter":{"status":"faild"}})", "did you mean \"failed\"");
  for (const char* name : {"status", "workflow", "job_id", "where", "created_before", "ended_before"})
    bulk(R"({"action":"prune","filter":{"status":"failed",")" + std::string(name) + R"(":""}})",
         "must not be empty");
  EXPECT_EQ(send(net::Method::patch, path(row), "{}").status, 400);
  EXPECT_TRUE(runtime_.commands.empty());
}

TEST_F(ControlTest, RefusalsOfTheEngineAreConflicts) {
  const model::RunRow row = new_run(kFlow, "{}", "{}");
  answer_with(Error{ErrorCode::conflict, "run x is running; …", "running"});
  const auto response = send(net::Method::post, path(row, "/recover"), "");
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(code(response), "conflict");
}

TEST_F(ControlTest, ReplayTakesTheInputWithEdits) {
  model::RunRow row =
      new_run(kFlow, R"({"n":3,"o":null})", R"({"workdir":"/w","env":{},"metadata":{"k":1}})");
  answer_with(model::Submitted{row.id, false});
  EXPECT_EQ(send(net::Method::post, path(row, "/replay"), R"({"input":{"n":4}})").status, 201);
  const auto submit = last<model::SubmitRun>();
  EXPECT_EQ(submit.replay_of, row.id);
  EXPECT_EQ(submit.input, R"({"n":4,"o":null})");
  EXPECT_EQ(submit.context, R"({"workdir":"/w","env":{},"metadata":{"k":1}})");
  EXPECT_EQ(submit.workflow->name, "two");
  const auto wrong = send(net::Method::post, path(row, "/replay"), R"({"input":{"m":4}})");
  EXPECT_EQ(code(wrong), "invalid_input");
}

TEST_F(ControlTest, ReplayKeepsTheNullThatWasGiven) {
  const model::RunRow row = new_run(
      "{name: nulls, inputs: {x: {type: [string, 'null'], default: d}, s: {type: string, optional: true},"
      " y: {type: ['null', integer]}}, steps: {a: {run: x}}}",
      R"({"x":null,"s":null,"y":null})");
  answer_with(model::Submitted{row.id, false});
  EXPECT_EQ(send(net::Method::post, path(row, "/replay"), "{}").status, 201);
  EXPECT_EQ(last<model::SubmitRun>().input, R"({"x":null,"s":null,"y":null})");
  EXPECT_EQ(send(net::Method::post, path(row, "/replay"), R"({"input":{"x":"e"}})").status, 201);
  EXPECT_EQ(last<model::SubmitRun>().input, R"({"x":"e","s":null,"y":null})");
}

TEST_F(ControlTest, DeepValuesAreReadAsTheyWereTaken) {
  const std::string deep = std::string(60, '[') + std::string(60, ']');
  const model::RunRow row =
      new_run("{name: deep, inputs: {n: {}, o: {}}, steps: {a: {run: x}}}", R"({"n":3,"o":)" + deep + "}",
              R"({"workdir":"/w","env":{},"metadata":{"k":)" + deep + R"(},"labels":{"l":1}})");
  answer_with(model::Submitted{row.id, false});
  EXPECT_EQ(send(net::Method::post, path(row, "/replay"), R"({"input":{"n":4}})").status, 201);
  EXPECT_EQ(last<model::SubmitRun>().input, R"({"n":4,"o":)" + deep + "}");
  const auto shown = get(path(row));
  EXPECT_NE(shown.body.find(R"("metadata":{"k":)" + deep), std::string::npos);
  EXPECT_NE(shown.body.find(R"("labels":{"l":1})"), std::string::npos);
}

TEST_F(ControlTest, ProgressInTheFormOfSeed001) {
  model::RunRow row = new_run(kFlow, "{}", "{}");
  row.status = RunStatus::running;
  row.progress = 50;
  row.counts = {.total = 2, .completed = 1, .running = 1};
  update(row);
  EXPECT_EQ(
      get(path(row, "/progress")).body,
      R"({"workflow_id":")" + row.id.text() +
          R"(","job_id":null,"status":"running","progress":50,"current_step":1,"total_steps":2,)"
          R"("completed_tasks":1,"failed_tasks":0,"running_tasks":1,"recovery_attempts":0,)"
          R"("estimated_remaining":60,"tasks":[)"
          R"({"id":")" +
          row.id.text() +
          R"(.0","name":"a","step":"a","type":"run","status":"pending","retry_count":0,"error_message":null},)"
          R"({"id":")" +
          row.id.text() +
          R"(.1","name":"Second","step":"b","type":"run","status":"pending","retry_count":0,"error_message":null}]})");
}

TEST_F(ControlTest, ExplainsWithNames) {
  const model::RunRow row = new_run(kFlow, "{}", "{}");
  model::Explanation answer{.run = row.id, .task = 1, .status = "pending"};
  answer.reasons.push_back({.code = "needs", .message = "waits", .tasks = {0}, .count = 1});
  answer_with(answer);
  EXPECT_EQ(get("/api/v1/tasks/" + row.id.text() + ".1/explain").body,
            R"({"run":")" + row.id.text() + R"(","task":")" + row.id.text() +
                R"(.1","status":"pending","reasons":[{"code":"needs","message":"waits","subject":null,)"
                R"("until":null,"count":1,"tasks":[{"id":")" +
                row.id.text() + R"(.0","step":"a"}]}]})");
}

TEST_F(ControlTest, BulkSaysWhatBecameOfEach) {
  model::RunRow failed = new_run(kFlow, "{}", "{}");
  failed.status = RunStatus::failed;
  update(failed);
  model::RunRow running = new_run(kFlow, "{}", "{}");
  running.status = RunStatus::running;
  update(running);
  auto response =
      send(net::Method::post, "/api/v1/runs/bulk",
           R"({"action":"recover","filter":{"workflow":"two","status":"failed,running"},"dry_run":true})");
  auto page = object(response);
  ASSERT_EQ(page.at("items").as_array().size(), 2u);
  EXPECT_EQ(page.at("items").at(0).at("outcome"), "refused");
  EXPECT_EQ(page.at("items").at(1).at("outcome"), "possible");
  EXPECT_TRUE(runtime_.commands.empty()) << "a dry run changes nothing";

  answer_with(model::RunAccepted{failed.id, RunStatus::recovering});
  response =
      send(net::Method::post, "/api/v1/runs/bulk", R"({"action":"recover","filter":{"workflow":"two"}})");
  page = object(response);
  ASSERT_EQ(page.at("items").as_array().size(), 1u);
  EXPECT_EQ(page.at("items").at(0).at("outcome"), "done");
  EXPECT_EQ(page.at("items").at(0).at("run").as_string(), failed.id.text());

  response = send(net::Method::post, "/api/v1/runs/bulk",
                  R"({"action":"cancel","filter":{"created_before":"2001-01-01T00:00:00Z"}})");
  EXPECT_TRUE(object(response).at("items").as_array().empty());
}

TEST_F(ControlTest, BulkReplayTakesTheFailedOnesAndMakesEachOnce) {
  for (const RunStatus status : {RunStatus::failed, RunStatus::completed, RunStatus::cancelled}) {
    model::RunRow row = new_run(kFlow, "{}", "{}");
    row.status = status;
    update(row);
  }
  const RunId made = RunId::make(RunKey::make(ShardId{0}, 77), WallTime{1'700'000'000'000'000}, {7, 7});
  answer_with(model::Submitted{made, false});
  auto page = object(
      send(net::Method::post, "/api/v1/runs/bulk", R"({"action":"replay","filter":{"workflow":"two"}})"));
  ASSERT_EQ(page.at("items").as_array().size(), 1u);
  EXPECT_EQ(page.at("items").at(0).at("status"), "failed");
  EXPECT_EQ(page.at("items").at(0).at("made").as_string(), made.text());
  page = object(send(
      net::Method::post, "/api/v1/runs/bulk",
      R"({"action":"replay","filter":{"where":"status in ['completed', 'cancelled']"},"dry_run":true})"));
  EXPECT_EQ(page.at("items").as_array().size(), 2u);
  EXPECT_EQ(page.at("items").at(0).at("outcome"), "possible");
}

TEST_F(ControlTest, QueuesAndWorkers) {
  model::Survey survey;
  survey.queues.push_back(
      {.name = "gpu", .queued = 2, .held = 1, .workers = 0, .running = 0, .most_urgent = 7});
  survey.workers.push_back({.name = "local", .in_process = true, .attempts = 1});
  survey.targets.push_back({"nlp", 1, 3, "nlp-1"});
  answer_with(survey);
  EXPECT_EQ(
      get("/api/v1/queues").body,
      R"({"items":[{"name":"gpu","queued":2,"held":1,"pending":0,"running":0,"workers":0,)"
      R"("most_urgent":7,"max_waiting":null,"weights":{},"set_by":null,"set_at":null,"reason":null,"pause":null}],)"
      R"("next":null})");
  EXPECT_EQ(
      get("/api/v1/workers").body,
      R"({"items":[{"name":"local","status":"busy","in_process":true,"attempts":1,)"
      R"("tags":[],"concurrency":null,"cpu_percent":null,"memory_bytes":null,"heard_at":null,"draining":false,)"
      R"("queues":null,"steps":true,"functions":[],"pause":null}],"next":null})");
  EXPECT_EQ(
      get("/api/v1/targets").body,
      R"({"items":[{"name":"nlp","running":1,"held":3,"breaker":{"name":"nlp-1","state":"closed","forced":null},)"
      R"("pause":null}],"next":null})");
  answer_with(model::Done{});
  EXPECT_EQ(send(net::Method::post, "/api/v1/targets/nlp/pause", R"({"reason":"x"})").body,
            R"({"target":"nlp"})");
  EXPECT_EQ(last<model::PauseCommand>().target.kind, model::BlockerKind::target_paused);
  EXPECT_EQ(send(net::Method::post, "/api/v1/queues/gpu/pause", R"({"for":60})").body, R"({"queue":"gpu"})");
  EXPECT_EQ(last<model::PauseCommand>().target.kind, model::BlockerKind::queue_paused);
  EXPECT_EQ(last<model::PauseCommand>().lasts, Duration::seconds(60));
  EXPECT_EQ(send(net::Method::post, "/api/v1/workers/w1/resume", "").body, R"({"worker":"w1"})");
  EXPECT_EQ(send(net::Method::post, "/api/v1/queues/%20/pause", "").status, 404);
}

}  // namespace
}  // namespace baton::api

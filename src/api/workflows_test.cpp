#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/test_support.hpp"
#include "model/applied.hpp"

namespace baton::api {
namespace {

constexpr const char* kOne = "name: etl\ninputs: {n: {type: integer, default: 3}}\nsteps:\n  a: {run: x}\n";
constexpr const char* kTwo =
    "name: etl\ntitle: Daily\ninputs: {n: {type: integer, default: 3}}\nsteps:\n  a: {run: y}\n  b: {run: "
    "z}\n";

std::string json_text(const std::string& text) {
  return boost::json::serialize(boost::json::value(text));
}

class WorkflowsTest : public test::ApiTest {
 protected:
  std::shared_ptr<const model::Workflow> version(const char* text, std::uint32_t number) {
    auto workflow = spec::parse_workflow(text).workflow;
    model::Batch batch;
    batch.definitions.push_back({workflow->name, number, workflow->hash,
                                 std::make_shared<const std::string>(workflow->canonical), test::kThen});
    commit(std::move(batch));
    return workflow;
  }
  void make_current(const std::string& name, std::vector<model::Application> applications) {
    model::Batch batch;
    batch.records.push_back({model::to_record({name, std::move(applications)}), false});
    commit(std::move(batch));
  }
  net::Response send(const std::string& target, const std::string& body, const std::string& if_match = "") {
    net::ClientRequest request{net::Method::post, target, {}, body, false};
    request.headers.set("Content-Type", "application/json");
    if (!if_match.empty()) request.headers.set("If-Match", if_match);
    return call(std::move(request));
  }
  template <typename Command>
  const Command* last() {
    return runtime_.commands.empty() ? nullptr : std::get_if<Command>(&runtime_.commands.back().first);
  }
};

TEST_F(WorkflowsTest, ShowsWhatWasApplied) {
  version(kOne, 1);
  version(kTwo, 2);
  make_current("etl", {{2, test::kThen, "cli:ada", "title"}, {1, test::kThen, "cli:bob", ""}});
  const auto list = object(get("/api/v1/workflows"));
  ASSERT_EQ(list.at("items").as_array().size(), 1u);
  const auto& item = list.at("items").at(0).as_object();
  EXPECT_EQ(item.at("name"), "etl");
  EXPECT_EQ(item.at("title"), "Daily");
  EXPECT_EQ(item.at("version"), 2);
  EXPECT_EQ(item.at("steps"), 2);
  EXPECT_EQ(item.at("applied_by"), "cli:ada");
  EXPECT_EQ(item.at("note"), "title");
  EXPECT_FALSE(item.contains("definition"));

  const auto whole = object(get("/api/v1/workflows/etl"));
  EXPECT_EQ(whole.at("definition").at("steps").at("a").at("run"), "y");
  EXPECT_EQ(whole.at("applications").as_array().size(), 2u);
  const auto first = object(get("/api/v1/workflows/etl?version=1"));
  EXPECT_EQ(first.at("version"), 1);
  EXPECT_EQ(first.at("current_version"), 2);

  const auto versions = object(get("/api/v1/workflows/etl/versions?limit=1"));
  EXPECT_EQ(versions.at("items").at(0).at("version"), 2);
  EXPECT_EQ(versions.at("items").at(0).at("current"), true);
  EXPECT_EQ(versions.at("next"), "2");
  const auto rest = object(get("/api/v1/workflows/etl/versions?cursor=2"));
  EXPECT_EQ(rest.at("items").at(0).at("applied_by"), "cli:bob");
  EXPECT_TRUE(rest.at("next").is_null());

  const auto diff = object(get("/api/v1/workflows/etl/diff"));
  EXPECT_EQ(diff.at("from"), 1);
  EXPECT_EQ(diff.at("to"), 2);
  EXPECT_EQ(diff.at("changes").as_array().size(), 3u) << boost::json::serialize(diff);
}

TEST_F(WorkflowsTest, SaysWhatThereIsInstead) {
  const auto absent = get("/api/v1/workflows/etl");
  EXPECT_EQ(absent.status, 404);
  version(kOne, 1);
  EXPECT_NE(detail(get("/api/v1/workflows/etl")).find("never applied"), std::string::npos);
  EXPECT_EQ(get("/api/v1/workflows/etl?version=1").status, 200);
  make_current("etl", {{1, test::kThen, "cli:ada", ""}});
  EXPECT_NE(detail(get("/api/v1/workflows/elt")).find("did you mean \"etl\"?"), std::string::npos);
  EXPECT_NE(detail(get("/api/v1/workflows/etl?version=7")).find("the newest one is 1"), std::string::npos);
  EXPECT_EQ(get("/api/v1/workflows/etl?version=0").status, 400);
  EXPECT_EQ(get("/api/v1/workflows/etl?versio=1").status, 400);
  EXPECT_TRUE(object(get("/api/v1/workflows/etl/diff")).at("equal").as_bool());
}

TEST_F(WorkflowsTest, Applies) {
  version(kOne, 1);
  make_current("etl", {{1, test::kThen, "cli:ada", ""}});
  runtime_.answer = [](const model::CommandBody&) {
    return model::WorkflowApplied{.version = 2, .previous = 1, .created = true};
  };
  const std::string body = R"({"note":"why","definition":)" + json_text(kTwo) + "}";
  const auto response = send("/api/v1/workflows", body, "\"1\"");
  EXPECT_EQ(response.status, 201) << response.body;
  EXPECT_EQ(response.headers.find("ETag"), "\"2\"");
  const auto answer = object(response);
  EXPECT_EQ(answer.at("outcome"), "created");
  EXPECT_EQ(answer.at("previous_version"), 1);
  EXPECT_EQ(answer.at("changes").as_array().size(), 3u);
  const auto* command = last<model::ApplyWorkflow>();
  ASSERT_NE(command, nullptr);
  EXPECT_EQ(command->expected, 1u);
  EXPECT_EQ(command->note, "why");
  EXPECT_EQ(command->workflow->title, "Daily");
  EXPECT_EQ(send("/api/v1/workflows", body, "soon").status, 400);
  EXPECT_EQ(send("/api/v1/workflows", body, "*").status, 201);
  EXPECT_EQ(last<model::ApplyWorkflow>()->expected, std::nullopt);
  const std::string other = R"({"definition":"name: other\nsteps: {a: {run: x}}"})";
  EXPECT_EQ(send("/api/v1/workflows", other, "*").status, 412) << "there is none";
  const std::string dry_run = R"({"dry_run":true,"definition":)" + json_text(kTwo) + "}";
  EXPECT_EQ(send("/api/v1/workflows", dry_run, "\"1\"").status, 200);
  const auto stale = send("/api/v1/workflows", dry_run, "\"2\"");
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(object(stale).at("current").at("version"), 1);
  EXPECT_EQ(get("/api/v1/workflows/etl").headers.find("ETag"), "\"1\"");
  EXPECT_EQ(get("/api/v1/workflows/etl?version=1").headers.find("ETag"), "\"1\"");
  runtime_.answer = [](const model::CommandBody&) {
    return Error{ErrorCode::conflict, "it is at version 3", "3"};
  };
  const auto late = send("/api/v1/workflows", body, "\"1\"");
  EXPECT_EQ(late.status, 412);
  EXPECT_EQ(object(late).at("current").at("version"), 3);
  EXPECT_EQ(send("/api/v1/workflows", body).status, 409);

  const std::size_t before = runtime_.commands.size();
  const auto dry =
      object(send("/api/v1/workflows", R"({"dry_run":true,"definition":)" + json_text(kTwo) + "}"));
  EXPECT_EQ(dry.at("version"), 2);
  EXPECT_EQ(dry.at("outcome"), "created");
  const auto same =
      object(send("/api/v1/workflows", R"({"dry_run":true,"definition":)" + json_text(kOne) + "}"));
  EXPECT_EQ(same.at("outcome"), "unchanged");
  EXPECT_EQ(runtime_.commands.size(), before) << "a dry run changes nothing";

  const auto wrong = send("/api/v1/workflows", R"({"definition":"name: x\nsteps: {a: {rn: y}}"})");
  EXPECT_EQ(code(wrong), "invalid_definition");
  EXPECT_EQ(object(wrong).at("errors").as_array().size(), 1u);
  EXPECT_EQ(send("/api/v1/workflows", "{}").status, 400);
}

TEST_F(WorkflowsTest, RunsAreMadeOfTheVersionThatCountsOrOfAnother) {
  const auto one = version(kOne, 1);
  const auto two = version(kTwo, 2);
  make_current("etl", {{1, test::kThen, "cli:ada", ""}});
  const model::RunRow row = new_run("name: other\nsteps: {a: {run: x}}\n");
  runtime_.answer = [&](const model::CommandBody&) { return model::Submitted{row.id, false}; };
  EXPECT_EQ(send("/api/v1/runs", R"({"workflow":"etl","input":{"n":4}})").status, 201);
  ASSERT_NE(last<model::SubmitRun>(), nullptr);
  EXPECT_EQ(last<model::SubmitRun>()->workflow->hash, one->hash);
  EXPECT_EQ(last<model::SubmitRun>()->input, R"({"n":4})");
  const Hash256 by_name = last<model::SubmitRun>()->body;
  make_current("etl", {{2, test::kThen, "cli:ada", ""}, {1, test::kThen, "cli:ada", ""}});
  send("/api/v1/runs", R"({"workflow":"etl","input":{"n":4}})");
  EXPECT_EQ(last<model::SubmitRun>()->workflow->hash, two->hash);
  EXPECT_EQ(last<model::SubmitRun>()->body, by_name) << "the same request, whatever was applied meanwhile";
  EXPECT_EQ(send("/api/v1/runs", R"({"workflow":"etl","version":2})").status, 201);
  EXPECT_EQ(last<model::SubmitRun>()->workflow->hash, two->hash);
  EXPECT_EQ(send("/api/v1/runs", R"({"workflow":"etl","version":3})").status, 404);
  EXPECT_EQ(send("/api/v1/runs", R"({"workflow":"etl","definition":"x"})").status, 400);
  EXPECT_EQ(send("/api/v1/runs", R"({"version":1})").status, 400);
}

TEST_F(WorkflowsTest, AKeyIsAskedForAlsoWhenTheInputFitsNoMore) {
  version(kOne, 1);
  version("name: etl\ninputs:\n  other: {type: string}\nsteps: {a: {run: x}}\n", 2);
  make_current("etl", {{1, test::kThen, "cli:ada", ""}});
  const model::RunRow row = new_run("name: other\nsteps: {a: {run: x}}\n");
  bool made = false;
  runtime_.answer = [&](const model::CommandBody& body) -> model::ReplyBody {
    const auto& submit = std::get<model::SubmitRun>(body);
    if (made) return model::Submitted{row.id, true};
    if (!submit.workflow) return Error{ErrorCode::not_found, "none", ""};
    return model::Submitted{row.id, false};
  };
  constexpr const char* kAsked = R"({"workflow":"etl","input":{"n":4}})";
  const net::Headers key{{"Idempotency-Key", "k"}};
  EXPECT_EQ(post("/api/v1/runs", kAsked, key).status, 201);
  const Hash256 first = last<model::SubmitRun>()->body;
  make_current("etl", {{2, test::kThen, "cli:ada", ""}, {1, test::kThen, "cli:ada", ""}});
  EXPECT_EQ(code(post("/api/v1/runs", kAsked, key)), "invalid_input") << "a key that made no run";
  made = true;
  const auto again = post("/api/v1/runs", kAsked, key);
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(object(again).at("id").as_string(), row.id.text());
  EXPECT_EQ(last<model::SubmitRun>()->workflow, nullptr) << "it makes none";
  EXPECT_EQ(last<model::SubmitRun>()->body, first);
  EXPECT_EQ(code(post("/api/v1/runs", kAsked)), "invalid_input");
  const auto many =
      object(post("/api/v1/runs/batch", R"({"workflow":"etl","runs":[{"input":{"n":4}}]})", key));
  EXPECT_EQ(many.at("runs").at(0).at("existing"), true);
}

TEST_F(WorkflowsTest, RecoverAndReplayOntoAnotherVersion) {
  const model::RunRow row = new_run(kOne, R"({"n":5})");
  const auto two = version(kTwo, 2);
  version("name: etl\ninputs: {m: {type: string}}\nsteps:\n  a: {run: x}\n", 3);
  version(
      "name: etl\ninputs: {n: {type: integer, default: 3}}\nsteps:\n  a: {run: x, env: {H: \"${{ env.HOST "
      "}}\"}}\n",
      4);
  runtime_.answer = [&](const model::CommandBody& body) -> model::ReplyBody {
    if (std::holds_alternative<model::SubmitRun>(body)) return model::Submitted{row.id, false};
    return model::RunAccepted{row.id, model::RunStatus::recovering};
  };
  const std::string run = "/api/v1/runs/" + row.id.text();
  EXPECT_EQ(send(run + "/recover", R"({"version":2})").status, 200);
  ASSERT_NE(last<model::RecoverRun>(), nullptr);
  EXPECT_EQ(last<model::RecoverRun>()->onto->hash, two->hash);
  EXPECT_EQ(last<model::RecoverRun>()->input, R"({"n":5})");
  EXPECT_EQ(send(run + "/replay", R"({"version":2})").status, 201);
  EXPECT_EQ(last<model::SubmitRun>()->workflow->hash, two->hash);

  const auto misfit = send(run + "/recover", R"({"version":3})");
  EXPECT_EQ(misfit.status, 409);
  EXPECT_NE(detail(misfit).find("does not fit version 3"), std::string::npos) << detail(misfit);
  EXPECT_EQ(send(run + "/replay", R"({"version":3})").status, 422);
  const auto environment = send(run + "/recover", R"({"version":4})");
  EXPECT_EQ(environment.status, 409);
  EXPECT_NE(detail(environment).find("env.HOST"), std::string::npos);
  EXPECT_EQ(send(run + "/recover", R"({"version":9})").status, 404);
  EXPECT_EQ(send(run + "/retry", R"({"version":2})").status, 400);
}

TEST_F(WorkflowsTest, ListsByExpression) {
  model::RunRow failed = new_run(kOne);
  failed.status = model::RunStatus::failed;
  update(failed);
  new_run(kOne);
  const auto ids = [&](const std::string& query) {
    std::vector<std::string> found;
    const auto page = object(get("/api/v1/runs?" + query));
    for (const auto& item : page.at("items").as_array()) found.emplace_back(item.at("id").as_string());
    return found;
  };
  EXPECT_EQ(ids("where=status%20%3D%3D%20%22failed%22"), std::vector<std::string>{failed.id.text()});
  EXPECT_EQ(ids("where=workflow%20in%20%5B%22etl%22%5D").size(), 2u);
  EXPECT_TRUE(ids("where=status%20%3D%3D%20%22failed%22&status=running").empty());
  const auto wrong = get("/api/v1/runs?where=priority%20%3E%205");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(detail(wrong).find("no index of priority"), std::string::npos);

  const auto bulk =
      object(send("/api/v1/runs/bulk",
                  R"({"action":"recover","dry_run":true,"filter":{"where":"workflow == \"etl\""}})"));
  ASSERT_EQ(bulk.at("items").as_array().size(), 1u) << "those that the action is for";
  EXPECT_EQ(bulk.at("items").at(0).at("run").as_string(), failed.id.text());
  EXPECT_EQ(send("/api/v1/runs/bulk", R"({"action":"cancel","filter":{"where":"labels.a == 1"}})").status,
            400);
}

}  // namespace
}  // namespace baton::api

#include "api/test_support.hpp"

namespace baton::api {
namespace {

class WorkerViewsTest : public test::ApiTest {
 protected:
  WorkerViewsTest() {
    survey_.workers.push_back({.name = "local", .in_process = true});
    survey_.workers.push_back({.name = "w1", .steps = false, .functions = {"f"}, .attempts = 2});
    runtime_.answer = [this](const model::CommandBody& body) {
      if (std::holds_alternative<model::AskSurvey>(body)) return model::ReplyBody(survey_);
      if (std::holds_alternative<model::ClaimTasks>(body)) return model::ReplyBody(model::Claimed{});
      if (std::holds_alternative<model::Heartbeat>(body))
        return model::ReplyBody(model::HeartbeatAnswer{.lease = Duration::seconds(30), .stop = {}});
      return model::ReplyBody(model::Done{});
    };
  }
  boost::json::object worker(const std::string& name) { return object(get("/api/v1/workers/" + name)); }
  net::Response beat(const std::string& members) {
    return post("/api/v1/workers/w1/heartbeat", "{" + members + "}");
  }
  std::vector<std::string> tagged(const std::string& tag) {
    std::vector<std::string> names;
    const boost::json::object page = object(get("/api/v1/workers?tag=" + tag));
    for (const auto& item : page.at("items").as_array()) names.emplace_back(item.at("name").as_string());
    return names;
  }

  model::Survey survey_;
};

TEST_F(WorkerViewsTest, ShowWhatAWorkerSaysOfItself) {
  EXPECT_TRUE(worker("w1").at("cpu_percent").is_null());
  ASSERT_EQ(
      post("/api/v1/workers/w1/register", R"({"functions":["f"],"tags":["gpu","eu","gpu"],"concurrency":8})")
          .status,
      200);
  EXPECT_EQ(worker("w1").at("tags"), (boost::json::array{"eu", "gpu"}));
  ASSERT_EQ(beat(R"("cpu_percent":152.5,"memory_bytes":84934656)").status, 200);
  const auto shown = worker("w1");
  EXPECT_EQ(shown.at("status"), "busy");
  EXPECT_EQ(shown.at("attempts"), 2);
  EXPECT_EQ(shown.at("tags"), (boost::json::array{"eu", "gpu"}));
  EXPECT_EQ(shown.at("concurrency"), 8);
  EXPECT_EQ(shown.at("cpu_percent"), 152.5);
  EXPECT_EQ(shown.at("memory_bytes"), 84934656);
  // What it does not say stays; a new process of that name has said nothing yet.
  ASSERT_EQ(beat("").status, 200);
  EXPECT_EQ(worker("w1").at("memory_bytes"), 84934656);
  ASSERT_EQ(post("/api/v1/workers/w1/register", R"({"functions":["f"]})").status, 200);
  EXPECT_TRUE(worker("w1").at("memory_bytes").is_null());
  EXPECT_TRUE(worker("w1").at("tags").as_array().empty());
}

TEST_F(WorkerViewsTest, ShowWhatTheServersOwnWorkerUses) {
  EXPECT_TRUE(worker("local").at("memory_bytes").is_null());
  own_worker_ = {.concurrency = 4, .cpu_percent = 12.5, .memory_bytes = 1 << 20};
  const auto shown = worker("local");
  EXPECT_EQ(shown.at("concurrency"), 4);
  EXPECT_EQ(shown.at("cpu_percent"), 12.5);
  EXPECT_EQ(shown.at("memory_bytes"), 1 << 20);
  EXPECT_TRUE(shown.at("heard_at").is_null());
  EXPECT_TRUE(worker("w1").at("memory_bytes").is_null());
}

TEST_F(WorkerViewsTest, RefuseWhatCannotBe) {
  for (const char* wrong : {R"("cpu_percent":-1)", R"("cpu_percent":"9")", R"("cpu_percent":1e300)",
                            R"("memory_bytes":-5)", R"("memory_bytes":1.5)", R"("concurrency":0)",
                            R"("tags":"gpu")", R"("tags":["a b"])", R"("tags":[""])", R"("cpu":1)"}) {
    EXPECT_EQ(beat(wrong).status, 400) << wrong;
  }
  std::string many = "\"t0\"";
  for (int i = 1; i < 64; ++i) many += ",\"t" + std::to_string(i) + '"';
  EXPECT_EQ(beat("\"tags\":[" + many + "]").status, 200);
  EXPECT_EQ(beat("\"tags\":[" + many + ",\"more\"]").status, 400);
  EXPECT_EQ(get("/api/v1/workers?tag=a%20b").status, 400);
}

TEST_F(WorkerViewsTest, AreListedByTag) {
  ASSERT_EQ(beat(R"("tags":["gpu","eu"])").status, 200);
  EXPECT_EQ(tagged("gpu"), (std::vector<std::string>{"w1"}));
  EXPECT_TRUE(tagged("us").empty());
  EXPECT_EQ(object(get("/api/v1/workers")).at("items").as_array().size(), 2U);
}

TEST_F(WorkerViewsTest, OneThatIsNotThereHasANameThatIsNear) {
  const auto response = get("/api/v1/workers/w2");
  EXPECT_EQ(response.status, 404);
  EXPECT_NE(detail(response).find("did you mean \"w1\""), std::string::npos) << detail(response);
}

TEST_F(WorkerViewsTest, AWorkerIsAskedToDrain) {
  EXPECT_EQ(post("/api/v1/workers/w1/drain", "").status, 200);
  const auto& drain = std::get<model::PauseCommand>(runtime_.commands.back().first);
  EXPECT_EQ(drain.target.kind, model::BlockerKind::worker_draining);
  EXPECT_EQ(drain.target.name, "w1");
  EXPECT_EQ(drain.lasts, model::kDrainStands);
  EXPECT_EQ(post("/api/v1/workers/w9/drain", "").status, 404);
  EXPECT_EQ(post("/api/v1/workers/local/drain", "").status, 409);
}

TEST_F(WorkerViewsTest, ShowWhoIsToDrainAlsoIfNobodyHasHeardOfItYet) {
  model::Batch batch;
  batch.records.push_back(
      {model::to_record(model::Pause{.what = model::Blocker::worker_draining("w2"), .name = "w2"}), false});
  commit(std::move(batch));
  EXPECT_EQ(worker("w2").at("draining"), true);
  EXPECT_EQ(worker("w2").at("status"), "away");
  EXPECT_EQ(worker("w1").at("draining"), false);
}

TEST_F(WorkerViewsTest, AWorkerHearsWhichRunsAreOver) {
  model::RunRow over = new_run("{name: w, steps: {a: {run: 'true'}}}");
  over.status = model::RunStatus::failed;
  over.ended_at = test::kThen - Duration::seconds(90);
  update(over);
  const model::RunRow open = new_run("{name: w, steps: {a: {run: 'true'}}}");
  const std::string nobody = "01a1fe71-1636-7000-92a8-8b0000000001";
  const auto response =
      post("/api/v1/workers/w1/ended-runs",
           R"({"runs":[")" + over.id.text() + R"(",")" + open.id.text() + R"(",")" + nobody + R"("]})");
  ASSERT_EQ(response.status, 200) << response.body;
  const auto body = object(response);
  const auto& items = body.at("items").as_array();
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].at("run"), boost::json::value(over.id.text()));
  EXPECT_TRUE(items[0].at("ended_for").is_number());
  EXPECT_EQ(items[1], (boost::json::value{{"run", nobody}, {"ended_for", nullptr}}));
  EXPECT_EQ(post("/api/v1/workers/w1/ended-runs", R"({"runs":["x"]})").status, 400);
  EXPECT_EQ(post("/api/v1/workers/w1/ended-runs", "{}").status, 400);
}

TEST_F(WorkerViewsTest, AWorkerHearsThatItIsPausedOrToDrain) {
  EXPECT_EQ(object(beat("")).at("drain"), false);
  runtime_.answer = [](const model::CommandBody&) {
    return model::ReplyBody(
        model::HeartbeatAnswer{.lease = Duration::seconds(30), .stop = {}, .paused = true, .draining = true});
  };
  EXPECT_EQ(object(beat("")).at("paused"), true);
  EXPECT_EQ(object(beat("")).at("drain"), true);
}

}  // namespace
}  // namespace baton::api

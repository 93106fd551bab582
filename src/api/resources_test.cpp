#include "api/test_support.hpp"
#include "model/resource.hpp"

namespace baton::api {
namespace {

class ResourcesTest : public test::ApiTest {
 protected:
  void SetUp() override { run_ = new_run("name: one\nsteps:\n  a: {run: x}\n", "{}", "{}"); }

  std::string store(std::string name, model::ResourceStatus status, std::string error = "") {
    model::Resource resource;
    resource.task = {run_.id, 0};
    resource.name = std::move(name);
    resource.status = status;
    resource.attempt = 2;
    resource.body = R"({"action":["rm","-f","vm"],"env":{"TOKEN":"hush"},"with":null,"workdir":"/w"})";
    resource.error = std::move(error);
    model::Batch batch;
    batch.records.push_back({model::record_of(resource), false});
    commit(std::move(batch));
    return model::resource_id(resource.task, resource.name);
  }
  std::string names(const std::string& query) {
    std::string found;
    std::string cursor;
    do {
      const auto page = object(get("/api/v1/resources?limit=1" + query + cursor));
      for (const auto& item : page.at("items").as_array()) {
        found += std::string(item.at("name").as_string()) + ' ';
      }
      cursor = page.at("next").is_null() ? "" : "&cursor=" + std::string(page.at("next").as_string());
    } while (!cursor.empty());
    return found;
  }
  std::string task() const { return "/api/v1/tasks/" + run_.id.text() + ".0"; }

  model::RunRow run_;
};

TEST_F(ResourcesTest, AreListedByRunAndStatus) {
  store("net", model::ResourceStatus::open);
  store("vm", model::ResourceStatus::leaked, "no such host");
  EXPECT_EQ(names(""), "net vm ");
  EXPECT_EQ(names("&status=leaked"), "vm ");
  EXPECT_EQ(names("&run=" + run_.id.text()), "net vm ");
  EXPECT_EQ(names("&run=01a1fbc8-243b-7000-8000-020000009999"), "");
  const auto wrong = get("/api/v1/resources?status=leakd");
  EXPECT_EQ(code(wrong), "invalid_request");
  EXPECT_NE(wrong.body.find("did you mean \\\"leaked\\\"?"), std::string::npos) << wrong.body;
}

TEST_F(ResourcesTest, OneIsShownWithItsCommandButNotItsEnvironment) {
  const std::string id = store("vm", model::ResourceStatus::leaked, "no such host");
  const auto response = get("/api/v1/resources/" + id);
  EXPECT_EQ(response.body.find("hush"), std::string::npos);
  const auto resource = object(response);
  EXPECT_EQ(resource.at("argv").as_array().size(), 3U);
  EXPECT_EQ(resource.at("workdir"), "/w");
  EXPECT_EQ(resource.at("error"), "no such host");
  for (const char* unknown : {"x", "x:vm", ":"}) {
    EXPECT_EQ(code(get("/api/v1/resources/" + std::string(unknown))), "not_found") << unknown;
  }
}

TEST_F(ResourcesTest, ARunShowsItsOwn) {
  store("vm", model::ResourceStatus::leaked, "no such host");
  const auto resources = object(get("/api/v1/runs/" + run_.id.text())).at("resources").as_array();
  ASSERT_EQ(resources.size(), 1U);
  EXPECT_EQ(resources[0].at("status"), "leaked");
}

TEST_F(ResourcesTest, GivingBackAskedAgainIsAnsweredWhenItIsDone) {
  runtime_.answer = [&](const model::CommandBody&) -> model::ReplyBody {
    return model::CleaningBegun{{run_.id, 3}, false};
  };
  const std::string gone = run_.id.text() + ".0:was%20here";
  const auto response = post("/api/v1/resources/" + gone + "/cleanup", "", {{"Idempotency-Key", "k"}});
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(object(response).at("status"), "cleaning");
  EXPECT_EQ(object(response).at("name"), "was here");
  EXPECT_EQ(object(response).at("cleaned_by").as_string(), run_.id.text() + ".3");
  EXPECT_TRUE(object(response).at("registered_at").is_null());
}

TEST_F(ResourcesTest, ATaskRegistersAndReleases) {
  runtime_.answer = [](const model::CommandBody&) -> model::ReplyBody {
    return model::ResourceRegistered{false};
  };
  const auto made = post(task() + "/resources", R"({"token":"1-7","name":"vm","argv":["rm","vm"]})");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(std::string(object(made).at("id").as_string()), run_.id.text() + ".0:vm");
  const auto& command = std::get<model::RegisterResource>(runtime_.commands.back().first);
  EXPECT_EQ(command.token, (Token{1, 7}));
  EXPECT_EQ(command.argv.size(), 2U);
  EXPECT_EQ(runtime_.commands.back().second, "task:" + run_.id.text() + ".0");
  for (const char* body :
       {R"({"name":"vm","argv":["x"]})", R"({"token":"1-7","name":"vm"})",
        R"({"token":"1-7","name":"vm","argv":[]})", R"({"token":"1-7","name":"vm","argv":[1]})",
        R"({"token":"x","name":"vm","argv":["x"]})",
        R"({"token":"1-7","name":"vm","argv":["x"],"shell":true})"}) {
    EXPECT_EQ(code(post(task() + "/resources", body)), "invalid_request") << body;
  }
  runtime_.answer = [](const model::CommandBody&) -> model::ReplyBody {
    return model::ResourceReleased{true, {"net"}};
  };
  const auto released = object(post(task() + "/resources/vm/release", R"({"token":"1-7"})"));
  EXPECT_TRUE(released.at("existed").as_bool());
  EXPECT_EQ(released.at("open").as_array().size(), 1U);
}

// What becomes of those that may is tested with the SDKs.
TEST_F(ResourcesTest, OnlyAnAttemptThatHoldsItsTaskStartsRuns) {
  runtime_.answer = [](const model::CommandBody&) -> model::ReplyBody {
    return Error{ErrorCode::stale_token, "another one has it", ""};
  };
  EXPECT_EQ(code(post(task() + "/runs", R"({"token":"1-7","workflow":"w"})")), "stale_token");
  EXPECT_TRUE(std::holds_alternative<model::ReportProgress>(runtime_.commands.back().first));
  runtime_.answer = [](const model::CommandBody&) -> model::ReplyBody { return model::Done{}; };
  EXPECT_EQ(code(post(task() + "/runs", R"({"token":"1-7","workflow":"nothing"})")), "not_found");
  const std::string definition = R"({"token":"1-7","definition":"steps: {a: {run: x}}"})";
  const std::string long_key = R"({"token":"1-7","workflow":"w","key":")" + std::string(250, 'k') + "\"}";
  for (const std::string& body : {std::string("{}"), std::string(R"({"workflow":"w"})"), definition, long_key,
                                  std::string(R"({"token":"1-7","workflow":"w","input":7})")}) {
    EXPECT_EQ(code(post(task() + "/runs", body)), "invalid_request") << body;
  }
}

TEST_F(ResourcesTest, ATaskSaysHowFarItIs) {
  runtime_.answer = [](const model::CommandBody&) -> model::ReplyBody { return model::Done{}; };
  EXPECT_EQ(post(task() + "/progress", R"({"token":"1-7","progress":40,"message":"epoch 4"})").status, 200);
  const auto& command = std::get<model::ReportProgress>(runtime_.commands.back().first);
  EXPECT_EQ(command.percent, 40);
  EXPECT_EQ(command.message, "epoch 4");
  EXPECT_EQ(post(task() + "/progress", R"({"token":"1-7"})").status, 200);
  EXPECT_FALSE(std::get<model::ReportProgress>(runtime_.commands.back().first).percent);
  for (const char* body : {R"({"progress":1})", R"({"token":"1-7","progress":101})",
                           R"({"token":"1-7","progress":1.5})", R"({"token":"1-7","percent":5})"}) {
    EXPECT_EQ(code(post(task() + "/progress", body)), "invalid_request") << body;
  }
}

}  // namespace
}  // namespace baton::api

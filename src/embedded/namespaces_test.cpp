// Namespaces of one owner, over its socket: what one has does not exist in another.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <map>

#include "api/router.hpp"
#include "base/text.hpp"
#include "embedded/owner.hpp"
#include "net/http_client.hpp"

namespace baton::embedded {
namespace {

namespace json = boost::json;
using net::Method;

constexpr Duration kPatience = Duration::seconds(120);  // no passing test waits for it

struct Answer {
  int status = 0;
  std::string body;

  json::object object() const {
    boost::system::error_code error;
    json::value value = json::parse(body, error);
    EXPECT_TRUE(!error && value.is_object()) << body;
    return !error && value.is_object() ? value.get_object() : json::object{};
  }
};

class NamespacesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/baton-spaces-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    open();
  }
  void TearDown() override {
    owner_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  void open() {
    auto owner = Owner::open({.data_dir = root_ + "/data", .concurrency = 4});
    ASSERT_TRUE(owner) << owner.error().message;
    owner_ = std::move(*owner);
  }
  void restart() {
    owner_.reset();
    open();
  }

  Answer ask(const std::string& space, Method method, const std::string& target,
             const std::string& body = "") {
    auto endpoint = net::parse_endpoint("unix:" + socket_path_of(root_ + "/data"));
    net::HttpClient client(*endpoint);
    net::ClientRequest request{.method = method, .target = target, .body = body};
    if (!space.empty()) request.headers.set("X-Baton-Namespace", space);
    if (!body.empty()) request.headers.set("Content-Type", "application/json");
    const auto response = client.request(request, kPatience);
    EXPECT_TRUE(response) << response.error().message;
    return response ? Answer{response->status, response->body} : Answer{};
  }
  Answer get(const std::string& space, const std::string& target) { return ask(space, Method::get, target); }
  std::size_t items(const std::string& space, const std::string& target) {
    const json::object page = get(space, target).object();
    const json::value* list = page.if_contains("items");
    EXPECT_TRUE(list != nullptr && list->is_array()) << target << ": " << json::serialize(page);
    return list != nullptr && list->is_array() ? list->get_array().size() : 0;
  }
  void create(const std::string& name) {
    const Answer made = ask("", Method::post, "/api/v1/namespaces", R"({"name":")" + name + "\"}");
    ASSERT_EQ(made.status, 201) << made.body;
  }
  std::string submit(const std::string& space, const std::string& definition, const std::string& more = "") {
    const Answer made = ask(space, Method::post, "/api/v1/runs",
                            "{\"definition\":" + json::serialize(json::value(definition)) + more + "}");
    EXPECT_LT(made.status, 300) << made.body;
    const json::object run = made.object();
    const json::value* id = run.if_contains("id");
    return id != nullptr ? std::string(id->as_string()) : "";
  }
  std::string status_after_wait(const std::string& space, const std::string& run) {
    return std::string(
        get(space, "/api/v1/runs/" + run + "/wait?timeout=60").object().at("status").as_string());
  }

  std::string root_;
  std::unique_ptr<Owner> owner_;
};

constexpr const char* kQuick = "name: w\nsteps:\n  say: {exec: [echo, hello]}\n";
constexpr const char* kWaits = "name: waits\nsteps:\n  go: {wait: {signal: go}}\n";

TEST_F(NamespacesTest, WhatOneHasIsNotInTheOthers) {
  create("a");
  create("b");
  const std::string run = submit("a", kQuick, R"(,"job_id":"j")");
  EXPECT_EQ(status_after_wait("a", run), "completed");
  const Answer log = get("a", "/api/v1/tasks/" + run + ".0/logs");
  EXPECT_NE(log.body.find("hello"), std::string::npos) << log.body;
  EXPECT_EQ(items("a", "/api/v1/runs"), 1U);
  for (const char* other : {"", "default", "b"}) {
    EXPECT_EQ(get(other, "/api/v1/runs/" + run).status, 404) << other;
    EXPECT_EQ(get(other, "/api/v1/tasks/" + run + ".0/logs").status, 404) << other;
    EXPECT_EQ(items(other, "/api/v1/runs"), 0U) << other;
    EXPECT_EQ(items(other, "/api/v1/runs?job_id=j"), 0U) << other;
    EXPECT_EQ(items(other, "/api/v1/workflows"), 0U) << other;
    EXPECT_EQ(get(other, "/api/v1/metrics").object().at("runs").at("submitted"), 0) << other;
  }
  EXPECT_EQ(get("a", "/api/v1/metrics").object().at("runs").at("submitted"), 1);
  EXPECT_EQ(items("", "/api/v1/namespaces"), 3U);
  const Answer none = get("c", "/api/v1/runs");
  EXPECT_EQ(none.status, 404);
  EXPECT_NE(none.body.find("there is no namespace"), std::string::npos) << none.body;
}

TEST_F(NamespacesTest, NamesAndKeysAreOfTheirNamespace) {
  create("a");
  const auto apply = [&](const char* space, const char* definition) {
    return ask(space, Method::post, "/api/v1/workflows",
               "{\"definition\":" + json::serialize(json::value(definition)) + "}");
  };
  EXPECT_EQ(apply("", "name: deploy\nsteps:\n  one: {exec: [echo, \"1\"]}\n").status, 201);
  EXPECT_EQ(apply("", "name: deploy\nsteps:\n  two: {exec: [echo, \"2\"]}\n").object().at("version"), 2);
  const json::object first = apply("a", "name: deploy\nsteps:\n  three: {exec: [echo, \"3\"]}\n").object();
  EXPECT_EQ(first.at("version"), 1) << "versions are counted by themselves";
  // The same text as in the other namespace is a version of this one.
  EXPECT_EQ(apply("a", "name: deploy\nsteps:\n  one: {exec: [echo, \"1\"]}\n").object().at("version"), 2);
  EXPECT_NE(get("a", "/api/v1/workflows/deploy?version=1").body.find("three"), std::string::npos);
  EXPECT_EQ(ask("a", Method::put, "/api/v1/limits/gpu", R"({"limit":3})").status, 200);
  EXPECT_EQ(get("", "/api/v1/limits/gpu").status, 404);
  // "did you mean" knows nothing of the others.
  EXPECT_EQ(get("", "/api/v1/limits/gpux").body.find("gpu\""), std::string::npos);
  EXPECT_NE(get("a", "/api/v1/audit").body.find("set_limit"), std::string::npos);
  EXPECT_EQ(get("", "/api/v1/audit").body.find("set_limit"), std::string::npos);
  EXPECT_TRUE(get("a", "/api/v1/audit/verify").object().at("ok").as_bool());
}

TEST_F(NamespacesTest, ALimitOrAPauseHoldsNobodyElseBack) {
  create("a");
  EXPECT_EQ(ask("a", Method::post, "/api/v1/queues/default/pause", R"({"reason":"not now"})").status, 200);
  EXPECT_EQ(ask("a", Method::put, "/api/v1/limits/gpu", R"({"limit":1})").status, 200);
  const char* uses = "name: w\nsteps:\n  say: {exec: [echo, hello], uses: {gpu: 2}}\n";
  submit("a", kQuick);
  const std::string held = submit("a", uses);
  EXPECT_EQ(ask("", Method::put, "/api/v1/limits/gpu", R"({"limit":2})").status, 200);
  EXPECT_EQ(status_after_wait("", submit("", uses)), "completed");
  EXPECT_NE(get("a", "/api/v1/runs/" + held).object().at("status"), "completed");
}

TEST_F(NamespacesTest, GoOnAfterARestart) {
  create("a");
  const std::string here = submit("", kWaits);
  const std::string there = submit("a", kWaits);
  EXPECT_EQ(owner_->open_runs(), 2U);
  restart();
  EXPECT_EQ(owner_->open_runs(), 2U);
  EXPECT_EQ(ask("a", Method::post, "/api/v1/runs/" + there + "/signals/go", "{}").status, 201);
  EXPECT_EQ(status_after_wait("a", there), "completed");
  EXPECT_NE(get("", "/api/v1/runs/" + here).object().at("status"), "completed");
  EXPECT_EQ(ask("", Method::post, "/api/v1/runs/" + here + "/signals/go", "{}").status, 201);
  EXPECT_EQ(status_after_wait("", here), "completed");
}

TEST_F(NamespacesTest, DeletingOne) {
  create("a");
  const std::string run = submit("a", kWaits);
  const Answer refused = ask("", Method::delete_, "/api/v1/namespaces/a");
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_EQ(ask("", Method::delete_, "/api/v1/namespaces/default").status, 409);
  EXPECT_EQ(ask("a", Method::post, "/api/v1/runs/" + run + "/cancel").status, 200);
  EXPECT_EQ(status_after_wait("a", run), "cancelled");
  EXPECT_EQ(ask("", Method::delete_, "/api/v1/namespaces/a").status, 200);
  EXPECT_EQ(get("a", "/api/v1/runs").status, 404);
  EXPECT_EQ(get("", "/api/v1/namespaces/a").status, 404);
  EXPECT_EQ(ask("", Method::delete_, "/api/v1/namespaces/a").status, 404);
  create("a");
  EXPECT_EQ(items("a", "/api/v1/runs"), 0U);
  EXPECT_EQ(get("a", "/api/v1/runs/" + run).status, 404);
  EXPECT_EQ(get("", "/api/v1/namespaces/a").object().at("number"), 2) << "a number is never used again";
  restart();
  EXPECT_EQ(items("", "/api/v1/namespaces"), 2U);
  EXPECT_EQ(get("a", "/api/v1/runs/" + run).status, 404);
}

TEST_F(NamespacesTest, SecretsAreOfTheirNamespace) {
  create("a");
  const auto set = [&](const char* space, const char* value) {
    const Answer done = ask(space, Method::put, "/api/v1/secrets/TOKEN",
                            "{\"value\":" + json::serialize(json::value(value)) + "}");
    EXPECT_EQ(done.status, 200) << done.body;
  };
  // Tells which value it has got by its length: the value itself is masked.
  const char* shows =
      "name: shows\nsteps:\n  show: {run: 'echo \"$T ${#T}\"', env: {T: \"${{ secrets.TOKEN }}\"}}\n";
  const auto log_of = [&](const char* space) {
    const std::string run = submit(space, shows);
    const std::string status = status_after_wait(space, run);
    return status != "completed" ? status : get(space, "/api/v1/tasks/" + run + ".0/logs").body;
  };
  set("a", "value-of-a");
  EXPECT_EQ(items("", "/api/v1/secrets"), 0U);
  EXPECT_EQ(get("", "/api/v1/secrets/TOKEN").status, 404);
  EXPECT_EQ(log_of(""), "failed");
  EXPECT_EQ(get("a", "/api/v1/secrets/TOKEN").object().at("version"), 1);
  set("", "the-value-of-default");
  EXPECT_EQ(items("a", "/api/v1/secrets"), 1U);
  for (int round = 0; round < 2; ++round) {
    EXPECT_NE(log_of("a").find("*** 10"), std::string::npos) << log_of("a");
    EXPECT_NE(log_of("").find("*** 20"), std::string::npos) << log_of("");
    if (round == 0) restart();
  }
  const auto backup = [&](const std::string& name) {
    const Answer made = ask("", Method::post, "/api/v1/backups", "{\"path\":\"" + root_ + "/" + name + "\"}");
    EXPECT_EQ(made.status, 201) << made.body;
    return made.object().at("secrets");
  };
  EXPECT_EQ(backup("both.db"), 2);
  EXPECT_EQ(ask("", Method::delete_, "/api/v1/namespaces/a").status, 200);
  EXPECT_EQ(backup("one.db"), 1) << "they go with their namespace";
  create("a");
  EXPECT_EQ(items("a", "/api/v1/secrets"), 0U);
  EXPECT_EQ(get("", "/api/v1/secrets/TOKEN").object().at("status"), "ready");
}

// S3: an id of another namespace gets, to the byte, what an id gets that nobody ever had.
TEST_F(NamespacesTest, AnIdOfAnotherNamespaceIsAMissingOne) {
  create("a");
  const std::string theirs =
      submit("a", "name: w\nsteps:\n  ok: {exec: [\"true\"]}\n  bad: {exec: [\"false\"]}\n");
  EXPECT_EQ(status_after_wait("a", theirs), "failed");
  const json::array letters = get("a", "/api/v1/dead-letters").object().at("items").as_array();
  ASSERT_FALSE(letters.empty());
  const std::string letter(letters[0].at("id").as_string());
  ASSERT_TRUE(letter.starts_with(theirs));
  // One that this namespace could have made, but has not.
  RunId mine = *RunId::parse(theirs);
  mine = RunId::make(RunKey::make(ShardId{0}, 999'999), WallTime{1'700'000'000'000'000}, {5, 6});
  const std::string missing = mine.text();
  const std::map<std::string, std::string> bodies = {
      {"/api/v1/runs/{id}/signals/{name}", R"({"data":1})"},
      {"/api/v1/runs/{id}", R"({"priority":3})"},
      {"/api/v1/tasks/{id}/complete", R"({"result":1})"},
      {"/api/v1/tasks/{id}/resources", R"({"token":"1-1","name":"vm","cleanup":{"exec":["true"]}})"},
      {"/api/v1/tasks/{id}/resources/{name}/release", R"({"token":"1-1"})"},
      {"/api/v1/tasks/{id}/progress", R"({"token":"1-1","percent":3})"},
      {"/api/v1/tasks/{id}/tasks", R"({"token":"1-1","steps":"x: {exec: [echo]}"})"},
      {"/api/v1/tasks/{id}/logs", R"({"token":"1-1","offset":0,"output":[]})"},
  };
  const auto path = [](std::string_view pattern, const std::string& id) {
    std::string out(pattern);
    for (const auto& [name, value] : {std::pair<std::string, std::string>{"{id}", id}, {"{name}", "go"}}) {
      if (const auto at = out.find(name); at != out.npos) out.replace(at, name.size(), value);
    }
    return out;
  };
  int asked = 0;
  for (const api::Route& route : api::routes()) {
    if (route.pattern.find("{id}") == route.pattern.npos) continue;
    const bool task = route.pattern.find("/tasks/") != route.pattern.npos;
    const bool dead = route.pattern.find("/dead-letters/") != route.pattern.npos;
    const auto id_of = [&](const std::string& run) {
      return dead ? run + letter.substr(theirs.size()) : task ? run + ".0" : run;
    };
    const auto found = bodies.find(std::string(route.pattern));
    const std::string body = route.method == Method::get ? "" : found == bodies.end() ? "{}" : found->second;
    Answer foreign = ask("", route.method, path(route.pattern, id_of(theirs)), body);
    const Answer never = ask("", route.method, path(route.pattern, id_of(missing)), body);
    for (std::size_t at; (at = foreign.body.find(theirs)) != std::string::npos;)
      foreign.body.replace(at, theirs.size(), missing);
    EXPECT_EQ(foreign.status, never.status) << route.pattern;
    EXPECT_EQ(foreign.body, never.body) << route.pattern;
    EXPECT_GE(never.status, 400) << route.pattern << ": " << never.body;
    ++asked;
  }
  EXPECT_GT(asked, 30);
  // The run is as it was.
  EXPECT_EQ(get("a", "/api/v1/runs/" + theirs).object().at("status"), "failed");
}

}  // namespace
}  // namespace baton::embedded

#include "embedded/owner.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstring>
#include <filesystem>
#include <thread>

#include "executors/process/protocol.hpp"
#include "executors/process/spawner.hpp"
#include "net/http_client.hpp"

namespace baton::embedded {
namespace {

namespace json = boost::json;

class OwnerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/baton-owner-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    data_ = root_ + "/data";
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  Result<std::unique_ptr<Owner>> open() { return Owner::open({.data_dir = data_, .concurrency = 4}); }

  json::value call(net::Method method, const std::string& target, const std::string& body = "") {
    auto endpoint = net::parse_endpoint("unix:" + socket_path_of(data_));
    EXPECT_TRUE(endpoint);
    net::HttpClient client(*endpoint);
    net::ClientRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    if (!body.empty()) request.headers.set("Content-Type", "application/json");
    auto response = client.request(request, Duration::seconds(60));
    EXPECT_TRUE(response) << response.error().message;
    if (!response) return {};
    boost::system::error_code failure;
    json::value value = json::parse(response->body, failure);
    EXPECT_FALSE(failure) << response->body;
    return value;
  }

  // Submits and waits for the end.
  json::value run(const std::string& definition) {
    json::object context{{"workdir", root_}, {"env", json::object{{"PATH", "/usr/bin:/bin"}}}};
    const json::value run =
        call(net::Method::post, "/api/v1/runs",
             json::serialize(
                 json::object{{"definition", definition}, {"file", "test.yaml"}, {"context", context}}));
    const json::string& id = run.at("id").as_string();
    return call(net::Method::get, "/api/v1/runs/" + std::string(id) + "/wait?timeout=50");
  }

  std::string root_;
  std::string data_;
};

TEST_F(OwnerTest, RunsProcessesAndPassesResults) {
  auto owner = open();
  ASSERT_TRUE(owner) << owner.error().message;
  const json::value ended = run(R"(
name: demo
steps:
  make:
    run: echo '{"n":[1,2,3]}' > "$BATON_RESULT"
  each:
    needs: [make]
    for_each: ${{ steps.make.result.n }}
    run: echo "{\"double\":$((N * 2))}" > "$BATON_RESULT"
    env: {N: "${{ item }}"}
  sum:
    needs: [each]
    set: {total: "${{ steps.each.result[0].double + steps.each.result[2].double }}"}
finally:
  report: {exec: [echo, "${{ run.status }}"]}
)");
  EXPECT_EQ(ended.at("status"), "completed") << json::serialize(ended);
  const json::value tasks =
      call(net::Method::get, "/api/v1/tasks?run=" + std::string(ended.at("id").as_string()));
  json::value sum;
  json::value report;
  for (const auto& task : tasks.at("items").as_array()) {
    if (task.at("step") == "sum") sum = task.at("result");
    if (task.at("step") == "report") report = task.at("result");
  }
  EXPECT_EQ(json::serialize(sum), R"({"total":8})");
  EXPECT_EQ(report.at("stdout"), "completed\n");
  EXPECT_TRUE((*owner)->wait_idle({}));
}

TEST_F(OwnerTest, OnlyOneOwnerAndNothingIsWrittenByTheSecond) {
  auto owner = open();
  ASSERT_TRUE(owner) << owner.error().message;
  const auto before = std::filesystem::last_write_time(data_);
  auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::owned);
  EXPECT_EQ(std::filesystem::last_write_time(data_), before);
  (*owner)->stop();
  (*owner)->stop();
  owner->reset();
  EXPECT_TRUE(open());
}

TEST_F(OwnerTest, StoppedInTheMiddleItGoesOnLater) {
  auto owner = open();
  ASSERT_TRUE(owner) << owner.error().message;
  json::object context{{"workdir", root_}, {"env", json::object{{"PATH", "/usr/bin:/bin"}}}};
  const std::string definition =
      "name: slow\nsteps:\n  a: {run: 'echo x >> a'}\n  b: {needs: [a], run: 'echo x >> b; test -e go || "
      "sleep 600'}\n";
  const json::value submitted = call(
      net::Method::post, "/api/v1/runs",
      json::serialize(json::object{{"definition", definition}, {"file", "t.yaml"}, {"context", context}}));
  const std::string id(submitted.at("id").as_string());
  // Until b runs: its file appears.
  while (!std::filesystem::exists(root_ + "/b")) std::this_thread::yield();
  owner->reset();
  std::filesystem::create_directory(root_ + "/go");

  owner = open();
  ASSERT_TRUE(owner) << owner.error().message;
  const json::value ended = call(net::Method::get, "/api/v1/runs/" + id + "/wait?timeout=50");
  EXPECT_EQ(ended.at("status"), "completed") << json::serialize(ended);
  EXPECT_EQ(std::filesystem::file_size(root_ + "/a"), 2u) << "a was done";
  EXPECT_EQ(std::filesystem::file_size(root_ + "/b"), 4u) << "b was interrupted and run again";
}

TEST_F(OwnerTest, SaysWhatIsWrongWithTheDirectory) {
  std::filesystem::create_directories(root_);
  FILE* file = std::fopen(data_.c_str(), "w");
  std::fclose(file);
  auto owner = open();
  ASSERT_FALSE(owner);
  EXPECT_NE(owner.error().message.find(data_), std::string::npos);
}

TEST_F(OwnerTest, TheDirectoryIsPrivate) {
  auto owner = open();
  ASSERT_TRUE(owner) << owner.error().message;
  struct stat info{};
  ASSERT_EQ(::stat(data_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_EQ(::stat((*owner)->socket_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat((data_ + "/baton.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

}  // namespace
}  // namespace baton::embedded

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], baton::executors::process::kSpawnerCommand) == 0) {
    return baton::executors::process::spawner_main(baton::executors::process::protocol::kSocket);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

#include "worker/step_socket.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "net/http_client.hpp"
#include "net/http_server.hpp"

namespace baton::worker {
namespace {

namespace fs = std::filesystem;

constexpr Duration kPatience = Duration::seconds(60);  // no passing test waits for it
const TaskId kTask{*RunId::parse("01a1fe71-1636-7000-92a8-8b0000000001"), 3};
const Token kToken{4, 9};

net::Endpoint unix_endpoint(const std::string& path) {
  net::Endpoint endpoint;
  endpoint.unix_socket = true;
  endpoint.path = path;
  return endpoint;
}

// A server that notes what it was asked, and a worker's socket before it.
class StepSocketTest : public ::testing::Test {
 protected:
  StepSocketTest()
      : server_(loop_, {}, [this](net::Request request, net::Responder responder) {
          const std::lock_guard lock(mutex_);
          seen_.push_back(std::move(request));
          responder.respond(
              {status_, {{"Content-Type", "application/json"}, {"X-Inside", "1"}}, R"({"ok":true})"});
        }) {
    std::string name = (fs::temp_directory_path() / "baton-steps-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    fs::create_directories(folder_ + "/worker");
    loop_.start();
    EXPECT_TRUE(server_.listen_unix(folder_ + "/server.sock"));
    client::Server server{
        .endpoint = unix_endpoint(folder_ + "/server.sock"), .key = "the-key", .space = "lab"};
    auto made = StepSocket::open(
        folder_ + "/worker", std::move(server),
        [](const TaskId& task, const Token& token) { return task == kTask && token == kToken; });
    EXPECT_TRUE(made);
    if (made) steps_ = std::move(*made);
  }
  ~StepSocketTest() override {
    steps_.reset();
    server_.close();
    loop_.stop();
    loop_.join();
    fs::remove_all(folder_);
  }

  net::Response ask(const std::string& target, std::string body, net::Method method = net::Method::post) {
    net::HttpClient client(unix_endpoint(steps_->path()));
    net::ClientRequest request{method, target, {}, std::move(body)};
    request.headers.set("Content-Type", "application/json");
    request.headers.set("Authorization", "Bearer of-the-step");
    request.headers.set("X-Baton-Namespace", "other");
    auto answer = client.request(request, kPatience);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? std::move(*answer) : net::Response{.status = 0};
  }
  static std::string of_task(const std::string& what) { return "/api/v1/tasks/" + kTask.text() + what; }
  static std::string with_token(const Token& token) {
    return R"({"token":")" + token.text() + R"(","progress":4})";
  }
  std::size_t heard() {
    const std::lock_guard lock(mutex_);
    return seen_.size();
  }

  std::string folder_;
  std::mutex mutex_;
  std::vector<net::Request> seen_;  // guarded by mutex_
  int status_ = 200;                // guarded by mutex_
  net::Loop loop_;
  net::HttpServer server_;
  std::unique_ptr<StepSocket> steps_;
};

TEST_F(StepSocketTest, WhatAnAttemptSaysGoesOnWithTheWorkersKey) {
  const auto answer = ask(of_task("/progress"), with_token(kToken));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"ok":true})");
  EXPECT_FALSE(answer.headers.find("X-Inside"));
  ASSERT_EQ(heard(), 1U);
  EXPECT_EQ(seen_[0].path, of_task("/progress"));
  EXPECT_EQ(seen_[0].body, with_token(kToken));
  EXPECT_EQ(seen_[0].headers.find("Authorization"), "Bearer the-key");
  EXPECT_EQ(seen_[0].headers.find("X-Baton-Namespace"), "lab");
  EXPECT_EQ(ask(of_task("/resources"), with_token(kToken)).status, 200);
  EXPECT_EQ(ask(of_task("/tasks"), with_token(kToken)).status, 200);
  EXPECT_EQ(ask(of_task("/runs"), with_token(kToken)).status, 200);
  EXPECT_EQ(ask(of_task("/resources/a%20b/release"), with_token(kToken)).status, 200);
  ASSERT_EQ(heard(), 5U);
  EXPECT_EQ(seen_[4].path, of_task("/resources/a b/release"));
}

TEST_F(StepSocketTest, NothingElseDoes) {
  for (const char* what : {"", "/", "/complete", "/logs", "/progress/", "/resources/release",
                           "/resources//release", "/progress?x=1", "/../../runs"}) {
    EXPECT_GE(ask(of_task(what), with_token(kToken)).status, 400) << what;
  }
  EXPECT_EQ(ask("/api/v1/runs", with_token(kToken)).status, 403);
  EXPECT_EQ(ask("/api/v1/workers/w1/claim", R"({"steps":true})").status, 403);
  EXPECT_EQ(ask(of_task("/progress"), with_token(kToken), net::Method::put).status, 403);
  EXPECT_EQ(ask(of_task("/progress"), with_token({4, 10})).status, 409);
  EXPECT_EQ(ask("/api/v1/tasks/01a1fe71-1636-7000-92a8-8b0000000001.4/progress", with_token(kToken)).status,
            409);
  for (const char* body : {"", "{", "[]", R"({"token":7})", R"({"token":"x"})"})
    EXPECT_EQ(ask(of_task("/progress"), body).status, 409) << body;
  EXPECT_EQ(heard(), 0U);
}

TEST_F(StepSocketTest, IsForItsUserAlone) {
  struct stat status{};
  ASSERT_EQ(::stat(steps_->path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(StepSocketTest, RefusalsOfTheServerComeBackAsTheyAre) {
  status_ = 409;
  EXPECT_EQ(ask(of_task("/progress"), with_token(kToken)).status, 409);
  server_.close();
  const auto away = ask(of_task("/progress"), with_token(kToken));
  EXPECT_EQ(away.status, 503);
  EXPECT_NE(away.body.find("\"unavailable\""), std::string::npos) << away.body;
}

TEST_F(StepSocketTest, ManyAtATime) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this] {
      for (int n = 0; n < 20; ++n) EXPECT_EQ(ask(of_task("/progress"), with_token(kToken)).status, 200);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(heard(), 160U);
}

}  // namespace
}  // namespace baton::worker

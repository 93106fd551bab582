#include "worker/worker.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "executors/functions/function_executor.hpp"
#include "net/http_server.hpp"

namespace baton::worker {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

using executors::functions::EndReason;

constexpr Duration kPatience = Duration::seconds(60);  // no passing test waits for it
constexpr std::string_view kTask = R"({"tasks":[{"task":"01a1fe71-1636-7000-92a8-8b0000000001.0",)"
                                   R"("token":"4-9","step":"s","attempt":1,"kind":"task",)"
                                   R"("spec":{"function":"wait"}}],"reports":[]})";
constexpr std::string_view kNothing = R"({"tasks":[],"reports":[]})";

net::Endpoint unix_endpoint(const std::string& path) {
  net::Endpoint endpoint;
  endpoint.unix_socket = true;
  endpoint.path = path;
  return endpoint;
}

net::Response json_answer(int status, std::string_view body) {
  return {status, {{"Content-Type", "application/json"}}, std::string(body)};
}

model::Outcome completed() {
  return {.kind = model::Outcome::Kind::completed, .result = "1", .failure = {}};
}

model::Outcome cancelled() {
  model::Outcome outcome{.kind = model::Outcome::Kind::failed, .result = {}, .failure = {}};
  outcome.failure.type = model::error_type::kCancelled;
  outcome.failure.message = "asked to end";
  return outcome;
}

// A server with one task and a short lease. `heartbeat` answers heartbeats, or keeps them.
class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest()
      : server_(loop_, {}, [this](net::Request request, net::Responder responder) {
          answer(request, std::move(responder));
        }) {
    std::string name = (fs::temp_directory_path() / "baton-worker-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    loop_.start();
    EXPECT_TRUE(server_.listen_unix(folder_ + "/server.sock"));
  }
  ~WorkerTest() override {
    worker_.reset();
    kept_.clear();
    server_.close();
    loop_.stop();
    loop_.join();
    fs::remove_all(folder_);
  }

  void start(std::function<model::Outcome(executors::functions::Call&)> function) {
    auto functions = std::make_shared<executors::functions::FunctionTable>();
    ASSERT_TRUE(functions->add("wait", std::move(function)));
    WorkerOptions options;
    options.server = {.endpoint = unix_endpoint(folder_ + "/server.sock")};
    options.name = "w";
    options.concurrency = 1;
    options.functions = std::move(functions);
    auto worker = Worker::start(std::move(options));
    ASSERT_TRUE(worker) << worker.error().message;
    worker_ = std::move(*worker);
  }

  // The first report of the attempt.
  json::object report() {
    std::unique_lock lock(mutex_);
    const bool told = changed_.wait_for(lock, kPatience.chrono(), [&] { return report_.has_value(); });
    EXPECT_TRUE(told) << "nothing was reported";
    return report_.value_or(json::object());
  }

  std::function<void(net::Responder)> heartbeat_;
  int lease_ = 1;                     // seconds
  std::vector<net::Responder> kept_;  // of the loop's thread, until the worker has gone

 private:
  void answer(const net::Request& request, net::Responder responder) {
    json::value body = request.body.empty() ? json::value(json::object()) : json::parse(request.body);
    const std::string& target = request.target;
    if (target.ends_with("/register"))
      return responder.respond(json_answer(200, R"({"lease":)" + std::to_string(lease_) + "}"));
    if (target.ends_with("/heartbeat")) return heartbeat_(std::move(responder));
    if (target.ends_with("/claim") || target.ends_with("/report")) {
      const json::array reports = body.get_object()["reports"].as_array();
      if (!reports.empty()) {
        {
          const std::lock_guard lock(mutex_);
          if (!report_) report_ = reports[0].as_object();
        }
        changed_.notify_all();
        return responder.respond(json_answer(200, R"({"tasks":[],"reports":[{}]})"));
      }
      if (std::exchange(given_, true)) {
        if (body.get_object()["wait"].as_int64() == 0) return responder.respond(json_answer(200, kNothing));
        kept_.push_back(std::move(responder));
        return;
      }
      return responder.respond(json_answer(200, kTask));
    }
    responder.respond(json_answer(200, "{}"));
  }

  net::Loop loop_;
  net::HttpServer server_;
  std::string folder_;
  std::unique_ptr<Worker> worker_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<json::object> report_;  // guarded by mutex_
  bool given_ = false;                  // of the loop's thread
};

TEST_F(WorkerTest, WhatEndsBecauseTheServerWasAwayHasNotFailed) {
  heartbeat_ = [](net::Responder responder) { responder.respond(json_answer(503, "{}")); };
  start([](executors::functions::Call& call) {
    return call.wait_for_end(kPatience) != EndReason::none ? cancelled() : completed();
  });
  const json::object report = this->report();
  EXPECT_EQ(report.at("status"), "interrupted") << json::serialize(report);
}

// The answer would come, but only when others have the task.
TEST_F(WorkerTest, AHeartbeatIsWaitedForNoLongerThanTheLease) {
  heartbeat_ = [this](net::Responder responder) { kept_.push_back(std::move(responder)); };
  start([](executors::functions::Call& call) {
    // Less than the patience of a call, and much more than the lease.
    if (call.wait_for_end(Duration::seconds(15)) != EndReason::none) return cancelled();
    return completed();
  });
  EXPECT_EQ(report().at("status"), "interrupted");
}

TEST_F(WorkerTest, AServerThatTakesNoWritesKeepsWhatRuns) {
  std::mutex mutex;
  std::condition_variable enough;
  int beats = 0;
  heartbeat_ = [&](net::Responder responder) {
    responder.respond({503,
                       {{"Content-Type", "application/problem+json"}},
                       R"({"code":"read_only","detail":"the store takes no writes"})"});
    const std::lock_guard lock(mutex);
    ++beats;
    enough.notify_all();
  };
  lease_ = 2;
  start([&](executors::functions::Call& call) {
    // One each third of a lease.
    for (std::unique_lock lock(mutex); beats < 6 && call.end_reason() == EndReason::none;)
      enough.wait_for(lock, std::chrono::milliseconds(20));
    return call.end_reason() == EndReason::none ? completed() : cancelled();
  });
  const json::object report = this->report();
  EXPECT_EQ(report.at("status"), "completed") << json::serialize(report);
}

}  // namespace
}  // namespace baton::worker

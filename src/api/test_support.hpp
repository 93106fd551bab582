// The API over a real socket, with the store in memory and a runtime that does what the test says.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/api.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "spec/parse.hpp"
#include "store/memory/memory_store.hpp"

namespace baton::api::test {

inline const WallTime kThen = wall_of({2026, 11, 21, 1, 46, 0, 123000});
inline constexpr Duration kPatience = Duration::seconds(60);  // no passing test waits for it

// Keeps the commands that it got; answers with what the test set.
class FakeRuntime final : public runtime::Handle {
 public:
  void send(model::CommandBody body, model::Sender sender, ReplyHandler on_reply) override;
  std::uint64_t subscribe(std::function<void(const std::vector<RunKey>&)> listener) override;
  void unsubscribe(std::uint64_t subscription) override;

  void changed(RunKey run);  // as after a commit
  std::size_t listeners();

  std::function<model::ReplyBody(const model::CommandBody&)> answer;
  std::function<bool(const model::CommandBody&)> keeps;  // the reply to it waits for answer_kept()
  void answer_kept(const model::ReplyBody& reply);
  std::vector<std::pair<model::CommandBody, std::string>> commands;  // with their actors

 private:
  std::mutex mutex_;
  std::map<std::uint64_t, std::function<void(const std::vector<RunKey>&)>> listeners_;
  std::uint64_t last_ = 0;
  std::vector<ReplyHandler> kept_;
};

class ApiTest : public testing::Test {
 protected:
  ApiTest();
  ~ApiTest() override;

  // ---- What is stored
  model::RunRow new_run(const std::string& definition, std::string input = "{}", std::string context = "{}",
                        std::string job_id = "");
  void commit(model::Batch batch);
  void update(const model::RunRow& row);
  void put(const model::TaskRow& row, std::optional<std::string> result = std::nullopt);
  void add_facts(const model::RunRow& row, std::vector<model::Fact> facts);
  model::TaskRow task(const model::RunRow& run, Ordinal ordinal, std::uint32_t step,
                      std::int32_t index = -1) const;
  // A log of one line per string.
  void write_log(const model::RunRow& run, Ordinal task, std::uint32_t attempt,
                 const std::vector<std::string>& lines);

  // ---- Requests
  net::Response get(const std::string& target, net::Headers headers = {});
  net::Response post(const std::string& target, const std::string& body, net::Headers headers = {});
  net::Response call(net::ClientRequest request);
  net::Response remote(const net::ClientRequest& request);  // over TCP: from nobody in particular
  static boost::json::object object(const net::Response& response);
  static std::string code(const net::Response& response);    // of a problem
  static std::string detail(const net::Response& response);  // of a problem
  net::Endpoint endpoint() const;
  net::Endpoint remote_endpoint() const;

  // A namespace beside `default`, whose commands other_runtime_ gets.
  void add_namespace(const std::string& name);

  FakeRuntime runtime_;
  FakeRuntime other_runtime_;
  telemetry::Meter meter_;
  std::string directory_;
  std::optional<secrets::Vault> vault_;
  WorkerFacts own_worker_;  // what the worker of this process says of itself
  std::unique_ptr<Api> api_;

 private:
  std::shared_ptr<store::MemoryData> data_ = store::make_memory_data();
  store::MemoryWriter writer_{data_};
  store::MemoryReader reader_{data_};
  store::MemoryReader other_reader_{data_, ShardId{1}};
  store::ShardMeta meta_;
  std::map<Hash256, bool> defined_;
  std::map<TaskKey, bool> stored_tasks_;
  net::Loop loop_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<net::HttpServer> remote_;
  std::uint16_t port_ = 0;
};

}  // namespace baton::api::test

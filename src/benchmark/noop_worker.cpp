#include "benchmark/noop_worker.hpp"

#include <poll.h>

#include <boost/json/parse.hpp>

#include "benchmark/server.hpp"

namespace baton::benchmark {

Status run_noop_worker(const client::Server& server) {
  Caller caller(server);
  const std::string what = "\"functions\":[\"" + std::string(kFunction) + "\"]";
  while (!caller.post("/api/v1/workers/bench/register", '{' + what + '}')) ::poll(nullptr, 0, 1);
  std::string reports;
  for (;;) {
    const auto text = caller.post("/api/v1/workers/bench/claim",
                                  '{' + what + ",\"max\":1000,\"wait\":30,\"reports\":[" + reports + "]}");
    if (!text) {
      ::poll(nullptr, 0, 5);
      continue;
    }
    reports.clear();
    TRY(const boost::json::object answer, parse_object(*text));
    for (const boost::json::value& task : answer.at("tasks").as_array()) {
      if (!reports.empty()) reports += ',';
      reports += "{\"task\":\"" + std::string(task.at("task").as_string()) + "\",\"token\":\"" +
                 std::string(task.at("token").as_string()) + "\",\"status\":\"completed\"}";
    }
  }
}

}  // namespace baton::benchmark

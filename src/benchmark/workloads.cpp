#include "benchmark/workloads.hpp"

#include <poll.h>

#include <atomic>
#include <boost/json/serialize.hpp>
#include <mutex>
#include <thread>

#include "net/loop.hpp"

namespace baton::benchmark {
namespace {

namespace json = boost::json;
using net::Loop;

constexpr int kBatch = 1000;
constexpr int kConnections = 2;
constexpr int kPauseMs = 2;

json::object step(json::array needs = {}) {
  json::object step{{"task", kFunction}};
  if (!needs.empty()) step["needs"] = std::move(needs);
  return step;
}

json::object one() {
  return {{"name", "bench-one"}, {"steps", json::object{{"a", step()}}}};
}

json::object chained() {
  json::object steps;
  for (int i = 0; i < kChain; ++i) {
    steps["s" + std::to_string(i)] = i == 0 ? step() : step({"s" + std::to_string(i - 1)});
  }
  return {{"name", "bench-chain"}, {"steps", std::move(steps)}};
}

json::object fanned() {
  json::array items;
  for (int i = 0; i < kFan; ++i) items.emplace_back(i);
  json::object many = step({"first"});
  many["for_each"] = std::move(items);
  return {{"name", "bench-fan"},
          {"steps", json::object{{"first", step()}, {"many", std::move(many)}, {"last", step({"many"})}}}};
}

// From the submission to the answer that it has ended.
Result<Duration> run(Caller& caller, std::string_view workflow) {
  const net::MonoTime begun = Loop::now();
  TRY(const std::string text,
      caller.post("/api/v1/runs?wait=60", json::serialize(json::object{{"workflow", workflow}})));
  TRY(const json::object ended, parse_object(text));
  const Duration took = Loop::now() - begun;
  if (ended.at("status").as_string() != "completed")
    return fail(ErrorCode::internal, "a run of " + std::string(workflow) + " has not completed");
  return took;
}

Status submit_batch(Caller& caller, int runs, const std::string& key, bool again, std::mutex& mutex,
                    std::set<std::string>* ids) {
  const json::object body{{"workflow", "bench-one"},
                          {"runs", json::array(static_cast<std::size_t>(runs), json::object())}};
  const std::string text = json::serialize(body);
  for (;;) {
    auto answer = caller.post("/api/v1/runs/batch", text, key);
    if (!answer && again) {
      ::poll(nullptr, 0, kPauseMs);
      continue;
    }
    if (!answer) return fail(answer.error());
    TRY(const json::object made, parse_object(*answer));
    const std::lock_guard lock(mutex);
    for (const json::value& entry : made.at("runs").as_array()) {
      const json::value* id = entry.as_object().if_contains("id");
      if (id == nullptr) return fail(ErrorCode::internal, "a run was refused: " + json::serialize(entry));
      if (ids != nullptr) ids->emplace(id->as_string());
    }
    return {};
  }
}

}  // namespace

Status apply_workflows(const client::Server& server) {
  Caller caller(server);
  for (const json::object& definition : {one(), chained(), fanned()}) {
    TRY_VOID(caller.post("/api/v1/workflows",
                         json::serialize(json::object{{"definition", json::serialize(definition)}})));
  }
  return {};
}

Result<Duration> independent(const client::Server& server, int tasks, std::set<std::string>* ids,
                             const std::string& key) {
  const net::MonoTime begun = Loop::now();
  std::mutex mutex;  // guards the ids and the failure
  std::atomic<int> left = tasks;
  std::atomic<int> batch = 0;
  Status failed;
  const auto submit = [&] {
    Caller caller(server);
    for (int mine = 0; (mine = std::min(left.fetch_sub(kBatch), kBatch)) > 0;) {
      const std::string own = key.empty() ? "" : key + '-' + std::to_string(++batch);
      if (const auto made = submit_batch(caller, mine, own, !key.empty(), mutex, ids); !made) {
        const std::lock_guard lock(mutex);
        failed = made;
        return;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kConnections; ++i) threads.emplace_back(submit);
  }
  TRY_VOID(failed);
  Caller caller(server);
  for (;;) {
    const auto open = caller.get_object("/api/v1/runs?state=active&limit=1");
    if (!open && key.empty()) return fail(open.error());
    if (open && open->at("items").as_array().empty()) return Loop::now() - begun;
    ::poll(nullptr, 0, kPauseMs);
  }
}

Result<Duration> chain(const client::Server& server) {
  Caller caller(server);
  return run(caller, "bench-chain");
}

Result<Duration> fan(const client::Server& server) {
  Caller caller(server);
  return run(caller, "bench-fan");
}

Result<std::vector<Duration>> singles(const client::Server& server, int count) {
  Caller caller(server);
  std::vector<Duration> took;
  for (int i = 0; i < count; ++i) {
    TRY(const Duration one, run(caller, "bench-one"));
    took.push_back(one);
  }
  return took;
}

Result<Found> look_for(const client::Server& server, const std::set<std::string>& ids) {
  Caller caller(server);
  Found found;
  std::set<std::string> completed;
  for (std::string cursor;;) {
    TRY(const json::object page, caller.get_object("/api/v1/runs?workflow=bench-one&limit=1000" +
                                                   (cursor.empty() ? "" : "&cursor=" + cursor)));
    for (const json::value& run : page.at("items").as_array()) {
      ++found.runs;
      if (run.at("status").as_string() == "completed") completed.emplace(run.at("id").as_string());
    }
    if (page.at("next").is_null()) break;
    cursor = net::percent_encode(page.at("next").as_string());
  }
  found.completed = completed.size();
  for (const std::string& id : ids) {
    if (!completed.contains(id)) found.missing.push_back(id);
  }
  return found;
}

}  // namespace baton::benchmark

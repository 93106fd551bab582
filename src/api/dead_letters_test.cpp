#include <boost/json/serialize.hpp>

#include "api/test_support.hpp"
#include "model/dead_letter.hpp"

namespace baton::api {
namespace {

class DeadLettersTest : public test::ApiTest {
 protected:
  DeadLettersTest() : run_(new_run("name: nightly\nsteps:\n  load: {run: x}\n")) {
    model::TaskRow row = task(run_, 0, 0);
    row.status = model::TaskStatus::failed;
    row.error_type = "exit";
    row.attempts = row.starts = 4;
    put(row);
  }

  // Returns its id.
  std::string bury(std::uint32_t generation, std::string message, std::string type = "exit") {
    model::DeadLetter letter;
    letter.task = {run_.id, 0};
    letter.generation = generation;
    letter.workflow = "nightly";
    letter.step = "load";
    letter.error_type = std::move(type);
    letter.error_message = std::move(message);
    letter.failed_at = {kThenUs + generation};
    model::Batch batch;
    batch.records.push_back({model::to_record(letter), false});
    commit(std::move(batch));
    return model::dead_letter_id(letter.task, generation);
  }
  std::vector<std::string> listed(const std::string& query) {
    std::vector<std::string> ids;
    std::string cursor;
    do {
      const auto page =
          object(get("/api/v1/dead-letters?" + query + (cursor.empty() ? "" : "&cursor=" + cursor)));
      for (const auto& item : page.at("items").as_array()) ids.emplace_back(item.at("id").as_string());
      cursor = page.at("next").is_null() ? "" : std::string(page.at("next").as_string());
    } while (!cursor.empty());
    return ids;
  }

  static constexpr std::int64_t kThenUs = 1'700'000'000'000'000;
  model::RunRow run_;
};

using Ids = std::vector<std::string>;

TEST_F(DeadLettersTest, AreListedNewestFirstAndNarrowed) {
  const std::string first = bury(1, "row 1 is bad");
  const std::string second = bury(2, "no such host", "connection");
  const std::string third = bury(3, "row 77 is bad");
  EXPECT_EQ(listed("limit=50"), (Ids{third, second, first}));
  EXPECT_EQ(listed("limit=1"), (Ids{third, second, first}));
  EXPECT_EQ(listed("error_type=connection"), Ids{second});
  EXPECT_EQ(listed("workflow=nightly&step=load&error_type=exit&limit=1"), (Ids{third, first}));
  EXPECT_EQ(listed("workflow=other"), Ids{});
  const auto groups = object(get("/api/v1/dead-letter-groups"));
  ASSERT_EQ(groups.at("items").as_array().size(), 2U);
  for (const auto& group : groups.at("items").as_array()) {
    const bool rows = group.at("count").as_int64() == 2;
    EXPECT_EQ(group.at("message").as_string(), rows ? "row # is bad" : "no such host");
    EXPECT_EQ(listed("group=" + std::string(group.at("group").as_string())),
              rows ? (Ids{third, first}) : Ids{second});
  }
  EXPECT_EQ(code(get("/api/v1/dead-letters?cursor=x")), "invalid_request");
}

TEST_F(DeadLettersTest, OneIsShownWithItsTask) {
  const std::string id = bury(1, "row 1 is bad");
  const auto letter = object(get("/api/v1/dead-letters/" + id));
  EXPECT_EQ(letter.at("error").at("message").as_string(), "row 1 is bad");
  EXPECT_EQ(letter.at("task_detail").at("id"), letter.at("task"));
  EXPECT_EQ(letter.at("task_detail").at("attempts").as_int64(), 4);
  EXPECT_EQ(boost::json::serialize(letter.at("arguments")), "{}");
  EXPECT_TRUE(letter.at("run_input").is_object());
  EXPECT_EQ(code(get("/api/v1/dead-letters/" + id + "0")), "not_found");
}

TEST_F(DeadLettersTest, AreDiscardedById) {
  const std::string id = bury(1, "x");
  runtime_.answer = [](const model::CommandBody& body) -> model::ReplyBody {
    const auto& discard = std::get<model::DiscardDeadLetters>(body);
    return model::Discarded{static_cast<std::uint32_t>(discard.ids.size()), {"gone"}};
  };
  const auto answer = object(post("/api/v1/dead-letters/discard", R"({"ids": [")" + id + R"("]})"));
  EXPECT_EQ(boost::json::serialize(answer), R"({"discarded":1,"unknown":["gone"]})");
  for (const char* body : {"{}", R"({"ids": []})", R"({"ids": "x"})", R"({"ids": [1]})", R"({"ids": ["x"]})",
                           R"({"ids": ["x"], "more": 1})"}) {
    EXPECT_EQ(code(post("/api/v1/dead-letters/discard", body)), "invalid_request") << body;
  }
  std::string many = R"({"ids": [)";
  for (int i = 0; i < 1001; ++i) many += (i ? ",\"" : "\"") + id + '"';
  EXPECT_EQ(code(post("/api/v1/dead-letters/discard", many + "]}")), "invalid_request");
}

TEST_F(DeadLettersTest, OneIsReplayedWithOtherArguments) {
  const auto run =
      new_run("name: n\nsteps:\n  load: {exec: [load, a], with: {x: {a: 1, b: 2}}, env: {K: v}}\n");
  model::TaskRow row = task(run, 0, 0);
  row.status = model::TaskStatus::failed;
  row.error_type = "exit";
  put(row);
  run_ = run;
  const std::string id = bury(1, "x");
  EXPECT_EQ(boost::json::serialize(object(get("/api/v1/dead-letters/" + id)).at("arguments")),
            R"({"action":["load","a"],"env":{"K":"v"},"with":{"x":{"a":1,"b":2}}})");
  model::DecideTask sent;
  runtime_.answer = [&](const model::CommandBody& body) -> model::ReplyBody {
    sent = std::get<model::DecideTask>(body);
    return model::RunAccepted{run.id, model::RunStatus::recovering};
  };
  const std::string path = "/api/v1/dead-letters/" + id + "/replay";
  EXPECT_EQ(post(path, "{}").status, 200);
  EXPECT_EQ(sent.verdict, model::DecideTask::Verdict::retry);
  EXPECT_EQ(sent.generation, 1U);
  EXPECT_EQ(sent.input, "");
  EXPECT_EQ(
      post(path, R"({"arguments": {"with": {"x": {"a": null, "c": 3}}, "action": ["load", "b"]}})").status,
      200);
  EXPECT_EQ(sent.input, R"({"action":["load","b"],"env":{"K":"v"},"with":{"x":{"b":2,"c":3}},"workdir":""})");
  for (const char* body : {R"({"arguments": {"wiht": 1}})", R"({"arguments": {"env": 1}})",
                           R"({"arguments": {"workdir": {}}})", R"({"arguments": 1})", R"({"args": {}})"}) {
    EXPECT_EQ(code(post(path, body)), "invalid_request") << body;
  }
  EXPECT_EQ(code(post("/api/v1/dead-letters/" + id + "0/replay", "{}")), "not_found");
}

TEST_F(DeadLettersTest, WhatWasNeverComputedCannotBeChanged) {
  const auto run = new_run("name: n\nsteps:\n  load: {exec: [load, \"${{ run.id }}\"]}\n");
  model::TaskRow row = task(run, 0, 0);
  row.status = model::TaskStatus::failed;
  put(row);
  run_ = run;
  const std::string id = bury(1, "x", "expression");
  EXPECT_TRUE(object(get("/api/v1/dead-letters/" + id)).at("arguments").is_null());
  EXPECT_EQ(code(post("/api/v1/dead-letters/" + id + "/replay", R"({"arguments": {"with": 1}})")),
            "conflict");
}

}  // namespace
}  // namespace baton::api

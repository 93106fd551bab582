#include <boost/json/serialize.hpp>

#include "api/test_support.hpp"

namespace baton::api {
namespace {

using model::TaskStatus;

constexpr const char* kMapped = R"(
name: mapped
steps:
  plan: {run: x, title: Make a plan, type: planning}
  each: {run: y, needs: [plan], for_each: "${{ steps.plan.result }}", priority: 8}
  twice: {run: y, needs: [each], for_each: "${{ steps.each.result }}"}
  join: {run: z, needs: [each, plan]}
finally:
  bye: {run: z}
)";

class TasksTest : public test::ApiTest {
 protected:
  TasksTest() : run_(new_run(kMapped)) {}

  // `each` (ordinal 1) has three items: ordinals 5 to 7, the first one running.
  void expand() {
    model::TaskRow each = task(run_, 1, 1);
    each.status = TaskStatus::running;
    each.expanded = true;
    each.first_item = 5;
    each.item_count = 3;
    put(each);
    model::TaskRow item = task(run_, 5, 1, 0);
    item.status = TaskStatus::running;
    item.attempts = item.starts = 1;
    item.worker = "local";
    put(item);
  }

  std::vector<boost::json::object> list(std::size_t limit) {
    std::vector<boost::json::object> all;
    std::string cursor;
    do {
      const auto page = object(get("/api/v1/tasks?run=" + run_.id.text() + "&limit=" + std::to_string(limit) +
                                   (cursor.empty() ? "" : "&cursor=" + cursor)));
      const auto& items = page.at("items").as_array();
      EXPECT_LE(items.size(), limit);
      for (const auto& item : items) all.push_back(item.as_object());
      cursor = page.at("next").is_null() ? "" : std::string(page.at("next").as_string());
    } while (!cursor.empty());
    return all;
  }
  std::string id(int ordinal) const { return run_.id.text() + '.' + std::to_string(ordinal); }
  static std::vector<std::string> column(const std::vector<boost::json::object>& tasks,
                                         std::string_view field) {
    std::vector<std::string> values;
    for (const auto& task : tasks) values.push_back(boost::json::serialize(task.at(field)));
    return values;
  }
  static std::string text(const boost::json::value& value) { return std::string(value.as_string()); }
  boost::json::object get_task(int ordinal) { return object(get("/api/v1/tasks/" + id(ordinal))); }

  model::RunRow run_;
};

using Texts = std::vector<std::string>;

TEST_F(TasksTest, TasksThatNeverChangedAreDerived) {
  const auto tasks = list(100);
  EXPECT_EQ(column(tasks, "step"), (Texts{"\"plan\"", "\"each\"", "\"twice\"", "\"join\"", "\"bye\""}));
  EXPECT_EQ(column(tasks, "status"), Texts(5, "\"pending\""));
  EXPECT_EQ(column(tasks, "priority"), (Texts{"5", "8", "5", "5", "5"}));
  EXPECT_EQ(column(tasks, "finally"), (Texts{"false", "false", "false", "false", "true"}));
  EXPECT_EQ(tasks[0].at("title"), "Make a plan");
  EXPECT_EQ(tasks[0].at("type"), "planning");
  EXPECT_EQ(tasks[1].at("title"), "each");
  EXPECT_EQ(tasks[1].at("type"), "run");
}

TEST_F(TasksTest, AnExpandedStepIsItsItems) {
  expand();
  for (const std::size_t limit : {1, 2, 3, 100}) {
    const auto tasks = list(limit);
    EXPECT_EQ(column(tasks, "step"),
              (Texts{"\"plan\"", "\"each\"", "\"each\"", "\"each\"", "\"twice\"", "\"join\"", "\"bye\""}));
    EXPECT_EQ(column(tasks, "index"), (Texts{"null", "0", "1", "2", "null", "null", "null"}));
    EXPECT_EQ(tasks[1].at("status"), "running");
    EXPECT_EQ(tasks[2].at("status"), "pending");
    EXPECT_EQ(text(tasks[2].at("id")), id(6));
  }
}

TEST_F(TasksTest, AnEmptyMappedStepIsItself) {
  model::TaskRow each = task(run_, 1, 1);
  each.status = TaskStatus::completed;
  each.expanded = true;
  put(each);
  const auto tasks = list(100);
  EXPECT_EQ(tasks.size(), 5U);
  EXPECT_EQ(boost::json::serialize(tasks[1].at("result")), "[]");
}

TEST_F(TasksTest, ManyItems) {
  model::TaskRow each = task(run_, 1, 1);
  each.expanded = true;
  each.first_item = 5;
  each.item_count = 2000;
  put(each);
  const auto tasks = list(300);
  ASSERT_EQ(tasks.size(), 2004U);
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(tasks[static_cast<std::size_t>(i) + 1].at("index").as_int64(), i);
    ASSERT_EQ(tasks[static_cast<std::size_t>(i) + 1].at("id").as_string(), std::string_view(id(5 + i)));
  }
}

TEST_F(TasksTest, Dependencies) {
  expand();
  const auto tasks = list(100);
  EXPECT_EQ(boost::json::serialize(tasks[0].at("dependencies")), "[]");
  EXPECT_EQ(boost::json::serialize(tasks[1].at("dependencies")), "[\"" + id(0) + "\"]");
  EXPECT_EQ(boost::json::serialize(tasks[5].at("dependencies")),
            R"([")" + id(0) + R"(",")" + id(5) + R"(",")" + id(6) + R"(",")" + id(7) + R"("])")
      << "a join depends on the items";
}

TEST_F(TasksTest, DependenciesBetweenMappedStepsAreTheStep) {
  expand();
  model::TaskRow twice = task(run_, 2, 2);
  twice.expanded = true;
  twice.first_item = 8;
  twice.item_count = 1;
  put(twice);
  EXPECT_EQ(boost::json::serialize(get_task(8).at("dependencies")), "[\"" + id(1) + "\"]");
}

TEST_F(TasksTest, ShowsATaskWithItsAttempts) {
  model::TaskRow row = task(run_, 0, 0);
  row.status = TaskStatus::failed;
  row.attempts = 2;
  row.starts = 3;
  row.lost = 1;
  row.started_at = test::kThen;
  row.ended_at = test::kThen + Duration::seconds(90);
  row.error_type = "exit";
  row.error_message = "exited with code 3";
  row.error_exit_code = 3;
  model::AttemptRecord attempt;
  attempt.number = 3;
  attempt.token = {4, 17};
  attempt.worker = "w1";
  attempt.started_at = test::kThen;
  attempt.ended_at = test::kThen + Duration::millis(500);
  attempt.end = model::AttemptEnd::failed;
  attempt.error_type = "exit";
  attempt.error_message = "exited with code 3";
  attempt.exit_code = 3;
  row.history.push_back(attempt);
  put(row, R"({"partial":true})");
  EXPECT_EQ(
      get("/api/v1/tasks/" + id(0)).body,
      R"({"id":")" + id(0) + R"(","run":")" + run_.id.text() +
          R"(","step":"plan","title":"Make a plan","type":"planning","step_index":0,"index":null,"items":null,)"
          R"("finally":false,"role":"main","parent":null,"status":"failed","skip_reason":null,"held":false,"ignored":false,"via":null,"cached_from":null,"generation":1,"attempts":2,"retry_count":1,)"
          R"("lost":1,"interrupted":0,"progress":null,"progress_message":null,"waits_for":null,"child_run":null,"dependencies":[],"queue":"default","priority":5,"worker":"w1",)"
          R"("external_id":null,"tags":[],"metadata":{},"result":null,)"
          R"("error":{"type":"exit","message":"exited with code 3","exit_code":3},"ready_at":null,)"
          R"("started_at":"2026-11-21T01:46:00.123Z","ended_at":"2026-11-21T01:47:30.123Z","duration":90,)"
          R"("attempt_list":[{"number":3,"phase":"primary","status":"failed","worker":"w1","token":"4-17",)"
          R"("started_at":"2026-11-21T01:46:00.123Z","ended_at":"2026-11-21T01:46:00.623Z","duration":0.5,)"
          R"("error":{"type":"exit","message":"exited with code 3","exit_code":3}}]})");
}

TEST_F(TasksTest, LargeResultsAreThere) {
  model::TaskRow row = task(run_, 0, 0);
  row.status = TaskStatus::completed;
  const std::string large = '"' + std::string(200'000, 'x') + '"';
  put(row, large);
  EXPECT_EQ(list(100)[0].at("result").as_string().size(), 200'000U);
  EXPECT_EQ(get_task(0).at("result").as_string().size(), 200'000U);
}

TEST_F(TasksTest, APageEndsWhenItIsLarge) {
  model::TaskRow row = task(run_, 0, 0);
  row.status = TaskStatus::completed;
  put(row, '"' + std::string(9 << 20, 'x') + '"');
  const auto page = object(get("/api/v1/tasks?run=" + run_.id.text()));
  EXPECT_EQ(page.at("items").as_array().size(), 1U);
  EXPECT_EQ(page.at("next"), "1.0");
  EXPECT_EQ(list(100).size(), 5U);
}

TEST_F(TasksTest, TheResultOfAMappedStepIsItsItems) {
  expand();
  model::TaskRow each = task(run_, 1, 1);
  each.status = TaskStatus::completed;
  each.expanded = true;
  each.first_item = 5;
  each.item_count = 3;
  put(each);
  model::TaskRow item = task(run_, 6, 1, 1);
  item.status = TaskStatus::completed;
  put(item, "42");
  EXPECT_EQ(boost::json::serialize(get_task(1).at("result")), "[null,42,null]");
}

TEST_F(TasksTest, PendingItemsHaveAnAddress) {
  expand();
  EXPECT_EQ(get_task(7).at("index").as_int64(), 2);
  EXPECT_EQ(get_task(7).at("step"), "each");
  EXPECT_EQ(get("/api/v1/tasks/" + id(8)).status, 404);
  EXPECT_EQ(get("/api/v1/tasks/" + run_.id.text()).status, 404);
}

TEST_F(TasksTest, RefusesWrongQueries) {
  EXPECT_EQ(code(get("/api/v1/tasks")), "invalid_request");
  for (const char* query : {"limit=0", "cursor=1", "cursor=1.", "cursor=a.b", "cursor=1.2x", "step=a"}) {
    EXPECT_EQ(get("/api/v1/tasks?run=" + run_.id.text() + "&" + query).status, 400) << query;
  }
}

}  // namespace
}  // namespace baton::api

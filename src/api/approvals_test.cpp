#include "api/test_support.hpp"
#include "model/approval.hpp"

namespace baton::api {
namespace {

class ApprovalsTest : public test::ApiTest {
 protected:
  void ask(const model::RunRow& run, Ordinal ordinal, const std::string& question) {
    model::Approval approval;
    approval.task = {run.id, ordinal};
    approval.workflow = run.workflow;
    approval.step = "ask";
    approval.question = question;
    approval.asked_at = {1'800'000'000'000'000};
    model::Batch batch;
    batch.records.push_back({model::to_record(approval), false});
    commit(std::move(batch));
  }
};

TEST_F(ApprovalsTest, AreListedPageByPageAndByRun) {
  const model::RunRow one = new_run("name: one\nsteps: {ask: {wait: {approval: true}}}");
  const model::RunRow two = new_run("name: two\nsteps: {ask: {wait: {approval: true}}}");
  ask(one, 0, "First?");
  ask(one, 1, "");
  ask(two, 0, "Second?");
  std::string cursor;
  std::vector<std::string> tasks;
  do {
    const auto page = object(get("/api/v1/approvals?limit=1" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    for (const auto& item : page.at("items").as_array()) tasks.emplace_back(item.at("task").as_string());
    cursor = page.at("next").is_null() ? "" : std::string(page.at("next").as_string());
  } while (!cursor.empty());
  EXPECT_EQ(tasks.size(), 3U);
  const auto items = object(get("/api/v1/approvals?run=" + two.id.text())).at("items").as_array();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].at("workflow").as_string(), "two");
  EXPECT_EQ(items[0].at("question").as_string(), "Second?");
  EXPECT_TRUE(items[0].at("index").is_null());
  EXPECT_TRUE(items[0].at("until").is_null());
}

TEST_F(ApprovalsTest, NonsenseIsRefused) {
  EXPECT_EQ(code(get("/api/v1/approvals?run=x")), "invalid_request");
  EXPECT_EQ(code(get("/api/v1/approvals?cursor=x")), "invalid_request");
  EXPECT_EQ(code(get("/api/v1/approvals?workflow=x")), "invalid_request");
}

}  // namespace
}  // namespace baton::api

#include "api/test_support.hpp"
#include "model/removal.hpp"

namespace baton::api {
namespace {

using model::RunStatus;

class PruneTest : public test::ApiTest {
 protected:
  PruneTest() {
    runtime_.answer = [this](const model::CommandBody& command) -> model::ReplyBody {
      const auto* remove = std::get_if<model::RemoveRuns>(&command);
      if (remove == nullptr) return model::Done{};
      sent_ = *remove;
      model::RunsRemoved reply;
      for (const RunId& run : remove->runs) {
        if (run == kept_) {
          reply.kept.emplace_back(run, Error{ErrorCode::conflict, "tasks of it are dead letters", ""});
        } else {
          ++reply.removed;
        }
      }
      return reply;
    };
  }
  net::Response post(const std::string& path, const std::string& body) {
    net::ClientRequest request{net::Method::post, path, {}, body, false};
    request.headers.set("Content-Type", "application/json");
    return call(std::move(request));
  }

  RunId kept_;
  std::optional<model::RemoveRuns> sent_;
};

TEST_F(PruneTest, OneRun) {
  const RunId run = new_run("name: w\nsteps:\n  a: {run: x}\n").id;
  const auto answer = object(post("/api/v1/runs/" + run.text() + "/prune", R"({"reason": "disk full"})"));
  EXPECT_EQ(answer.at("id").as_string(), run.text());
  EXPECT_TRUE(answer.at("removed").as_bool());
  ASSERT_TRUE(sent_);
  EXPECT_EQ(sent_->runs, std::vector{run});
  EXPECT_EQ(sent_->reason, "disk full");
  kept_ = run;
  EXPECT_EQ(post("/api/v1/runs/" + run.text() + "/prune", "{}").status, 409);
  EXPECT_EQ(post("/api/v1/runs/" + run.text() + "/prune", R"({"older_than": 1})").status, 400);
  EXPECT_EQ(post("/api/v1/runs/nonsense/prune", "{}").status, 404);
}

TEST_F(PruneTest, ManyGoInOneCommandAndEachSaysWhatBecameOfIt) {
  std::vector<RunId> runs;
  for (int i = 0; i < 3; ++i) {
    model::RunRow row = new_run("name: w\nsteps:\n  a: {run: x}\n");
    row.status = RunStatus::completed;
    row.ended_at = test::kThen;
    model::Batch batch;
    batch.runs.push_back({row, false, nullptr, nullptr});
    commit(std::move(batch));
    runs.push_back(row.id);
  }
  kept_ = runs[1];
  const std::string body = R"({"action": "prune", "dry_run": true, "filter": {"workflow": "w",
      "ended_before": "2100-01-01T00:00:00Z"}})";
  const auto answer = object(post("/api/v1/runs/bulk", body));
  const auto& items = answer.at("items").as_array();
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items[0].at("outcome").as_string(), "possible");
  EXPECT_EQ(items[1].at("outcome").as_string(), "refused");
  ASSERT_TRUE(sent_);
  EXPECT_TRUE(sent_->dry_run);
  EXPECT_EQ(sent_->runs.size(), 3U);
  EXPECT_EQ(to_rfc3339(sent_->ended_before), "2100-01-01T00:00:00.000Z");
  EXPECT_EQ(post("/api/v1/runs/bulk", R"({"action": "prune", "filter": {"ended_befor": "x"}})").status, 400);
  EXPECT_EQ(post("/api/v1/runs/bulk", R"({"action": "prune", "filter": {}})").status, 400);
}

TEST_F(PruneTest, RemovalsAreListedTheNewestFirst) {
  const RunId run = new_run("name: w\nsteps:\n  a: {run: x}\n").id;
  model::Batch batch;
  for (int i = 0; i < 2; ++i) {
    const WallTime at = test::kThen + Duration::seconds(i);
    model::Removal removal{
        .key = model::removal_key(at, run), .at = at, .by = "cli:ada", .why = "old", .count = 7};
    if (i == 1) removal.runs.push_back(run);
    batch.records.push_back({model::to_record(removal), false});
  }
  commit(std::move(batch));
  const auto page = object(get("/api/v1/removals"));
  const auto& items = page.at("items").as_array();
  ASSERT_EQ(items.size(), 2U);
  EXPECT_FALSE(items[0].at("files_deleted").as_bool());
  EXPECT_TRUE(items[1].at("files_deleted").as_bool());
  EXPECT_EQ(items[1].at("runs").as_int64(), 7);
  EXPECT_EQ(items[1].at("by").as_string(), "cli:ada");
  const auto first = object(get("/api/v1/removals?limit=1"));
  const auto next =
      object(get("/api/v1/removals?limit=1&cursor=" + std::string(first.at("next").as_string())));
  EXPECT_EQ(next.at("items").as_array().size(), 1U);
  EXPECT_TRUE(next.at("items").at(0).at("files_deleted").as_bool());
}

}  // namespace
}  // namespace baton::api

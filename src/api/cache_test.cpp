#include "api/test_support.hpp"
#include "model/cached_result.hpp"

namespace baton::api {
namespace {

using Keys = std::vector<std::string>;

class CacheTest : public test::ApiTest {
 protected:
  CacheTest() : run_(new_run("name: nightly\nsteps:\n  load: {run: x}\n")) {
    runtime_.answer = [this](const model::CommandBody& command) -> model::ReplyBody {
      const auto* forget = std::get_if<model::ForgetResults>(&command);
      if (forget == nullptr) return model::Done{};
      forgotten_.insert(forgotten_.end(), forget->keys.begin(), forget->keys.end());
      return model::Discarded{static_cast<std::uint32_t>(forget->keys.size()), {}};
    };
  }

  std::string keep(std::string_view workflow, std::string_view step, std::string_view content,
                   Duration ttl = Duration::hours(24)) {
    const WallTime made{test::kThen.us - Duration::hours(2).us};
    model::CachedResult cached{
        model::cached_key(workflow, step, content), {run_.id, 0}, made, made + ttl, "[1]"};
    model::Batch batch;
    batch.records.push_back({model::to_record(cached), false});
    commit(std::move(batch));
    return cached.key;
  }
  Keys listed(const std::string& query) {
    Keys keys;
    std::string cursor;
    do {
      const auto page = object(get("/api/v1/cache?" + query + (cursor.empty() ? "" : "&cursor=" + cursor)));
      for (const auto& item : page.at("items").as_array()) keys.emplace_back(item.at("key").as_string());
      cursor = page.at("next").is_null() ? "" : std::string(page.at("next").as_string());
    } while (!cursor.empty());
    return keys;
  }
  net::Response clear(const std::string& body) {
    net::ClientRequest request{net::Method::post, "/api/v1/cache/clear", {}, body, false};
    request.headers.set("Content-Type", "application/json");
    return call(std::move(request));
  }

  model::RunRow run_;
  Keys forgotten_;
};

TEST_F(CacheTest, ResultsAreListedAndNarrowed) {
  const std::string a = keep("etl", "load", "1");
  const std::string b = keep("etl", "load-all", "1");
  const std::string c = keep("etl2", "load", "1");
  EXPECT_EQ(listed("limit=1"), (Keys{b, a, c}));  // '-' comes before '/'
  EXPECT_EQ(listed("workflow=etl&limit=1"), (Keys{b, a}));
  EXPECT_EQ(listed("workflow=etl&step=load"), Keys{a});
  EXPECT_EQ(listed("workflow=et"), Keys{});
  const auto item = object(get("/api/v1/cache?workflow=etl2")).at("items").at(0);
  EXPECT_EQ(item.at("step").as_string(), "load");
  EXPECT_EQ(item.at("size").as_int64(), 3);
  EXPECT_EQ(code(get("/api/v1/cache?step=load")), "invalid_request");
  EXPECT_EQ(code(get("/api/v1/cache?cursor=x")), "invalid_request");
}

TEST_F(CacheTest, AreClearedByWorkflowStepOrAll) {
  const std::string a = keep("etl", "load", "1");
  const std::string b = keep("etl", "load-all", "1");
  const std::string c = keep("etl2", "load", "1");
  EXPECT_EQ(object(clear(R"({"workflow":"etl","dry_run":true})")).at("cleared").as_int64(), 2);
  EXPECT_TRUE(forgotten_.empty());
  EXPECT_EQ(object(clear(R"({"workflow":"etl","step":"load"})")).at("cleared").as_int64(), 1);
  EXPECT_EQ(forgotten_, Keys{a});
  forgotten_.clear();
  EXPECT_EQ(object(clear(R"({"all":true})")).at("cleared").as_int64(), 3);
  EXPECT_EQ(forgotten_, (Keys{b, a, c}));
  EXPECT_EQ(code(clear("{}")), "invalid_request");
  EXPECT_EQ(code(clear(R"({"step":"load","all":true})")), "invalid_request");
}

TEST_F(CacheTest, ManyAreClearedInParts) {
  for (int i = 0; i < 450; ++i) keep("etl", "load", std::to_string(i));
  std::size_t requests = 0;
  std::string cursor;
  do {
    const auto part = object(clear(R"({"all":true,"cursor":")" + cursor + "\"}"));
    cursor = part.at("next").is_null() ? "" : std::string(part.at("next").as_string());
    ++requests;
  } while (!cursor.empty());
  EXPECT_EQ(forgotten_.size(), 450U);
  EXPECT_EQ(requests, 3U);
}

}  // namespace
}  // namespace baton::api

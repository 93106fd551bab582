#include "api/test_support.hpp"
#include "model/breaker.hpp"

namespace baton::api {
namespace {

class BreakersTest : public test::ApiTest {
 protected:
  void store(const std::string& name, model::BreakerState state) {
    model::BreakerRow row;
    row.settings.name = name;
    row.state = state;
    row.failure_count = 5;
    row.last_failure = "http: 503";
    model::Batch batch;
    batch.records.push_back({model::to_record(row), false});
    commit(std::move(batch));
  }
};

TEST_F(BreakersTest, AreListedByNameAndState) {
  store("nlp", model::BreakerState::open);
  store("data", model::BreakerState::closed);
  store("viz", model::BreakerState::open);
  std::string names;
  std::string cursor;
  do {
    const auto page =
        object(get("/api/v1/breakers?state=open&limit=1" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    for (const auto& item : page.at("items").as_array()) names += item.at("name").as_string();
    cursor = page.at("next").is_null() ? "" : std::string(page.at("next").as_string());
  } while (!cursor.empty());
  EXPECT_EQ(names, "nlpviz");
  EXPECT_EQ(object(get("/api/v1/breakers")).at("items").as_array().size(), 3U);
  EXPECT_EQ(code(get("/api/v1/breakers?state=ajar")), "invalid_request");
}

TEST_F(BreakersTest, OneIsShown) {
  store("nlp", model::BreakerState::half_open);
  const auto breaker = object(get("/api/v1/breakers/nlp"));
  EXPECT_EQ(breaker.at("state").as_string(), "half_open");
  EXPECT_EQ(breaker.at("failure_count").as_int64(), 5);
  EXPECT_TRUE(breaker.at("forced").is_null());
  EXPECT_EQ(code(get("/api/v1/breakers/nl")), "not_found");
}

TEST_F(BreakersTest, AreForcedByAPerson) {
  store("nlp", model::BreakerState::closed);
  runtime_.answer = [](const model::CommandBody&) -> model::ReplyBody { return model::Done{}; };
  for (const auto& [verb, force] :
       {std::pair("open", model::BreakerForce::open), std::pair("close", model::BreakerForce::closed),
        std::pair("reset", model::BreakerForce::none)}) {
    EXPECT_EQ(object(post("/api/v1/breakers/nlp/" + std::string(verb), R"({"reason": "move"})")).at("name"),
              "nlp");
    const auto& command = std::get<model::ForceBreaker>(runtime_.commands.back().first);
    EXPECT_EQ(command.force, force);
    EXPECT_EQ(command.name, "nlp");
    EXPECT_EQ(command.reason, "move");
    EXPECT_FALSE(command.by.empty());
  }
  EXPECT_EQ(code(post("/api/v1/breakers/nlp/open", R"({"why": "x"})")), "invalid_request");
}

}  // namespace
}  // namespace baton::api

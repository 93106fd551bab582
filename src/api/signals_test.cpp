#include "api/test_support.hpp"

namespace baton::api {
namespace {

constexpr const char* kAsking = R"(
name: asking
steps:
  ask: {wait: {approval: "Deploy?"}}
  go: {wait: {signal: go}}
)";

class SignalsTest : public test::ApiTest {
 protected:
  SignalsTest() : run_(new_run(kAsking)) {
    runtime_.answer = [this](const model::CommandBody& body) -> model::ReplyBody {
      if (const auto* answer = std::get_if<model::AnswerApproval>(&body))
        return model::ApprovalAnswered{answer->task, model::TaskStatus::completed};
      return model::SignalAccepted{run_.id, 3, false};
    };
  }
  std::string path(std::string_view more) const {
    return "/api/v1/runs/" + run_.id.text() + std::string(more);
  }
  std::string task_path(std::string_view more) const {
    return "/api/v1/tasks/" + run_.id.text() + ".0" + std::string(more);
  }
  template <typename Command>
  const Command& sent() const {
    return std::get<Command>(runtime_.commands.back().first);
  }

  model::RunRow run_;
};

TEST_F(SignalsTest, ASignalCarriesNameDataAndKey) {
  net::Headers headers;
  headers.add("Content-Type", "application/json");
  headers.add("Idempotency-Key", "k1");
  const auto response = post(path("/signals/go"), R"({"data":{"n":1}})", headers);
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(object(response).at("number").to_number<int>(), 3);
  EXPECT_EQ(sent<model::SendSignal>().name, "go");
  EXPECT_EQ(sent<model::SendSignal>().data, R"({"n":1})");
  EXPECT_EQ(sent<model::SendSignal>().key, "k1");
}

TEST_F(SignalsTest, DataMayBeLeftOutAndOtherMembersAreErrors) {
  EXPECT_EQ(post(path("/signals/go"), "").status, 201);
  EXPECT_EQ(sent<model::SendSignal>().data, "null");
  EXPECT_EQ(post(path("/signals/go"), R"({"value":1})").status, 400);
  EXPECT_EQ(post("/api/v1/runs/nonsense/signals/go", "").status, 404);
}

TEST_F(SignalsTest, AnAnswerSaysYesOrNo) {
  EXPECT_EQ(post(task_path("/approve"), R"({"reason":"fine","value":[1]})").status, 200);
  EXPECT_TRUE(sent<model::AnswerApproval>().approved);
  EXPECT_EQ(sent<model::AnswerApproval>().reason, "fine");
  EXPECT_EQ(sent<model::AnswerApproval>().value, "[1]");
  EXPECT_EQ(post(task_path("/reject"), R"({"reason":"no"})").status, 200);
  EXPECT_FALSE(sent<model::AnswerApproval>().approved);
  EXPECT_EQ(post(task_path("/reject"), R"({"value":1})").status, 400) << "a rejection has no value";
}

TEST_F(SignalsTest, ATaskSaysWhatItWaitsFor) {
  model::TaskRow ask = task(run_, 0, 0);
  ask.status = model::TaskStatus::running;
  ask.waiting.edit().awaits = "Deploy?";
  put(ask);
  const auto shown = object(get(task_path("")));
  EXPECT_EQ(shown.at("waits_for").at("for").as_string(), "approval");
  EXPECT_EQ(shown.at("waits_for").at("question").as_string(), "Deploy?");
}

}  // namespace
}  // namespace baton::api

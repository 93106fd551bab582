#include <boost/json/serialize.hpp>

#include "api/attempt_logs.hpp"
#include "api/test_support.hpp"
#include "logs/reader.hpp"
#include "model/secret.hpp"

namespace baton::api::test {
namespace {

namespace json = boost::json;

const TaskId kTask{*RunId::parse("01a1fe71-1636-7000-92a8-8b0000000001"), 3};

class SecretsTest : public ApiTest {
 protected:
  // What the engine does with the commands.
  SecretsTest() {
    runtime_.answer = [this](const model::CommandBody& body) -> model::ReplyBody {
      model::Batch batch;
      if (const auto* set = std::get_if<model::SetSecret>(&body)) {
        batch.records.push_back({model::to_record(model::SecretRow{.name = set->name,
                                                                   .sealed = set->sealed,
                                                                   .by = "cli:ada",
                                                                   .why = set->reason,
                                                                   .at = kThen,
                                                                   .changed_at = kThen})});
        commit(std::move(batch));
      } else if (const auto* forget = std::get_if<model::DeleteSecret>(&body)) {
        model::RecordChange gone;
        gone.record.id = model::secret_key(forget->name);
        gone.erased = true;
        batch.records.push_back(std::move(gone));
        commit(std::move(batch));
      } else if (std::holds_alternative<model::ClaimTasks>(body)) {
        model::Assignment task;
        task.token = {4, 9};
        task.task = kTask;
        task.kind = model::StepKind::task;
        task.spec = spec_;
        task.sealed = true;
        return model::Claimed{{task}};
      } else if (std::holds_alternative<model::ReportAttempt>(body)) {
        return model::ReportAccepted{};
      }
      return model::Done{};
    };
  }
  net::Response set(const std::string& name, const std::string& value) {
    return call({net::Method::put,
                 "/api/v1/secrets/" + name,
                 {{"Content-Type", "application/json"}},
                 json::serialize(json::object{{"value", value}, {"reason", "why"}}),
                 true});
  }
  net::Response claim() {
    return post("/api/v1/workers/w1/claim", R"({"functions":["*"]})", {{"Content-Type", "application/json"}});
  }
  template <typename T>
  std::vector<T> sent() const {
    std::vector<T> all;
    for (const auto& [body, actor] : runtime_.commands) {
      if (const auto* one = std::get_if<T>(&body)) all.push_back(*one);
    }
    return all;
  }
  std::string spec_ = R"({"function":"f","with":{"t":"a ${{ secrets.TOKEN }}"}})";
};

TEST_F(SecretsTest, AValueIsInNoAnswerAndNoCommand) {
  const auto made = set("TOKEN", "s3cret-value");
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(object(made).at("name"), "TOKEN");
  EXPECT_EQ(object(made).at("status"), "ready");
  const auto listed = get("/api/v1/secrets");
  EXPECT_EQ(object(listed).at("items").as_array().size(), 1U);
  for (const auto& answer : {made, listed, get("/api/v1/secrets/TOKEN")})
    EXPECT_EQ(answer.body.find("s3cret"), std::string::npos) << answer.body;
  EXPECT_EQ(sent<model::SetSecret>().at(0).sealed.find("s3cret"), std::string::npos);
}

TEST_F(SecretsTest, SaysWhatIsWrong) {
  EXPECT_EQ(code(set("TOKEN", "abc")), "invalid_request");
  EXPECT_EQ(code(set("a%20b", "s3cret-value")), "invalid_request");
  EXPECT_EQ(code(get("/api/v1/secrets/TOKEN")), "not_found");
  ASSERT_EQ(set("TOKEN", "s3cret-value").status, 200);
  const auto missing = call({net::Method::delete_, "/api/v1/secrets/TOKN", {}, "", true});
  EXPECT_NE(detail(missing).find("did you mean \"TOKEN\"?"), std::string::npos);
  EXPECT_EQ(call({net::Method::delete_, "/api/v1/secrets/TOKEN", {}, "", true}).status, 200);
  EXPECT_EQ(code(get("/api/v1/secrets/TOKEN")), "not_found");
}

TEST_F(SecretsTest, AWorkerGetsTheValuesThatItsTaskNames) {
  set("TOKEN", "s3cret-value");
  set("OTHER", "other-value");
  const auto answer = claim();
  const auto body = object(answer);
  const auto& task = body.at("tasks").at(0);
  EXPECT_EQ(task.at("spec").at("with").at("t"), "a s3cret-value");
  EXPECT_EQ(task.at("secrets"), json::value(json::array{"s3cret-value"}));
  EXPECT_EQ(answer.body.find("other-value"), std::string::npos);
}

TEST_F(SecretsTest, ATaskWhoseSecretIsMissingFailsWithoutAWorker) {
  const auto body = object(claim());
  EXPECT_TRUE(body.at("tasks").as_array().empty());
  const auto reports = sent<model::ReportAttempt>();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].token, (Token{4, 9}));
  EXPECT_EQ(reports[0].outcome.failure.type, model::error_type::kValidation);
  EXPECT_TRUE(reports[0].outcome.failure.never_retry);
  EXPECT_NE(reports[0].outcome.failure.message.find("\"TOKEN\""), std::string::npos);
}

TEST_F(SecretsTest, WhatAWorkerReportsIsMasked) {
  set("TOKEN", "s3cret-value");
  const std::string told =
      R"({"reports":[{"task":")" + kTask.text() +
      R"(","token":"4-9","status":"failed","result":{"s3cret-value":["s3cret-\u0076alue"]},"error":{"type":"x s3cret-value","message":")" +
      std::string((64 << 10) - 5, 'x') + R"(s3cret-value"}}]})";
  const auto answer = post("/api/v1/workers/w1/report", told, {{"Content-Type", "application/json"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto outcome = sent<model::ReportAttempt>().at(0).outcome;
  EXPECT_EQ(outcome.result, R"({"***":["***"]})");
  EXPECT_EQ(outcome.failure.type, "x ***");
  EXPECT_TRUE(outcome.failure.message.ends_with("xxx***")) << "masked before it is cut";
}

TEST_F(SecretsTest, ProgressIsMaskedAndResourcesAreRefused) {
  set("TOKEN", "s3cret-value");
  const std::string path = "/api/v1/tasks/" + kTask.text();
  post(path + "/progress", R"({"token":"4-9","message":"now s3cret-value"})",
       {{"Content-Type", "application/json"}});
  EXPECT_EQ(sent<model::ReportProgress>().at(0).message, "now ***");
  const auto refused = post(path + "/resources", R"({"token":"4-9","name":"r","argv":["rm","s3cret-value"]})",
                            {{"Content-Type", "application/json"}});
  EXPECT_EQ(code(refused), "invalid_request");
  EXPECT_EQ(refused.body.find("s3cret"), std::string::npos);
}

// However a worker cuts its output, and whatever it sends again.
TEST_F(SecretsTest, UploadsAreMaskedAcrossPieces) {
  const std::vector<std::string> values{"s3cret-value"};
  const auto redactor = secrets::Redactor::of(values);
  const std::string text = "a s3cret-value b\ns3cret-s3cret-value\ns3cr";
  const Token token{4, 9};
  for (std::size_t size = 1; size < text.size(); ++size) {
    const std::string path = directory_ + "/logs/" + std::to_string(size);
    {
      AttemptLogs logs;
      for (std::size_t at = 0; at < text.size(); at += size) {
        const LogPiece piece{logs::Stream::out, text.substr(at, size)};
        EXPECT_EQ(logs.append(path, token, at, {piece}, redactor, kThen), at + piece.text.size());
        EXPECT_EQ(logs.append(path, token, at, {piece}, redactor, kThen), at + piece.text.size());
      }
      if (size % 2 == 0) logs.finish(token, kThen);  // else the end of the logs does
    }
    auto reader = logs::Reader::open(path);
    ASSERT_TRUE(reader);
    std::string got;
    for (logs::Frame frame; *reader->next(frame);) got += frame.bytes;
    EXPECT_EQ(got, "a *** b\ns3cret-***\ns3cr") << size;
  }
}

// More attempts print than files are kept open.
TEST_F(SecretsTest, UploadsOfManyAttemptsAreMaskedAndCountedAsThoseOfOne) {
  constexpr std::uint64_t kAttempts = 200;
  const std::vector<std::string> values{"s3cret-value"};
  const auto redactor = secrets::Redactor::of(values);
  const auto path_of = [&](std::uint64_t n) { return directory_ + "/logs/" + std::to_string(n); };
  const auto open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto before = open_files();
  AttemptLogs logs;
  std::uint64_t offset = 0;
  for (const std::string text : {"one\ns3cr", "et-value\ntwo\n"}) {
    for (std::uint64_t n = 1; n <= kAttempts; ++n) {
      const LogPiece piece{logs::Stream::out, text};
      EXPECT_EQ(logs.append(path_of(n), Token{4, n}, offset, {piece}, redactor, kThen), offset + text.size());
    }
    offset += text.size();
  }
  EXPECT_LT(open_files() - before, 100);
  for (std::uint64_t n = 1; n <= kAttempts; ++n) {
    logs.finish({4, n}, kThen);
    auto reader = logs::Reader::open(path_of(n));
    ASSERT_TRUE(reader);
    std::string got;
    for (logs::Frame frame; *reader->next(frame);) got += frame.bytes;
    EXPECT_EQ(got, "one\n***\ntwo\n") << n;
  }
}

}  // namespace
}  // namespace baton::api::test

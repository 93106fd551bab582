#include "api/test_support.hpp"
#include "logs/paths.hpp"
#include "logs/reader.hpp"

namespace baton::api {
namespace {

constexpr const char* kFlow = "name: f\nsteps: {a: {task: f}}\n";

class LogUploadTest : public test::ApiTest {
 protected:
  LogUploadTest() : run_(new_run(kFlow)), row_(task(run_, 0, 0)) {
    row_.status = model::TaskStatus::running;
    row_.token = {4, 9};
    row_.starts = 2;
    row_.history = {{.number = 2, .token = {4, 9}, .worker = "w1"}};
    put(row_);
  }
  std::string id() const { return TaskId{run_.id, 0}.text(); }
  net::Response send(const std::string& members, const std::string& token = "4-9") {
    return post("/api/v1/tasks/" + id() + "/logs", R"({"token":")" + token + "\"," + members + "}");
  }
  static std::string line(const std::string& text, const std::string& stream = "stdout") {
    return R"({"stream":")" + stream + R"(","text":")" + text + "\\n\"}";
  }
  std::string log() { return get("/api/v1/tasks/" + id() + "/logs?attempt=2").body; }

  model::RunRow run_;
  model::TaskRow row_;
};

TEST_F(LogUploadTest, WhatWasSentIsTheAttemptsLog) {
  auto response = send(R"("entries":[)" + line("one") + "," + line("bad", "stderr") + "]");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(object(response).at("offset"), 8);
  response = send(R"("offset":8,"entries":[)" + line("two") + "]");
  EXPECT_EQ(object(response).at("offset"), 12);
  EXPECT_EQ(log(), "one\nbad\ntwo\n");
}

TEST_F(LogUploadTest, APieceMayBeSentAgain) {
  const std::string both = R"("entries":[)" + line("one") + "," + line("two") + "]";
  send(both);
  EXPECT_EQ(object(send(both)).at("offset"), 8);
  // Half of it is new.
  EXPECT_EQ(object(send(R"("offset":4,"entries":[)" + line("two") + "," + line("six") + "]")).at("offset"),
            12);
  EXPECT_EQ(log(), "one\ntwo\nsix\n");
}

TEST_F(LogUploadTest, WhatIsMissingIsNoted) {
  send(R"("entries":[)" + line("one") + "]");
  EXPECT_EQ(object(send(R"("offset":100,"entries":[)" + line("two") + "]")).at("offset"), 104);
  EXPECT_NE(log().find("96 bytes of output did not arrive"), std::string::npos) << log();
}

TEST_F(LogUploadTest, OnlyWhoHoldsTheTaskWrites) {
  EXPECT_EQ(code(send(R"("entries":[)" + line("x") + "]", "4-8")), "stale_token");
  row_.history[0].end = model::AttemptEnd::completed;
  put(row_);
  EXPECT_EQ(code(send(R"("entries":[)" + line("x") + "]")), "stale_token");
  EXPECT_EQ(log(), "");
}

TEST_F(LogUploadTest, BadPiecesChangeNothing) {
  for (const char* members :
       {R"("entries":3)", R"("entries":[3])", R"("entries":[{"stream":"out","text":"a"}])",
        R"("entries":[{"stream":"stdout"}])", R"("entries":[{"stream":"stdout","text":1}])",
        R"("offset":-1,"entries":[])", R"("lines":[])"}) {
    EXPECT_EQ(send(members).status, 400) << members;
  }
  EXPECT_EQ(log(), "");
}

}  // namespace
}  // namespace baton::api

// Answers that wait or go on, and what becomes of them when the key that they were asked with is revoked.
#include <functional>
#include <future>
#include <thread>

#include "api/test_support.hpp"
#include "model/api_key.hpp"

namespace baton::api {
namespace {

using model::FactKind;

class AdmissionTest : public test::ApiTest {
 protected:
  AdmissionTest() : run_(new_run("name: e\nsteps:\n  a: {run: x}\n")) { put_key(std::nullopt); }

  void revoke() { put_key(test::kThen); }
  void happens(FactKind kind) {
    model::Fact fact;
    fact.kind = kind;
    fact.at = test::kThen;
    add_facts(run_, {fact});
  }
  // What a stream says until it ends, or until `last` stands in it. After its first piece the key is revoked;
  // then `more` happens.
  std::string told(const std::string& target, const std::string& last, const std::function<void()>& more) {
    net::HttpClient client(remote_endpoint());
    std::string all;
    std::ignore = client.stream(
        {.target = target, .headers = {{"X-API-Key", "secret"}}},
        [&](std::string_view piece) {
          const bool first = all.empty();
          all += piece;
          if (first) {
            revoke();
            more();
          }
          return all.find(last) == std::string::npos;
        },
        test::kPatience);
    return all;
  }
  // The answer to a request whose command is answered by `reply` after the key was revoked.
  net::Response late_answer(const std::string& target, const std::string& body,
                            const model::ReplyBody& reply) {
    std::promise<void> waits;
    runtime_.keeps = [&, kept = false](const model::CommandBody& command) mutable {
      if (std::holds_alternative<model::NoteKeyUse>(command) || std::exchange(kept, true)) return false;
      waits.set_value();
      return true;
    };
    net::Response response;
    std::thread asking([&] {
      response = remote({.method = net::Method::post,
                         .target = target,
                         .headers = {{"X-API-Key", "secret"}, {"Content-Type", "application/json"}},
                         .body = body});
    });
    waits.get_future().wait();
    revoke();
    runtime_.answer_kept(reply);
    asking.join();
    return response;
  }

  model::RunRow run_;

 private:
  void put_key(std::optional<WallTime> revoked_at) {
    model::Batch batch;
    batch.records.push_back({model::to_record(model::KeyRow{.name = "ci",
                                                            .hash = Hash256::of("secret"),
                                                            .role = model::Role::editor,
                                                            .revoked_at = revoked_at}),
                             false});
    commit(std::move(batch));
    EXPECT_TRUE(api_->read_keys());
  }
};

TEST_F(AdmissionTest, EventsEnd) {
  happens(FactKind::run_submitted);
  const auto next = [this] { happens(FactKind::attempt_started); };
  const std::string of_all = told("/api/v1/events?after=0:1:0", "attempt.started", next);
  EXPECT_NE(of_all.find("run.submitted"), std::string::npos);
  EXPECT_EQ(of_all.find("attempt.started"), std::string::npos);
}

TEST_F(AdmissionTest, EventsOfARunEnd) {
  happens(FactKind::run_submitted);
  const auto next = [this] { happens(FactKind::attempt_started); };
  const std::string of_run = told("/api/v1/runs/" + run_.id.text() + "/events", "attempt.started", next);
  EXPECT_NE(of_run.find("run.submitted"), std::string::npos);
  EXPECT_EQ(of_run.find("attempt.started"), std::string::npos);
}

TEST_F(AdmissionTest, HowAQueueStandsEnds) {
  std::atomic<std::uint32_t> queued = 7;
  runtime_.answer = [&](const model::CommandBody&) -> model::ReplyBody {
    model::Survey survey;
    survey.queues = {{.name = "media", .queued = queued}};
    return survey;
  };
  const std::string said = told("/api/v1/queues/media/events", "\"queued\":5", [&] { queued = 5; });
  EXPECT_NE(said.find("\"queued\":7"), std::string::npos);
  EXPECT_EQ(said.find("\"queued\":5"), std::string::npos);
}

TEST_F(AdmissionTest, AFollowedLogEnds) {
  model::TaskRow row = task(run_, 0, 0);
  row.status = model::TaskStatus::running;
  row.attempts = row.starts = 1;
  put(row);
  write_log(run_, 0, 1, {"one"});
  const std::string said = told("/api/v1/tasks/" + run_.id.text() + ".0/logs?follow=true", "two", [&] {
    write_log(run_, 0, 2, {"two"});
    row.attempts = row.starts = 2;
    put(row);
  });
  EXPECT_EQ(said, "one\n");
}

TEST_F(AdmissionTest, WaitingForARunEnds) {
  const auto response =
      late_answer("/api/v1/runs?wait=60", R"({"definition":"name: e\nsteps: {a: {run: x}}"})",
                  model::Submitted{run_.id, false});
  EXPECT_EQ(response.status, 401);
  EXPECT_NE(detail(response).find("was revoked"), std::string::npos);
}

TEST_F(AdmissionTest, TasksThatWereClaimedGoBack) {
  const Token token{4, 9};
  const auto response = late_answer("/api/v1/workers/w1/claim", R"({"steps":true,"wait":60})",
                                    model::Claimed{{{.token = token, .task = {run_.id, 0}, .spec = "{}"}}});
  EXPECT_EQ(response.status, 401);
  ASSERT_FALSE(runtime_.commands.empty());
  const auto* back = std::get_if<model::ReleaseAttempt>(&runtime_.commands.back().first);
  ASSERT_NE(back, nullptr);
  EXPECT_EQ(back->token, token);
}

}  // namespace
}  // namespace baton::api

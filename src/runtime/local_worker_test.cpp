#include "runtime/local_worker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace baton::runtime {
namespace {

using model::Claimed;
using model::ClaimTasks;

// Keeps what it is sent.
class Mailbox final : public Handle {
 public:
  struct Sent {
    model::CommandBody body;
    ReplyHandler on_reply;
  };
  std::vector<Sent> sent;

  void send(model::CommandBody body, model::Sender, ReplyHandler on_reply) override {
    sent.push_back({std::move(body), std::move(on_reply)});
  }
  std::uint64_t subscribe(std::function<void(const std::vector<RunKey>&)>) override { return 0; }
  void unsubscribe(std::uint64_t) override {}

  // The claims that were not answered, as they came.
  std::vector<std::uint32_t> claims() const {
    std::vector<std::uint32_t> asked;
    for (const Sent& one : sent) {
      if (const auto* claim = std::get_if<ClaimTasks>(&one.body); claim != nullptr && one.on_reply)
        asked.push_back(claim->max);
    }
    return asked;
  }
  // Answers the oldest one of them with so many tasks.
  void answer(std::uint32_t tasks) {
    for (Sent& one : sent) {
      if (!std::holds_alternative<ClaimTasks>(one.body) || !one.on_reply) continue;
      Claimed claimed;
      for (std::uint32_t i = 0; i < tasks; ++i) {
        model::Assignment assignment;
        assignment.token = {1, ++token_};
        assignment.kind = model::StepKind::run;
        claimed.tasks.push_back(std::move(assignment));
      }
      // It may send more, which moves what is kept here.
      const ReplyHandler on_reply = std::exchange(one.on_reply, {});
      on_reply(std::move(claimed));
      return;
    }
    FAIL() << "no claim waits";
  }
  std::size_t released() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        sent, [](const Sent& one) { return std::holds_alternative<model::ReleaseAttempt>(one.body); }));
  }

 private:
  std::uint64_t token_ = 0;
};

class Idle final : public executors::Executor {
 public:
  std::vector<Token> running;

  void start(executors::Attempt attempt) override { running.push_back(attempt.token); }
  void stop(const Token&, executors::StopMode) override {}
  executors::Reattached reattach(const Token&) override { return executors::Reattached::unknown; }
  void shutdown() override {}
};

class LocalWorkerTest : public ::testing::Test {
 protected:
  LocalWorkerTest() { worker_->start({processes_, requests_}); }

  void end_one() {
    const Token token = processes_.running.back();
    processes_.running.pop_back();
    worker_->finished(token, {.kind = model::Outcome::Kind::completed, .result = "1", .failure = {}});
  }

  Mailbox loop_;
  Idle processes_;
  Idle requests_;
  std::shared_ptr<LocalWorker> worker_ = std::make_shared<LocalWorker>(
      loop_, LocalWorkerOptions{.concurrency = 4, .later = [](Duration, const std::function<void()>&) {}});
};

// With a long queue each claim is given all that it asks for, and hears of it a commit later.
TEST_F(LocalWorkerTest, WhatIsOnItsWayHasItsPlace) {
  loop_.answer(4);
  end_one();
  end_one();
  EXPECT_EQ(loop_.claims(), (std::vector<std::uint32_t>{1, 1}));
  loop_.answer(1);
  loop_.answer(1);
  EXPECT_EQ(processes_.running.size(), 4U);
  EXPECT_TRUE(loop_.claims().empty()) << "there is no room";
  EXPECT_EQ(loop_.released(), 0U);
}

// With an empty queue the claims wait: the newest takes the place of the one before, and is for all the room.
TEST_F(LocalWorkerTest, AClaimThatWaitsIsForAllTheRoom) {
  loop_.answer(4);
  for (int i = 0; i < 4; ++i) end_one();
  while (loop_.claims().size() > 1) loop_.answer(0);
  EXPECT_EQ(loop_.claims(), std::vector<std::uint32_t>{4});
  loop_.answer(1);
  EXPECT_EQ(loop_.claims(), std::vector<std::uint32_t>{3});
  end_one();
  while (loop_.claims().size() > 1) loop_.answer(0);
  EXPECT_EQ(loop_.claims(), std::vector<std::uint32_t>{4});
}

TEST_F(LocalWorkerTest, WhatIsTooMuchGoesBack) {
  loop_.answer(6);
  EXPECT_EQ(processes_.running.size(), 4U);
  EXPECT_EQ(loop_.released(), 2U);
}

TEST_F(LocalWorkerTest, AnotherFunctionIsToldThoughTheRoomIsTheSame) {
  loop_.answer(2);
  ASSERT_EQ(loop_.claims(), std::vector<std::uint32_t>{2});
  worker_->functions_changed();
  EXPECT_EQ(loop_.claims(), (std::vector<std::uint32_t>{2, 2}));
  loop_.answer(0);
  EXPECT_EQ(loop_.claims(), std::vector<std::uint32_t>{2}) << "it is enough";
}

}  // namespace
}  // namespace baton::runtime

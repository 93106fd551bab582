#include "executors/functions/function_executor.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace baton::executors::functions {
namespace {

using Kind = model::Outcome::Kind;

class FunctionExecutorTest : public testing::Test {
 protected:
  // Lines go here, and whether their log was closed.
  struct Log {
    std::string text;
    bool closed = false;
  };
  class LogPrinter final : public Printer {
   public:
    LogPrinter(std::mutex& mutex, Log& log) : mutex_(mutex), log_(log) {}
    void print(std::string_view text) override {
      const std::lock_guard lock(mutex_);
      log_.text += text;
    }
    void close() override {
      const std::lock_guard lock(mutex_);
      log_.closed = true;
    }

   private:
    std::mutex& mutex_;
    Log& log_;
  };

  ~FunctionExecutorTest() override {
    released_.set_value();  // for functions that are deaf
    executor_.reset();
  }

  FunctionExecutor& made(std::uint32_t threads = 1, Duration grace = Duration{}) {
    if (executor_) return *executor_;
    Options options;
    options.functions = table_;
    options.threads = threads;
    options.grace = grace;
    options.printer = [this](const Attempt& attempt) {
      const std::lock_guard lock(mutex_);
      return std::make_unique<LogPrinter>(mutex_, logs_[attempt.token.sequence]);
    };
    executor_ = std::make_unique<FunctionExecutor>(
        std::move(options), Listener{.started = [](const Token&) {},
                                     .finished =
                                         [this](const Token& token, model::Outcome outcome) {
                                           const std::lock_guard lock(mutex_);
                                           EXPECT_TRUE(outcomes_.emplace(token.sequence, outcome).second);
                                           changed_.notify_all();
                                         }});
    return *executor_;
  }

  void add(std::string name, Function function) {
    ASSERT_TRUE(table_->add(std::move(name), std::move(function)).has_value());
  }
  void start(std::uint64_t number, std::string spec) {
    Attempt attempt;
    attempt.token = {1, number};
    attempt.spec = std::move(spec);
    made().start(std::move(attempt));
  }
  model::Outcome ended(std::uint64_t number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return outcomes_.contains(number); });
    return outcomes_.at(number);
  }
  std::size_t ended_count() {
    const std::lock_guard lock(mutex_);
    return outcomes_.size();
  }
  // A function that tells when it begins and returns when it is released, however it is asked before.
  Function deaf() {
    return [this](Call&) {
      begun_.set_value();
      release_.wait();
      return model::Outcome{};
    };
  }
  // One that returns why it was asked to end, as its error type.
  Function waits() {
    return [this](Call& call) {
      begun_.set_value();
      const EndReason reason = call.wait_for_end(Duration::hours(1));
      model::Outcome outcome{.kind = Kind::failed};
      outcome.failure.type = reason == EndReason::cancelled ? "asked" : "over";
      return outcome;
    };
  }

  std::promise<void> begun_;
  std::promise<void> released_;
  std::shared_future<void> release_ = released_.get_future().share();
  std::shared_ptr<FunctionTable> table_ = std::make_shared<FunctionTable>();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, model::Outcome> outcomes_;
  std::map<std::uint64_t, Log> logs_;
  std::unique_ptr<FunctionExecutor> executor_;
};

TEST_F(FunctionExecutorTest, calls_what_the_spec_names_with_its_input) {
  add("f", [](Call& call) {
    call.print("one\n");
    call.print("two\n");
    return model::Outcome{.result = std::string(call.function()) +
                                    std::to_string(call.input().at("n").as_int64() + 1)};
  });
  start(1, R"({"function":"f","with":{"n":6}})");
  EXPECT_EQ(ended(1).result, "f7");
  EXPECT_EQ(logs_[1].text, "one\ntwo\n");
  EXPECT_TRUE(logs_[1].closed);
}

TEST_F(FunctionExecutorTest, what_cannot_be_called_ends_without_a_call) {
  start(1, "{");
  EXPECT_EQ(ended(1).failure.type, model::error_type::kValidation);
  start(2, R"({"function":"nobody"})");
  EXPECT_EQ(ended(2).kind, Kind::interrupted);  // others may have it
}

TEST_F(FunctionExecutorTest, names_are_checked) {
  add("f", deaf());
  EXPECT_FALSE(table_->add("f", deaf()));
  EXPECT_TRUE(table_->add("f", deaf(), IfKnown::replace));
  EXPECT_FALSE(table_->add("no name", deaf()));
  EXPECT_EQ(table_->names(), std::vector<std::string>{"f"});
  for (std::size_t i = 1; i < FunctionTable::kMost; ++i) add("f" + std::to_string(i), deaf());
  EXPECT_FALSE(table_->add("one.more", deaf()));
}

TEST_F(FunctionExecutorTest, soft_asks) {
  add("waits", waits());
  start(1, R"({"function":"waits"})");
  begun_.get_future().wait();
  made().stop({1, 1}, StopMode::soft);
  EXPECT_EQ(ended(1).failure.type, "asked");
}

TEST_F(FunctionExecutorTest, hard_leaves_the_function_alone_and_others_go_on) {
  add("deaf", deaf());
  add("next", [](Call&) { return model::Outcome{.result = "1"}; });
  start(1, R"({"function":"deaf"})");
  begun_.get_future().wait();
  EXPECT_EQ(made().reattach({1, 1}), Reattached::running);
  made().stop({1, 1}, StopMode::hard);
  EXPECT_EQ(ended(1).failure.type, model::error_type::kCancelled);
  start(2, R"({"function":"next"})");
  EXPECT_EQ(ended(2).result, "1");
}

TEST_F(FunctionExecutorTest, what_has_not_begun_is_never_called) {
  add("deaf", deaf());
  add("never", [](Call&) {
    ADD_FAILURE();
    return model::Outcome{};
  });
  start(1, R"({"function":"deaf"})");
  begun_.get_future().wait();
  for (std::uint64_t i = 2; i <= 4; ++i) start(i, R"({"function":"never"})");
  made().stop({1, 2}, StopMode::soft);
  EXPECT_EQ(ended(2).failure.type, model::error_type::kCancelled);
  EXPECT_EQ(made().withdraw(), (std::vector<Token>{{1, 3}, {1, 4}}));
  EXPECT_EQ(made().reattach({1, 3}), Reattached::gone);
  start(5, R"({"function":"never"})");
  made().shutdown();
  EXPECT_EQ(ended(5).kind, Kind::interrupted);
  EXPECT_EQ(ended(1).kind, Kind::interrupted);
  EXPECT_EQ(ended_count(), 3U);
  start(6, R"({"function":"never"})");  // too late: not accepted
  made().shutdown();
  EXPECT_EQ(ended_count(), 3U);
}

TEST_F(FunctionExecutorTest, shutdown_gives_those_that_listen_their_grace) {
  add("waits", waits());
  made(1, Duration::seconds(600));
  start(1, R"({"function":"waits"})");
  begun_.get_future().wait();
  made().shutdown();
  EXPECT_EQ(ended(1).failure.type, "over");
}

TEST_F(FunctionExecutorTest, each_attempt_ends_once_whoever_is_first) {
  add("quick", [](Call& call) {
    call.print("x");
    return model::Outcome{};
  });
  made(4);
  constexpr std::uint64_t kMany = 2000;
  for (std::uint64_t i = 1; i <= kMany; ++i) {
    start(i, R"({"function":"quick"})");
    made().stop({1, i}, i % 2 == 0 ? StopMode::soft : StopMode::hard);
  }
  for (std::uint64_t i = 1; i <= kMany; ++i) ended(i);
  EXPECT_EQ(ended_count(), kMany);
}

// An ended thread keeps its stack until it is joined.
TEST_F(FunctionExecutorTest, ThreadsThatWereReplacedLeaveNothing) {
  const auto mapped = [] {  // pages
    std::ifstream file("/proc/self/statm");
    std::uint64_t pages = 0;
    file >> pages;
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  };
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  };
  struct Shared {  // with threads that end after this test does
    std::mutex mutex;
    std::condition_variable changed;
    std::uint64_t begun = 0;
    std::uint64_t let_go = 0;
  };
  const auto shared = std::make_shared<Shared>();
  add("f", [shared](Call&) {
    std::unique_lock lock(shared->mutex);
    const std::uint64_t own = ++shared->begun;
    shared->changed.notify_all();
    shared->changed.wait(lock, [&] { return shared->let_go >= own; });
    return model::Outcome{};
  });
  made();
  const auto usual = threads();
  std::uint64_t before = 0;
  constexpr std::uint64_t kRounds = 200;
  for (std::uint64_t round = 1; round <= kRounds; ++round) {
    start(round, R"({"function":"f"})");
    {
      std::unique_lock lock(shared->mutex);
      shared->changed.wait(lock, [&] { return shared->begun == round; });
    }
    made().stop({1, round}, StopMode::hard);
    ended(round);
    {
      const std::lock_guard lock(shared->mutex);
      shared->let_go = round;
    }
    shared->changed.notify_all();
    while (threads() > usual) std::this_thread::yield();
    if (round == 10) before = mapped();
  }
  // A stack is 8 MiB, as a rule.
  EXPECT_LT(mapped(), before + kRounds * (1 << 20));
}

}  // namespace
}  // namespace baton::executors::functions

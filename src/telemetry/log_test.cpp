#include "telemetry/log.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

namespace baton::telemetry {
namespace {

constexpr WallTime kThen{1'700'000'000'123'000};

class LogTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/baton-log-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    file_ = folder_ + "/baton.log";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Log> open(LogFormat format = LogFormat::json, LogLevel level = LogLevel::info) {
    auto log = Log::open({.level = level, .format = format, .file = file_, .now = [] { return kThen; }});
    EXPECT_TRUE(log) << log.error().message;
    return std::move(*log);
  }
  static std::vector<std::string> lines(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  std::string folder_;
  std::string file_;
};

TEST_F(LogTest, OneJsonObjectPerLine) {
  const auto log = open();
  log->write(LogLevel::warning, "run.ended", "run failed",
             {{"run", "r1"}, {"attempts", std::int64_t{3}}, {"duration", 1.5}});
  EXPECT_EQ(lines(file_), std::vector<std::string>{
                              R"({"time":"2023-11-14T22:13:20.123Z","level":"warning","event":"run.ended",)"
                              R"("message":"run failed","run":"r1","attempts":3,"duration":1.5})"});
}

TEST_F(LogTest, TextIsForPeople) {
  const auto log = open(LogFormat::text);
  log->write(LogLevel::info, "run.ended", "run completed",
             {{"workflow", "etl"}, {"note", "two words"}, {"x", ""}});
  EXPECT_EQ(lines(file_),
            std::vector<std::string>{"2023-11-14T22:13:20.123Z info: run completed workflow=etl "
                                     R"(note="two words" x="")"});
}

TEST_F(LogTest, ForeignTextStaysInItsLineAndItsString) {
  for (const LogFormat format : {LogFormat::json, LogFormat::text}) {
    const std::array fields = {LogField{"name", std::string_view("a\nb\x1b[31m\"\\\xff\0c", 13)}};
    std::filesystem::remove(file_);
    open(format)->write(LogLevel::info, "e", "m\ninjected: 1", fields);
    const auto all = lines(file_);
    ASSERT_EQ(all.size(), 1U);
    const std::string& line = all[0];
    EXPECT_EQ(line.find('\x1b'), std::string::npos) << line;
    EXPECT_EQ(line.find('\xff'), std::string::npos) << line;
  }
}

TEST_F(LogTest, LeavesOutWhatIsLess) {
  const auto log = open(LogFormat::text, LogLevel::warning);
  log->write(LogLevel::info, "e", "left out");
  log->write(LogLevel::debug, "e", "left out");
  log->write(LogLevel::error, "e", "said");
  EXPECT_EQ(lines(file_).size(), 1U);
  EXPECT_FALSE(log->takes(LogLevel::info));
}

TEST_F(LogTest, GoesOnInANewFileAfterItWasMovedAway) {
  const auto log = open(LogFormat::text);
  log->write(LogLevel::info, "e", "first");
  std::filesystem::rename(file_, file_ + ".1");
  log->write(LogLevel::info, "e", "second");
  ASSERT_TRUE(log->reopen());
  log->write(LogLevel::info, "e", "third");
  EXPECT_EQ(lines(file_ + ".1").size(), 2U);
  EXPECT_EQ(lines(file_).size(), 1U);
  struct stat found{};
  ASSERT_EQ(::stat(file_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
}

TEST_F(LogTest, KeepsTheOldFileIfThereIsNoNewOne) {
  const auto log = open(LogFormat::text);
  std::filesystem::rename(file_, file_ + ".1");
  std::filesystem::create_directory(file_);
  EXPECT_FALSE(log->reopen());
  log->write(LogLevel::info, "e", "still");
  EXPECT_EQ(lines(file_ + ".1").size(), 1U);
}

TEST_F(LogTest, SaysWhereItCannotWrite) {
  const auto log = Log::open({.file = folder_ + "/none/baton.log", .now = [] { return kThen; }});
  ASSERT_FALSE(log);
  EXPECT_NE(log.error().message.find("none/baton.log"), std::string::npos);
}

TEST_F(LogTest, CountsWhatItCouldNotWrite) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full";
  std::filesystem::create_symlink("/dev/full", file_);
  const auto log = open();
  log->write(LogLevel::info, "e", "lost");
  log->write(LogLevel::info, "e", "lost, too");
  std::filesystem::remove(file_);
  ASSERT_TRUE(log->reopen());
  log->write(LogLevel::info, "e", "back");
  log->write(LogLevel::info, "e", "and on");
  const auto all = lines(file_);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_NE(all[0].find(R"("event":"log.dropped")"), std::string::npos) << all[0];
  EXPECT_NE(all[0].find(R"("lines":2)"), std::string::npos) << all[0];
}

TEST_F(LogTest, ManyLinesTogetherAreAsIfWrittenOneByOne) {
  const auto log = open(LogFormat::text, LogLevel::warning);
  LogLines many = log->lines(kThen);
  EXPECT_TRUE(many.empty());
  const std::string longer(10'000, 'x');  // than what is written at once
  std::vector<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    const std::string message = i == 150 ? longer : "line " + std::to_string(i);
    many.add(i % 3 == 0 ? LogLevel::info : LogLevel::error, "e", message, {});
    if (i % 3 != 0) expected.push_back("2023-11-14T22:13:20.123Z error: " + message);
  }
  many.add(LogLevel::error, "e", longer, {});
  expected.push_back("2023-11-14T22:13:20.123Z error: " + longer);
  log->write(many);
  EXPECT_EQ(lines(file_), expected);
}

TEST_F(LogTest, CountsEachLineThatItCouldNotWrite) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full";
  std::filesystem::create_symlink("/dev/full", file_);
  const auto log = open();
  LogLines many = log->lines(kThen);
  for (int i = 0; i < 300; ++i) many.add(LogLevel::info, "e", "lost", {});
  log->write(many);
  std::filesystem::remove(file_);
  ASSERT_TRUE(log->reopen());
  log->write(LogLevel::info, "e", "back");
  const auto all = lines(file_);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_NE(all[0].find(R"("lines":300)"), std::string::npos) << all[0];
}

TEST_F(LogTest, LinesOfManyThreadsDoNotMix) {
  const auto log = open(LogFormat::text);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) log->write(LogLevel::info, "e", std::string(100, 'x'));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto all = lines(file_);
  EXPECT_EQ(all.size(), 800U);
  for (const std::string& line : all) EXPECT_EQ(line.size(), all[0].size());
}

TEST(LogNames, AreReadAsTheyAreWritten) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
    EXPECT_EQ(log_level_from(name(level)), level);
  }
  EXPECT_FALSE(log_level_from("INFO"));
  EXPECT_EQ(log_format_from("json"), LogFormat::json);
  EXPECT_FALSE(log_format_from("xml"));
}

}  // namespace
}  // namespace baton::telemetry

#include "executors/process/result.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.hpp"
#include "executors/json_text.hpp"
#include "executors/process/test_support.hpp"

namespace baton::executors::process {
namespace {

using Kind = model::Outcome::Kind;

constexpr int exited(int code) {
  return code << 8;
}
constexpr int killed(int signal) {
  return signal;
}

struct Row {
  const char* name;
  int status;
  bool parse_json;
  std::string output;
  std::optional<std::string> file;
  Kind kind;
  std::string type;  // of a failure
  std::string result;
  std::string message;  // must be contained
  bool never_retry = false;
};

Ended ended_of(const Row& row) {
  Ended ended;
  ended.wait_status = row.status;
  ended.parse_json = row.parse_json;
  if (row.parse_json) ended.output = Head(kMaxResult);
  ended.output.add(row.output);
  ended.errors.add("first\nlast\n");
  ended.result.written = row.file.has_value();
  ended.result.text = row.file.value_or("");
  return ended;
}

TEST(Result, Rules) {
  const std::string big = '"' + std::string(kMaxResult, 'x') + '"';
  const Row rows[] = {
      {"plain", exited(0), false, "hi\n", {}, Kind::completed, "", R"({"stdout":"hi\n","exit_code":0})", ""},
      {"nothing", exited(0), false, "", {}, Kind::completed, "", R"({"stdout":"","exit_code":0})", ""},
      {"file", exited(0), false, "hi", R"( {"a":1}
)",
       Kind::completed, "", R"({"a":1})", ""},
      {"file beats stdout", exited(0), true, "{}", "[1]", Kind::completed, "", "[1]", ""},
      {"scalar", exited(0), false, "", "null", Kind::completed, "", "null", ""},
      {"bad file", exited(0), false, "", "{\"a\":", Kind::failed, "validation", "",
       "$BATON_RESULT is not valid JSON", true},
      {"two values", exited(0), false, "", "1 2", Kind::failed, "validation", "", "extra data", true},
      {"not UTF-8", exited(0), false, "", "\"\xFF\"", Kind::failed, "validation", "", "not valid JSON", true},
      {"empty file", exited(0), false, "", "", Kind::failed, "validation", "", "is empty", true},
      {"blank file", exited(0), false, "", " \n", Kind::failed, "validation", "", "is empty", true},
      {"parse", exited(0), true, "{\"a\": [1]}\n", {}, Kind::completed, "", "{\"a\": [1]}", ""},
      {"parse bad",
       exited(0),
       true,
       "hello",
       {},
       Kind::failed,
       "validation",
       "",
       "stdout (parse: json) is not",
       true},
      {"parse nothing", exited(0), true, "", {}, Kind::failed, "validation", "", "is empty", true},
      {"parse too much", exited(0), true, big, {}, Kind::failed, "validation", "", "larger than 2 MiB", true},
      {"exit",
       exited(3),
       false,
       "",
       {},
       Kind::failed,
       "exit",
       "",
       "exited with code 3; the end of stderr:\nfirst\nlast"},
      {"exit, parse", exited(3), true, "{}", {}, Kind::failed, "exit", "", "code 3"},
      {"exit, partial", exited(3), false, "", "{\"id\":7}", Kind::failed, "exit", "{\"id\":7}", "code 3"},
      {"exit, bad partial", exited(3), false, "", "{", Kind::failed, "exit", "",
       "partial result is lost: $BATON_RESULT is not"},
      {"transient", exited(75), false, "", {}, Kind::failed, "exit", "", "code 75"},
      {"signal", killed(9), false, "", "[2]", Kind::failed, "signal", "[2]", "killed by signal 9 (SIGKILL)"},
      {"shell's 128+n stays an exit", exited(143), false, "", {}, Kind::failed, "exit", "", "code 143"},
  };
  for (const Row& row : rows) {
    const model::Outcome outcome = outcome_of(ended_of(row));
    EXPECT_EQ(outcome.kind, row.kind) << row.name << outcome.failure.message;
    EXPECT_EQ(outcome.failure.type, row.type) << row.name;
    EXPECT_EQ(outcome.result, row.result) << row.name;
    EXPECT_NE(outcome.failure.message.find(row.message), std::string::npos)
        << row.name << outcome.failure.message;
    EXPECT_EQ(outcome.failure.never_retry, row.never_retry) << row.name;
    if (row.kind == Kind::failed && row.type != "validation") {
      EXPECT_EQ(outcome.failure.exit_code.has_value(), row.type != "signal") << row.name;
      EXPECT_EQ(outcome.failure.signal.has_value(), row.type == "signal") << row.name;
    }
  }
}

TEST(Result, RetryAfter) {
  const std::pair<const char*, std::optional<Duration>> cases[] = {
      {R"({"retry_after":"60s"})", Duration::seconds(60)},
      {R"({"retry_after":1.5,"other":1})", Duration::millis(1500)},
      {R"({"retry_after":2})", Duration::seconds(2)},
      {R"({"retry_after":"soon"})", std::nullopt},
      {R"({"retry_after":-1})", std::nullopt},
      {R"({"retry_after":1e300})", std::nullopt},
      {R"({"retry_after":null})", std::nullopt},
      {R"(["retry_after"])", std::nullopt},
  };
  for (const auto& [file, expected] : cases) {
    Ended ended;
    ended.wait_status = exited(75);
    ended.result = {true, file, ""};
    EXPECT_EQ(outcome_of(ended).failure.retry_after, expected) << file;
    ended.wait_status = exited(1);
    EXPECT_EQ(outcome_of(ended).failure.retry_after, std::nullopt) << file;
  }
}

TEST(Result, StdoutIsCutAtItsLimitWithoutCuttingCharacters) {
  for (const std::size_t length : {kMaxStdout - 1, kMaxStdout, kMaxStdout + 1}) {
    Head head(kStdoutHead);
    head.add(std::string(length, 'x'));
    EXPECT_EQ(default_result(head.text()).size(),
              std::string_view(R"({"stdout":"","exit_code":0})").size() + std::min(length, kMaxStdout));
  }
  // A sequence of 1 to 4 bytes at each place around the limit.
  for (const std::string character : {"x", "é", "€", "😀"}) {
    for (std::size_t before = kMaxStdout - 5; before <= kMaxStdout; ++before) {
      Head head(kStdoutHead);
      head.add(std::string(before, 'a') + character + std::string(100, 'b'));
      const std::string result = default_result(head.text());
      EXPECT_EQ(result.find("\xEF\xBF\xBD"), std::string::npos) << character << before;
      EXPECT_EQ(json_problem(result), std::nullopt);
    }
  }
}

TEST(Result, BinaryOutputBecomesReplacementCharacters) {
  EXPECT_EQ(default_result(std::string("a\xFF\x00z", 4)),
            "{\"stdout\":\"a\xEF\xBF\xBD\\u0000z\",\"exit_code\":0}");
  Head head(kStdoutHead);
  head.add(std::string(1 << 20, '\x80'));
  EXPECT_EQ(json_problem(default_result(head.text())), std::nullopt);
}

TEST(Result, TheMessageIsBoundedAndUtf8) {
  Ended ended;
  ended.wait_status = exited(1);
  for (int i = 0; i < 10000; ++i) ended.errors.add("line " + std::to_string(i) + " \xFF\n");
  const std::string message = outcome_of(ended).failure.message;
  EXPECT_LE(message.size(), 4096U);
  EXPECT_TRUE(is_utf8(message));
  EXPECT_NE(message.find("the end of stderr:\nline "), std::string::npos);
  EXPECT_NE(message.find("line 9999"), std::string::npos);
}

TEST(Result, DepthIsLimited) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(json_problem(nested(kMaxResultDepth)), std::nullopt);
  EXPECT_NE(json_problem(nested(kMaxResultDepth + 1)), std::nullopt);
  EXPECT_NE(json_problem(std::string(2'000'000, '[')), std::nullopt);
}

TEST(Result, NumbersFitIntoADouble) {
  for (const char* fits : {"1e308", "-1e308", "1e-400", "123456789012345678901234567890", "[0.1, 2]"})
    EXPECT_EQ(json_problem(fits), std::nullopt) << fits;
  for (const char* over : {"1e400", "-1e400", "[1, {\"a\": 1e309}]"})
    EXPECT_NE(json_problem(over), std::nullopt) << over;
}

class ResultFileTest : public testing::Test {
 protected:
  test::ScratchDirectory directory_;
  std::string path_ = directory_.path() + "/result.json";
};

TEST_F(ResultFileTest, Absent) {
  const ResultFile file = read_result_file(path_);
  EXPECT_FALSE(file.written);
  EXPECT_FALSE(read_result_file(path_ + "/beneath").written);
}

// The process has done its work; this one could not look.
TEST_F(ResultFileTest, ALackOfDescriptorsIsNoFaultOfTheTask) {
  std::ofstream(path_) << "1";
  Ended ended;
  {
    const test::NoDescriptors none;
    ended.result = read_result_file(path_);
  }
  EXPECT_EQ(outcome_of(ended).kind, Kind::interrupted);
  ended.result = read_result_file(path_);
  EXPECT_EQ(outcome_of(ended).kind, Kind::completed);
}

TEST_F(ResultFileTest, TheSizeLimitHoldsOnBothSides) {
  std::ofstream(path_) << std::string(kMaxResult, '1');
  EXPECT_EQ(read_result_file(path_).text.size(), kMaxResult);
  std::ofstream(path_, std::ios::app) << '1';
  const ResultFile file = read_result_file(path_);
  EXPECT_TRUE(file.written);
  EXPECT_EQ(file.problem, "is larger than 2 MiB");
  EXPECT_TRUE(file.text.empty());
  std::filesystem::resize_file(path_, std::uintmax_t{1} << 40);
  EXPECT_EQ(read_result_file(path_).problem, "is larger than 2 MiB");
}

TEST_F(ResultFileTest, OnlyRegularFilesAreRead) {
  ASSERT_EQ(::symlink("/etc/hostname", path_.c_str()), 0);
  EXPECT_EQ(read_result_file(path_).problem, "is a symbolic link");
  std::filesystem::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(read_result_file(path_).problem, "is not a regular file");
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_EQ(read_result_file(path_).problem, "is not a regular file");
}

TEST_F(ResultFileTest, AProblemIsAValidationFailureOnlyOfASuccess) {
  Ended ended;
  ended.result = {true, "", "is a symbolic link"};
  EXPECT_EQ(outcome_of(ended).failure.type, "validation");
  EXPECT_EQ(outcome_of(ended).failure.message, "$BATON_RESULT is a symbolic link");
  ended.wait_status = exited(2);
  EXPECT_EQ(outcome_of(ended).failure.type, "exit");
}

TEST(Capture, TailKeepsTheEnd) {
  Tail tail(4);
  tail.add("ab");
  EXPECT_FALSE(tail.cut());
  tail.add("cd");
  EXPECT_FALSE(tail.cut());
  tail.add("e");
  EXPECT_TRUE(tail.cut());
  EXPECT_EQ(tail.text(), "bcde");
  tail.add("0123456789");
  EXPECT_EQ(tail.text(), "6789");
}

}  // namespace
}  // namespace baton::executors::process

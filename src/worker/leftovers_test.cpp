#include "worker/leftovers.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/fd.hpp"
#include "worker/tidier.hpp"

namespace baton::worker {
namespace {

namespace fs = std::filesystem;

class Leftovers : public ::testing::Test {
 protected:
  Leftovers() {
    std::string name = (fs::temp_directory_path() / "baton-leftovers-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    scratch_ = folder_ + "/w1/scratch";
    fs::create_directories(scratch_);
  }
  ~Leftovers() override { fs::remove_all(folder_); }

  static RunId run(int n) { return *RunId::parse("01a1fe71-1636-7000-92a8-8b000000000" + std::to_string(n)); }
  std::string make_run(int n) {
    const std::string path = scratch_ + '/' + run(n).text();
    fs::create_directories(path + "/.baton");
    std::ofstream(path + "/file") << "x";
    return path;
  }
  static WallTime now() {
    return {std::chrono::duration_cast<std::chrono::microseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
  }

  std::string folder_;
  std::string scratch_;
};

TEST_F(Leftovers, FoldersOfRunsSayHowLongTheyWereNotUsed) {
  make_run(1);
  fs::create_directories(scratch_ + "/.secrets");
  fs::create_directories(scratch_ + "/no-run");
  const auto folders = run_folders(scratch_, now() + Duration::hours(5));
  ASSERT_EQ(folders.size(), 1U);
  EXPECT_EQ(folders[0].run, run(1));
  EXPECT_GE(folders[0].unused, Duration::hours(5) - Duration::minutes(1));
  EXPECT_EQ(run_folders(scratch_, WallTime{}).at(0).unused, Duration{});  // a clock that was set back
  EXPECT_TRUE(run_folders(folder_ + "/none", now()).empty());
}

TEST_F(Leftovers, WhatIsSetAsideIsGoneAtOnce) {
  const std::string path = make_run(1);
  fs::permissions(path + "/.baton", fs::perms::none);
  EXPECT_TRUE(set_aside(scratch_, run(1)));
  EXPECT_FALSE(fs::exists(path));
  make_run(1);
  EXPECT_TRUE(set_aside(scratch_, run(1)));
  EXPECT_TRUE(set_aside(scratch_, run(2)));
  EXPECT_TRUE(remove_set_aside(scratch_));
  EXPECT_TRUE(fs::is_empty(scratch_));
}

TEST_F(Leftovers, OnlyFoldersOfDeadWorkersWithoutANameAreAbandoned) {
  for (const char* name : {"w1", "dead", "alive", "named"}) {
    fs::create_directories(folder_ + '/' + name + "/scratch");
    std::ofstream(lock_path(folder_ + '/' + name)) << "1";
    if (std::string(name) != "named") EXPECT_TRUE(mark_temporary(folder_ + '/' + name));
  }
  const Fd held(::open(lock_path(folder_ + "/alive").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
  remove_abandoned(folder_ + "/w1");
  EXPECT_FALSE(fs::exists(folder_ + "/dead"));
  for (const char* name : {"w1", "alive", "named"}) EXPECT_TRUE(fs::exists(folder_ + '/' + name)) << name;
}

class Tidying : public Leftovers {
 protected:
  TidyOptions options() {
    TidyOptions options;
    options.scratch = scratch_;
    options.reserve = 0;
    options.now = [this] { return now_; };
    options.ask = [this](const std::vector<RunId>& runs) -> Result<std::vector<RunEnd>> {
      ++asked_;
      std::vector<RunEnd> ends;
      for (const RunId& id : runs) {
        if (const auto end = ends_.find(id); end != ends_.end()) ends.push_back({id, end->second});
      }
      return ends;
    };
    options.unless_busy = [this](const RunId& id, const std::function<void()>& action) {
      if (id != busy_) action();
    };
    options.note = [this](std::string_view line) { notes_ += std::string(line) + '\n'; };
    return options;
  }

  std::map<RunId, std::optional<Duration>> ends_;
  RunId busy_;
  WallTime now_ = now();
  int asked_ = 0;
  std::string notes_;
};

TEST_F(Tidying, FoldersGoAWhileAfterTheEndOfTheirRun) {
  const std::string open = make_run(1);
  const std::string late = make_run(2);
  const std::string early = make_run(3);
  const std::string unknown = make_run(4);
  const std::string busy = make_run(5);
  ends_ = {{run(2), Duration::hours(2)},
           {run(3), Duration::minutes(1)},
           {run(4), std::nullopt},
           {run(5), Duration::hours(2)}};
  busy_ = run(5);
  TidyOptions set = options();
  set.keep = Duration::hours(1);
  Tidier tidier(set);
  EXPECT_TRUE(tidier.look());
  EXPECT_EQ(asked_, 0);  // all of them were in use until lately
  now_ = now_ + Duration::hours(3);
  EXPECT_TRUE(tidier.look());
  EXPECT_TRUE(fs::exists(open));
  EXPECT_FALSE(fs::exists(late));
  EXPECT_TRUE(fs::exists(early));
  EXPECT_FALSE(fs::exists(unknown));
  EXPECT_TRUE(fs::exists(busy));
  EXPECT_EQ(asked_, 1);
  EXPECT_TRUE(tidier.look());
  EXPECT_EQ(asked_, 1);  // not all the time
  EXPECT_EQ(notes_, "");
}

TEST_F(Tidying, WithoutRoomFoldersOfEndedRunsGoAtOnceAndNoTasksAreTaken) {
  const std::string open = make_run(1);
  const std::string ended = make_run(2);
  const std::string unknown = make_run(3);
  ends_ = {{run(2), Duration{}}, {run(3), std::nullopt}};
  TidyOptions set = options();
  set.reserve = ~std::uint64_t{0};
  Tidier tidier(set);
  EXPECT_FALSE(tidier.look());
  EXPECT_TRUE(fs::exists(open));
  EXPECT_FALSE(fs::exists(ended));
  EXPECT_TRUE(fs::exists(unknown));  // perhaps another server's
  EXPECT_NE(notes_.find("no more tasks are taken"), std::string::npos) << notes_;
}

TEST_F(Tidying, AServerThatDoesNotAnswerCostsNothing) {
  const std::string path = make_run(1);
  TidyOptions set = options();
  set.keep = Duration{};
  set.ask = [](const std::vector<RunId>&) { return fail(ErrorCode::unavailable, "away"); };
  EXPECT_TRUE(Tidier(set).look());
  EXPECT_TRUE(fs::exists(path));
}

}  // namespace
}  // namespace baton::worker

#include "embedded/checkup.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "embedded/owner.hpp"
#include "net/http_client.hpp"

namespace baton::embedded {
namespace {

constexpr WallTime kLater{4'000'000'000'000'000};  // in the year 2096

class CheckupTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/baton-checkup-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    data_ = root_ + "/data";
    auto owner = Owner::open({.data_dir = data_, .execute = false});
    ASSERT_TRUE(owner) << owner.error().message;
    // A commit, so that there is a last one.
    net::HttpClient client(*net::parse_endpoint("unix:" + socket_path_of(data_)));
    net::ClientRequest request{net::Method::put, "/api/v1/limits/gpu", {}, R"({"limit":1})", false};
    request.headers.set("Content-Type", "application/json");
    const auto response = client.request(request, Duration::seconds(60));
    ASSERT_TRUE(response) << response.error().message;
    ASSERT_EQ(response->status, 200) << response->body;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  Finding find(const std::string& check, WallTime now = kLater, std::optional<std::uint64_t> reserve = 0) {
    const auto findings = check_data_dir({.data_dir = data_, .min_free_space = reserve}, now);
    const auto found = std::ranges::find(findings, check, &Finding::check);
    return found == findings.end() ? Finding{"(none)", Health::error, "", ""} : *found;
  }

  std::string root_;
  std::string data_;
};

TEST_F(CheckupTest, ANewDirectoryIsInOrder) {
  for (const char* check : {"data directory", "database", "disk", "clock"}) {
    const Finding finding = find(check);
    EXPECT_EQ(finding.health, Health::ok) << check << ": " << finding.message;
    EXPECT_EQ(finding.advice, "") << check;
    EXPECT_NE(finding.message, "") << check;
  }
}

TEST_F(CheckupTest, SeesADirectoryThatOthersReach) {
  ASSERT_EQ(::chmod(data_.c_str(), 0755), 0);
  const Finding finding = find("data directory");
  EXPECT_EQ(finding.health, Health::warning);
  EXPECT_EQ(finding.advice, "chmod 700 " + data_);
}

TEST_F(CheckupTest, SeesADirectoryThatIsNotThere) {
  const auto findings = check_data_dir({.data_dir = root_ + "/none"}, kLater);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].health, Health::error);
}

TEST_F(CheckupTest, SeesADamagedDatabase) {
  const std::string file = data_ + "/baton.db";
  const auto size = std::filesystem::file_size(file);
  std::fstream database(file, std::ios::in | std::ios::out | std::ios::binary);
  database.seekp(static_cast<std::streamoff>(size / 2));
  database << std::string(4096, 'x');
  database.close();
  const Finding finding = find("database");
  EXPECT_EQ(finding.health, Health::error) << finding.message;
  EXPECT_NE(finding.advice.find("baton restore"), std::string::npos);
}

TEST_F(CheckupTest, SeesAFullDisk) {
  const Finding finding = find("disk", kLater, UINT64_MAX);
  EXPECT_EQ(finding.health, Health::error);
  EXPECT_NE(finding.advice.find("no new runs are taken"), std::string::npos);
}

TEST_F(CheckupTest, SeesAClockThatWasSetBack) {
  const Finding finding = find("clock", WallTime{1'000'000});
  EXPECT_EQ(finding.health, Health::error) << finding.message;
  EXPECT_NE(finding.message.find("set back"), std::string::npos);
}

TEST_F(CheckupTest, CountsWhatTakesTheDisk) {
  const DiskUse before = disk_use(data_);
  std::filesystem::create_directories(data_ + "/logs/2026/x");
  std::filesystem::create_directories(data_ + "/scratch/y");
  std::ofstream(data_ + "/logs/2026/x/0.1") << std::string(3000, 'l');
  std::ofstream(data_ + "/scratch/y/file") << std::string(2000, 's');
  std::filesystem::create_symlink("/etc", data_ + "/scratch/elsewhere");
  const DiskUse use = disk_use(data_);
  EXPECT_EQ(use.logs, 3000U);
  EXPECT_EQ(use.scratch, before.scratch + 2000) << "what a link leads to is not ours";
  EXPECT_GT(use.database, 4096U);
}

}  // namespace
}  // namespace baton::embedded

#include "secrets/key_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace baton::secrets {
namespace {

class KeyFile : public testing::Test {
 protected:
  KeyFile() { std::filesystem::create_directories(folder_); }
  ~KeyFile() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& text) const {
    std::ofstream(path_) << text;
    ::chmod(path_.c_str(), 0600);
  }

  std::string folder_ =
      testing::TempDir() + "key_file_" + testing::UnitTest::GetInstance()->current_test_info()->name();
  std::string path_ = folder_ + "/secrets.key";
};

TEST_F(KeyFile, ComesBackAsItWasAndIsPrivate) {
  const auto none = read_key_file(path_);
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  const Key key = Key::random();
  ASSERT_TRUE(write_key_file(path_, key));
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  const auto read = read_key_file(path_);
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->id(), key.id());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1) << "nothing beside it";
}

TEST_F(KeyFile, OneThatIsThereIsNeverReplaced) {
  const Key first = Key::random();
  ASSERT_TRUE(write_key_file(path_, first));
  const Status second = write_key_file(path_, Key::random());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  EXPECT_EQ((*read_key_file(path_))->id(), first.id());
}

TEST_F(KeyFile, WhatIsNoKeyIsSaid) {
  for (const std::string& text : {std::string(), std::string("x"), std::string(64, 'g'), std::string(63, '0'),
                                  std::string(66, '0'), std::string(64, '0') + " x"}) {
    write(text);
    const auto read = read_key_file(path_);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::bad_configuration) << text;
  }
  write(std::string(64, '0') + "\n");
  EXPECT_TRUE(read_key_file(path_));
}

TEST_F(KeyFile, OneThatEverybodyMayReadIsRefused) {
  ASSERT_TRUE(write_key_file(path_, Key::random()));
  ::chmod(path_.c_str(), 0644);
  const auto read = read_key_file(path_);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("chmod 600"), std::string::npos);
}

TEST_F(KeyFile, AFolderThatIsMissingIsSaid) {
  EXPECT_FALSE(write_key_file(folder_ + "/none/secrets.key", Key::random()));
  EXPECT_FALSE(read_key_file(folder_)) << "a folder is no file";
}

}  // namespace
}  // namespace baton::secrets

#include "cli/contexts.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace baton::cli {
namespace {

class ContextsTest : public testing::Test {
 protected:
  ContextsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "baton-contexts-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/config/contexts.json";
  }
  ~ContextsTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  std::string directory_;
  std::string path_;
};

TEST_F(ContextsTest, ComeBackAsTheyWere) {
  EXPECT_TRUE(load_contexts(path_)->all.empty());
  ASSERT_TRUE(save_contexts(path_, {"b", {{"a", "http://x", "", ""}, {"b", "https://y", "key", "/ca"}}}));
  const auto contexts = load_contexts(path_);
  ASSERT_TRUE(contexts);
  EXPECT_EQ(contexts->current, "b");
  ASSERT_NE(contexts->find("b"), nullptr);
  EXPECT_EQ(contexts->find("b")->key, "key");
  EXPECT_EQ(contexts->find("b")->ca_file, "/ca");
  EXPECT_EQ(contexts->find("c"), nullptr);
}

TEST_F(ContextsTest, NobodyElseReadsThem) {
  const mode_t mask = ::umask(0);
  ASSERT_TRUE(save_contexts(path_, {"", {{"a", "http://x", "key", ""}}}));
  ::umask(mask);
  struct stat info{};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  ::chmod(path_.c_str(), 0640);
  const auto refused = load_contexts(path_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("chmod 600"), std::string::npos);
}

TEST_F(ContextsTest, SomethingElseIsSaid) {
  std::filesystem::create_directories(directory_ + "/config");
  for (const char* text : {"", "x", "[]", "{}", "{\"contexts\":1}", "{\"contexts\":[1]}"}) {
    std::ofstream(path_) << text;
    ::chmod(path_.c_str(), 0600);
    const auto refused = load_contexts(path_);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::bad_configuration);
  }
}

TEST_F(ContextsTest, AKeyIsTheFirstLine) {
  const std::string file = directory_ + "/key";
  std::ofstream(file) << "baton_x\nmore\n";
  EXPECT_EQ(*read_key_file(file), "baton_x");
  std::ofstream(file) << "\n";
  EXPECT_FALSE(read_key_file(file));
}

}  // namespace
}  // namespace baton::cli

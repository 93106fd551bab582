#include "cli/settings.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace baton::cli {
namespace {

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "baton-cli-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    environment_ = {{"HOME", directory_}};
  }
  ~SettingsTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = directory_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  Result<Settings> load() {
    return load_settings(flags_, [this](const char* name) -> std::optional<std::string> {
      const auto found = environment_.find(name);
      if (found == environment_.end()) return std::nullopt;
      return found->second;
    });
  }
  void expect_wrong(ErrorCode code, std::string_view part) {
    const auto settings = load();
    ASSERT_FALSE(settings.has_value());
    EXPECT_EQ(settings.error().code, code);
    EXPECT_NE(settings.error().message.find(part), std::string::npos) << settings.error().message;
  }
  static const Setting& find(const Settings& settings, std::string_view name) {
    for (const Setting& setting : settings.all) {
      if (setting.name == name) return setting;
    }
    ADD_FAILURE() << name;
    return settings.all.front();
  }

  std::string directory_;
  Flags flags_;
  std::map<std::string, std::string> environment_;
};

TEST_F(SettingsTest, Defaults) {
  const auto settings = load();
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->concurrency, 0U);
  EXPECT_EQ(settings->output, Format::table);
  EXPECT_EQ(settings->config_file, "");
  for (const Setting& setting : settings->all) EXPECT_EQ(setting.origin, "default") << setting.name;
}

TEST_F(SettingsTest, LaterWins) {
  const std::string file =
      write(".config/baton/config.yaml", "# mine\nconcurrency: 3\noutput: yaml\ndata: ~/here\n");
  auto settings = load();
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->concurrency, 3U);
  EXPECT_EQ(settings->data_dir, directory_ + "/here");
  EXPECT_EQ(find(*settings, "concurrency").origin, file + ":2");

  environment_["BATON_CONCURRENCY"] = "5";
  settings = load();
  EXPECT_EQ(settings->concurrency, 5U);
  EXPECT_EQ(find(*settings, "concurrency").origin, "environment BATON_CONCURRENCY");
  EXPECT_EQ(settings->output, Format::yaml);

  flags_.concurrency = "7";
  flags_.output = "json";
  settings = load();
  EXPECT_EQ(settings->concurrency, 7U);
  EXPECT_EQ(settings->output, Format::json);
  EXPECT_EQ(find(*settings, "output").origin, "flag --output");
}

TEST_F(SettingsTest, WhereTheFileIs) {
  const std::string other = write("other.yaml", "concurrency: 9\n");
  const std::string xdg = write("xdg/baton/config.yaml", "concurrency: 8\n");
  environment_["XDG_CONFIG_HOME"] = directory_ + "/xdg";
  EXPECT_EQ(load()->config_file, xdg);
  environment_["BATON_CONFIG"] = other;
  EXPECT_EQ(load()->config_file, other);
  flags_.config = xdg;
  EXPECT_EQ(load()->config_file, xdg);
  flags_.config = directory_ + "/missing.yaml";
  expect_wrong(ErrorCode::bad_configuration, "missing.yaml");
}

TEST_F(SettingsTest, ARelativeDataDirectoryInTheFileIsRelativeToTheFile) {
  flags_.config = write("project/baton.yaml", "data: state/baton/\n");
  EXPECT_EQ(load()->data_dir, directory_ + "/project/state/baton");
}

TEST_F(SettingsTest, AnEmptyFileIsFine) {
  flags_.config = write("empty.yaml", "");
  EXPECT_TRUE(load().has_value());
}

TEST_F(SettingsTest, RefusesWrongFiles) {
  flags_.config = write("c.yaml", "output: json\nconcurency: 3\n");
  expect_wrong(ErrorCode::bad_configuration,
               "c.yaml:2:1: unknown setting \"concurency\"; did you mean \"concurrency\"?");
  write("c.yaml", "concurrency: many\n");
  expect_wrong(ErrorCode::bad_configuration, "c.yaml:1");
  write("c.yaml", "concurrency: 0\n");
  expect_wrong(ErrorCode::bad_configuration, "1 to 100000");
  write("c.yaml", "concurrency: [1]\n");
  expect_wrong(ErrorCode::bad_configuration, "must be a text or a number");
  write("c.yaml", "- a\n");
  expect_wrong(ErrorCode::bad_configuration, "must be a map");
  write("c.yaml", "a: b: c\n");
  expect_wrong(ErrorCode::bad_configuration, "c.yaml:1");
}

TEST_F(SettingsTest, AWrongVariableIsConfigurationAndAWrongFlagIsUsage) {
  environment_["BATON_OUTPUT"] = "xml";
  expect_wrong(ErrorCode::bad_configuration, "table, json, jsonl or yaml");
  environment_.erase("BATON_OUTPUT");
  flags_.output = "xml";
  expect_wrong(ErrorCode::usage, "--output must be table, json, jsonl or yaml, not \"xml\"");
}

}  // namespace
}  // namespace baton::cli

#include "cli/settings.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

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

TEST_F(SettingsTest, EgressInTheFile) {
  flags_.config = write("c.yaml", "egress:\n  deny: [10.0.0.0/8, \"::1\"]\n  allow: 10.1.0.0/16\n");
  const auto settings = load();
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->egress.deny, (std::vector<std::string>{"10.0.0.0/8", "::1"}));
  EXPECT_EQ(settings->egress.allow, std::vector<std::string>{"10.1.0.0/16"});
  const Setting& deny = find(*settings, "egress.deny");
  EXPECT_TRUE(deny.value.starts_with("169.254.0.0/16, ")) << deny.value;
  EXPECT_TRUE(deny.value.ends_with(", 10.0.0.0/8, ::1")) << deny.value;
  EXPECT_EQ(deny.origin, flags_.config + ":2");
  EXPECT_EQ(find(*settings, "egress.allow").value, "10.1.0.0/16");
}

TEST_F(SettingsTest, EgressInTheEnvironmentAndByDefault) {
  const auto usual = load();
  ASSERT_TRUE(usual);
  EXPECT_TRUE(usual->egress.deny.empty());
  EXPECT_TRUE(find(*usual, "egress.deny").value.starts_with("169.254.0.0/16, fe80::/10"));
  environment_["BATON_EGRESS_DENY"] = "0.0.0.0/0,::/0";
  environment_["BATON_EGRESS_ALLOW"] = "10.0.0.0/8 fd00::/8";
  const auto settings = load();
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->egress.deny, (std::vector<std::string>{"0.0.0.0/0", "::/0"}));
  EXPECT_EQ(settings->egress.allow, (std::vector<std::string>{"10.0.0.0/8", "fd00::/8"}));
  EXPECT_EQ(split_list(join_list(settings->egress.allow)), settings->egress.allow);
}

TEST_F(SettingsTest, EgressThatIsNone) {
  environment_["BATON_EGRESS_DENY"] = "10.0.0.1/8";
  expect_wrong(ErrorCode::bad_configuration, "egress.deny (environment BATON_EGRESS_DENY)");
  environment_.erase("BATON_EGRESS_DENY");
  const std::pair<const char*, const char*> table[] = {
      {"egress: {allow: {a: 1}}", "or a list of these"},
      {"egress: {deny: [[1]]}", "each of \"egress.deny\""},
      {"egress: 10.0.0.0/8", "\"egress\" must be a map"},
      {"egress: {denny: [10.0.0.0/8]}", "did you mean \"egress.deny\"?"},
      {"egress: {deny: [everything]}", "not a range of addresses"},
      {"data: [a]", "must be a text or a number"},
  };
  for (const auto& [text, why] : table) {
    flags_.config = write("c.yaml", text);
    expect_wrong(ErrorCode::bad_configuration, why);
  }
}

TEST_F(SettingsTest, FreeSpaceIsASize) {
  const auto reserve = [&](const std::string& text) {
    flags_.config = write("c.yaml", "min_free_space: " + text + "\n");
    return load();
  };
  EXPECT_EQ(reserve("auto")->min_free_space, std::nullopt);
  EXPECT_EQ(reserve("0")->min_free_space, 0U);
  EXPECT_EQ(reserve("12345")->min_free_space, 12345U);
  EXPECT_EQ(reserve("512MiB")->min_free_space, std::uint64_t{512} << 20);
  EXPECT_EQ(reserve("2GiB")->min_free_space, std::uint64_t{2} << 30);
  for (const char* wrong : {"-1", "2GB", "MiB", "99999999999999999999", "99999999TiB", "5%"}) {
    const auto settings = reserve(wrong);
    ASSERT_FALSE(settings) << wrong;
    EXPECT_EQ(settings.error().code, ErrorCode::bad_configuration);
  }
}

TEST_F(SettingsTest, AServerInsteadOfADirectory) {
  EXPECT_FALSE(load()->remote);
  environment_["BATON_URL"] = "https://baton.example";
  environment_["BATON_API_KEY"] = "baton_secret";
  auto settings = load();
  ASSERT_TRUE(settings) << settings.error().message;
  ASSERT_TRUE(settings->remote);
  EXPECT_EQ(settings->remote->endpoint.host, "baton.example");
  EXPECT_EQ(settings->remote->endpoint.port, 443);
  EXPECT_TRUE(settings->remote->endpoint.tls);
  EXPECT_EQ(settings->remote->key, "baton_secret");
  for (const Setting& setting : settings->all)
    EXPECT_EQ(setting.value.find("baton_secret"), std::string::npos);
  environment_["BATON_DATA"] = directory_;
  EXPECT_TRUE(load()->remote) << "of equals the server";
  flags_.data = directory_;
  EXPECT_FALSE(load()->remote) << "a flag is stronger";
  flags_.url = "http://127.0.0.1:7711";
  EXPECT_EQ(load()->remote->endpoint.port, 7711);
}

TEST_F(SettingsTest, WhatIsNoServer) {
  for (const char* url : {"ftp://x", "unix:/x", "https://x:0", "x"}) {
    environment_["BATON_URL"] = url;
    expect_wrong(ErrorCode::bad_configuration, "url");
  }
  environment_.erase("BATON_URL");
  environment_["BATON_LISTEN"] = "example.org:80";
  expect_wrong(ErrorCode::bad_configuration, "listen");
  environment_["BATON_LISTEN"] = "127.0.0.1:80";
  environment_["BATON_TRUSTED_PROXIES"] = "10.0.0.0/8, nonsense";
  expect_wrong(ErrorCode::bad_configuration, "trusted_proxies");
}

TEST_F(SettingsTest, AFileWithTheKeyCountsAsStronglyAsItIsSaid) {
  const std::string config = write("config.yaml", "url: http://h:1\napi_key: weak\n");
  flags_.config = config;
  EXPECT_EQ(load()->remote->key, "weak");
  environment_["BATON_API_KEY_FILE"] = directory_ + "/none";
  auto settings = load();
  ASSERT_TRUE(settings) << "it is read when the server is asked: " << settings.error().message;
  EXPECT_EQ(settings->remote->key, "");
  EXPECT_EQ(settings->remote->key_file, directory_ + "/none");
  environment_["BATON_API_KEY"] = "named";
  EXPECT_EQ(load()->remote->key, "named") << "of equals the key";
  EXPECT_EQ(load()->remote->key_file, "");
}

TEST_F(SettingsTest, TheContextInUse) {
  const std::string file =
      write(".config/baton/contexts.json",
            R"({"current":"prod","contexts":[{"name":"prod","url":"http://h:1","key":"k"}]})");
  ::chmod(file.c_str(), 0600);
  auto settings = load();
  ASSERT_TRUE(settings) << settings.error().message;
  ASSERT_TRUE(settings->remote);
  EXPECT_EQ(settings->remote->key, "k");
  environment_["BATON_API_KEY"] = "other";
  EXPECT_EQ(load()->remote->key, "other");
  environment_.erase("BATON_API_KEY");
  environment_["BATON_API_KEY_FILE"] = "/key";
  EXPECT_EQ(load()->remote->key, "");
  EXPECT_EQ(load()->remote->key_file, "/key");
  environment_["BATON_DATA"] = directory_;
  EXPECT_FALSE(load()->remote);
}

}  // namespace
}  // namespace baton::cli

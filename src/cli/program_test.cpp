#include "cli/program.hpp"

#include <gtest/gtest.h>

#include <set>

namespace baton::cli {
namespace {

std::string help_of_all(CLI::App& command) {
  std::string text = command.help();
  for (CLI::App* sub : command.get_subcommands({})) text += help_of_all(*sub);
  return text;
}

TEST(Program, MadeForOneCommandHasThatCommandWhole) {
  Program all;
  std::set<std::string> alone;
  for (CLI::App* command : all.app().get_subcommands({})) {
    const std::string name = command->get_name();
    Program one(name);
    CLI::App* same = one.app().get_subcommand(name);  // throws if there is none
    EXPECT_EQ(help_of_all(*same), help_of_all(*command)) << name;
    if (one.app().get_subcommands({}).size() <= 3) alone.insert(name);
  }
  // What looks at all commands has all of them; nothing else pays for that.
  EXPECT_EQ(all.app().get_subcommands({}).size(), alone.size() + 2);
  EXPECT_FALSE(alone.contains("completion"));
  EXPECT_FALSE(alone.contains("manual"));
}

TEST(Program, EveryCommandHasAHeading) {
  Program all;
  for (const CLI::App* command : all.app().get_subcommands({})) {
    EXPECT_NE(command->get_group(), "Subcommands") << command->get_name();
    EXPECT_EQ(command->get_group().empty(), command->get_name() == "bench-worker") << command->get_name();
  }
}

TEST(Program, MadeForAnythingElseHasAll) {
  const std::size_t all = Program().app().get_subcommands({}).size();
  for (const char* first : {"", "--help", "-h", "sever", "queues targets", " ", "run "}) {
    EXPECT_EQ(Program(first).app().get_subcommands({}).size(), all) << '"' << first << '"';
  }
}

}  // namespace
}  // namespace baton::cli

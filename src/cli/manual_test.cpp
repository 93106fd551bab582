#include "cli/manual.hpp"

#include <gtest/gtest.h>

namespace baton::cli {
namespace {

TEST(Manual, HasEveryCommandWithItsFlags) {
  CLI::App app("Runs things.", "baton");
  CLI::App& runs = *app.add_subcommand("runs", "What there is");
  CLI::App& list = *runs.add_subcommand("list", "Lists runs");
  int limit = 0;
  std::string status;
  list.add_option("--limit,-n", limit, "How many")->type_name("N");
  list.add_option("status", status, "Of which status")->required();
  app.add_subcommand("secret", "Not shown")->group("");
  const std::string page = manual_page(app);
  EXPECT_TRUE(page.starts_with(".TH BATON 1 "));
  EXPECT_NE(page.find(".SS \\fBbaton runs list\\fR \\fIstatus\\fR\nLists runs\n"), std::string::npos) << page;
  EXPECT_NE(page.find(".TP\n\\fB\\-n\\fR, \\fB\\-\\-limit\\fR \\fIN\\fR\nHow many\n"), std::string::npos)
      << page;
  EXPECT_EQ(page.find("secret"), std::string::npos);
}

TEST(Manual, TextIsNeverARequest) {
  CLI::App app(".so /etc/passwd", "baton");
  app.add_subcommand("a", "'quoted\nand \\fBbold");
  const std::string page = manual_page(app);
  EXPECT_EQ(page.find("\n.so"), std::string::npos) << page;
  EXPECT_NE(page.find("\\&'quoted and \\efBbold"), std::string::npos) << page;
}

}  // namespace
}  // namespace baton::cli

#include "cli/commands/commands.hpp"
#include "cli/output.hpp"

namespace baton::cli {
namespace {

int show(const Context& context) {
  std::vector<boost::json::object> items;
  for (const Setting& setting : context.settings.all) {
    items.push_back({{"name", setting.name},
                     {"value", setting.value},
                     {"origin", setting.origin},
                     {"environment", setting.environment}});
  }
  const auto field = [](const char* name) {
    return [name](const boost::json::object& row, const Style&) { return cell_of(row, name); };
  };
  const Column columns[] = {{"NAME", field("name")},
                            {"VALUE", field("value"), false, 1},
                            {"ORIGIN", field("origin"), false, 2},
                            {"ENVIRONMENT", field("environment"), false, 3}};
  print_list(context.console, context.settings.output, std::move(items), "", columns);
  if (context.settings.output == Format::table) {
    context.console.note(context.settings.config_file.empty()
                             ? "no configuration file"
                             : "configuration file: " + context.settings.config_file);
  }
  return kOk;
}

}  // namespace

void add_config(Program& program) {
  CLI::App& config = *program.app().add_subcommand("config", "Shows the configuration");
  config.require_subcommand(1);
  program.command(config, "show", "Every setting with its value and where it comes from", show);
}

}  // namespace baton::cli

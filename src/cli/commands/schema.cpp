#include "cli/commands/commands.hpp"
#include "cli/output.hpp"
#include "spec/help.hpp"
#include "spec/json_schema.hpp"

namespace baton::cli {
namespace {

int show(const Context& context, const std::string& field) {
  if (field.empty()) {
    const boost::json::value schema = spec::json_schema();
    context.console.out(context.settings.output == Format::yaml    ? to_yaml(schema)
                        : context.settings.output == Format::jsonl ? to_json_line(schema)
                                                                   : to_pretty_json(schema));
    return kOk;
  }
  if (context.settings.output == Format::table) {
    const auto help = spec::field_help(field);
    if (!help) return context.fail(help.error());
    context.console.out(*help);
    return kOk;
  }
  const auto data = spec::field_data(field);
  if (!data) return context.fail(data.error());
  print_object(context.console, context.settings.output, *data, {});
  return kOk;
}

}  // namespace

void add_schema(Program& program) {
  const auto field = std::make_shared<std::string>();
  CLI::App& command = program.command(program.app(), "schema", "Shows the JSON Schema of workflow files",
                                      [field](const Context& context) { return show(context, *field); });
  command
      .add_option("--field", *field, "Explains one field instead, or lists those that begin so: steps.retry")
      ->type_name("PATH");
}

}  // namespace baton::cli

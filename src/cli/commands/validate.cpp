#include "cli/commands/commands.hpp"
#include "cli/diagnostics.hpp"
#include "cli/files.hpp"
#include "cli/output.hpp"
#include "spec/parse.hpp"

namespace baton::cli {
namespace {

int validate(const Context& context, const std::string& file) {
  const auto text = read_text_file(file, kMaxDefinition);
  if (!text) return context.fail(text.error());
  const spec::ParseResult parsed = spec::parse_workflow(*text, {.file_name = display_name(file)});
  const bool valid = parsed.workflow != nullptr;
  if (context.settings.output == Format::table) {
    show_diagnostics(context.console, parsed.diagnostics);
    if (valid) {
      context.console.out(display_name(file) + ": " + parsed.workflow->name + ", " +
                          std::to_string(parsed.workflow->steps.size()) +
                          (parsed.workflow->steps.size() == 1 ? " step\n" : " steps\n"));
    }
    return valid ? kOk : kUsage;
  }
  boost::json::object result;
  result["valid"] = valid;
  result["file"] = display_name(file);
  result["workflow"] = valid ? boost::json::value(parsed.workflow->name) : boost::json::value();
  result["steps"] = valid ? boost::json::value(parsed.workflow->steps.size()) : boost::json::value();
  result["diagnostics"] = spec::to_json(parsed.diagnostics);
  print_object(context.console, context.settings.output, result, {});
  return valid ? kOk : kUsage;
}

}  // namespace

void add_validate(Program& program) {
  const auto file = std::make_shared<std::string>();
  CLI::App& command = program.command(program.app(), "validate", "Checks a workflow file without running it",
                                      [file](const Context& context) { return validate(context, *file); });
  command.add_option("file", *file, "Workflow in YAML or JSON; - is standard input")
      ->required()
      ->type_name("FILE");
}

}  // namespace baton::cli

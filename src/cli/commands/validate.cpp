#include "cli/commands/commands.hpp"
#include "cli/diagnostics.hpp"
#include "cli/files.hpp"
#include "cli/output.hpp"
#include "cli/settings.hpp"
#include "cli/zones.hpp"
#include "spec/parse.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

std::string summary(const std::string& file, const spec::Outline& outline) {
  const std::size_t steps = outline.steps.size();
  return display_name(file) + ": " + outline.name + ", " + std::to_string(steps) +
         (steps == 1 ? " step\n" : " steps\n");
}

json::object to_json(const std::string& file, const spec::CheckResult& checked) {
  const bool valid = checked.outline.has_value();
  json::object result;
  result["valid"] = valid;
  result["file"] = display_name(file);
  result["workflow"] = valid ? json::value(checked.outline->name) : json::value();
  result["steps"] = valid ? json::value(checked.outline->steps.size()) : json::value();
  result["diagnostics"] = spec::to_json(checked.diagnostics);
  return result;
}

int validate(const Context& context, const std::vector<std::string>& files) {
  const Format format = context.settings.output;
  int code = kOk;
  std::vector<json::object> results;
  Zones zones;
  for (const std::string& file : files) {
    const auto text = read_text_file(file, kMaxDefinition);
    if (!text) return context.fail(text.error());
    const spec::CheckResult checked =
        spec::check_workflow(*text, {.file_name = display_name(file), .zones = [&] { return zones.get(); }});
    if (!checked.outline) code = kUsage;
    if (format != Format::table) {
      results.push_back(to_json(file, checked));
      continue;
    }
    show_diagnostics(context.console, checked.diagnostics);
    if (!checked.outline) continue;
    context.console.out(summary(file, *checked.outline));
    // Whether they are set is known where it runs.
    if (!checked.outline->secrets.empty())
      context.console.note("it names secrets, which must be set where it runs: " +
                           join_list(checked.outline->secrets));
  }
  if (format == Format::table) return code;
  // One file is one object, as ever; several are a list.
  if (results.size() == 1) {
    print_object(context.console, format, results[0], {});
  } else {
    print_list(context.console, format, std::move(results), "", {});
  }
  return code;
}

}  // namespace

void add_validate(Program& program) {
  const auto files = std::make_shared<std::vector<std::string>>();
  CLI::App& command = program.command(program.app(), "validate", "Checks workflow files without running them",
                                      [files](const Context& context) { return validate(context, *files); });
  command.add_option("file", *files, "Workflows in YAML or JSON; - is standard input")
      ->required()
      ->type_name("FILE");
}

}  // namespace baton::cli

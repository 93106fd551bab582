#include "spec/diff.hpp"

#include "cli/commands/commands.hpp"
#include "cli/diagnostics.hpp"
#include "cli/files.hpp"
#include "cli/output.hpp"
#include "spec/parse.hpp"
#include "spec/read.hpp"

namespace baton::cli {
namespace {

struct Options {
  std::string before;
  std::string after;
};

// The text of a valid definition. Fails with an empty message if its mistakes have been shown.
Result<std::string> read_valid(const std::string& file, Console& console) {
  TRY(std::string text, read_text_file(file, kMaxDefinition));
  const spec::CheckResult checked = spec::check_workflow(text, {.file_name = display_name(file)});
  if (checked.outline) return text;
  show_diagnostics(console, checked.diagnostics);
  return fail(ErrorCode::invalid_definition, "");
}

int diff(const Context& context, const Options& options) {
  const auto before = read_valid(options.before, context.console);
  const auto after = before ? read_valid(options.after, context.console) : before;
  if (!after) return after.error().message.empty() ? kUsage : context.fail(after.error());
  const auto old_tree = spec::read_tree(options.before, *before, {});
  const auto new_tree = spec::read_tree(options.after, *after, {});
  if (!old_tree || !new_tree)
    return context.fail({ErrorCode::internal, "a valid definition cannot be read", ""});
  const std::vector<spec::Change> changes = spec::diff(*old_tree, *new_tree);

  Console& console = context.console;
  boost::json::object result;
  result["equal"] = changes.empty();
  result["changes"] = spec::to_json(changes);
  print_object(console, context.settings.output, result, [&](const Style&) {
    std::string text;
    for (const spec::Change& change : changes) text += change.text() + '\n';
    return text;
  });
  return changes.empty() ? kOk : kFailure;
}

}  // namespace

void add_diff(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      program.command(program.app(), "diff", "Says what is different between two workflow files",
                      [options](const Context& context) { return diff(context, *options); });
  command.add_option("before", options->before, "Workflow in YAML or JSON; - is standard input")
      ->required()
      ->type_name("FILE");
  command.add_option("after", options->after, "The other one")->required()->type_name("FILE");
}

}  // namespace baton::cli

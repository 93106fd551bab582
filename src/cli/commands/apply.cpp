// baton apply: definitions become the versions that count.
#include "cli/commands/commands.hpp"
#include "cli/diagnostics.hpp"
#include "cli/files.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "spec/parse.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::vector<std::string> files;
  std::string note;
  std::string expected;
  bool dry_run = false;
};

// "etl: version 4, was 3", and the differences below it.
std::string describe(const json::object& applied) {
  const std::string outcome = cell_of(applied, "outcome");
  const std::string previous = cell_of(applied, "previous_version");
  const bool dry_run = applied.contains("dry_run") && applied.at("dry_run") == true;
  std::string text = cell_of(applied, "workflow") + ": version " + cell_of(applied, "version");
  if (outcome == "unchanged") return text + ", unchanged\n";
  if (dry_run) text += " would count";
  text += outcome == "created" ? ", new" : ", had been made before";
  if (!previous.empty()) text += "; was " + previous;
  text += '\n';
  const auto* changes = applied.if_contains("changes");
  if (changes == nullptr || !changes->is_array()) return text;
  for (const json::value& change : changes->get_array()) {
    if (change.is_object()) text += "  " + text_of(change.get_object(), "text") + '\n';
  }
  return text;
}

// All files are read and checked before the first one is applied. An empty message: diagnostics were shown.
Result<std::vector<client::Apply>> read(const Options& options, Console& console) {
  std::vector<client::Apply> all;
  for (const std::string& file : options.files) {
    client::Apply one;
    TRY(one.definition, read_text_file(file, kMaxDefinition));
    one.file = display_name(file);
    const spec::ParseResult parsed = spec::parse_workflow(one.definition, {.file_name = one.file});
    show_diagnostics(console, parsed.diagnostics);
    if (!parsed.workflow) return fail(ErrorCode::invalid_definition, "");
    one.note = options.note;
    one.dry_run = options.dry_run;
    if (!options.expected.empty())
      one.expected = static_cast<std::uint32_t>(std::atoi(options.expected.c_str()));
    all.push_back(std::move(one));
  }
  return all;
}

int apply(const Context& context, const Options& options) {
  if (!options.expected.empty() && options.files.size() > 1) {
    return context.fail({ErrorCode::usage, "--expect is about one workflow: give one FILE", ""});
  }
  const auto all = read(options, context.console);
  if (!all) return all.error().message.empty() ? kUsage : context.fail(all.error());
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  std::vector<json::object> items;
  for (const client::Apply& one : *all) {
    auto applied = session.ask(Purpose::look, [&](client::Client& c) { return c.apply(one); });
    if (!applied) return context.fail(applied.error());
    if (context.settings.output == Format::table) context.console.out(describe(*applied));
    items.push_back(std::move(*applied));
  }
  if (context.settings.output != Format::table)
    print_list(context.console, context.settings.output, std::move(items), "", {});
  return kOk;
}

}  // namespace

void add_apply(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = program.command(program.app(), "apply",
                                      "Stores workflows, each change as a new version, to be started by name",
                                      [options](const Context& context) { return apply(context, *options); });
  command.add_option("file", options->files, "Workflows in YAML or JSON; - is standard input")
      ->required()
      ->type_name("FILE");
  command.add_option("--note", options->note, "What changed and why, for the others")->type_name("TEXT");
  command
      .add_option("--expect", options->expected,
                  "Only if this version counts now, 0 for none: nobody's change is lost")
      ->type_name("N")
      ->check(CLI::Range(0, INT32_MAX).description(""));
  command.add_flag("--dry-run", options->dry_run, "Only says what would change");
}

}  // namespace baton::cli

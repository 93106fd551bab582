#include <cstdlib>

#include "base/text.hpp"
#include "cli/commands/commands.hpp"
#include "cli/diagnostics.hpp"
#include "cli/files.hpp"
#include "cli/graph/exchange.hpp"
#include "cli/graph/picture.hpp"
#include "cli/output.hpp"
#include "cli/zones.hpp"
#include "spec/parse.hpp"

namespace baton::cli {
namespace {

struct Options {
  std::string file;
  std::string format;
  std::size_t width = 0;
};

// What the environment says of the terminal's characters; without a word about it they are taken to be UTF-8,
// as nearly all are.
Strokes strokes_of_environment() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value == '\0') continue;
    std::string name = value;
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    const bool utf8 = name.find("utf-8") != std::string::npos || name.find("utf8") != std::string::npos;
    return utf8 ? Strokes::unicode : Strokes::ascii;
  }
  return Strokes::unicode;
}

void show(const Context& context, const spec::Outline& outline, std::size_t width) {
  constexpr std::size_t kListed = 200;
  const Strokes strokes = strokes_of_environment();
  Console& console = context.console;
  if (width == 0) width = static_cast<std::size_t>(console.size().columns);
  const Style& style = console.out_style();
  if (const auto drawing = draw(outline, width, strokes, style)) return console.out(*drawing);
  if (outline.steps.size() > kListed) {
    console.out(summarise(outline, width, strokes, style));
    return console.note(
        "too large to be drawn: `--format text` lists all steps, `--format dot` is for Graphviz");
  }
  console.out(list_steps(outline, strokes, style));
  console.note("too wide to be drawn in " + std::to_string(width) + " columns: try --width N");
}

int graph(const Context& context, const Options& options) {
  Format output = context.settings.output;
  std::string format = options.format;
  if (format == "json") {
    output = output == Format::table ? Format::json : output;
    format.clear();
  } else if (!format.empty()) {
    output = Format::table;
  }
  const auto text = read_text_file(options.file, kMaxDefinition);
  if (!text) return context.fail(text.error());
  Zones zones;
  const spec::CheckResult checked = spec::check_workflow(
      *text, {.file_name = display_name(options.file), .zones = [&] { return zones.get(); }});
  if (!checked.outline) {
    show_diagnostics(context.console, checked.diagnostics);
    return kUsage;
  }
  const spec::Outline& outline = *checked.outline;
  if (output != Format::table) {
    print_object(context.console, output, to_json(outline), {});
  } else if (format == "mermaid") {
    context.console.out(to_mermaid(outline));
  } else if (format == "dot") {
    context.console.out(to_dot(outline));
  } else if (format == "text") {
    context.console.out(list_steps(outline, strokes_of_environment(), context.console.out_style()));
  } else {
    show(context, outline, options.width);
  }
  return kOk;
}

}  // namespace

void add_graph(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = program.command(program.app(), "graph", "Draws the steps of a workflow file",
                                      [options](const Context& context) { return graph(context, *options); });
  command.add_option("file", options->file, "Workflow in YAML or JSON; - is standard input")
      ->required()
      ->type_name("FILE");
  command.add_option("--format", options->format, "text, mermaid, dot or json instead of a drawing")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "mermaid", "dot", "json"}).description(""));
  command.add_option("--width", options->width, "Columns that the drawing may take (else the terminal's)")
      ->type_name("N")
      ->check(CLI::Range(20, 10'000).description(""));
}

}  // namespace baton::cli

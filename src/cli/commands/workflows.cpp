// baton workflows list, get, versions, diff.
#include "cli/commands/commands.hpp"
#include "cli/commands/steer.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/submission.hpp"
#include "cli/text_width.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string workflow;
  std::size_t limit = 50;
  std::string cursor;
  bool definition = false;
  std::string from;
  std::string to;
};

int print_page(const Context& context, std::span<const Column> columns,
               const std::function<Result<client::Page>(client::Client&)>& ask, const char* nothing) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(Purpose::look, ask);
  if (!page) return context.fail(page.error());
  const bool none = page->items.empty();
  const std::string next = page->next;
  print_list(context.console, context.settings.output, std::move(page->items), next, columns);
  if (none && context.settings.output == Format::table) context.console.note(nothing);
  say_more(context, next);
  return kOk;
}

int list(const Context& context, const Options& options) {
  const Column columns[] = {
      {"WORKFLOW", [](const json::object& row, const Style&) { return cell_of(row, "name"); }},
      {"VERSION", [](const json::object& row, const Style&) { return cell_of(row, "version"); }, true},
      {"STEPS", [](const json::object& row, const Style&) { return cell_of(row, "steps"); }, true},
      {"APPLIED", [](const json::object& row, const Style&) { return short_time(row, "applied_at"); }},
      {"BY", [](const json::object& row, const Style&) { return cell_of(row, "applied_by"); }, false, 2},
      {"TITLE", [](const json::object& row, const Style&) { return cell_of(row, "title"); }, false, 9},
  };
  return print_page(
      context, columns, [&](client::Client& c) { return c.workflows(options.limit, options.cursor); },
      "no workflows; baton apply FILE stores one");
}

int versions(const Context& context, const Options& options) {
  const Column columns[] = {
      {"VERSION",
       [](const json::object& row, const Style& style) {
         const bool current = row.contains("current") && row.at("current") == true;
         const std::string version = cell_of(row, "version");
         return current ? style.bold(version + " *") : version + "  ";
       },
       true},
      {"MADE", [](const json::object& row, const Style&) { return short_time(row, "created_at"); }},
      {"APPLIED", [](const json::object& row, const Style&) { return short_time(row, "applied_at"); }},
      {"BY", [](const json::object& row, const Style&) { return cell_of(row, "applied_by"); }, false, 2},
      {"HASH", [](const json::object& row, const Style&) { return cell_of(row, "hash").substr(0, 12); }},
      {"NOTE", [](const json::object& row, const Style&) { return cell_of(row, "note"); }, false, 9},
  };
  return print_page(
      context, columns,
      [&](client::Client& c) { return c.versions(options.workflow, options.limit, options.cursor); },
      "no versions");
}

std::string describe(const json::object& workflow, const Style& style) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += style.dim(pad(name, 12)) + value + '\n';
  };
  const std::string version = cell_of(workflow, "version");
  const std::string current = cell_of(workflow, "current_version");
  line("workflow", cell_of(workflow, "name"));
  line("title", cell_of(workflow, "title"));
  line("description", cell_of(workflow, "description"));
  line("version", version + (current == version ? ""
                             : current.empty()  ? ", never applied"
                                                : "; version " + current + " counts"));
  line("made", short_time(workflow, "created_at"));
  if (current == version) {
    line("applied", short_time(workflow, "applied_at") + " by " + cell_of(workflow, "applied_by"));
    line("note", cell_of(workflow, "note"));
  }
  line("hash", cell_of(workflow, "hash"));
  if (const auto* definition = object_of(workflow, "definition")) {
    out += style.dim("definition") + '\n';
    const std::string text = to_yaml(*definition);
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      out += "  " + text.substr(at, text.find('\n', at) - at + 1);
    }
  }
  return out;
}

int get(const Context& context, const Options& options) {
  const auto reference = read_reference(options.workflow);
  if (!reference) return context.fail(reference.error());
  if (!options.definition) {
    return ask_and_show(
        context, [&](client::Client& c) { return c.workflow(reference->name, reference->version); },
        describe);
  }
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  const auto workflow = session.ask(
      Purpose::look, [&](client::Client& c) { return c.workflow(reference->name, reference->version); });
  if (!workflow) return context.fail(workflow.error());
  const auto* definition = object_of(*workflow, "definition");
  if (definition == nullptr) return context.fail({ErrorCode::io, "the answer of the API is no workflow", ""});
  print_object(context.console, context.settings.output, *definition,
               [&](const Style&) { return to_yaml(*definition); });
  return kOk;
}

int diff(const Context& context, const Options& options) {
  const auto number = [](const std::string& text) {
    return static_cast<std::uint32_t>(std::atoi(text.c_str()));  // checked by the command line
  };
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  const auto found = session.ask(Purpose::look, [&](client::Client& c) {
    return c.diff(options.workflow, number(options.from), number(options.to));
  });
  if (!found) return context.fail(found.error());
  const auto* changes = found->if_contains("changes");
  const bool equal = changes == nullptr || !changes->is_array() || changes->get_array().empty();
  print_object(context.console, context.settings.output, *found, [&](const Style&) {
    std::string text;
    if (equal) return text;
    for (const json::value& change : changes->get_array()) {
      if (change.is_object()) text += text_of(change.get_object(), "text") + '\n';
    }
    return text;
  });
  return equal ? kOk : kFailure;
}

}  // namespace

void add_workflows(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& workflows =
      *program.app().add_subcommand("workflows", "Lists and shows workflows that were applied");
  workflows.require_subcommand(1);
  const auto add_page = [options](CLI::App& command) {
    command.add_option("--limit", options->limit, "At most so many")
        ->type_name("N")
        ->check(CLI::Range(1, 1000).description(""));
    command.add_option("--cursor", options->cursor, "Where the list before this one ended")
        ->type_name("CURSOR");
  };
  add_page(program.command(workflows, "list", "Lists workflows, each with the version that counts",
                           [options](const Context& c) { return list(c, *options); }));
  CLI::App& shown = program.command(workflows, "get", "Shows a workflow, or a version of it",
                                    [options](const Context& c) { return get(c, *options); });
  shown
      .add_option("workflow", options->workflow,
                  "Name of the workflow, and its version if not the one that counts")
      ->required()
      ->type_name("NAME[@VERSION]");
  shown.add_flag("--definition", options->definition, "Only the definition, ready to be applied again");
  const auto add_name = [options](CLI::App& command) {
    command.add_option("workflow", options->workflow, "Name of the workflow")->required()->type_name("NAME");
  };
  CLI::App& listed =
      program.command(workflows, "versions", "Lists the versions of a workflow, the newest first",
                      [options](const Context& c) { return versions(c, *options); });
  add_name(listed);
  add_page(listed);
  CLI::App& compared =
      program.command(workflows, "diff", "Says what is different between two versions of a workflow",
                      [options](const Context& c) { return diff(c, *options); });
  add_name(compared);
  compared.add_option("--from", options->from, "The version before; else the one before --to")
      ->type_name("N")
      ->check(CLI::Range(1, INT32_MAX).description(""));
  compared.add_option("--to", options->to, "The version after; else the one that counts")
      ->type_name("N")
      ->check(CLI::Range(1, INT32_MAX).description(""));
}

}  // namespace baton::cli

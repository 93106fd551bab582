// baton cache: the results that steps with `cache` keep for later runs.
#include "cli/commands/commands.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct Options {
  client::CacheQuery query;
  std::string cursor;
  std::size_t limit = 50;
  bool all = false;
  bool dry_run = false;
};

int list(const Context& context, const Options& options) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(Purpose::look, [&](client::Client& c) {
    return c.cached_results(options.query, options.limit, options.cursor);
  });
  if (!page) return context.fail(page.error());
  const Column columns[] = {
      {"WORKFLOW", [](const json::object& row, const Style&) { return cell_of(row, "workflow"); }, false, 1},
      {"STEP", [](const json::object& row, const Style&) { return cell_of(row, "step"); }, false, 1},
      {"MADE", [](const json::object& row, const Style&) { return short_time(row, "made_at"); }},
      {"EXPIRES", [](const json::object& row, const Style&) { return short_time(row, "expires_at"); }},
      {"BYTES", [](const json::object& row, const Style&) { return cell_of(row, "size"); }, true},
      {"BY TASK", [](const json::object& row, const Style&) { return cell_of(row, "task"); }},
  };
  const bool none = page->items.empty();
  print_list(context.console, context.settings.output, std::move(page->items), page->next, columns);
  if (none && context.settings.output == Format::table) context.console.note("no cached results");
  return kOk;
}

int clear(const Context& context, const Options& options) {
  client::CacheQuery query = options.query;
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  std::int64_t cleared = 0;
  std::string cursor;
  do {
    const auto part = session.ask(Purpose::look, [&](client::Client& c) {
      return c.clear_cache(query, options.all, options.dry_run, cursor);
    });
    if (!part) return context.fail(part.error());
    cleared += whole_number_of(*part, "cleared");
    cursor = text_of(*part, "next");
  } while (!cursor.empty());
  print_object(context.console, context.settings.output,
               json::object{{"cleared", cleared}, {"dry_run", options.dry_run}}, [&](const Style&) {
                 return std::to_string(cleared) + (cleared == 1 ? " cached result" : " cached results") +
                        (options.dry_run ? " would be cleared\n" : " cleared\n");
               });
  return kOk;
}

}  // namespace

void add_cache(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& cache =
      *program.app().add_subcommand("cache", "Lists and clears results that steps keep for later runs");
  cache.require_subcommand(1);
  CLI::App& lists = program.command(cache, "list", "Lists cached results",
                                    [options](const Context& c) { return list(c, *options); });
  CLI::App& clears = program.command(cache, "clear", "Takes cached results away: the work is done again",
                                     [options](const Context& c) { return clear(c, *options); });
  for (CLI::App* command : {&lists, &clears}) {
    command->add_option("--workflow", options->query.workflow, "Only those of this workflow")
        ->type_name("NAME");
    command->add_option("--step", options->query.step, "Only those of this step of it")->type_name("NAME");
  }
  lists.add_option("--limit", options->limit, "At most so many")->type_name("N")->check(CLI::Range(1, 200));
  lists.add_option("--cursor", options->cursor, "Where the list before this one ended")->type_name("CURSOR");
  clears.add_flag("--expired", options->query.expired, "Only those that are too old");
  clears.add_flag("--all", options->all, "Of all workflows");
  clears.add_flag("--dry-run", options->dry_run, "Only says how many there are");
}

}  // namespace baton::cli

#include <poll.h>

#include <iterator>

#include "cli/commands/commands.hpp"
#include "cli/commands/steer.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/text_width.hpp"
#include "cli/words.hpp"
#include "net/loop.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kPage = 1000;  // letters that one request lists or discards at most

constexpr double kUsualRate = 10;
constexpr int kMostPatience = 100;  // times that a run is asked again which is being recovered just then
constexpr int kPatienceMs = 20;

struct Options {
  client::DeadLetterQuery query;
  std::vector<std::string> ids;
  bool all = false;
  bool dry_run = false;
  double rate = kUsualRate;
  bool force = false;
  std::string reason;
  ArgumentOptions arguments;
};

std::string step_of(const json::object& letter) {
  const std::string index = cell_of(letter, "index");
  return cell_of(letter, "step") + (index.empty() ? "" : '[' + index + ']');
}

std::vector<Column> columns() {
  return {
      {"DEAD LETTER", [](const json::object& row, const Style&) { return cell_of(row, "id"); }},
      {"WORKFLOW", [](const json::object& row, const Style&) { return cell_of(row, "workflow"); }, false, 1},
      {"STEP", [](const json::object& row, const Style&) { return step_of(row); }, false, 1},
      {"ATTEMPTS", [](const json::object& row, const Style&) { return cell_of(row, "attempts"); }, true},
      {"FAILED", [](const json::object& row, const Style&) { return short_time(row, "failed_at"); }},
      {"ERROR", [](const json::object& row, const Style&) { return error_of(row); }, false, 9},
  };
}

int list(const Context& context, const client::DeadLetterQuery& query) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(Purpose::look, [&](client::Client& c) { return c.dead_letters(query); });
  if (!page) return context.fail(page.error());
  const bool none = page->items.empty();
  const std::string next = page->next;
  print_list(context.console, context.settings.output, std::move(page->items), next, columns());
  if (none && context.settings.output == Format::table) context.console.note("no dead letters");
  say_more(context, next);
  return kOk;
}

int groups(const Context& context) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(Purpose::look, [](client::Client& c) { return c.dead_letter_groups(); });
  if (!page) return context.fail(page.error());
  std::ranges::stable_sort(page->items, [](const json::object& a, const json::object& b) {
    return number_of(a, "count") > number_of(b, "count");
  });
  const Column shown[] = {
      {"GROUP", [](const json::object& row, const Style&) { return cell_of(row, "group"); }},
      {"COUNT", [](const json::object& row, const Style&) { return cell_of(row, "count"); }, true},
      {"WORKFLOW", [](const json::object& row, const Style&) { return cell_of(row, "workflow"); }, false, 1},
      {"STEP", [](const json::object& row, const Style&) { return cell_of(row, "step"); }, false, 1},
      {"LAST", [](const json::object& row, const Style&) { return short_time(row, "last_at"); }},
      {"ERROR",
       [](const json::object& row, const Style&) {
         return cell_of(row, "error_type") + ": " + cell_of(row, "message");
       },
       false, 9},
  };
  const bool none = page->items.empty();
  print_list(context.console, context.settings.output, std::move(page->items), "", shown);
  if (none && context.settings.output == Format::table) context.console.note("no dead letters");
  return kOk;
}

std::string describe(const json::object& letter, const Style& style) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += style.dim(pad(name, 12)) + value + '\n';
  };
  line("dead letter", cell_of(letter, "id"));
  line("group", cell_of(letter, "group"));
  line("workflow", cell_of(letter, "workflow") + ", version " + cell_of(letter, "version"));
  line("step", step_of(letter));
  line("error", style.red(full_error_of(letter, std::string(12, ' '))));
  line("attempts", cell_of(letter, "attempts") + " of " + cell_of(letter, "starts") + " starts count");
  line("job", cell_of(letter, "job_id"));
  line("queue", cell_of(letter, "queue"));
  line("worker", cell_of(letter, "worker"));
  line("queued", short_time(letter, "queued_at"));
  line("started", short_time(letter, "started_at"));
  line("failed", short_time(letter, "failed_at"));
  for (const char* name : {"arguments", "run_input"}) {
    const auto* value = object_of(letter, name);
    if (value == nullptr || value->empty()) continue;
    out += style.dim(name) + '\n';
    const std::string text = to_yaml(*value);
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      out += "  " + text.substr(at, text.find('\n', at) - at + 1);
    }
  }
  out += style.dim("log: baton logs " + cell_of(letter, "task")) + '\n';
  return out;
}

int get(const Context& context, const std::string& id) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  const auto letter = session.ask(Purpose::look, [&](client::Client& c) { return c.dead_letter(id); });
  if (!letter) return context.fail(letter.error());
  print_object(context.console, context.settings.output, *letter,
               [&](const Style& style) { return describe(*letter, style); });
  return kOk;
}

// The ids that the words of the command name: those that stand there, or all that the filter finds.
Result<std::vector<std::string>> chosen(Session& session, const Options& options) {
  const client::DeadLetterQuery& query = options.query;
  const bool filtered =
      !query.group.empty() || !query.workflow.empty() || !query.step.empty() || !query.error_type.empty();
  if (!options.ids.empty() && (filtered || options.all)) {
    return fail(ErrorCode::usage, "name dead letters by id or by a filter, not both");
  }
  if (!options.ids.empty()) return options.ids;
  if (!filtered && !options.all) {
    return fail(ErrorCode::usage, "which dead letters? Give ids, a filter such as --group, or --all");
  }
  std::vector<std::string> ids;
  client::DeadLetterQuery page_query = query;
  page_query.limit = kPage;
  do {
    TRY(const client::Page page,
        session.ask(Purpose::look, [&](client::Client& c) { return c.dead_letters(page_query); }));
    for (const json::object& letter : page.items) ids.push_back(text_of(letter, "id"));
    page_query.cursor = page.next;
  } while (!page_query.cursor.empty());
  return ids;
}

int discard(const Context& context, const Options& options) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto ids = chosen(session, options);
  if (!ids) return context.fail(ids.error());
  json::object answer;
  std::uint64_t discarded = 0;
  json::array unknown;
  if (!options.dry_run) {
    for (std::size_t at = 0; at < ids->size(); at += kPage) {
      const auto first = ids->begin() + static_cast<std::ptrdiff_t>(at);
      const auto last = ids->begin() + static_cast<std::ptrdiff_t>(std::min(at + kPage, ids->size()));
      // Discarding twice is the same as once: what went before reads as unknown.
      const auto part = session.ask(Purpose::look, [&](client::Client& c) {
        return c.discard_dead_letters(std::vector<std::string>(first, last));
      });
      if (!part) return context.fail(part.error());
      discarded += static_cast<std::uint64_t>(whole_number_of(*part, "discarded"));
      if (const auto* gone = part->if_contains("unknown"); gone != nullptr && gone->is_array()) {
        for (const json::value& id : gone->get_array()) unknown.push_back(id);
      }
    }
  }
  answer["discarded"] = options.dry_run ? 0 : discarded;
  answer["unknown"] = std::move(unknown);
  if (options.dry_run) {
    json::array would;
    for (const std::string& id : *ids) would.emplace_back(id);
    answer["would_discard"] = std::move(would);
  }
  print_object(context.console, context.settings.output, answer, [&](const Style&) {
    if (!options.dry_run) return "discarded " + std::to_string(discarded) + '\n';
    std::string text = "would discard " + std::to_string(ids->size()) + '\n';
    for (const std::string& id : *ids) text += one_line(id) + '\n';
    return text;
  });
  if (answer["unknown"].get_array().empty()) return kOk;
  return context.fail({ErrorCode::not_found,
                       "there is no dead letter " +
                           std::string(answer["unknown"].get_array()[0].as_string()) +
                           "; it may have been replayed or discarded",
                       ""});
}

// Several letters of one run: the second one has to wait until the first one's recovery has begun to run.
Result<json::object> replay_one(Session& session, const std::string& id, const json::object& body) {
  for (int asked = 1;; ++asked) {
    auto answer =
        session.ask(Purpose::look, [&](client::Client& c) { return c.replay_dead_letter(id, body); });
    if (answer || answer.error().where != "recovering" || asked == kMostPatience) return answer;
    ::poll(nullptr, 0, kPatienceMs);
  }
}

std::string describe_replayed(const json::object& answer, const Style& style) {
  const bool dry_run = answer.contains("would_replay");
  const auto& done = answer.at(dry_run ? "would_replay" : "replayed").get_array();
  std::string text = (dry_run ? "would replay " : "replayed ") + std::to_string(done.size()) + '\n';
  for (const json::value& id : done) {
    if (dry_run) text += one_line(id.get_string()) + '\n';
  }
  for (const json::value& one : answer.at("refused").get_array()) {
    text += style.red("refused ") + cell_of(one.get_object(), "id") + ": " +
            cell_of(one.get_object(), "message") + '\n';
  }
  return text;
}

// One after the other, at most `rate` a second.
int replay(const Context& context, const Options& options) {
  json::object body;
  if (auto changed = options.arguments.add_to(body); !changed) return context.fail(changed.error());
  if (!options.arguments.empty() && options.ids.size() != 1) {
    return context.fail({ErrorCode::usage, "other arguments are for one dead letter, named by its id", ""});
  }
  if (!options.reason.empty()) body["reason"] = options.reason;
  if (options.force) body["force"] = true;
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto ids = chosen(session, options);
  if (!ids) return context.fail(ids.error());
  // The oldest first: that is how they would have run.
  if (options.ids.empty()) std::ranges::reverse(*ids);
  json::array replayed;
  json::array refused;
  std::optional<Error> last;
  const net::MonoTime begin = net::Loop::now();
  for (std::size_t at = 0; at < ids->size(); ++at) {
    const std::string& id = (*ids)[at];
    if (!options.dry_run) {
      const auto due = static_cast<std::int64_t>(static_cast<double>(at) * 1'000'000 / options.rate);
      const Duration early = Duration{due} - (net::Loop::now() - begin);
      if (early.us > 0) ::poll(nullptr, 0, static_cast<int>(early.us / 1000));
      const auto answer = replay_one(session, id, body);
      if (!answer && answer.error().code != ErrorCode::conflict &&
          answer.error().code != ErrorCode::not_found)
        return context.fail(answer.error());
      if (!answer) {
        last = answer.error();
        refused.push_back(json::object{{"id", id}, {"message", answer.error().message}});
        continue;
      }
    }
    replayed.emplace_back(id);
  }
  json::object answer;
  answer[options.dry_run ? "would_replay" : "replayed"] = std::move(replayed);
  answer["refused"] = std::move(refused);
  print_object(context.console, context.settings.output, answer,
               [&](const Style& style) { return describe_replayed(answer, style); });
  if (!last) return kOk;
  return context.fail({last->code, "not all dead letters were replayed", ""});
}

}  // namespace

void add_dead_letters(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& letters = *program.app().add_subcommand(
      "dead-letters", "Lists, shows, replays and discards tasks that failed for good");
  letters.require_subcommand(1);
  const auto add_filter = [options](CLI::App& command) {
    add_narrowing(command, "--group", options->query.group, "With this failure signature")
        ->type_name("GROUP");
    add_narrowing(command, "--workflow", options->query.workflow, "Of this workflow")->type_name("NAME");
    add_narrowing(command, "--step", options->query.step, "Of this step")->type_name("NAME");
    add_narrowing(command, "--error-type", options->query.error_type, "With this error type")
        ->type_name("TYPE");
  };
  CLI::App& list_command =
      program.command(letters, "list", "Lists dead letters, those of the newest runs first",
                      [options](const Context& c) { return list(c, options->query); });
  add_filter(list_command);
  list_command.add_option("--limit", options->query.limit, "At most so many")
      ->type_name("N")
      ->check(CLI::Range(1, 1000).description(""));
  list_command.add_option("--cursor", options->query.cursor, "Where the list before this one ended")
      ->type_name("CURSOR");
  program.command(letters, "groups", "Counts dead letters by failure signature",
                  [](const Context& c) { return groups(c); });
  CLI::App& get_command = program.command(letters, "get", "Shows a dead letter with its arguments",
                                          [options](const Context& c) { return get(c, options->ids.at(0)); });
  get_command.add_option("id", options->ids, "Id of the dead letter")
      ->required()
      ->expected(1)
      ->type_name("ID");
  CLI::App& replay_command =
      program.command(letters, "replay", "Does the tasks of dead letters again, with what they blocked",
                      [options](const Context& c) { return replay(c, *options); });
  replay_command.add_option("id", options->ids, "Ids of dead letters")->type_name("ID");
  add_filter(replay_command);
  replay_command.add_flag("--all", options->all, "All there are");
  replay_command.add_flag("--dry-run", options->dry_run, "Only says which");
  replay_command.add_option("--rate", options->rate, "At most so many a second; default 10")
      ->type_name("N")
      ->check(CLI::Range(0.001, 10000.0).description(""));
  options->arguments.add_to(replay_command);
  replay_command.add_option("--reason", options->reason, "Why, for the history")->type_name("TEXT");
  replay_command.add_flag("--force", options->force,
                          "Although a run was recovered as often as its workflow allows");
  CLI::App& discard_command =
      program.command(letters, "discard", "Takes dead letters off the list for good; runs stay as they are",
                      [options](const Context& c) { return discard(c, *options); });
  discard_command.add_option("id", options->ids, "Ids of dead letters")->type_name("ID");
  add_filter(discard_command);
  discard_command.add_flag("--all", options->all, "All there are");
  discard_command.add_flag("--dry-run", options->dry_run, "Only says which");
}

}  // namespace baton::cli

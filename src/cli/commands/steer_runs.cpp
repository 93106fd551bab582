// baton runs cancel, terminate, pause, resume, recover, retry, replay, prune, change, progress: one run, or
// all that a filter finds.
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <map>
#include <set>

#include "base/duration.hpp"
#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/steer.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/submission.hpp"
#include "cli/text_width.hpp"
#include "cli/words.hpp"
#include "spec/parse.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string run;
  std::string reason;
  bool terminate = false;
  bool no_cleanup = false;
  bool force = false;
  bool failed_only = false;
  std::string from;
  std::vector<std::string> keep;
  std::string step;
  PauseOptions pause;

  // Of a filter.
  std::string status;
  std::string workflow;
  std::string job_id;
  std::string older_than;
  std::string where;
  bool dry_run = false;

  // Of replay and change.
  std::vector<std::string> inputs;
  std::vector<std::string> metadata;
  std::vector<std::string> labels;
  std::string priority;
  std::string new_job_id;
  std::string version;

  bool filtered() const {
    return !status.empty() || !workflow.empty() || !job_id.empty() || !older_than.empty() || !where.empty();
  }
};
using OptionsPtr = std::shared_ptr<Options>;

Result<json::object> filter_of(const Options& options, std::string_view action) {
  json::object filter;
  if (!options.status.empty()) filter["status"] = options.status;
  if (!options.workflow.empty()) filter["workflow"] = options.workflow;
  if (!options.job_id.empty()) filter["job_id"] = options.job_id;
  if (!options.where.empty()) filter["where"] = options.where;
  if (!options.older_than.empty()) {
    const auto age = parse_duration(options.older_than);
    if (!age) return fail(ErrorCode::usage, "--older-than: " + age.error().message);
    filter[action == "prune" ? "ended_before" : "created_before"] = to_rfc3339(wall_now() - *age);
  }
  return filter;
}

std::string outcome_cell(const json::object& row, const Style& style) {
  const std::string outcome = cell_of(row, "outcome");
  if (const std::string made = cell_of(row, "made"); !made.empty()) return "made " + made;
  return outcome == "refused" ? style.red(outcome) : outcome;
}

// All pages; refused ones make the exit code 6.
int in_bulk(const Context& context, const Options& options, std::string_view action) {
  auto filter = filter_of(options, action);
  if (!filter) return context.fail(filter.error());
  json::object body;
  body["action"] = action;
  body["filter"] = std::move(*filter);
  body["dry_run"] = options.dry_run;
  if (!options.reason.empty()) body["reason"] = options.reason;
  if (options.force) body["force"] = true;
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  std::vector<json::object> items;
  bool refused = false;
  for (std::string cursor;;) {
    if (!cursor.empty()) body["cursor"] = cursor;
    auto page = session.ask(Purpose::look, [&](client::Client& c) { return c.bulk(body); });
    if (!page) return context.fail(page.error());
    if (json::value* found = page->if_contains("items"); found != nullptr && found->is_array()) {
      for (json::value& item : found->get_array()) {
        if (!item.is_object()) continue;
        refused |= cell_of(item.get_object(), "outcome") == "refused";
        items.push_back(std::move(item.get_object()));
      }
    }
    cursor = text_of(*page, "next");
    if (cursor.empty()) break;
  }
  const Column columns[] = {
      {"RUN", [](const json::object& row, const Style&) { return cell_of(row, "run"); }},
      {"WORKFLOW", [](const json::object& row, const Style&) { return cell_of(row, "workflow"); }, false, 1},
      {"WAS", [](const json::object& row, const Style&) { return cell_of(row, "status"); }},
      {"OUTCOME", outcome_cell},
      {"WHY",
       [](const json::object& row, const Style&) {
         const auto* error = object_of(row, "error");
         return error == nullptr ? std::string() : cell_of(*error, "message");
       },
       false, 9},
  };
  const std::size_t count = items.size();
  print_list(context.console, context.settings.output, std::move(items), "", columns);
  if (context.settings.output == Format::table) {
    context.console.note(count == 0        ? "no runs"
                         : options.dry_run ? std::to_string(count) + " runs; a dry run changes nothing"
                                           : std::to_string(count) + " runs");
  }
  return refused ? info(ErrorCode::conflict).exit_code : kOk;
}

// Completed steps that a recovery does again, since what they made was given back.
Result<std::set<std::string>> given_back(client::Client& client, const std::string& run) {
  std::map<std::string, std::string> steps;  // of completed tasks, with their generation
  std::vector<std::string> done;             // what helpers served: task and generation
  std::string cursor;
  do {
    TRY(const client::Page page, client.tasks(run, 1000, cursor));
    for (const json::object& task : page.items) {
      const std::string generation = ' ' + cell_of(task, "generation");
      if (cell_of(task, "role") != "main") {
        done.push_back(cell_of(task, "parent") + generation);
      } else if (cell_of(task, "status") == "completed") {
        steps[cell_of(task, "id") + generation] = cell_of(task, "step");
      }
    }
    cursor = page.next;
  } while (!cursor.empty());
  std::set<std::string> names;
  for (const std::string& served : done) {
    if (const auto found = steps.find(served); found != steps.end()) names.insert(found->second);
  }
  return names;
}

// Said before it is done. That it cannot be found out is no reason not to recover.
void say_what_is_gone(const Context& context, client::Client& client, const Options& options) {
  auto names = given_back(client, options.run);
  if (!names) return;
  for (const std::string& kept : options.keep) names->erase(kept);
  if (names->empty()) return;
  std::string list;
  for (const std::string& name : *names) list += (list.empty() ? "" : ", ") + one_line(name);
  context.console.note("done again, since what they made was given back: " + list +
                       " (--keep STEP leaves one as it is)");
}

// One run, or those that the filter finds.
int steer(const Context& context, const Options& options, std::string_view action, std::string_view verb,
          const json::object& body) {
  if (options.run.empty() == !options.filtered()) {
    return context.fail({ErrorCode::usage,
                         options.run.empty() ? "which runs? Give an id, or a filter such as --workflow NAME"
                                             : "give an id or a filter, not both",
                         ""});
  }
  if (!options.run.empty() && options.dry_run) {
    return context.fail({ErrorCode::usage, "--dry-run goes with a filter", ""});
  }
  if (options.run.empty()) {
    // What a filter cannot do is not left out silently.
    for (const auto& [name, value] : body) {
      const bool off = value.is_bool() && !value.get_bool();
      if (off || name == "reason" || name == "force" || name == "terminate") continue;
      std::string flag(name);
      std::ranges::replace(flag, '_', '-');
      return context.fail({ErrorCode::usage, "--" + flag + " goes with one run: give its id", ""});
    }
    return in_bulk(context, options, action);
  }
  return ask_and_show(
      context,
      [&](client::Client& c) {
        if (action == "recover") say_what_is_gone(context, c, options);
        return c.steer_run(options.run, verb, body);
      },
      [&](const json::object& run, const Style& style) {
        return action == "prune" ? "run " + cell_of(run, "id") + " is removed\n" : describe_run(run, style);
      });
}

// By what the version declares that the new run has.
Result<json::object> replayed_inputs(Session& session, const Options& options) {
  std::string text;
  if (options.version.empty()) {
    TRY(text, session.ask(Purpose::look, [&](client::Client& c) { return c.definition(options.run); }));
  } else {
    TRY(const json::object run,
        session.ask(Purpose::look, [&](client::Client& c) { return c.run(options.run); }));
    const auto version = static_cast<std::uint32_t>(std::atoi(options.version.c_str()));
    TRY(const json::object stored, session.ask(Purpose::look, [&](client::Client& c) {
      return c.workflow(text_of(run, "workflow"), version);
    }));
    const json::value* definition = stored.if_contains("definition");
    text = definition != nullptr ? json::serialize(*definition) : "";
  }
  const spec::ParseResult parsed = spec::parse_canonical(text);
  if (!parsed.workflow) return fail(ErrorCode::corrupt, "the stored definition cannot be read");
  return typed_inputs(options.inputs, *parsed.workflow);
}

int replay(const Context& context, const Options& options) {
  json::object body;
  if (!options.inputs.empty()) body["input"] = json::object();
  if (!options.new_job_id.empty()) body["job_id"] = options.new_job_id;
  if (!options.version.empty()) body["version"] = json::value(std::atoi(options.version.c_str()));
  if (!options.priority.empty()) body["priority"] = json::value(std::atoi(options.priority.c_str()));
  if (options.run.empty() || options.filtered()) return steer(context, options, "replay", "replay", body);
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  if (!options.inputs.empty()) {
    auto input = replayed_inputs(session, options);
    if (!input) return context.fail(input.error());
    body["input"] = std::move(*input);
  }
  const auto made =
      session.ask(Purpose::look, [&](client::Client& c) { return c.replay(options.run, body); });
  if (!made) return context.fail(made.error());
  print_object(context.console, context.settings.output, *made,
               [&](const Style& style) { return describe_run(*made, style); });
  return kOk;
}

int change(const Context& context, const Options& options) {
  json::object body;
  if (!options.priority.empty()) body["priority"] = json::value(std::atoi(options.priority.c_str()));
  json::object metadata;
  json::object labels;
  if (auto read = add_pairs(options.metadata, "--metadata", true, metadata); !read)
    return context.fail(read.error());
  if (auto read = add_pairs(options.labels, "--label", true, labels); !read)
    return context.fail(read.error());
  if (!metadata.empty()) body["metadata"] = std::move(metadata);
  if (!labels.empty()) body["labels"] = std::move(labels);
  if (body.empty()) {
    return context.fail({ErrorCode::usage, "what to change? Give --priority, --metadata or --label", ""});
  }
  return ask_and_show(context, [&](client::Client& c) { return c.change(options.run, body); }, describe_run);
}

std::string describe_progress(const json::object& progress, const Style& style) {
  std::string out = cell_of(progress, "progress") + "%  " +
                    in_colour_of(cell_of(progress, "status"), cell_of(progress, "status"), style) +
                    "  step " + cell_of(progress, "current_step") + " of " + cell_of(progress, "total_steps");
  if (number_of(progress, "estimated_remaining") > 0) {
    const auto left = duration_from_seconds(number_of(progress, "estimated_remaining"));
    if (left) out += "  about " + short_duration(*left) + " left";
  }
  out += '\n';
  const auto* tasks = progress.if_contains("tasks");
  if (tasks == nullptr || !tasks->is_array()) return out;
  for (const json::value& entry : tasks->get_array()) {
    if (!entry.is_object()) continue;
    const json::object& task = entry.get_object();
    const std::string status = cell_of(task, "status");
    out += in_colour_of(status, std::string(symbol(status)), style) + ' ' + cell_of(task, "name") + "  " +
           style.dim(status) +
           (cell_of(task, "error_message").empty() ? "" : "  " + cell_of(task, "error_message")) + '\n';
  }
  return out;
}

void add_run(CLI::App& command, const OptionsPtr& options, bool required) {
  auto* run = command.add_option("run", options->run, "Id of the run")->type_name("RUN");
  if (required) run->required();
}

// `job_id`: false where --job-id means something else.
void add_filter(CLI::App& command, const OptionsPtr& options, bool job_id = true,
                std::string_view older_than = "Made longer ago than that, such as 1h") {
  add_narrowing(command, "--status", options->status, "Instead of an id: all runs in these states")
      ->type_name("STATUS");
  add_narrowing(command, "--workflow", options->workflow, "Of this workflow")->type_name("NAME");
  if (job_id) add_narrowing(command, "--job-id", options->job_id, "With this reference")->type_name("ID");
  add_narrowing(command, "--older-than", options->older_than, std::string(older_than))->type_name("DURATION");
  add_narrowing(command, "--where", options->where,
                "That fulfil an expression over status, workflow, job_id and created_at")
      ->type_name("EXPRESSION");
  command.add_flag("--dry-run", options->dry_run, "Only says which runs they are");
}

void add_reason(CLI::App& command, const OptionsPtr& options) {
  command.add_option("--reason", options->reason, "Why, for the history")->type_name("TEXT");
}

json::object with_reason(const Options& options) {
  json::object body;
  if (!options.reason.empty()) body["reason"] = options.reason;
  return body;
}

void add_ends(Program& program, CLI::App& runs) {
  const auto options = std::make_shared<Options>();
  CLI::App& cancel = program.command(
      runs, "cancel", "Asks a run to end: running tasks get SIGTERM, then SIGKILL after 10 seconds",
      [options](const Context& c) {
        json::object body = with_reason(*options);
        body["terminate"] = options->terminate;
        return steer(c, *options, options->terminate ? "terminate" : "cancel", "cancel", body);
      });
  add_run(cancel, options, false);
  cancel.add_flag("--terminate", options->terminate, "SIGKILL at once");
  add_reason(cancel, options);
  add_filter(cancel, options);
  CLI::App& terminate =
      program.command(runs, "terminate", "Ends a run: running tasks get SIGKILL at once; cleanup follows",
                      [options](const Context& c) {
                        json::object body = with_reason(*options);
                        if (options->no_cleanup && options->filtered()) {
                          return c.fail({ErrorCode::usage, "--no-cleanup goes with one run", ""});
                        }
                        if (options->no_cleanup) body["cleanup"] = false;
                        return steer(c, *options, "terminate", "terminate", body);
                      });
  add_run(terminate, options, false);
  terminate.add_flag("--no-cleanup", options->no_cleanup,
                     "Gives nothing back either: cleanups are left undone, resources stay listed as leaked");
  add_reason(terminate, options);
  add_filter(terminate, options);
}

void add_pauses(Program& program, CLI::App& runs) {
  const auto options = std::make_shared<Options>();
  CLI::App& pause = program.command(
      runs, "pause", "Starts nothing more of a run until it is resumed; running attempts end normally",
      [options](const Context& c) {
        json::object body = options->pause.body();
        if (!options->step.empty()) body["step"] = options->step;
        options->reason = options->pause.reason;
        return steer(c, *options, "pause", "pause", body);
      });
  add_run(pause, options, false);
  pause.add_option("--step", options->step, "Only this step")->type_name("STEP");
  options->pause.add_to(pause);
  add_filter(pause, options);
  CLI::App& resume = program.command(runs, "resume", "Lets a paused run go on", [options](const Context& c) {
    json::object body;
    if (!options->step.empty()) body["step"] = options->step;
    return steer(c, *options, "resume", "resume", body);
  });
  add_run(resume, options, false);
  resume.add_option("--step", options->step, "A paused step of it")->type_name("STEP");
  add_filter(resume, options);
}

void add_repeats(Program& program, CLI::App& runs) {
  const auto options = std::make_shared<Options>();
  CLI::App& recover = program.command(
      runs, "recover", "Makes a failed or cancelled run go on: does again what is not completed",
      [options](const Context& c) {
        json::object body = with_reason(*options);
        if (!options->from.empty()) body["from"] = options->from;
        if (options->failed_only) body["failed_only"] = true;
        if (options->force) body["force"] = true;
        if (!options->version.empty()) body["version"] = json::value(std::atoi(options->version.c_str()));
        if (!options->keep.empty()) body["keep"] = json::array(options->keep.begin(), options->keep.end());
        return steer(c, *options, "recover", "recover", body);
      });
  add_run(recover, options, false);
  recover
      .add_option("--from", options->from,
                  "Does this step again, and all that follow; a name, or its place from 0")
      ->type_name("STEP");
  recover.add_option("--keep", options->keep, "A completed step that stays as it is; may be repeated")
      ->type_name("STEP");
  recover.add_flag("--failed-only", options->failed_only,
                   "Of a mapped step that --from names: only its bad items");
  const auto add_version = [options](CLI::App& command) {
    command.add_option("--version", options->version, "With another version of its workflow, if that fits")
        ->type_name("N")
        ->check(CLI::Range(1, INT32_MAX).description(""));
  };
  add_version(recover);
  CLI::App& retry =
      program.command(runs, "retry", "Tries again what failed in a run", [options](const Context& c) {
        json::object body = with_reason(*options);
        if (options->force) body["force"] = true;
        return steer(c, *options, "retry", "retry", body);
      });
  add_run(retry, options, false);
  for (CLI::App* command : {&recover, &retry}) {
    command->add_flag("--force", options->force, "Although it was recovered as often as its workflow allows");
    add_reason(*command, options);
    add_filter(*command, options);
  }
  CLI::App& again =
      program.command(runs, "replay", "Makes a new run with the same input, and the same version",
                      [options](const Context& c) { return replay(c, *options); });
  add_run(again, options, false);
  add_filter(again, options, false);
  again.add_option("--input,-i", options->inputs, "Another value of an input; may be repeated")
      ->type_name("NAME=VALUE");
  add_version(again);
  again.add_option("--job-id", options->new_job_id, "Another reference")->type_name("ID");
  again.add_option("--priority", options->priority, "0 to 9, 9 is the most urgent")
      ->type_name("N")
      ->check(CLI::Range(0, 9).description(""));
}

int list_removals(const Context& context) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(Purpose::look, [](client::Client& c) { return c.all("removals"); });
  if (!page) return context.fail(page.error());
  const Column columns[] = {
      {"REMOVED", [](const json::object& row, const Style&) { return short_time(row, "at"); }},
      {"RUNS", [](const json::object& row, const Style&) { return cell_of(row, "runs"); }, true},
      {"BY", [](const json::object& row, const Style&) { return cell_of(row, "by"); }, false, 1},
      {"WHY", [](const json::object& row, const Style&) { return cell_of(row, "reason"); }, false, 9},
      {"FILES",
       [](const json::object& row, const Style&) {
         return std::string(cell_of(row, "files_deleted") == "true" ? "deleted" : "being deleted");
       }},
  };
  const bool none = page->items.empty();
  print_list(context.console, context.settings.output, std::move(page->items), "", columns);
  if (none && context.settings.output == Format::table) context.console.note("no runs were removed");
  return kOk;
}

void add_removal(Program& program, CLI::App& runs) {
  const auto options = std::make_shared<Options>();
  CLI::App& prune = program.command(
      runs, "prune", "Removes ended runs with their tasks, results, logs and history, now and for good",
      [options](const Context& c) { return steer(c, *options, "prune", "prune", with_reason(*options)); });
  add_run(prune, options, false);
  add_reason(prune, options);
  add_filter(prune, options, true, "Ended longer ago than that, such as 30d");
  program.command(runs, "removed", "Lists which runs were removed, by whom and why", list_removals);
}

}  // namespace

// "name=value" into `object`: the value as JSON if it is that, else as text.
Status add_pairs(const std::vector<std::string>& words, std::string_view flag, bool remove_empty,
                 json::object& object) {
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorCode::usage, std::string(flag) + " takes NAME=VALUE, not " + word);
    }
    const std::string text = word.substr(equals + 1);
    boost::system::error_code error;
    json::value value = parse_json(text, error, {}, {.max_depth = kReadJsonDepth});
    if (error) value = json::value(text);
    if (remove_empty && text.empty()) value = nullptr;
    object[word.substr(0, equals)] = std::move(value);
  }
  return {};
}

void add_run_steering(Program& program) {
  CLI::App& runs = *program.app().get_subcommand("runs");
  add_ends(program, runs);
  add_pauses(program, runs);
  add_repeats(program, runs);
  add_removal(program, runs);
  const auto options = std::make_shared<Options>();
  CLI::App& changed =
      program.command(runs, "change", "Changes priority, metadata or labels of a run that goes on",
                      [options](const Context& c) { return change(c, *options); });
  add_run(changed, options, true);
  changed.add_option("--priority", options->priority, "0 to 9, 9 is the most urgent")
      ->type_name("N")
      ->check(CLI::Range(0, 9).description(""));
  changed
      .add_option("--metadata", options->metadata, "Something to be kept with it; an empty value removes it")
      ->type_name("NAME=VALUE");
  changed.add_option("--label", options->labels, "A label; an empty value removes it")
      ->type_name("NAME=VALUE");
  CLI::App& progress =
      program.command(runs, "progress", "Shows how far a run is, step by step", [options](const Context& c) {
        return ask_and_show(
            c, [&](client::Client& client) { return client.progress(options->run); }, describe_progress);
      });
  add_run(progress, options, true);
}

}  // namespace baton::cli

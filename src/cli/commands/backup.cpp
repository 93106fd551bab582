// baton backup, baton restore.
#include <filesystem>

#include "cli/commands/commands.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "embedded/owner.hpp"
#include "embedded/restore.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

std::string runs_text(const json::object& report) {
  const auto runs = whole_number_of(report, "runs");
  const auto open = whole_number_of(report, "open_runs");
  return std::to_string(runs) + (runs == 1 ? " run, " : " runs, ") + std::to_string(open) + " of them open";
}

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

int backup(const Context& context, const std::string& file) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  // Asked once: an owner that goes away meanwhile leaves no half file, and a second one would find the first.
  const auto made = session.client().backup(absolute(file));
  if (!made) return context.fail(made.error());
  print_object(context.console, context.settings.output, *made, [&](const Style&) {
    return cell_of(*made, "path") + ": " + std::to_string(whole_number_of(*made, "bytes") >> 10) + " KiB, " +
           runs_text(*made) + '\n';
  });
  if (whole_number_of(*made, "secrets") > 0) {
    context.console.note("the key of its secrets is not in it: keep a copy of " +
                         (context.settings.secrets_key_file.empty()
                              ? std::string("secrets.key of the data directory")
                              : context.settings.secrets_key_file) +
                         " elsewhere");
  }
  return kOk;
}

int restore(const Context& context, const std::string& file, bool replace) {
  const auto done = embedded::restore(absolute(file), context.settings.data_dir, replace);
  if (!done) {
    if (done.error().code == ErrorCode::owned) {
      context.console.error(done.error().message +
                            ": end it first, or restore with --data into another directory");
      return info(ErrorCode::owned).exit_code;
    }
    return context.fail(done.error());
  }
  json::object report;
  report["data_dir"] = context.settings.data_dir;
  report["replaced"] = done->replaced.empty() ? json::value() : json::value(done->replaced);
  report["bytes"] = done->backup.bytes;
  report["schema"] = done->backup.schema;
  report["runs"] = done->backup.runs;
  report["open_runs"] = done->backup.open_runs;
  report["last_commit_at"] =
      done->backup.last_commit.us == 0 ? json::value() : json::value(to_rfc3339(done->backup.last_commit));
  print_object(context.console, context.settings.output, report, [&](const Style&) {
    std::string text = "restored " + context.settings.data_dir + ": " + runs_text(report) + '\n';
    if (!done->replaced.empty()) text += "what was there before is now " + one_line(done->replaced) + '\n';
    return text;
  });
  const std::string key = context.settings.secrets_key_file.empty()
                              ? embedded::secrets_key_path(context.settings.data_dir)
                              : context.settings.secrets_key_file;
  if (std::error_code error; done->secrets > 0 && !std::filesystem::exists(key, error)) {
    context.console.note(
        "it has " + std::to_string(done->secrets) + (done->secrets == 1 ? " secret" : " secrets") +
        ", and their key is not here: put it to " + key + ". Without it everything but the secrets works");
  }
  if (done->backup.open_runs > 0) {
    context.console.note(
        "open runs go on with the next command; what was done since the backup is done again");
  }
  return kOk;
}

}  // namespace

void add_backup(Program& program) {
  const auto file = std::make_shared<std::string>();
  CLI::App& backup_command =
      program.command(program.app(), "backup", "Copies the database while everything goes on",
                      [file](const Context& context) { return backup(context, *file); });
  backup_command.add_option("file", *file, "Where to; must not exist")->required()->type_name("FILE");

  const auto replace = std::make_shared<bool>(false);
  CLI::App& restore_command =
      program.command(program.app(), "restore", "Makes a data directory of a backup",
                      [file, replace](const Context& context) { return restore(context, *file, *replace); });
  restore_command.add_option("file", *file, "What baton backup made")->required()->type_name("FILE");
  restore_command.add_flag("--replace", *replace, "Moves a database away that is there already");
}

}  // namespace baton::cli

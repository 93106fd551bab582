#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "cli/commands/commands.hpp"
#include "cli/diagnostics.hpp"
#include "cli/files.hpp"
#include "cli/output.hpp"
#include "spec/findings.hpp"
#include "spec/format.hpp"
#include "spec/read.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::vector<std::string> files;
  bool check = false;
  bool write = false;
};

Result<std::string> formatted(const std::string& file, const std::string& text, Console& console) {
  if (spec::looks_like_json(file, text)) {
    return fail(ErrorCode::unsupported, display_name(file) + " is JSON: baton fmt lays out YAML");
  }
  const auto result = spec::format_yaml(text);
  if (result) return *result;
  spec::Diagnostic d;
  d.file = display_name(file);
  d.message = result.error().message;
  d.suggestion = result.error().suggestion;
  spec::set_place(d, text, result.error().span);
  if (result.error().span.length == 0) d.source_line.clear();
  show_diagnostics(console, {&d, 1});
  return fail(ErrorCode::invalid_definition, "");
}

// Beside the file, then in its place: whoever reads it sees the old text or the new one. A link stays a link.
Status replace_file(const std::string& file, const std::string& text) {
  const auto failed = [&](std::string_view what) {
    return fail(ErrorCode::io,
                "cannot write " + printable(file) + ": " + std::string(what) + errno_text(errno));
  };
  std::error_code error;
  const std::string target = std::filesystem::canonical(file, error).string();
  if (error) return fail(ErrorCode::io, "cannot write " + printable(file) + ": " + error.message());
  struct stat info{};
  if (::stat(target.c_str(), &info) != 0) return failed("");
  if (::access(target.c_str(), W_OK) != 0) return failed("");  // the folder alone would allow it
  std::string temporary = target + ".XXXXXX";
  Fd out(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!out) return failed("");
  const auto give_up = [&]() -> Status {
    const Status status = failed("");
    ::unlink(temporary.c_str());
    return status;
  };
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t n = ::write(out.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return give_up();
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  // The owner cannot be kept by everybody; the mode can, and is set last, since a change of the owner clears
  // bits of it.
  if ((info.st_uid != ::geteuid() || info.st_gid != ::getegid()) &&
      ::fchown(out.get(), info.st_uid, info.st_gid) != 0 && errno != EPERM) {
    return give_up();
  }
  if (::fchmod(out.get(), info.st_mode & 07777) != 0 || ::fsync(out.get()) != 0) return give_up();
  if (::rename(temporary.c_str(), target.c_str()) != 0) return give_up();
  return {};
}

int fmt(const Context& context, const Options& options) {
  Console& console = context.console;
  if (options.check && options.write) {
    return context.fail(
        {ErrorCode::usage, "--check only looks, --write changes files: give one of them", ""});
  }
  const std::vector<std::string> files =
      options.files.empty() ? std::vector<std::string>{"-"} : options.files;
  int code = kOk;
  std::vector<json::object> results;
  for (const std::string& file : files) {
    if (options.write && file == "-") {
      return context.fail({ErrorCode::usage, "standard input cannot be written: name the files", ""});
    }
    const auto text = read_text_file(file, kMaxDefinition);
    if (!text) {
      code = context.fail(text.error());
      continue;
    }
    const auto result = formatted(file, *text, console);
    if (!result) {
      code = result.error().message.empty() ? kUsage : context.fail(result.error());
      continue;
    }
    const bool changed = *result != *text;
    if (options.write && changed) {
      if (const auto written = replace_file(file, *result); !written) {
        code = context.fail(written.error());
        continue;
      }
    }
    if (options.check && changed && code == kOk) code = kFailure;
    if (!options.check && !options.write) {
      console.out(*result);
    } else if (context.settings.output != Format::table) {
      results.push_back({{"file", display_name(file)}, {"changed", changed}});
    } else if (changed) {
      console.out(display_name(file) + "\n");
    }
  }
  if ((options.check || options.write) && context.settings.output != Format::table) {
    print_list(console, context.settings.output, std::move(results), "", {});
  }
  return code;
}

}  // namespace

void add_fmt(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = program.command(program.app(), "fmt", "Lays workflow files out in one way",
                                      [options](const Context& context) { return fmt(context, *options); });
  command.add_option("file", options->files, "Workflows in YAML; - or none is standard input")
      ->type_name("FILE");
  command.add_flag("--check", options->check,
                   "Names the files that would change; exit code 1 if there are any");
  command.add_flag("--write,-w", options->write, "Changes the files, and names those that were changed");
}

}  // namespace baton::cli

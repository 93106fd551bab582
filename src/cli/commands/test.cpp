// baton test: runs scenario files on virtual time.
#include <algorithm>
#include <boost/json/array.hpp>
#include <chrono>
#include <filesystem>
#include <optional>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "cli/commands/commands.hpp"
#include "cli/diagnostics.hpp"
#include "cli/files.hpp"
#include "cli/function_line.hpp"
#include "cli/junit.hpp"
#include "cli/output.hpp"
#include "scenario/read.hpp"
#include "scenario/run.hpp"

namespace baton::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct Options {
  std::vector<std::string> paths;
  std::string only;
  std::string junit;
  std::string functions;
  std::uint32_t restart_every = 0;
  bool verbose = false;
};

bool is_test_file(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.ends_with(".test.yaml") || name.ends_with(".test.yml") || name.ends_with(".test.json");
}

// A folder stands for the test files beneath it.
Result<std::vector<std::string>> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (path == "-" || !fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    const std::size_t before = files.size();
    for (fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied, error),
         end;
         !error && entry != end; entry.increment(error)) {
      if (is_test_file(entry->path())) files.push_back(entry->path().lexically_normal().string());
    }
    if (error) return fail(ErrorCode::io, printable(path) + ": " + error.message());
    if (files.size() == before) {
      return fail(ErrorCode::not_found,
                  "there is no scenario in " + printable(path) +
                      ": their names end in .test.yaml; other files must be named one by one");
    }
    std::ranges::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
  }
  return files;
}

Result<std::string> read_beside(const std::string& file, const std::string& path) {
  const fs::path folder = file == "-" ? fs::path() : fs::path(file).parent_path();
  return read_text_file((folder / path).lexically_normal().string(), kMaxDefinition);
}

std::string shown_failure(const scenario::Failure& failure, const Style& style) {
  std::string text = spec::render(failure.diagnostic);
  const std::size_t at = text.find("error:");
  if (at != std::string::npos) text.replace(at, 6, style.red("error:"));
  return text + failure.details;
}

class TestSession {
 public:
  TestSession(const Context& context, const Options& options) : context_(context), options_(options) {}

  int run() {
    const auto begun = std::chrono::steady_clock::now();
    const auto files = files_of(options_.paths.empty() ? std::vector<std::string>{"."} : options_.paths);
    if (!files) return context_.fail(files.error());
    if (!options_.functions.empty()) {
      auto line = FunctionLine::connect(options_.functions);
      if (!line) return context_.fail(line.error());
      functions_ = std::move(*line);
    }
    for (const std::string& file : *files) {
      if (const auto done = run_file(file); !done) return context_.fail(done.error());
    }
    if (results_.empty() && !invalid_) {
      return context_.fail(
          {ErrorCode::not_found, "no scenario's name contains \"" + printable(options_.only) + "\"", ""});
    }
    if (!options_.junit.empty()) {
      if (const auto written = write_text_file(options_.junit, junit_text(results_)); !written) {
        return context_.fail(written.error());
      }
    }
    report(std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun)
               .count());
    if (invalid_) return kUsage;
    return count("failed") > 0 ? kFailure : kOk;
  }

 private:
  bool for_people() const { return context_.settings.output == Format::table; }

  Status run_file(const std::string& file) {
    TRY(const std::string text, read_text_file(file, kMaxDefinition));
    const auto read = scenario::read_scenarios(
        text, display_name(file), [&](const std::string& path) { return read_beside(file, path); });
    show_diagnostics(context_.console, read.diagnostics);
    invalid_ |= read.scenarios.empty();
    for (const scenario::Scenario& one : read.scenarios) {
      if (!options_.only.empty() && one.name.find(options_.only) == std::string::npos) continue;
      scenario::RunOptions how{.restart_every = options_.restart_every, .carry_out = {}};
      if (functions_) how.carry_out = [this](const std::string& attempt) { return functions_->ask(attempt); };
      TestResult result{display_name(file), one.name, one.place.line, one.covers, scenario::run(one, how)};
      if (for_people()) show(result);
      results_.push_back(std::move(result));
    }
    return {};
  }

  void show(const TestResult& result) {
    const Style& style = context_.console.out_style();
    const std::string where = style.dim("  " + printable(result.file));
    const std::string name = printable(result.name);
    if (!result.report.ran) {
      if (!context_.console.quiet()) context_.console.out(style.dim("- " + name) + where + '\n');
      return;
    }
    if (result.report.passed()) {
      if (!context_.console.quiet()) context_.console.out(style.green("✓") + ' ' + name + where + '\n');
    } else {
      context_.console.out(style.red("✗ " + name) + where + '\n');
      for (const scenario::Failure& failure : result.report.failures) {
        context_.console.out(shown_failure(failure, style));
      }
    }
    if (options_.verbose) {
      for (const std::string& line : result.report.history) context_.console.out("    " + line + '\n');
    }
  }

  std::size_t count(std::string_view status) const {
    return static_cast<std::size_t>(
        std::ranges::count(results_, status, [](const TestResult& result) { return status_of(result); }));
  }

  void report(std::int64_t took_us) {
    if (for_people()) {
      const Style& style = context_.console.out_style();
      const std::size_t failed = count("failed");
      const std::size_t skipped = count("skipped");
      std::string text = std::to_string(count("passed")) + " passed";
      if (failed > 0) text += ", " + std::to_string(failed) + " failed";
      if (skipped > 0) text += ", " + std::to_string(skipped) + " not run";
      text = failed > 0 || invalid_ ? style.red(text) : style.green(text);
      context_.console.out(text + ", in " + to_display(Duration{took_us}) + '\n');
      return;
    }
    json::array scenarios;
    for (const TestResult& result : results_) scenarios.push_back(to_json(result, options_.verbose));
    if (context_.settings.output == Format::jsonl) {
      for (const json::value& one : scenarios) context_.console.out(to_json_line(one));
      return;
    }
    print_object(context_.console, context_.settings.output,
                 json::object{{"passed", count("passed")},
                              {"failed", count("failed")},
                              {"skipped", count("skipped")},
                              {"scenarios", std::move(scenarios)}},
                 {});
  }

  const Context& context_;
  const Options& options_;
  std::optional<FunctionLine> functions_;
  std::vector<TestResult> results_;
  bool invalid_ = false;
};

}  // namespace

void add_test(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = program.command(
      program.app(), "test", "Runs scenarios: workflows on virtual time, with steps that pretend",
      [options](const Context& context) { return TestSession(context, *options).run(); });
  command
      .add_option("paths", options->paths,
                  "Scenario files, or folders with files named *.test.yaml; default: this folder")
      ->type_name("FILE");
  command.add_option("--only,-k", options->only, "Those whose name contains this")->type_name("TEXT");
  command.add_option("--junit", options->junit, "Writes the results as JUnit XML too")->type_name("FILE");
  command
      .add_option("--restart-every", options->restart_every,
                  "Kills and restarts the owner after every N commits: nothing may come out differently")
      ->type_name("N");
  command
      .add_option("--functions", options->functions,
                  "Unix socket of a program that carries out the functions that scenarios say nothing of")
      ->type_name("SOCKET");
  command.add_flag("--verbose,-v", options->verbose, "Shows everything that happened");
}

}  // namespace baton::cli

// baton bench: what Baton does per second on this machine.
#include "cli/commands/bench.hpp"

#include <sys/random.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "benchmark/benchmark.hpp"
#include "benchmark/noop_worker.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/signals.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;
using benchmark::Series;

constexpr long kTmpfs = 0x01021994;

struct Options {
  std::string dir;
  int rounds = 5;
  int tasks = 20'000;
  std::uint64_t seed = 0;
};

// A directory that goes with whoever made it.
class Scratch {
 public:
  static Result<Scratch> make(std::string parent) {
    std::error_code failure;
    if (parent.empty()) parent = std::filesystem::temp_directory_path(failure).string();
    std::string path = parent + "/baton-bench-XXXXXX";
    if (failure || ::mkdtemp(path.data()) == nullptr)
      return fail(ErrorCode::io, "cannot make a directory in " + parent + ": " + errno_text(errno));
    return Scratch(std::move(path));
  }
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  bool in_memory() const {
    struct statfs system{};
    return ::statfs(path_.c_str(), &system) == 0 && system.f_type == kTmpfs;
  }

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

std::string number(double value) {
  const int digits = value >= 1000 ? 0 : value >= 10 ? 1 : 3;
  char text[32];
  std::string grouped(text,
                      static_cast<std::size_t>(std::snprintf(text, sizeof text, "%.*f", digits, value)));
  const std::size_t point = std::min(grouped.find('.'), grouped.size());
  for (std::size_t at = point; at > 3; at -= 3) grouped.insert(at - 3, ",");
  return grouped;
}

json::object object_of(const Series& series) {
  json::object object{{"name", series.name},
                      {"what", series.what},
                      {"unit", series.unit},
                      {"lowest", series.lowest()},
                      {"median", series.median()},
                      {"highest", series.highest()},
                      {"values", json::array(series.values.begin(), series.values.end())}};
  if (series.goal != 0) {
    object["goal"] = series.goal;
    object["reached"] = series.reached();
  }
  return object;
}

json::object object_of(const benchmark::Report& report, bool durable) {
  json::array floors;
  json::array results;
  for (const Series& series : report.floors) floors.push_back(object_of(series));
  for (const Series& series : report.series) results.push_back(object_of(series));
  return {{"version", kVersion},
          {"durable", durable},
          {"floors", std::move(floors)},
          {"results", std::move(results)},
          {"kill", json::object{{"after", report.kill.after},
                                {"acknowledged", report.kill.acknowledged},
                                {"runs", report.kill.runs},
                                {"lost", report.kill.lost},
                                {"seconds", report.kill.seconds}}}};
}

std::string table(const benchmark::Report& report, const Style& style) {
  std::vector<json::object> rows;
  const auto add = [&](const Series& series) {
    json::object row{{"name", series.name},
                     {"what", series.what},
                     {"lowest", number(series.lowest())},
                     {"median", number(series.median())},
                     {"highest", number(series.highest())},
                     {"unit", series.unit},
                     {"goal", ""}};
    if (series.goal != 0)
      row["goal"] = (series.more ? "≥ " : "≤ ") + number(series.goal) + (series.reached() ? "" : "  missed");
    rows.push_back(std::move(row));
  };
  for (const Series& series : report.floors) add(series);
  for (const Series& series : report.series) add(series);
  const auto column = [](std::string header, std::string field, bool right = false) {
    return Column{std::move(header),
                  [field](const json::object& row, const Style&) { return cell_of(row, field); }, right, 0};
  };
  const std::vector<Column> columns{column("", "name"),
                                    column("", "what"),
                                    column("LOWEST", "lowest", true),
                                    column("MEDIAN", "median", true),
                                    column("HIGHEST", "highest", true),
                                    column("UNIT", "unit"),
                                    column("GOAL", "goal")};
  return to_table(rows, columns, style, 0) + "\nThe server was killed after " + number(report.kill.after) +
         " s: of " + number(static_cast<double>(report.kill.acknowledged)) + " acknowledged runs, " +
         std::to_string(report.kill.lost) + " were lost.\n";
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  return ::getrandom(&seed, sizeof seed, 0) == static_cast<ssize_t>(sizeof seed) ? seed : 0;
}

int run_bench(const Context& context, const Options& options) {
  Signals signals;
  const auto scratch = Scratch::make(options.dir);
  if (!scratch) return context.fail(scratch.error());
  if (scratch->in_memory())
    context.console.note(scratch->path() +
                         " is in memory: nothing is durable there, and the figures say little; see --dir");
  benchmark::Options asked;
  asked.program = std::filesystem::read_symlink("/proc/self/exe").string();
  asked.directory = scratch->path();
  asked.rounds = options.rounds;
  asked.tasks = options.tasks;
  asked.seed = options.seed != 0 ? options.seed : random_seed();
  asked.note = [&](std::string_view what) { context.console.note(what); };
  asked.interrupted = [&, ends = false]() mutable { return ends = ends || signals.take().has_value(); };
  const auto report = benchmark::measure(asked);
  if (!report) return context.fail(report.error());
  print_object(context.console, context.settings.output, object_of(*report, !scratch->in_memory()),
               [&](const Style& style) { return table(*report, style); });
  return kOk;
}

int run_worker(const Context& context) {
  const auto server = find_server(context.settings);
  if (!server) return context.fail(server.error());
  const auto ended = benchmark::run_noop_worker(*server);
  return ended ? kOk : context.fail(ended.error());
}

}  // namespace

void add_bench(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      program.command(program.app(), "bench", "Measures what Baton does per second on this machine",
                      [options](const Context& context) { return run_bench(context, *options); });
  command.add_option("--rounds", options->rounds, "How often each is measured (else 5)")
      ->type_name("N")
      ->check(CLI::Range(1, 100));
  command.add_option("--tasks", options->tasks, "Tasks of the first workload (else 20000)")
      ->type_name("N")
      ->check(CLI::Range(100, 1'000'000));
  command
      .add_option("--dir", options->dir,
                  "Where its data is meanwhile: the disk that is measured (else $TMPDIR)")
      ->type_name("DIR");
  command.add_option("--seed", options->seed, "Of the moment at which the server is killed (else random)")
      ->type_name("N");
  program.command(program.app(), "bench-worker", "The worker of baton bench", run_worker).group("");
}

}  // namespace baton::cli

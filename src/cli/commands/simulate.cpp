// baton simulate: how long a workflow would take, from assumed or earlier durations and failures.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/text.hpp"
#include "cli/commands/commands.hpp"
#include "cli/diagnostics.hpp"
#include "cli/files.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/submission.hpp"
#include "cli/text_width.hpp"
#include "cli/words.hpp"
#include "scenario/assumptions.hpp"
#include "scenario/past_runs.hpp"
#include "simulate/study.hpp"
#include "spec/inputs.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;
using simulate::Study;
using simulate::TaskTrace;

struct Options {
  SubmissionOptions submission;
  std::string assume;
  std::size_t past = 0;             // runs to learn from
  std::vector<std::string> limits;  // NAME=N
  std::uint32_t workers = 0;
  std::uint32_t runs = 100;
  std::uint64_t seed = 1;
};

constexpr std::uint32_t kWorkers = 4;
constexpr std::size_t kBarWidth = 50;
constexpr std::size_t kBars = 30;

std::string percent(double part, double whole) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f%%", whole > 0 ? 100.0 * part / whole : 0.0);
  return text;
}
std::string percent(Duration part, Duration whole) {
  return percent(part.as_seconds(), whole.as_seconds());
}

double mean_seconds(Duration sum, std::uint64_t count) {
  return count > 0 ? sum.as_seconds() / static_cast<double>(count) : 0;
}
Duration mean(Duration sum, std::uint64_t count) {
  return count > 0 ? Duration{sum.us / static_cast<std::int64_t>(count)} : Duration{};
}

double attempts_per_task(const simulate::StepFigures& step) {
  return step.tasks > 0 ? static_cast<double>(step.attempts) / static_cast<double>(step.tasks) : 0;
}

std::string fixed2(double value) {
  return std::to_string(static_cast<long>(value)) + "." +
         std::to_string(static_cast<int>(std::lround(value * 100)) % 100 + 100).substr(1);
}

// One task of the example: ░ waits for a worker, █ works, ▒ an attempt that failed or the delay after it.
std::string bar(const TaskTrace& task, Duration took) {
  const auto column = [&](Duration at) {
    return took.us == 0 ? std::size_t{0}
                        : static_cast<std::size_t>(static_cast<double>(at.us) / static_cast<double>(took.us) *
                                                   static_cast<double>(kBarWidth));
  };
  const Duration begin = task.started() ? task.attempts.front().first : task.ended;
  const Duration last = task.started() ? task.attempts.back().first : task.ended;
  const bool failed = task.status == model::TaskStatus::failed;
  std::string out;
  for (std::size_t i = 0; i < kBarWidth; ++i) {
    if (i < column(task.ready) || i > std::max(column(task.ready), column(task.ended))) {
      out += ' ';
    } else if (i == column(task.ended) && i > column(task.ready)) {
      break;
    } else if (i < column(begin)) {
      out += "░";
    } else {
      out += i < column(last) || failed ? "▒" : "█";
    }
  }
  return out;
}

std::string gantt(const Study& study, const Style& style) {
  const auto& example = study.example;
  std::size_t width = 8;
  for (const TaskTrace& task : example.tasks) width = std::max(width, text_width(task.name));
  width = std::min<std::size_t>(width, 30);
  std::string out = "The run in the middle (--runs 1 --seed " + std::to_string(example.seed) +
                    "): " + short_duration(example.took) + "\n";
  for (std::size_t i = 0; i < std::min(kBars, example.tasks.size()); ++i) {
    const TaskTrace& task = example.tasks[i];
    const std::string name = pad(task.name, width);
    out += "  " + (task.critical ? style.bold(name) : name) + (task.critical ? " * " : "   ") +
           bar(task, example.took) + '\n';
  }
  if (example.tasks.size() > kBars) {
    out += "  … and " + std::to_string(example.tasks.size() - kBars) + " more tasks\n";
  }
  return out +
         style.dim("  █ works  ▒ fails and waits to be tried again  ░ waits for a worker  * critical path") +
         "\n";
}

std::string for_people(const Study& study, const Options& options, const std::string& workflow,
                       const Style& style) {
  const auto runs = static_cast<double>(options.runs);
  std::string out = style.bold(workflow) + ": " + std::to_string(options.runs) +
                    (options.runs == 1 ? " run" : " runs") + " with " + std::to_string(options.workers) +
                    (options.workers == 1 ? " worker" : " workers") + ", seed " +
                    std::to_string(options.seed) + "\n\n";
  out += "  a run takes  " + short_duration(study.percentile(50)) + " (half of them at most), " +
         short_duration(study.percentile(90)) + " (90%), " + short_duration(study.percentile(99)) +
         " (99%), " + short_duration(study.took.back()) + " (all)\n";
  out += "  it ends     ";
  for (const auto& [status, count] : study.outcomes) {
    out += " " + in_colour_of(status, status, style) + " " + percent(static_cast<double>(count), runs);
  }
  out += "\n";
  if (!study.first_error.empty()) out += "  for example  " + printable(study.first_error) + "\n";
  const auto& shares = study.shares;
  out += "  its time     work " + percent(shares.work, shares.total()) + ", waiting for workers " +
         percent(shares.workers, shares.total()) + ", for limits " + percent(shares.limits, shares.total()) +
         ", retries " + percent(shares.retries, shares.total());
  if (shares.waits.us > 0) out += ", waits " + percent(shares.waits, shares.total());
  out += "  (along the critical path)\n";
  out += "  what binds   " + std::string(study.binding()) + "\n";
  if (study.shares.retries.us > 0 || study.wasted.us > 0) {
    out += "  retries      " + short_duration(mean(shares.retries, options.runs)) + " of a run, " +
           percent(study.wasted, study.busy) + " of what the workers do; " +
           percent(static_cast<double>(study.saved), runs) +
           " of the runs completed although an attempt failed\n";
  }
  out += "  workers are  busy " +
         percent(study.busy.as_seconds(), study.total.as_seconds() * options.workers) + "\n\n";
  std::vector<json::object> rows;
  for (const simulate::StepFigures& step : study.steps) {
    rows.push_back({{"step", step.step},
                    {"tasks", step.tasks > 0 ? fixed2(static_cast<double>(step.tasks) / runs) : ""},
                    {"took", step.tasks > 0 ? short_duration(mean(step.took, step.tasks)) : ""},
                    {"attempts", step.tasks > 0 ? fixed2(attempts_per_task(step)) : ""},
                    {"waited", step.tasks > 0 ? short_duration(mean(step.waited, step.tasks)) : ""},
                    {"critical", percent(static_cast<double>(step.critical), runs)}});
  }
  const auto cell = [](const char* field) {
    return [field](const json::object& row, const Style&) { return cell_of(row, field); };
  };
  const std::vector<Column> columns{{"STEP", cell("step")},          {"TASKS", cell("tasks"), true},
                                    {"TAKES", cell("took"), true},   {"ATTEMPTS", cell("attempts"), true},
                                    {"WAITS", cell("waited"), true}, {"CRITICAL", cell("critical"), true}};
  return out + to_table(rows, columns, style, 0) + "\n" + gantt(study, style);
}

json::object to_json(const Study& study, const Options& options, const std::string& workflow) {
  json::array steps;
  for (const simulate::StepFigures& step : study.steps) {
    steps.push_back(json::object{{"step", step.step},
                                 {"tasks", step.tasks},
                                 {"attempts", step.attempts},
                                 {"duration", mean_seconds(step.took, step.tasks)},
                                 {"waited", mean_seconds(step.waited, step.tasks)},
                                 {"critical", step.critical}});
  }
  json::array tasks;
  for (const TaskTrace& task : study.example.tasks) {
    json::array attempts;
    for (const auto& [from, to] : task.attempts) {
      attempts.push_back(json::array{from.as_seconds(), to.as_seconds()});
    }
    tasks.push_back(json::object{{"task", task.name},
                                 {"status", json::string_view(model::name(task.status))},
                                 {"ready", task.ready.as_seconds()},
                                 {"ended", task.ended.as_seconds()},
                                 {"attempts", std::move(attempts)},
                                 {"critical", task.critical}});
  }
  const auto runs = static_cast<double>(options.runs);
  json::object outcomes;
  for (const auto& [status, count] : study.outcomes) outcomes[status] = count;
  const auto& shares = study.shares;
  return {
      {"workflow", workflow},
      {"runs", options.runs},
      {"seed", options.seed},
      {"workers", options.workers},
      {"duration", json::object{{"p50", study.percentile(50).as_seconds()},
                                {"p90", study.percentile(90).as_seconds()},
                                {"p99", study.percentile(99).as_seconds()},
                                {"max", study.took.back().as_seconds()}}},
      {"outcomes", std::move(outcomes)},
      {"error", study.first_error.empty() ? json::value() : json::value(study.first_error)},
      {"critical_path", json::object{{"work", shares.work.as_seconds() / runs},
                                     {"workers", shares.workers.as_seconds() / runs},
                                     {"limits", shares.limits.as_seconds() / runs},
                                     {"retries", shares.retries.as_seconds() / runs},
                                     {"waits", shares.waits.as_seconds() / runs}}},
      {"binding", json::string_view(study.binding())},
      {"retries",
       json::object{{"delay", shares.retries.as_seconds() / runs},
                    {"wasted", study.busy.us > 0 ? study.wasted.as_seconds() / study.busy.as_seconds() : 0.0},
                    {"saved", study.saved}}},
      {"busy",
       study.total.us > 0 ? study.busy.as_seconds() / (study.total.as_seconds() * options.workers) : 0.0},
      {"steps", std::move(steps)},
      {"example", json::object{{"seed", study.example.seed},
                               {"duration", study.example.took.as_seconds()},
                               {"tasks", std::move(tasks)}}}};
}

// What the last runs of the workflow say, that have ended in this data directory.
Result<scenario::PastRuns> past_runs(const Context& context, const std::string& workflow, std::size_t count) {
  constexpr std::size_t kPage = 200;
  constexpr std::size_t kTasksPerRun = 1000;
  Session session(context.settings, context.console);
  TRY_VOID(session.open(Purpose::look));
  TRY(const client::Page runs, session.ask(Purpose::look, [&](client::Client& c) {
    return c.runs({.status = "completed,failed", .workflow = workflow, .limit = count});
  }));
  if (runs.items.empty()) {
    return fail(ErrorCode::not_found, "no run of " + workflow + " has ended in " + context.settings.data_dir +
                                          "; leave out --past, or name another directory with --data");
  }
  scenario::PastRuns past;
  for (const json::object& run : runs.items) {
    const std::string id = cell_of(run, "id");
    std::string cursor;
    std::size_t seen = 0;
    do {
      TRY(const client::Page page,
          session.ask(Purpose::look, [&](client::Client& c) { return c.tasks(id, kPage, cursor); }));
      for (const json::object& item : page.items) {
        TRY(const json::object task,
            session.ask(Purpose::look, [&](client::Client& c) { return c.task(cell_of(item, "id")); }));
        past.add(task);
      }
      seen += page.items.size();
      cursor = page.next;
    } while (!cursor.empty() && seen < kTasksPerRun);
  }
  return past;
}

Result<std::map<std::string, std::uint32_t>> limits_of(const std::vector<std::string>& words) {
  std::map<std::string, std::uint32_t> limits;
  for (const std::string& word : words) {
    const std::size_t equals = word.rfind('=');
    std::uint32_t limit = 0;
    const char* end = word.data() + word.size();
    const char* begin = equals == std::string::npos ? end : word.data() + equals + 1;
    const auto [stop, error] = std::from_chars(begin, end, limit);
    if (equals == 0 || begin == end || error != std::errc{} || stop != end || limit == 0) {
      return fail(ErrorCode::usage,
                  "--limit takes NAME=N with N from 1 on, such as gpu=2, not " + printable(word));
    }
    limits[word.substr(0, equals)] = limit;
  }
  return limits;
}

int simulate_workflow(const Context& context, Options options) {
  const auto prepared = prepare(options.submission, context.console);
  if (!prepared) {
    return prepared.error().message.empty() ? info(prepared.error().code).exit_code
                                            : context.fail(prepared.error());
  }
  const auto input = spec::resolve_inputs(*prepared->workflow, prepared->submission.input);
  if (!input) return context.fail(input.error());
  const auto limits = limits_of(options.limits);
  if (!limits) return context.fail(limits.error());
  scenario::Assumptions assumptions = scenario::assumptions_of(*prepared->workflow);
  if (options.past > 0) {
    const auto past = past_runs(context, prepared->workflow->name, options.past);
    if (!past) return context.fail(past.error());
    past->apply(assumptions);
  }
  if (!options.assume.empty()) {
    const auto text = read_text_file(options.assume, kMaxDefinition);
    if (!text) return context.fail(text.error());
    assumptions = scenario::read_assumptions(*text, display_name(options.assume), *prepared->workflow,
                                             std::move(assumptions));
    show_diagnostics(context.console, assumptions.diagnostics);
    if (!assumptions.diagnostics.empty()) return kUsage;
  }
  if (options.workers == 0) options.workers = assumptions.workers.value_or(kWorkers);
  const auto study = simulate::study({.workflow = prepared->workflow,
                                      .input = json::serialize(*input),
                                      .steps = std::move(assumptions.steps),
                                      .workers = options.workers,
                                      .limits = *limits,
                                      .runs = options.runs,
                                      .seed = options.seed});
  if (!study) return context.fail(study.error());
  const std::string& name = prepared->workflow->name;
  print_object(context.console, context.settings.output, to_json(*study, options, name),
               [&](const Style& style) { return for_people(*study, options, name, style); });
  return kOk;
}

}  // namespace

void add_simulate(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      program.command(program.app(), "simulate",
                      "Says how long a workflow would take, from assumed or earlier durations and failures",
                      [options](const Context& c) { return simulate_workflow(c, *options); });
  command.add_option("file", options->submission.file, "Workflow in YAML or JSON; - is standard input")
      ->required()
      ->type_name("FILE");
  command.add_option("--assume", options->assume, "What is assumed of the steps; else their estimates")
      ->type_name("FILE");
  command
      .add_option(
          "--past", options->past,
          "Take durations and failures from the last N runs in the data directory; --assume wins over them")
      ->type_name("N")
      ->check(CLI::Range(1, 200).description(""));
  command
      .add_option("--limit", options->limits, "How much there is of a limit; else enough; may be repeated")
      ->type_name("NAME=N")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--input,-i", options->submission.inputs, "One input; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--input-file", options->submission.input_file, "Inputs as a JSON or YAML object")
      ->type_name("FILE");
  command.add_option("--workers", options->workers, "Tasks at a time; else what the assumptions say, else 4")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""));
  command.add_option("--runs", options->runs, "How many runs are played; default 100")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""));
  command.add_option("--seed", options->seed, "Of the randomness; default 1")->type_name("N");
}

}  // namespace baton::cli

// simulation: plays random histories of the real engine and shard loop under faults, and checks them.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/seeded_bug.hpp"
#include "simulation.hpp"

namespace baton::simulation {
namespace {

constexpr const char* kUsage = R"(usage: simulation [OPTION…]
  --seeds A-B       these seeds, each a history of its own (default 1-2000)
  --for SECONDS     as many seeds as fit, from the first on
  --seed N          one seed
  --trace           print what happens in it
  --go-on           do not stop at the first seed that fails: name all of them, a line each
  --only A,B | --only none | --without A,B    which of what --switches lists
  --runs N, --workers N, --steps N, --storm SECONDS    the size
  --coverage        also print what happened how often, and fail if something never did
  --often           fail if something of often.txt never happened
  --list-often      print what happened at least 20 times: often.txt
  --bug NAME        with one of the mistakes on purpose (only with -DBATON_SEEDED_BUGS=ON)
  --bugs            search for each of them, and print how many seeds it took; fails if one is not found
  --twice           play each seed twice: the end must be the same, to the last byte
)";

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t last = 2000;
  bool one = false;
  bool trace = false;
  bool go_on = false;
  bool coverage = false;
  bool often = false;
  bool list_often = false;
  bool twice = false;
  bool bugs = false;
  std::optional<double> seconds;
  std::optional<std::uint32_t> runs, workers, steps, storm;
  std::optional<std::vector<Switch>> only;
  std::vector<Switch> without;
};

[[noreturn]] void usage(const std::string& why) {
  fmt::print(stderr, "simulation: {}\n{}", why, kUsage);
  std::exit(2);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) usage(fmt::format("{} is no number", text));
  return value;
}

std::vector<Switch> switches(std::string_view text) {
  std::vector<Switch> list;
  while (!text.empty() && text != "none") {
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    const auto found = switch_named(word);
    if (!found) usage(fmt::format("there is no switch {}", word));
    list.push_back(*found);
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
  }
  return list;
}

Arguments read(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto value = [&]() -> std::string_view {
      if (++i >= argc) usage(fmt::format("{} needs a value", word));
      return argv[i];
    };
    if (word == "--seed") {
      out.first = out.last = number(value());
      out.one = true;
    } else if (word == "--seeds") {
      const std::string_view range = value();
      const std::size_t dash = range.find('-');
      out.first = number(range.substr(0, dash));
      out.last = dash == std::string_view::npos ? out.first : number(range.substr(dash + 1));
    } else if (word == "--for") {
      out.seconds = static_cast<double>(number(value()));
      out.last = UINT64_MAX - 1;
    } else if (word == "--trace") {
      out.trace = true;
    } else if (word == "--go-on") {
      out.go_on = true;
    } else if (word == "--coverage") {
      out.coverage = true;
    } else if (word == "--often") {
      out.often = true;
    } else if (word == "--list-often") {
      out.list_often = true;
    } else if (word == "--twice") {
      out.twice = true;
#ifdef BATON_SEEDED_BUGS
    } else if (word == "--bugs") {
      out.bugs = true;
    } else if (word == "--bug") {
      const std::string_view wanted = value();
      std::size_t bug = 0;
      while (bug < static_cast<std::size_t>(Bug::last_) && baton::name(static_cast<Bug>(bug)) != wanted)
        ++bug;
      if (bug == static_cast<std::size_t>(Bug::last_)) usage(fmt::format("there is no bug {}", wanted));
      switch_on(static_cast<Bug>(bug));
#endif
    } else if (word == "--only") {
      out.only = switches(value());
    } else if (word == "--without") {
      out.without = switches(value());
    } else if (word == "--runs") {
      out.runs = static_cast<std::uint32_t>(number(value()));
    } else if (word == "--workers") {
      out.workers = static_cast<std::uint32_t>(number(value()));
    } else if (word == "--steps") {
      out.steps = static_cast<std::uint32_t>(number(value()));
    } else if (word == "--storm") {
      out.storm = static_cast<std::uint32_t>(number(value()));
    } else if (word == "--switches") {
      for (std::size_t f = 0; f < kSwitches; ++f) fmt::print("{}\n", name(static_cast<Switch>(f)));
      std::exit(0);
    } else {
      usage(fmt::format("what is {}?", word));
    }
  }
  return out;
}

Options options_of(std::uint64_t seed, const Arguments& arguments) {
  Options options = Options::of(seed);
  if (arguments.only) {
    options.on.reset();
    for (const Switch which : *arguments.only) options.on.set(static_cast<std::size_t>(which));
  }
  for (const Switch which : arguments.without) options.on.reset(static_cast<std::size_t>(which));
  options.runs = arguments.runs.value_or(options.runs);
  options.workers = arguments.workers.value_or(options.workers);
  options.steps = arguments.steps.value_or(options.steps);
  if (arguments.storm) options.storm = Duration::seconds(*arguments.storm);
  return options;
}

// Leaves out whatever does not matter for the failure.
Options shrink(Options options, const std::string& invariant) {
  const auto fails = [&](const Options& smaller) {
    const Outcome outcome = simulate(smaller);
    return outcome.violation && outcome.violation->invariant == invariant;
  };
  for (bool smaller = true; smaller;) {
    smaller = false;
    const auto attempt = [&](const Options& candidate) {
      if (!fails(candidate)) return;
      options = candidate;
      smaller = true;
    };
    for (std::size_t i = 0; i < kSwitches; ++i) {
      Options candidate = options;
      candidate.on.reset(i);
      if (candidate.on != options.on) attempt(candidate);
    }
    for (std::uint32_t Options::* size : {&Options::runs, &Options::workers, &Options::steps}) {
      if (options.*size <= 1 || (size == &Options::steps && options.*size <= 2)) continue;
      Options candidate = options;
      --(candidate.*size);
      attempt(candidate);
    }
    if (options.storm > Duration::seconds(20)) {
      Options candidate = options;
      candidate.storm = Duration::seconds(options.storm.us / 2'000'000);
      attempt(candidate);
    }
  }
  return options;
}

#ifdef BATON_SEEDED_BUGS
// The test of the tests, as a table.
int find_bugs(const Arguments& arguments) {
  fmt::print("| mistake | found by | seed | what the checker says |\n| --- | --- | --- | --- |\n");
  int missed = 0;
  for (std::size_t bug = 1; bug < static_cast<std::size_t>(Bug::last_); ++bug) {
    switch_on(static_cast<Bug>(bug));
    std::optional<Violation> found;
    std::uint64_t seed = arguments.first;
    for (; !found && seed <= arguments.last; ++seed) found = simulate(options_of(seed, arguments)).violation;
    if (found) {
      // Ids differ from build to build.
      const std::string what = found->what.substr(0, 100);
      fmt::print("| {} | {} | {} | {} |\n", baton::name(static_cast<Bug>(bug)), found->invariant, seed - 1,
                 what);
    } else {
      fmt::print("| {} | NOT FOUND | {} | |\n", baton::name(static_cast<Bug>(bug)), arguments.last);
      ++missed;
    }
    std::fflush(stdout);
  }
  return missed == 0 ? 0 : 1;
}
#endif

// Whether all happened that should have.
bool covers(const Arguments& arguments, const Coverage& coverage) {
  constexpr std::uint64_t kOften = 20;
  bool complete = true;
  if (arguments.coverage) {
    for (const auto& [what, count] : coverage.counts()) fmt::print("{:>10}  {}\n", count, what);
  }
  if (arguments.coverage || arguments.often) {
    for (const std::string& line : stale_exceptions()) {
      fmt::print("elsewhere.txt names what there is not: {}\n", line);
      complete = false;
    }
  }
  if (arguments.list_often) fmt::print("# What seeds 1-2000 go through: simulation --list-often\n");
  for (const std::string& what : everything()) {
    if (arguments.list_often && coverage.count(what) >= kOften) fmt::print("{}\n", what);
    if (!arguments.coverage || coverage.count(what) > 0) continue;
    fmt::print("never happened: {}\n", what);
    complete = false;
  }
  if (!arguments.often) return complete;
  const auto known = everything();
  for (const std::string& what : what_is_often()) {
    // A refusal may have other words now.
    if (coverage.count(what) > 0 || !std::ranges::binary_search(known, what)) continue;
    fmt::print("did not happen this time: {}\n", what);
    complete = false;
  }
  return complete;
}

int play(const Arguments& arguments) {
#ifdef BATON_SEEDED_BUGS
  if (arguments.bugs) return find_bugs(arguments);
#endif
  const auto began = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  Coverage coverage;
  Duration lasted;
  std::uint64_t played = 0;
  std::uint64_t failed = 0;
  for (std::uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
    if (arguments.seconds && elapsed() > *arguments.seconds) break;
    const Options options = options_of(seed, arguments);
    const Outcome outcome = simulate(options, arguments.trace);
    ++played;
    lasted = lasted + outcome.lasted;
    coverage.add(outcome.coverage);
    if (outcome.violation) {
      fmt::print("seed {}: {}: {}\n", seed, outcome.violation->invariant, outcome.violation->what);
      if (arguments.trace) return 1;
      if (arguments.go_on) {
        std::fflush(stdout);
        ++failed;
        continue;
      }
      const Options small = shrink(options, outcome.violation->invariant);
      fmt::print("\nrepeat it with: simulation {} --trace\nsmaller:        simulation {} --trace\n",
                 options.arguments(), small.arguments());
      return 1;
    }
    if (arguments.twice && simulate(options).digest != outcome.digest) {
      fmt::print("seed {}: the second time it ended differently\n", seed);
      return 1;
    }
    if (arguments.one)
      fmt::print("seed {}: {} after {:.0f} s of its time\n", seed, outcome.digest, lasted.as_seconds());
  }
  const bool complete = covers(arguments, coverage);
  if (!arguments.one && !arguments.list_often)
    fmt::print("{} seeds, {} of them failed, {:.0f} hours of their time, {:.1f} s\n", played, failed,
               lasted.as_seconds() / 3600, elapsed());
  return complete && failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace baton::simulation

int main(int argc, char** argv) {
  return baton::simulation::play(baton::simulation::read(argc, argv));
}

#include "options.hpp"

#include <array>

namespace baton::simulation {
namespace {

constexpr std::array<std::string_view, kSwitches> kNames = {"slow-commits",
                                                            "refused-commits",
                                                            "unknown-commits",
                                                            "hanging-commits",
                                                            "late-commits",
                                                            "slow-loads",
                                                            "failed-loads",
                                                            "failed-starts",
                                                            "crashes",
                                                            "absences",
                                                            "tiny-turns",
                                                            "wall-clock",
                                                            "lost-requests",
                                                            "lost-replies",
                                                            "repeated-requests",
                                                            "delays",
                                                            "worker-crashes",
                                                            "unreported-effects",
                                                            "stalls",
                                                            "repeated-reports",
                                                            "contradictions",
                                                            "wrong-tokens",
                                                            "releases",
                                                            "worker-in-process",
                                                            "failures",
                                                            "hanging",
                                                            "cancels",
                                                            "pauses",
                                                            "recoveries",
                                                            "decisions",
                                                            "changes",
                                                            "nonsense",
                                                            "signals",
                                                            "answers",
                                                            "breakers",
                                                            "letters",
                                                            "cleaning",
                                                            "drops",
                                                            "spans",
                                                            "awaited-signals",
                                                            "approvals",
                                                            "polls",
                                                            "branches",
                                                            "rounds",
                                                            "fallbacks",
                                                            "preflights",
                                                            "cleanups",
                                                            "compensations",
                                                            "services",
                                                            "clocks",
                                                            "limits",
                                                            "caches",
                                                            "resources",
                                                            "signs"};

}  // namespace

std::string_view name(Switch which) {
  return kNames[static_cast<std::size_t>(which)];
}

std::optional<Switch> switch_named(std::string_view name) {
  for (std::size_t i = 0; i < kSwitches; ++i) {
    if (kNames[i] == name) return static_cast<Switch>(i);
  }
  return std::nullopt;
}

engine::Random stream(std::uint64_t seed, Stream which, std::uint64_t number) {
  engine::Random mix(Seed{seed, (static_cast<std::uint64_t>(which) << 32) + number + 1});
  return engine::Random(Seed{mix.next(), mix.next()});
}

Options Options::of(std::uint64_t seed) {
  engine::Random random = stream(seed, Stream::options);
  Options options{.seed = seed};
  // Few, about half, or nearly all: many faults hide what few of them show.
  const std::int64_t share = 1 + random.up_to(2);
  for (std::size_t i = 0; i < kSwitches; ++i) options.on[i] = random.up_to(3) < share;
  options.runs = static_cast<std::uint32_t>(1 + random.up_to(4));
  options.workers = static_cast<std::uint32_t>(1 + random.up_to(2));
  options.steps = static_cast<std::uint32_t>(2 + random.up_to(7));
  options.storm = Duration::seconds(60 + random.up_to(600));
  return options;
}

std::string Options::arguments() const {
  const Options whole = of(seed);
  std::string text = "--seed " + std::to_string(seed);
  if (on != whole.on) {
    std::string names;
    for (std::size_t i = 0; i < kSwitches; ++i) {
      if (on[i]) names += (names.empty() ? "" : ",") + std::string(name(static_cast<Switch>(i)));
    }
    text += " --only " + (names.empty() ? "none" : names);
  }
  if (runs != whole.runs) text += " --runs " + std::to_string(runs);
  if (workers != whole.workers) text += " --workers " + std::to_string(workers);
  if (steps != whole.steps) text += " --steps " + std::to_string(steps);
  if (storm != whole.storm) text += " --storm " + std::to_string(storm.us / 1'000'000);
  return text;
}

}  // namespace baton::simulation

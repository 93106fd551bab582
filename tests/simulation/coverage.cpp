#include "coverage.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "model/breaker_transitions.hpp"
#include "model/fact.hpp"
#include "model/rows.hpp"
#include "model/states.hpp"

namespace baton::simulation {
namespace {

// Without empty lines and comments.
std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream in(file);
  if (!in) {
    fmt::print(stderr, "simulation: the list {} cannot be read\n", file);
    std::abort();
  }
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  }
  return lines;
}

template <typename Status>
void add_transitions(std::vector<std::string>& names, std::string_view what,
                     std::span<const model::Transition<Status>> table) {
  for (const auto& transition : table)
    names.push_back(
        fmt::format("{}: {} -> {}", what, model::name(transition.from), model::name(transition.to)));
}

template <typename Word, std::size_t N>
void add_words(std::vector<std::string>& names, std::string_view what, const std::array<Word, N>& words) {
  for (const Word word : words) names.push_back(fmt::format("{}: {}", what, model::name(word)));
}

std::vector<std::string> named_by_tables() {
  using model::AttemptEnd;
  using model::Phase;
  using model::RunStage;
  using model::SkipReason;
  using model::TaskRole;
  std::vector<std::string> names;
  for (int kind = 1; kind <= static_cast<int>(model::kLastFactKind); ++kind)
    names.push_back("fact: " + std::string(model::name(static_cast<model::FactKind>(kind))));
  add_transitions(names, "run", model::run_transitions());
  add_transitions(names, "task", model::task_transitions());
  add_transitions(names, "breaker", model::breaker_transitions());
  add_words(
      names, "skipped",
      std::array{SkipReason::when, SkipReason::upstream_skipped, SkipReason::upstream_failed,
                 SkipReason::branch, SkipReason::fail_fast, SkipReason::operator_, SkipReason::trigger_rule});
  add_words(names, "attempt ends",
            std::array{AttemptEnd::completed, AttemptEnd::failed, AttemptEnd::lost, AttemptEnd::interrupted,
                       AttemptEnd::released, AttemptEnd::cancelled});
  constexpr std::array kPhases{Phase::primary, Phase::preflight, Phase::poll, Phase::fallback};
  constexpr std::array kRoles{TaskRole::cleanup, TaskRole::compensate, TaskRole::resource};
  add_words(names, "attempt starts", kPhases);
  add_words(names, "attempt starts", kRoles);
  add_words(names, "lost", kPhases);
  add_words(names, "lost", kRoles);
  // A poll that is not tried again is followed by the next one.
  add_words(names, "retry", std::array{Phase::primary, Phase::preflight, Phase::fallback});
  add_words(names, "retry", kRoles);
  for (const char* backoff : {"fixed", "linear", "exponential"}) {
    for (const char* jitter : {"none", "full", "equal", "decorrelated", "add"})
      names.push_back(fmt::format("retry: {} with jitter {}", backoff, jitter));
  }
  for (const RunStage stage :
       {RunStage::compensate, RunStage::cleanup, RunStage::leftovers, RunStage::finally}) {
    for (const char* outcome : {"completed", "failed", "cancelled"}) {
      if (stage == RunStage::compensate && std::string_view(outcome) == "completed") continue;
      names.push_back(fmt::format("stage: {} of a run that is {}", model::name(stage), outcome));
    }
  }
  // What a new owner finds.
  for (const char* task : {"queued", "running", "running, waiting", "running, stopping soft",
                           "running, stopping hard", "retrying", "retrying, held", "retrying, giving back"})
    names.push_back(fmt::format("restart: a task is {}", task));
  for (const char* run : {"pending", "running", "paused", "cancelling", "recovering"})
    names.push_back(fmt::format("restart: a run is {}", run));
  for (const RunStage stage :
       {RunStage::compensate, RunStage::cleanup, RunStage::leftovers, RunStage::finally})
    names.push_back(fmt::format("restart: in stage {}", model::name(stage)));
  return names;
}

const std::vector<std::string>& refusals() {
  static const std::vector<std::string> list = [] {
    std::vector<std::string> words;
    for (const std::string& line : lines_of(BATON_SIMULATION_REFUSALS))
      words.push_back(line.substr(line.find(": ") + 2));
    return words;
  }();
  return list;
}

std::set<std::string> all_names() {
  std::set<std::string> names;
  for (const std::string& name : named_by_tables()) names.insert(name);
  for (const std::string& words : refusals()) names.insert("refusal: " + words);
  return names;
}

}  // namespace

std::vector<std::string> everything() {
  std::set<std::string> names = all_names();
  for (const std::string& line : lines_of(BATON_SIMULATION_LISTS "/elsewhere.txt")) {
    names.erase(line.substr(0, line.find(" | ")));
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> stale_exceptions() {
  std::vector<std::string> stale;
  const std::set<std::string> names = all_names();
  for (const std::string& line : lines_of(BATON_SIMULATION_LISTS "/elsewhere.txt")) {
    const std::size_t end = line.find(" | ");
    bool holds = end != std::string::npos && names.contains(line.substr(0, end));
    for (std::size_t at = end; holds && at != std::string::npos;) {
      at += at == end ? 3 : 2;
      const std::size_t comma = line.find(", ", at);
      holds = std::filesystem::exists(std::filesystem::path(BATON_SIMULATION_LISTS "/../..") /
                                      line.substr(at, comma == std::string::npos ? comma : comma - at));
      at = comma;
    }
    if (!holds) stale.push_back(line);
  }
  return stale;
}

std::vector<std::string> what_is_often() {
  return lines_of(BATON_SIMULATION_LISTS "/often.txt");
}

std::vector<std::string> refusals_in(std::string_view message) {
  std::vector<std::string> names;
  for (const std::string& words : refusals()) {
    if (message.find(words) != std::string_view::npos) names.push_back("refusal: " + words);
  }
  return names;
}

}  // namespace baton::simulation

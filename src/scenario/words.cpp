#include "scenario/words.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.hpp"

namespace baton::scenario {
namespace {

constexpr std::array kFile = {
    Word{"scenarios", "a map of names to scenarios; what stands beside it holds for each of them"},
};

constexpr std::array kScenario = {
    Word{"scenario", "its name, if the file has only this one; else the file's name"},
    Word{"description", "for people"},
    Word{"covers", "numbers of the lines of a specification that it is about"},
    Word{"workflow", "the definition, or the path of its file, relative to this file"},
    Word{"input", "the run's input"},
    Word{"start", "what else the run is started with: `job_id`, `priority`, `key`, `metadata`, `refused`"},
    Word{"steps", "what the steps pretend to do; one that is not named completes at once"},
    Word{"workflows",
         "a list of further definitions, applied before the run starts: those that its steps run"},
    Word{"limits", "a map of limits to how much there is of them, set before the run starts"},
    Word{"queues",
         "a map of queues to what is set for them (`max_waiting`, `weights`) before the run starts"},
    Word{"routes", "a map of patterns to queues, set before the run starts"},
    Word{"workers", "a map of names to workers; else one in the owner's process that takes everything"},
    Word{"at", "a map of times, counted from the run's start, to what is done then: one action or a list"},
    Word{"now", "the date and time of the start; default 2030-01-01T00:00:00Z"},
    Word{"seed", "of all randomness (jitter); default 1"},
    Word{"until", "where the scenario ends if its runs have not; default 40 days after its last action"},
    Word{"expect", "what must have come of it"},
};

constexpr std::array kMock = {
    Word{"takes", "how long, or `forever`: until it is stopped; default 0s"},
    Word{"result", "its result"},
    Word{"stdout", "what it prints, as its result: {stdout, exit_code: 0}"},
    Word{"error", "how it fails: a type, or a map; `result` beside it is the partial result"},
    Word{"dies", "true: it takes its worker along instead of ending"},
    Word{"resources", "a list of names: what it registers at its start, to be given back"},
    Word{"adds", "`{steps: {…}, detach: true}` or a list of these: tasks that it adds at its start"},
    Word{"beats", "how often it gives a sign of life (`baton task progress`); default never"},
    Word{"on_stop", "when it is asked to stop: `ends` (the default), `ignores`, or what it does then"},
};

constexpr std::array kError = {
    Word{"type", "its type; default `exit`, `http` or `signal`, by what else is said"},
    Word{"message", "for people"},
    Word{"exit", "the exit code of a process"},
    Word{"signal", "the number of the signal that killed it"},
    Word{"status", "the HTTP status of the answer"},
    Word{"retry_after", "how long the next attempt shall wait"},
    Word{"never", "true: another try cannot help"},
};

constexpr std::array kWorker = {
    Word{"remote", "true: it is a process of its own, which outlives the owner and holds a lease"},
    Word{"concurrency", "tasks at a time; default 100"},
    Word{"queues", "a list of queues; default all"},
};

constexpr std::array kExpect = {
    Word{"steps",
         "a map of tasks (`fetch`, `label[2]`, `fetch.cleanup`) to their status, or to a map of fields"},
    Word{"events", "what happened, in this order; other things may have happened between"},
    Word{"history", "what happened, in this order, and nothing else"},
    Word{"never", "what did not happen"},
    Word{"runs",
         "a map of other runs of this scenario, by their names, to what is expected of them; one that a step "
         "has begun goes by the name of its task"},
};

constexpr std::array kAssumption = {
    Word{"takes",
         "how long: `30s`, evenly `30s..2m`, or `{median: 20s, p95: 1m}`; default the step's `estimate`"},
    Word{"fails", "the share of its attempts that fails, like `5%`; default none"},
    Word{"error", "the type of those failures; default `exit`"},
    Word{"result", "its result"},
};

constexpr std::array kVerbs = {
    Verb{"start", "a name for the run", true, "workflow input job_id priority key metadata",
         "starts another run, of the same workflow unless it says another one"},
    Verb{"cancel", "", false, "reason", "asks the run to end"},
    Verb{"terminate", "", false, "cleanup reason",
         "ends the run without asking its tasks; `cleanup: false` gives nothing back"},
    Verb{"pause", "", false, "step queue worker target for reason",
         "nothing of the run (or step, queue, worker, target) starts any more"},
    Verb{"resume", "", false, "step queue worker target", "it goes on"},
    Verb{"recover", "", false, "from keep failed_only force reason",
         "a run that failed or was cancelled goes on"},
    Verb{"replay", "a name for the new run", true, "input",
         "the run is done again, perhaps with other input"},
    Verb{"retry", "a task", true, "force reason", "a person has the task tried again"},
    Verb{"skip", "a task", true, "force reason", "a person has it skipped"},
    Verb{"complete", "a task", true, "result force reason", "a person gives its result"},
    Verb{"fail", "a task", true, "reason", "a person gives up a task that waits"},
    Verb{"change", "", false, "priority metadata labels", "something about the run is changed"},
    Verb{"limit", "its name", true, "to reason",
         "a limit is set to so much; without `to`, what was set is taken away"},
    Verb{"set queue", "its name", true, "max_waiting weights reason",
         "how many tasks may wait in a queue (0 = as many as come), and weights of fair keys"},
    Verb{"set route", "its pattern", true, "to reason",
         "steps that name no queue wait in that one; without `to`, no more"},
    Verb{"signal", "its name", true, "data key", "something that the run may be waiting for has happened"},
    Verb{"approve", "a task", true, "value reason", "a person says yes"},
    Verb{"reject", "a task", true, "value reason", "a person says no"},
    Verb{"kill owner", "how long there is none; default 0s", false, "",
         "the process that owns the data dies, as by kill -9, and another one takes over"},
    Verb{"kill worker", "its name", true, "", "a remote worker dies and is replaced by another one"},
    Verb{"cut worker", "its name", true, "", "a remote worker goes on, but nobody hears of it"},
    Verb{"reconnect worker", "its name", true, "", "it is heard again"},
    Verb{"drain worker", "its name", true, "", "a worker takes nothing more"},
    Verb{"report again", "a task", true, "attempt result error",
         "a report of the task is repeated: its last one, or that of this attempt; with this outcome, if one "
         "is said"},
    Verb{"jump clock", "how far: `1h`, `-1h`", true, "", "the clock on the wall is changed"},
    Verb{"expect", "as the scenario's own", true, "", "what must be so at this time"},
};

}  // namespace

std::span<const Word> file_words() {
  return kFile;
}
std::span<const Word> scenario_words() {
  return kScenario;
}
std::span<const Word> mock_words() {
  return kMock;
}
std::span<const Word> error_words() {
  return kError;
}
std::span<const Word> worker_words() {
  return kWorker;
}
std::span<const Word> expect_words() {
  return kExpect;
}
std::span<const Word> assumption_words() {
  return kAssumption;
}
std::span<const Verb> verbs() {
  return kVerbs;
}

const Verb* find_verb(std::string_view name) {
  const auto found = std::ranges::find(kVerbs, name, &Verb::name);
  return found == kVerbs.end() ? nullptr : &*found;
}

std::string_view meant(std::string_view word, std::span<const Word> words) {
  constexpr std::pair<std::string_view, std::string_view> kForeign[] = {
      {"inputs", "input"}, {"duration", "takes"}, {"timeline", "at"},       {"actions", "at"},
      {"mocks", "steps"},  {"mock", "steps"},     {"returns", "result"},    {"output", "result"},
      {"fails", "error"},  {"sleep", "takes"},    {"name", "scenario"},     {"expected", "expect"},
      {"code", "exit"},    {"exit_code", "exit"}, {"never_retry", "never"}, {"tests", "scenarios"},
  };
  for (const auto& [theirs, ours] : kForeign) {
    if (theirs == word && std::ranges::find(words, ours, &Word::name) != words.end()) return ours;
  }
  std::vector<std::string_view> names;
  for (const Word& known : words) names.push_back(known.name);
  return nearest(word, names);
}

}  // namespace baton::scenario

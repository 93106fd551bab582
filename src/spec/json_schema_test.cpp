#include "spec/json_schema.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <random>
#include <vector>

#include "schema/schema.hpp"
#include "spec/parse.hpp"

namespace baton::spec {
namespace {

namespace json = boost::json;

// Parts of the messages of rules that no JSON Schema can say, or that the published one does not say. They
// are listed for people under "What only the parser checks" in docs/reference/definition.md.
constexpr std::string_view kSemanticRules[] = {
    "unknown step",
    "a step cannot need itself",
    "stands twice in `needs`",
    "stands twice in the list",  // 1 and "1" are the same name
    "these steps need each other",
    "is taken by a step under `steps`",
    "under `finally`",
    "but does not need it",
    "cannot read its own result",
    "unknown input",
    "unknown variable",
    "unknown time zone",
    "the expression ends too early",
    "`${{ }}` is not allowed in `metadata`",
    "` must be more than 0",
    "unknown field `",
    "is known only in steps with `for_each`",
    "`steps` is not known here",
    "`self` is not known here",
    "the name of a step must stand here",
    "the name of the variable must stand here",
    "`when` must be true or false",
    "`for_each` needs a list or a map",
    "the default does not fit",
    "a timeout must be more than 0",
    "must not be less than",
    "has no effect with `backoff",
    "an input with a default is never missing",
    "is longer than 100 years",
    "`${{ }}` is not allowed in keys",
    // Targets and breakers.
    "unknown target",
    "unknown operation",
    "`operation` needs `target`",
    "begins with / needs a `target`",
    "has no `url` that this could continue",
    "this breaker never opens",
    "the breaker needs a `name`",
    "is declared twice, with other settings",
    // Endings.
    "the cleanup could come before it",
    "there is no step",
    // Waits and switches.
    "is not a name of a signal",
    "`approval` is a question, or true",
    "a switch cannot go to itself",
    "a switch goes to steps that stand beside it",
    "stands twice in one branch",
    "a switch goes to this step",
    "branches after `else` are never taken",
    "the branch goes nowhere",
    // Limits and rates.
    "is named twice",
    "two limits without a `key`",
    "`key` must not be empty",
    "`key` has more than",
    "a step uses at most",
    "the `ttl` of `cache`",
    // Declarations of inputs.
    "is not supported",
    "must be a map, or true or false",
    "a type is one of",
    "must be a list",
    "the list of types is empty",
    "must be a string",
    "must be a number",
    "must be true or false",
    "must be an integer that is not negative",
    // Schedules.
    "`${{ }}` is not allowed in `input`",
    "is none: it must be",
    "a cron expression has five fields",
    "is no cron expression",
    "the cron expression is empty",
    "must be an instant",
    "must be at least 1s",
    "is taken by another schedule",
    "has no effect without `cron`",
    "has no effect with `catchup",
    "the schedule has no value for the input",
    // Expressions.
    "has no fields",
    "without `}}`",
    "not a number",
    "unexpected `",
};

constexpr std::string_view kValid[] = {
    R"({"name": "one", "steps": {"a": {"run": "true"}}})",
    R"({"name": "two", "title": "T", "description": "D", "labels": {"team": "x"}, "max_parallel": 4, "fail_fast": true,
        "max_recovery_attempts": 1, "env": {"A": "1", "B": 2, "C": true},
        "inputs": {"n": {"type": "integer", "minimum": 1, "default": 3}, "s": {"type": "string", "optional": true}},
        "defaults": {"queue": "q", "timeout": "5m", "priority": 7, "shell": ["bash", "-c"], "env": {"X": "y"},
                     "workdir": "/tmp", "retry": {"max_attempts": 3, "backoff": "linear", "initial": "2s", "max": 60,
                     "jitter": {"add": "1s"}}},
        "steps": {
          "a": {"run": "echo $N", "env": {"N": "${{ inputs.n }}"}, "parse": "json", "title": "A", "type": "t"},
          "b": {"needs": ["a"], "exec": ["echo", 1, true, "${{ item }}"], "for_each": "${{ steps.a.result }}",
                "max_parallel": 2, "timeout": {"soft": "1m", "hard": 90}, "continue_on_error": true,
                "retry": {"preset": "celery", "max_retries": 2, "multiplier": 1.5, "jitter": "full"}},
          "c": {"needs": ["b"], "when": "size(steps.b.result) > 0", "set": {"k": "${{ steps.b.result }}", "v": [1, null]},
                "priority": 0, "queue": "z", "estimate": "3s"}},
        "finally": {"r": {"exec": ["report"], "with": {"x": "${{ run.status }}"}, "workdir": "/"}}})",
    R"({"name": "three", "steps": {"m": {"for_each": {"a": 1}, "run": "x", "shell": ["sh"], "retry": {}},
        "l": {"for_each": [1, "${{ inputs }}"], "set": {}, "needs": []}}})",
    R"({"name": "four", "inputs": {"n": {"default": 1}},
        "schedules": [{"cron": "0 4 * * mon", "timezone": "Europe/Berlin", "overlap": "queue", "catchup": "all",
                       "catchup_window": "1d", "jitter": 30, "input": {"n": 5}, "priority": 3, "name": "weekly"},
                      {"every": "5m", "paused": true}, {"at": "2027-01-01T00:00:00Z"}],
        "alerts": {"on": ["failed", "leaked"], "to": ["ops"], "severity": "critical"},
        "rollout": {"percent": 12.5, "rollback": {"failure_rate": 5, "duration": "1m", "min_runs": 3, "window": "1h"}},
        "steps": {"c": {"celery": {"task": "t", "args": [1, "${{ inputs.n }}"], "kwargs": {"k": null}, "queue": "q"}}}})",
    R"({"name": "five", "inputs": {"n": {"type": "integer"}}, "steps": {
        "h": {"http": {"url": "http://h/${{ inputs.n }}", "method": "PUT", "query": {"q": ["a", 1, null], "r": true},
              "headers": {"Accept": "x", "X-N": 1}, "json": {"a": ["${{ inputs.n }}"]}, "expect": ["2xx", 404],
              "follow": 3, "connect_timeout": "2s", "tls": {"verify": false, "ca": "./ca.pem"}},
              "response_schema": {"type": "object"}, "retry": {}, "timeout": "1m"},
        "f": {"http": {"url": "${{ steps.h.result.headers.location }}", "form": {"a": "b"}, "expect": 200,
              "follow": false}, "needs": ["h"]},
        "b": {"http": {"url": "https://h:8443", "body": "x ${{ inputs.n }}", "follow": true}}}})",
    R"({"name": "six", "inputs": {"n": {"type": "integer"}}, "steps": {
        "w": {"wait": "10s"}, "v": {"wait": {"for": 90}}, "u": {"wait": {"until": "2027-01-01T00:00:00Z"}},
        "s": {"wait": {"signal": "go", "timeout": "1h"}}, "a": {"wait": {"approval": true}},
        "p": {"wait": {"poll": {"run": "x", "retry": {"max_attempts": 2}}, "every": "5m", "until": "self.result.ok",
              "timeout": "1d"}},
        "c": {"switch": [{"when": "inputs.n > 3", "goto": "r"}, {"when": "true", "goto": ["d", "r"]}, {"else": "d"}]},
        "r": {"run": "x", "repeat": {"until": "self.result.done", "max": 5, "delay": "1s"}},
        "d": {"run": "x", "needs": ["w"]}}})",
    R"({"name": "seven", "inputs": {"t": {"type": "string"}}, "steps": {
        "l": {"run": "x", "concurrency": {"key": "k-${{ inputs.t }}", "limit": 2}, "uses": {"gpu": 1, "licence": 2},
              "fair_key": "${{ inputs.t }}", "rate_limit": {"limit": 100, "per": "1m", "burst": 5, "key": "api"}},
        "m": {"exec": ["y"], "concurrency": [{"key": "a"}, {"limit": 3}], "rate_limit": {"limit": 1}}}})",
    R"({"name": "eight", "inputs": {"t": {"type": "string"}}, "steps": {
        "c": {"run": "x", "cache": {"key": ["${{ inputs.t }}", 3], "ttl": "7d"}},
        "d": {"exec": ["y"], "cache": "12h"}, "e": {"exec": ["y"], "cache": {}}}})",
};

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  void mutate(json::value& root) {
    std::vector<json::value*> places;
    collect(root, places);
    json::value& at = *places[pick(places.size())];
    if (auto* object = at.if_object(); object != nullptr && pick(3) != 0) return change(*object);
    if (auto* array = at.if_array(); array != nullptr && pick(3) != 0) {
      if (!array->empty() && pick(2) == 0) {
        array->erase(array->begin() + static_cast<std::ptrdiff_t>(pick(array->size())));
      } else {
        array->push_back(random_value());
      }
      return;
    }
    at = random_value();
  }

 private:
  std::size_t pick(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }

  void collect(json::value& value, std::vector<json::value*>& places) {
    places.push_back(&value);
    if (auto* object = value.if_object()) {
      for (auto& member : *object) collect(member.value(), places);
    } else if (auto* array = value.if_array()) {
      for (auto& item : *array) collect(item, places);
    }
  }

  void change(json::object& object) {
    const std::size_t what = pick(3);
    if (!object.empty() && what == 0) {
      object.erase((object.begin() + static_cast<std::ptrdiff_t>(pick(object.size())))->key());
    } else if (!object.empty() && what == 1) {
      const auto member = object.begin() + static_cast<std::ptrdiff_t>(pick(object.size()));
      const json::value value = member->value();
      object.erase(member);
      object[random_key()] = value;
    } else {
      object[random_key()] = random_value();
    }
  }

  std::string random_key() {
    constexpr std::string_view kKeys[] = {"name",
                                          "title",
                                          "steps",
                                          "finally",
                                          "run",
                                          "exec",
                                          "set",
                                          "needs",
                                          "when",
                                          "for_each",
                                          "max_parallel",
                                          "with",
                                          "env",
                                          "workdir",
                                          "shell",
                                          "parse",
                                          "retry",
                                          "timeout",
                                          "queue",
                                          "priority",
                                          "estimate",
                                          "soft",
                                          "hard",
                                          "start",
                                          "preset",
                                          "backoff",
                                          "initial",
                                          "max",
                                          "jitter",
                                          "add",
                                          "multiplier",
                                          "max_attempts",
                                          "max_retries",
                                          "inputs",
                                          "defaults",
                                          "labels",
                                          "http",
                                          "url",
                                          "query",
                                          "headers",
                                          "json",
                                          "form",
                                          "body",
                                          "expect",
                                          "follow",
                                          "method",
                                          "tls",
                                          "verify",
                                          "Host",
                                          "response_schema",
                                          "cleanup",
                                          "celery",
                                          "alerts",
                                          "rollout",
                                          "rollback",
                                          "cron",
                                          "every",
                                          "at",
                                          "timezone",
                                          "overlap",
                                          "catchup",
                                          "input",
                                          "on",
                                          "to",
                                          "args",
                                          "kwargs",
                                          "percent",
                                          "on_error",
                                          "x",
                                          "a b",
                                          "BATON_X",
                                          "A=B",
                                          "optional",
                                          "default",
                                          "type",
                                          "required",
                                          "schedules",
                                          "",
                                          "-dash",
                                          "description",
                                          "continue_on_error",
                                          "wait",
                                          "switch",
                                          "repeat",
                                          "until",
                                          "poll",
                                          "signal",
                                          "approval",
                                          "goto",
                                          "else",
                                          "trigger_rule"};
    return std::string(kKeys[pick(std::size(kKeys))]);
  }

  json::value random_value() {
    switch (pick(14)) {
      case 0:
        return nullptr;
      case 1:
        return pick(2) == 0;
      case 2:
        return static_cast<std::int64_t>(pick(12)) - 1;
      case 3:
        return 1.5;
      case 4:
        return json::array{};
      case 5:
        return json::object{};
      case 6:
        return json::array{"a", random_value()};
      case 7:
        return json::object{{random_key(), random_value()}};
      default: {
        constexpr std::string_view kTexts[] = {"a",
                                               "5m",
                                               "",
                                               "${{ inputs.n }}",
                                               "x y",
                                               "json",
                                               "full",
                                               "fixed",
                                               "1.s",
                                               "1h1h",
                                               ".5m",
                                               "5",
                                               "  ",
                                               "jobs",
                                               "none",
                                               "${{",
                                               "-1",
                                               "1m30s",
                                               "30s1m",
                                               "$${{ x }}",
                                               "exponential",
                                               "1e3s",
                                               "0 4 * * *",
                                               "UTC",
                                               "failed",
                                               "skip",
                                               "2027-01-01T00:00:00Z",
                                               "http://h",
                                               "http:///",
                                               "4xx",
                                               "404",
                                               "POST"};
        return json::string(kTexts[pick(std::size(kTexts))]);
      }
    }
  }

  std::mt19937 random_;
};

bool is_semantic(const Diagnostic& d) {
  return std::ranges::any_of(
      kSemanticRules, [&](std::string_view rule) { return d.message.find(rule) != std::string::npos; });
}

TEST(JsonSchema, IsASchema) {
  const auto compiled = schema::Schema::compile(json_schema());
  ASSERT_TRUE(compiled) << compiled.error().front().pointer << ": " << compiled.error().front().message;
}

TEST(JsonSchema, AgreesWithTheParser) {
  const auto compiled = schema::Schema::compile(json_schema());
  ASSERT_TRUE(compiled);
  int accepted = 0;
  int rejected = 0;
  for (std::uint32_t seed = 0; seed < 8000; ++seed) {
    json::value definition = json::parse(kValid[seed % std::size(kValid)]);
    Mutator mutator(seed);
    // The first seeds: the definitions as they are.
    const std::uint32_t count = seed < std::size(kValid) ? 0 : 1 + seed % 3;
    for (std::uint32_t i = 0; i < count; ++i) mutator.mutate(definition);
    const std::string text = json::serialize(definition);
    const schema::Problems problems = compiled->validate(definition);
    const CheckResult parsed = check_workflow(text, {.file_name = "mutant.json"});
    std::string found;
    for (const auto& p : problems) found += p.pointer + ": " + p.message + "\n";
    if (problems.empty()) {
      ++accepted;
      for (const Diagnostic& d : parsed.diagnostics) {
        if (d.severity == Severity::error) {
          ASSERT_TRUE(is_semantic(d)) << "only the parser refuses\n" << text << "\n" << render(d);
        }
      }
    } else {
      ++rejected;
      ASSERT_FALSE(parsed.outline) << "only the schema refuses\n" << text << "\n" << found;
    }
    if (count == 0) {
      ASSERT_TRUE(parsed.outline) << text << render(parsed.diagnostics) << found;
    }
  }
  EXPECT_GT(accepted, 500);
  EXPECT_GT(rejected, 2000);
}

}  // namespace
}  // namespace baton::spec

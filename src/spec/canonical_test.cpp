#include "spec/canonical.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "spec/parse.hpp"

namespace baton::spec {
namespace {

void expect_equal(const model::Workflow& a, const model::Workflow& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.title, b.title);
  EXPECT_EQ(a.description, b.description);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.max_parallel, b.max_parallel);
  EXPECT_EQ(a.fail_fast, b.fail_fast);
  EXPECT_EQ(a.on_error, b.on_error);
  EXPECT_EQ(a.deadline, b.deadline);
  EXPECT_EQ(a.sla, b.sla);
  EXPECT_EQ(a.retry_budget, b.retry_budget);
  EXPECT_EQ(a.priority, b.priority);
  EXPECT_EQ(a.max_recovery_attempts, b.max_recovery_attempts);
  EXPECT_EQ(a.auto_recovery, b.auto_recovery);
  EXPECT_EQ(a.retention, b.retention);
  EXPECT_EQ(a.concurrency, b.concurrency);
  if (a.auto_recovery) EXPECT_EQ(a.recovery_delay, b.recovery_delay);
  EXPECT_EQ(a.reads_env, b.reads_env);
  ASSERT_EQ(a.inputs.size(), b.inputs.size());
  for (std::size_t i = 0; i < a.inputs.size(); ++i) {
    EXPECT_EQ(a.inputs[i].name, b.inputs[i].name);
    EXPECT_EQ(a.inputs[i].schema, b.inputs[i].schema);
    EXPECT_EQ(a.inputs[i].default_value, b.inputs[i].default_value);
    EXPECT_EQ(a.inputs[i].required, b.inputs[i].required);
  }
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (std::size_t i = 0; i < a.steps.size(); ++i) {
    const model::Step& x = a.steps[i];
    const model::Step& y = b.steps[i];
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.title(), y.title());
    EXPECT_EQ(x.type(), y.type());
    EXPECT_EQ(x.kind, y.kind);
    EXPECT_EQ(x.action, y.action);
    EXPECT_EQ(x.needs, y.needs);
    EXPECT_EQ(x.when, y.when);
    EXPECT_EQ(x.for_each, y.for_each);
    EXPECT_EQ(x.max_parallel, y.max_parallel);
    EXPECT_EQ(x.with, y.with);
    EXPECT_EQ(x.env, y.env);
    EXPECT_EQ(x.process ? *x.process : model::Process{}, y.process ? *y.process : model::Process{});
    EXPECT_EQ(x.retry == nullptr, y.retry == nullptr);
    if (x.retry && y.retry) {
      EXPECT_EQ(*x.retry, *y.retry);
    }
    EXPECT_EQ(x.timeout == nullptr, y.timeout == nullptr);
    if (x.timeout && y.timeout) {
      EXPECT_EQ(*x.timeout, *y.timeout);
    }
    EXPECT_EQ(x.target, y.target);
    EXPECT_EQ(x.breaker == nullptr, y.breaker == nullptr);
    if (x.breaker && y.breaker) {
      EXPECT_EQ(*x.breaker, *y.breaker);
    }
    EXPECT_EQ(x.queue, y.queue);
    EXPECT_EQ(x.priority, y.priority);
    EXPECT_EQ(x.continue_on_error, y.continue_on_error);
    EXPECT_EQ(x.trigger_rule, y.trigger_rule);
    EXPECT_EQ(x.failure ? *x.failure : model::FailureRules{}, y.failure ? *y.failure : model::FailureRules{});
    EXPECT_EQ(x.notes ? *x.notes : model::Notes{}, y.notes ? *y.notes : model::Notes{});
    EXPECT_EQ(x.fallback == nullptr, y.fallback == nullptr);
    if (x.fallback && y.fallback) {
      EXPECT_EQ(x.fallback->kind, y.fallback->kind);
      EXPECT_EQ(x.fallback->action, y.fallback->action);
      EXPECT_EQ(x.fallback->env, y.fallback->env);
      EXPECT_EQ(x.fallback->queue, y.fallback->queue);
      EXPECT_EQ(x.fallback->retry == nullptr, y.fallback->retry == nullptr);
    }
    EXPECT_EQ(x.finally, y.finally);
    EXPECT_EQ(x.estimate, y.estimate);
  }
}

void expect_round_trip(std::string_view text, const std::string& name) {
  const ParseResult first = parse_workflow(text, {name});
  ASSERT_TRUE(first.workflow) << name << "\n" << text << render(first.diagnostics);
  const ParseResult again = parse_canonical(first.workflow->canonical);
  ASSERT_TRUE(again.workflow) << first.workflow->canonical << render(again.diagnostics);
  expect_equal(*first.workflow, *again.workflow);
  EXPECT_EQ(first.workflow->canonical, again.workflow->canonical);
  EXPECT_EQ(first.workflow->hash, again.workflow->hash);
  EXPECT_EQ(first.workflow->hash, Hash256::of(first.workflow->canonical));
}

TEST(Canonical, OfEveryExample) {
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(BATON_SOURCE_DIR "/examples")) {
    if (entry.path().filename() != "workflow.yaml") continue;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    expect_round_trip(text.str(), entry.path().string());
    ++count;
  }
  EXPECT_GE(count, 3);
}

TEST(Canonical, TheSameMeaningHasTheSameHash) {
  const auto hash = [](std::string_view text) {
    const ParseResult result = parse_workflow(text);
    EXPECT_TRUE(result.workflow) << render(result.diagnostics);
    return result.workflow ? result.workflow->canonical : std::string();
  };
  const std::string one = hash(R"(
name: x
defaults: {timeout: 90s, retry: {max_retries: 3}}
steps:
  a: {run: make, env: {N: 5}}
)");
  EXPECT_EQ(
      one,
      hash(R"({"steps": {"a": {"timeout": {"hard": 100, "soft": "1m30s"}, "env": {"N": "5"}, "run": "make",
                          "retry": {}}}, "name": "x"})"));
  EXPECT_EQ(one,
            R"({"name":"x","steps":{"a":{"env":{"N":"5"},)"
            R"("retry":{"backoff":"exponential","initial":"1s","jitter":"none","max":"1h","max_attempts":4,)"
            R"("multiplier":2},"run":"make","timeout":{"hard":"1m40s","soft":"1m30s"}}}})");
  // The order of steps has a meaning.
  EXPECT_NE(hash("{name: x, steps: {a: {run: a}, b: {run: b}}}"),
            hash("{name: x, steps: {b: {run: b}, a: {run: a}}}"));
}

TEST(Canonical, FinallyStepsHaveTheirOwnDefaults) {
  const ParseResult result =
      parse_workflow("name: x\nsteps: {a: {run: a}}\nfinally: {b: {run: b}, c: {set: {}}}\n");
  ASSERT_TRUE(result.workflow);
  const auto& steps = result.workflow->steps;
  EXPECT_FALSE(steps[0].retry);
  EXPECT_FALSE(steps[0].timeout);
  EXPECT_EQ(steps[1].retry->max_attempts, 3U);
  EXPECT_EQ(steps[1].timeout->soft, Duration::minutes(5));
  EXPECT_FALSE(steps[2].retry);
}

class RandomDefinition {
 public:
  explicit RandomDefinition(std::uint32_t seed) : random_(seed) {}

  std::string text() {
    std::string out = "name: w" + number(100) + "\n";
    if (chance(2)) out += "title: A title\n";
    if (chance(2)) out += "description: |\n  Two\n  \"lines\" \\ of {text}\n";
    if (chance(2)) out += "labels: {b: 1, a: 'x'}\n";
    if (chance(2)) out += "max_parallel: " + number(9) + "\n";
    if (chance(2)) out += "fail_fast: true\n";
    if (chance(3)) out += "on_error: " + rules() + "\n";
    if (chance(3)) out += "deadline: " + number(9) + "h\nsla: 90m\n";
    if (chance(3)) out += "retry_budget: " + std::to_string(random_() % 3) + "\n";
    if (chance(2)) out += "max_recovery_attempts: " + number(9) + "\n";
    if (chance(3)) out += "retention: " + (chance(2) ? "forever" : number(90) + "d") + "\n";
    if (chance(3)) out += "concurrency: {key: runs, limit: " + number(9) + "}\n";
    if (chance(2))
      out += "recovery: {auto: true, max_attempts: " + number(9) + ", delay: " + number(90) + "s}\n";
    if (chance(2)) out += "env: {Z: '1', A: \"${{ env.HOME }}\"}\n";
    out +=
        "inputs: {i: {type: integer, default: 1, description: é}, o: {type: string, optional: true}, r: "
        "{}}\n";
    if (chance(2)) {
      out += "defaults:\n  priority: " + std::to_string(random_() % 10) + "\n";
      if (chance(2)) out += "  timeout: " + number(100) + "\n";
      if (chance(2)) out += "  retry: " + retry() + "\n";
      if (chance(2)) out += "  queue: q\n  shell: [bash, -c]\n  workdir: /tmp\n  env: {D: d, A: d}\n";
    }
    out += "steps:\n";
    const std::size_t count = 1 + random_() % 8;
    for (std::size_t i = 0; i < count; ++i) out += step("s", i);
    if (chance(2)) out += "finally:\n" + step("f", 0) + step("f", 1);
    return out;
  }

 private:
  bool chance(unsigned of) { return random_() % of == 0; }
  std::string number(unsigned most) { return std::to_string(1 + random_() % most); }

  std::string retry() {
    std::string out = "{";
    const auto add = [&](const std::string& field) { out += (out.size() > 1 ? ", " : "") + field; };
    if (chance(2)) add(chance(2) ? "max_attempts: " + number(9) : "max_retries: " + number(9));
    if (chance(3)) add("preset: agents");
    if (chance(3)) add("backoff: " + std::string(chance(2) ? "fixed" : "linear"));
    if (chance(3)) add("initial: " + number(900) + "ms");
    if (chance(3)) add("max: " + number(9) + "h");
    if (chance(3)) add(chance(2) ? "jitter: {add: 1.5s}" : "jitter: decorrelated");
    return out + "}";
  }

  std::string rules() {
    constexpr std::array kRules = {"{match: {type: timeout}, do: retry, delay: 90s}",
                                   "{match: {type: [A, b-c], exit: 3}, do: hold, alert: critical}",
                                   "{match: {status: [404, 5xx], message: 'a\\b'}, do: ignore}",
                                   "{match: {exit: [1, 2]}, do: alert}", "{do: fail, alert: info}"};
    std::string out = "[";
    for (std::size_t i = 0; i < kRules.size(); ++i) {
      if (chance(2)) out += (out.size() > 1 ? ", " : "") + std::string(kRules[i]);
    }
    return out + "]";
  }

  std::string step(const std::string& prefix, std::size_t index) {
    std::string out = "  " + prefix + std::to_string(index) + ":\n";
    const auto line = [&](const std::string& text) { out += "    " + text + "\n"; };
    const std::string before = prefix + std::to_string(index == 0 ? 0 : random_() % index);
    if (index > 0 && chance(2)) {
      line("needs: [" + before + "]");
      if (chance(3)) line(chance(2) ? "trigger_rule: all_done" : "trigger_rule: none_failed");
      if (chance(2)) line("when: steps." + before + ".status == 'completed'");
    }
    if (chance(3)) line("title: The title");
    if (chance(3)) line("type: kind");
    if (chance(4)) line("queue: other");
    if (chance(4)) line("priority: " + std::to_string(random_() % 10));
    if (chance(4)) line("continue_on_error: true");
    if (chance(4)) line("estimate: 1.5h");
    if (chance(3)) {
      line(chance(2) ? "for_each: [1, {a: \"${{ inputs.i }}\"}]" : "for_each: \"${{ inputs.r }}\"");
      if (chance(2)) line("max_parallel: " + number(5));
      if (chance(2)) line(chance(2) ? "max_failures: 15%" : "max_failures: " + number(5));
    }
    if (chance(4)) line("on_error: " + rules());
    if (chance(4)) line("deadline: " + number(9) + "h");
    if (chance(4)) line("sla: 0.5h");
    if (chance(4)) line("critical: true");
    if (chance(4)) line("result_schema: {type: object, required: [b, a]}");
    if (chance(4)) line("tags: [b, a]");
    if (chance(4)) line("metadata: {z: [1, {y: 2}], a: null}");
    const unsigned kind = random_() % 3;
    if (kind == 0) {
      line("set: {b: 1.5, a: [true, null, \"${{ inputs.i }} ü\"], big: 18446744073709551615}");
      return out;
    }
    line(kind == 1 ? "run: |\n      echo \"a\\tb\"\n      exit" : "exec: [a, 1, true, \"${{ inputs.o }}\"]");
    if (chance(4)) line("fallback: {run: f, env: {E: \"${{ self.error.type }}\"}, retry: " + retry() + "}");
    if (chance(3)) line("with: {z: [], a: {}}");
    if (chance(3)) line("env: {X: \"${{ env.USER }}\", A: 2}");
    if (chance(3)) line("workdir: \"/x/${{ run.id }}\"");
    if (kind == 1 && chance(3)) line("shell: [sh]");
    if (chance(3)) line("parse: json");
    if (chance(3)) line("retry: " + retry());
    if (chance(3)) line(chance(2) ? "timeout: 1h30m" : "timeout: {soft: 1, hard: 2.5}");
    return out;
  }

  std::mt19937 random_;
};

TEST(Canonical, OfRandomDefinitions) {
  for (std::uint32_t seed = 0; seed < 500; ++seed) {
    expect_round_trip(RandomDefinition(seed).text(), "random.yaml");
    if (HasFatalFailure() || HasNonfatalFailure()) return;
  }
}

// What a step gets from its target stands in the step afterwards.
TEST(Canonical, TargetsGiveTheirStepsWhatTheyLack) {
  const ParseResult parsed = parse_workflow(R"(
name: agents
targets:
  nlp:
    url: "http://${{ env.NLP }}/"
    breaker: {failures: 3, recovery: 2m}
    retry: {max_attempts: 3}
    timeout: 30s
    operations: {analyze: {timeout: 2m}}
steps:
  a: {target: nlp, http: {url: /process}}
  b: {target: nlp, operation: analyze, retry: {max_attempts: 7}, http: {url: "http://elsewhere/"}}
  c: {breaker: nlp, run: x}
  d: {breaker: other, run: x}
)");
  ASSERT_TRUE(parsed.workflow) << render(parsed.diagnostics);
  const auto& steps = parsed.workflow->steps;
  EXPECT_EQ(steps[0].action.at("url").as_string(), "http://${{ env.NLP }}/process");
  EXPECT_EQ(parsed.workflow->reads_env, std::vector<std::string>{"NLP"});
  EXPECT_EQ(steps[0].retry->max_attempts, 3U);
  EXPECT_EQ(steps[0].timeout->soft, Duration::seconds(30));
  EXPECT_EQ(steps[0].breaker->name, "nlp");
  EXPECT_EQ(steps[0].breaker->recovery, Duration::minutes(2));
  EXPECT_EQ(steps[1].retry->max_attempts, 7U);
  EXPECT_EQ(steps[1].timeout->soft, Duration::minutes(2));
  EXPECT_EQ(steps[1].action.at("url").as_string(), "http://elsewhere/");
  EXPECT_EQ(*steps[2].breaker, *steps[0].breaker);
  EXPECT_EQ(steps[3].breaker->failures, 5U);
  const ParseResult again = parse_canonical(parsed.workflow->canonical);
  ASSERT_TRUE(again.workflow) << render(again.diagnostics);
  expect_equal(*parsed.workflow, *again.workflow);
  EXPECT_EQ(again.workflow->hash, parsed.workflow->hash);
}

}  // namespace
}  // namespace baton::spec

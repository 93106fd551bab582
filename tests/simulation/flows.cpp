#include "flows.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>

#include "limits.hpp"
#include "spec/parse.hpp"

namespace baton::simulation {
namespace {

namespace json = boost::json;

class Maker {
 public:
  explicit Maker(engine::Random& random) : random_(random) {}

  json::object make(const std::string& name, std::uint32_t most_steps) {
    json::object flow;
    flow["name"] = name;
    if (one_in(6)) flow["fail_fast"] = true;
    if (one_in(3)) flow["max_parallel"] = 1 + up_to(2);
    if (one_in(10)) flow["retry_budget"] = up_to(4);
    if (one_in(8)) flow["deadline"] = fmt::format("{}s", 20 + up_to(300));
    if (one_in(8)) flow["sla"] = fmt::format("{}s", 10 + up_to(100));
    if (one_in(4)) flow["recovery"] = {{"auto", true}, {"max_attempts", 1 + up_to(1)}, {"delay", "20s"}};
    if (one_in(4)) flow["on_error"] = json::array{rule(false)};
    const auto main = 1 + up_to(static_cast<int>(most_steps) - 1);
    json::object steps;
    for (int i = 0; i < main; ++i) steps[fmt::format("s{}", i)] = step(i, 0, false);
    flow["steps"] = std::move(steps);
    if (one_in(3)) {
      json::object last;
      const int count = 1 + up_to(1);
      for (int i = 0; i < count; ++i) last[fmt::format("f{}", i)] = step(i, 0, true);
      flow["finally"] = std::move(last);
    }
    return flow;
  }

 private:
  bool one_in(int n) { return random_.up_to(n - 1) == 0; }
  int up_to(int n) { return static_cast<int>(random_.up_to(n)); }

  json::object rule(bool has_fallback) {
    json::object match;
    static constexpr const char* kTypes[] = {"exit", "http", "connection", "quota", "lost", "timeout"};
    if (!one_in(4)) match["type"] = kTypes[up_to(5)];
    json::object rule;
    if (!match.empty()) rule["match"] = std::move(match);
    static constexpr const char* kActions[] = {"retry", "fail", "hold", "ignore", "fallback"};
    rule["do"] = kActions[up_to(has_fallback ? 4 : 3)];
    if (rule["do"] == "retry" && one_in(2)) rule["delay"] = fmt::format("{}s", 1 + up_to(20));
    if (one_in(4)) rule["alert"] = "warning";
    return rule;
  }

  json::object step(int number, int first, bool finally) {
    json::object step;
    json::array needs;
    for (int before = first; before < number; ++before) {
      if (one_in(3)) needs.emplace_back(fmt::format("{}{}", finally ? 'f' : 's', before));
    }
    bool early = false;
    if (!needs.empty() && one_in(3)) {
      static constexpr const char* kRules[] = {"none_failed",  "all_success", "all_failed",
                                               "all_done",     "all_skipped", "one_success",
                                               "one_failed",   "one_done",    "none_failed_min_one_success",
                                               "none_skipped", "always"};
      const int rule = up_to(10);
      step["trigger_rule"] = kRules[rule];
      early = std::string_view(kRules[rule]).starts_with("one_");
    }
    const std::string before = needs.empty() || early ? "" : std::string(needs[0].as_string());
    const bool mapped = one_in(4);
    const std::string item = mapped ? "${{ item }}" : "no item";
    switch (up_to(5)) {
      case 0:
        step["set"] = {{"n", number}, {"list", json::array{1, 2}}};
        break;
      case 1:
        step["exec"] = json::array{"work", item, "--flag"};
        break;
      case 2:
        if (!before.empty()) {
          step["exec"] = json::array{"work", "${{ steps." + before + ".status }}"};
          break;
        }
        [[fallthrough]];
      default:
        step["run"] = "work";
    }
    const bool attempts = !step.contains("set");
    if (mapped) {
      if (!before.empty() && one_in(4)) {
        step["for_each"] = "${{ steps." + before + ".result.list }}";
      } else {
        json::array items;
        for (int i = up_to(4); i > 0; --i) items.emplace_back(i);
        step["for_each"] = std::move(items);
      }
      if (one_in(2)) step["max_parallel"] = 1 + up_to(1);
      if (one_in(3)) step["max_failures"] = up_to(2);
    }
    if (one_in(5)) {
      step["when"] = one_in(4)         ? "1 > 2"
                     : !before.empty() ? "steps." + before + ".status == 'completed'"
                                       : "2 > 1";
    }
    if (one_in(6)) step["continue_on_error"] = true;
    if (attempts) policies(step);
    if (attempts) add_limits(step, random_);
    if (!needs.empty()) step["needs"] = std::move(needs);
    return step;
  }

  void policies(json::object& step) {
    if (one_in(2)) {
      json::object retry{{"max_attempts", 1 + up_to(3)}};
      static constexpr const char* kBackoffs[] = {"fixed", "linear", "exponential"};
      retry["backoff"] = kBackoffs[up_to(2)];
      retry["initial"] = fmt::format("{}s", 1 + up_to(5));
      static constexpr const char* kJitters[] = {"none", "full", "equal", "decorrelated"};
      retry["jitter"] = kJitters[up_to(3)];
      step["retry"] = std::move(retry);
    }
    if (one_in(3)) step["timeout"] = fmt::format("{}s", 5 + up_to(60));
    if (one_in(10)) step["timeout"] = {{"soft", "20s"}, {"hard", "25s"}, {"start", "40s"}};
    if (one_in(12)) step["deadline"] = fmt::format("{}s", 20 + up_to(100));
    if (one_in(12)) step["sla"] = "15s";
    if (one_in(6)) step["fallback"] = {{"exec", json::array{"instead", "${{ self.error.type }}"}}};
    if (one_in(4)) step["on_error"] = json::array{rule(step.contains("fallback"))};
    if (one_in(4)) step["queue"] = "other";
    if (one_in(5)) step["priority"] = up_to(9);
    // Declared alike wherever they are used.
    if (one_in(10)) step["breaker"] = {{"name", "mirror"}, {"failures", 2}, {"recovery", "10s"}};
    if (one_in(10)) step["breaker"] = {{"name", "archive"}, {"failures", 3}, {"recovery", "30s"}};
  }

  engine::Random& random_;
};

}  // namespace

std::shared_ptr<const model::Workflow> random_flow(engine::Random& random, const std::string& name,
                                                   std::uint32_t most_steps) {
  const std::string text = json::serialize(Maker(random).make(name, most_steps));
  spec::ParseResult parsed = spec::parse_workflow(text);
  if (parsed.workflow == nullptr) {
    // A mistake of the maker.
    fmt::print(stderr, "a random definition is refused: {}\n{}\n", spec::to_error(parsed.diagnostics).message,
               text);
    std::abort();
  }
  return parsed.workflow;
}

}  // namespace baton::simulation

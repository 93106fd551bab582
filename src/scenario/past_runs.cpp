#include "scenario/past_runs.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace baton::scenario {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, const char* field) {
  const json::value* value = object.if_contains(field);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// Both ends are known; nullopt: it has not ended.
std::optional<Duration> span_of(const json::object& object) {
  const auto from = parse_rfc3339(text_of(object, "started_at"));
  const auto to = parse_rfc3339(text_of(object, "ended_at"));
  if (!from || !to || *to < *from) return std::nullopt;
  return *to - *from;
}

}  // namespace

void PastRuns::add(const json::object& task) {
  if (text_of(task, "role") != "main") return;
  const std::string name = text_of(task, "step");
  const json::value* attempts = task.if_contains("attempt_list");
  if (name.empty() || attempts == nullptr || !attempts->is_array()) return;
  Step& step = steps_[name];
  bool any = false;
  for (const json::value& value : attempts->get_array()) {
    const json::object* attempt = value.if_object();
    if (attempt == nullptr) continue;
    const std::string phase = text_of(*attempt, "phase");
    const std::string status = text_of(*attempt, "status");
    if (phase != "primary" && phase != "poll") continue;
    any = true;
    if (status != "completed" && status != "failed") continue;
    const auto took = span_of(*attempt);
    if (!took) continue;
    step.took.push_back(*took);
    if (status == "completed") continue;
    ++step.failed;
    const json::value* error = attempt->if_contains("error");
    if (error != nullptr && error->is_object()) ++step.errors[text_of(error->get_object(), "type")];
  }
  // A wait that nobody works for has no attempts: it took as long as it lasted.
  const std::string status = text_of(task, "status");
  if (!any && (status == "completed" || status == "failed")) {
    if (const auto took = span_of(task)) {
      step.took.push_back(*took);
      step.failed += status == "failed";
    }
  }
  const json::value* result = task.if_contains("result");
  if (status == "completed" && result != nullptr && !result->is_null())
    step.result = json::serialize(*result);
}

void PastRuns::apply(Assumptions& assumptions) const {
  for (auto& [name, assumption] : assumptions.steps) {
    const auto known = steps_.find(name);
    if (known == steps_.end() || known->second.took.empty()) continue;
    const Step& step = known->second;
    assumption.takes = {.kind = simulate::Spread::Kind::seen, .low = {}, .high = {}, .seen = step.took};
    assumption.failures_ppm = static_cast<std::uint32_t>(step.failed * 1'000'000 / step.took.size());
    const auto most =
        std::ranges::max_element(step.errors, {}, [](const auto& error) { return error.second; });
    if (most != step.errors.end() && !most->first.empty()) assumption.error = most->first;
    assumption.result = step.result;
  }
}

std::vector<std::string_view> PastRuns::unknown(const Assumptions& assumptions) const {
  std::vector<std::string_view> names;
  for (const auto& [name, assumption] : assumptions.steps) {
    const auto known = steps_.find(name);
    if (known == steps_.end() || known->second.took.empty()) names.push_back(name);
  }
  return names;
}

}  // namespace baton::scenario

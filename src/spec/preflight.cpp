#include "spec/preflight.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/duration.hpp"
#include "base/json.hpp"
#include "base/json_depth.hpp"

namespace baton::spec {
namespace {

constexpr std::string_view kSuffix = "-preflight";
constexpr std::size_t kMostName = 128;

}  // namespace

std::string preflight_definition(const model::Workflow& workflow) {
  namespace json = boost::json;
  if (workflow.health.empty()) return "";
  json::object definition;
  definition["name"] = workflow.name.substr(0, kMostName - kSuffix.size()) + std::string(kSuffix);
  json::object steps;
  bool reads_inputs = false;
  for (const model::HealthCheck& check : workflow.health) {
    steps[check.target] =
        json::object{{"http", {{"url", check.url}}}, {"timeout", to_string(model::kHealthTimeout)}};
    reads_inputs |= check.url.find("inputs") != std::string::npos;
  }
  if (reads_inputs) {
    const json::value whole = parse_json(workflow.canonical, {}, {.max_depth = kReadJsonDepth});
    if (const auto* inputs = whole.get_object().if_contains("inputs")) definition["inputs"] = *inputs;
  }
  definition["steps"] = std::move(steps);
  return json::serialize(definition);
}

}  // namespace baton::spec

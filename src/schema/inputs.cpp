#include "schema/inputs.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "schema/schema.hpp"

namespace baton::schema {
namespace {

namespace json = boost::json;

std::string problem_text(std::string_view name, const Problem& problem) {
  return "inputs." + std::string(name) +
         (problem.pointer.empty() ? "" : " at " + printable(problem.pointer)) + ": " +
         printable(problem.message);
}

}  // namespace

Result<json::object> complete(std::span<const Declared> declared, const json::value& given) {
  if (!given.is_object() && !given.is_null()) {
    return fail(ErrorCode::invalid_input, "the input of a run must be a map of names to values");
  }
  const json::object nothing;
  const json::object& values = given.is_object() ? given.get_object() : nothing;
  std::vector<std::string> problems;
  std::string where;
  const auto problem = [&](std::string pointer, std::string message) {
    if (problems.empty()) where = std::move(pointer);
    if (problems.size() < 100) problems.push_back(std::move(message));
  };

  std::vector<std::string_view> names;
  for (const Declared& input : declared) names.push_back(input.name);
  std::vector<std::string_view> sorted = names;
  std::ranges::sort(sorted);
  for (const auto& [key, value] : values) {
    if (std::ranges::binary_search(sorted, std::string_view(key))) continue;
    const std::string_view meant = problems.size() < 10 ? nearest(key, names) : "";
    problem("/" + std::string(key),
            "unknown input \"" + printable(utf8_prefix(key, 100)) + "\"" +
                (meant.empty() ? "" : ", did you mean \"" + std::string(meant) + "\"?"));
  }

  json::object resolved;
  for (const Declared& input : declared) {
    const json::value* value = values.if_contains(input.name);
    const bool absent =
        value == nullptr || (value->is_null() && !input.required && input.fallback == nullptr);
    if (absent) {
      if (input.required) {
        problem("/" + std::string(input.name), "the input \"" + std::string(input.name) + "\" is missing");
      } else {
        resolved[input.name] = input.fallback != nullptr ? *input.fallback : json::value();
      }
      continue;
    }
    const auto schema = Schema::compile(*input.schema);
    if (!schema)
      return fail(ErrorCode::internal,
                  "the schema of the input " + std::string(input.name) + " does not compile");
    for (const Problem& p : schema->validate(*value)) {
      problem("/" + std::string(input.name) + p.pointer, problem_text(input.name, p));
    }
    resolved[input.name] = *value;
  }
  if (problems.empty()) return resolved;
  std::string message;
  for (const std::string& p : problems) message += (message.empty() ? "" : "\n") + p;
  return fail(ErrorCode::invalid_input, std::move(message), std::move(where));
}

}  // namespace baton::schema

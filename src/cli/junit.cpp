#include "cli/junit.hpp"

#include <boost/json/array.hpp>
#include <cstdio>

#include "base/markup.hpp"
#include "base/text.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

// XML 1.0 has no way to write most control characters: they are made visible first, lines stay lines.
std::string escaped(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t newline = text.find('\n');
    out += escape_markup(printable(text.substr(0, newline)));
    if (newline == std::string_view::npos) return out;
    out += "&#10;";
    text.remove_prefix(newline + 1);
  }
}

std::string seconds(Duration duration) {
  const std::string fraction = std::to_string(1'000'000 + duration.us % 1'000'000);
  return std::to_string(duration.us / 1'000'000) + '.' + fraction.substr(1, 3);
}

std::string test_case(const TestResult& result) {
  std::string out = "    <testcase name=\"" + escaped(result.name) + "\" classname=\"" +
                    escaped(result.file) + "\" file=\"" + escaped(result.file) + "\" line=\"" +
                    std::to_string(result.line) + "\" time=\"" + seconds(result.report.took) + "\"";
  if (!result.report.ran) return out + "><skipped/></testcase>\n";
  if (result.report.passed()) return out + "/>\n";
  out += ">\n";
  for (const scenario::Failure& failure : result.report.failures) {
    out += "      <failure message=\"" + escaped(failure.diagnostic.message) + "\">" +
           escaped(spec::render(failure.diagnostic) + failure.details) + "</failure>\n";
  }
  return out + "    </testcase>\n";
}

}  // namespace

std::string_view status_of(const TestResult& result) {
  if (!result.report.ran) return "skipped";
  return result.report.passed() ? "passed" : "failed";
}

json::object to_json(const TestResult& result, bool with_history) {
  json::array failures;
  for (const scenario::Failure& failure : result.report.failures) {
    json::array diagnostic = spec::to_json(std::span(&failure.diagnostic, 1));
    json::object one = std::move(diagnostic[0].get_object());
    one.erase("severity");
    one.erase("code");
    one.erase("path");
    one["details"] = failure.details;
    failures.push_back(std::move(one));
  }
  json::object object{{"name", result.name},
                      {"file", result.file},
                      {"line", result.line},
                      {"status", json::string_view(status_of(result))},
                      {"duration", result.report.took.as_seconds()},
                      {"covers", json::array(result.covers.begin(), result.covers.end())},
                      {"failures", std::move(failures)}};
  if (with_history) {
    object["history"] = json::array(result.report.history.begin(), result.report.history.end());
    object["run"] = result.report.run.empty() ? json::value(nullptr) : json::value(result.report.run);
    object["tasks"] = result.report.tasks;
    object["definition"] = result.report.definition;
  }
  return object;
}

std::string junit_text(std::span<const TestResult> results) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (std::size_t i = 0; i < results.size();) {
    std::size_t end = i;
    std::size_t failed = 0;
    std::size_t skipped = 0;
    std::string cases;
    for (; end < results.size() && results[end].file == results[i].file; ++end) {
      failed += status_of(results[end]) == "failed" ? 1 : 0;
      skipped += status_of(results[end]) == "skipped" ? 1 : 0;
      cases += test_case(results[end]);
    }
    out += "  <testsuite name=\"" + escaped(results[i].file) + "\" tests=\"" + std::to_string(end - i) +
           "\" failures=\"" + std::to_string(failed) + "\" errors=\"0\" skipped=\"" +
           std::to_string(skipped) + "\">\n" + cases + "  </testsuite>\n";
    i = end;
  }
  return out + "</testsuites>\n";
}

}  // namespace baton::cli

// The results of scenarios for other tools.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/run.hpp"

namespace baton::cli {

struct TestResult {
  std::string file;
  std::string name;
  std::uint32_t line = 1;
  std::vector<std::int64_t> covers;
  scenario::Report report;
};

std::string_view status_of(const TestResult& result);  // "passed", "failed" or "skipped"

// {"name", "file", "line", "status", "duration", "covers", "failures"}; "duration" is on the scenario's
// clock. With history also "history", and of the scenario's own run "run", "tasks" and "definition" as the
// API shows them at the end.
boost::json::object to_json(const TestResult& result, bool with_history);

// JUnit XML as CI systems read it: a <testsuite> for each file, a <testcase> for each scenario.
std::string junit_text(std::span<const TestResult> results);

}  // namespace baton::cli

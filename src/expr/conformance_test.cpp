// Runs the public conformance cases of CEL (google/cel-spec, tests/simple/testdata) when they are there: at
// $BATON_CONFORMANCE, or beside the project in ../shared/data/cel-conformance.json. Without them the
// project's own tables stand alone.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "expr/expr.hpp"
#include "expr/json.hpp"

namespace baton::expr {
namespace {

namespace json = boost::json;

// Cases that we fail on purpose: "file/expression" and why.
const std::map<std::string, std::string>& expected_failures() {
  static const std::map<std::string, std::string> failures;
  return failures;
}

std::string find_cases() {
  if (const char* path = std::getenv("BATON_CONFORMANCE")) return path;
  return BATON_SOURCE_DIR "/../shared/data/cel-conformance.json";
}

// -0.0 and 0.0 differ here.
bool same(const json::value& a, const json::value& b) {
  if (a.is_double() && b.is_double() && std::signbit(a.get_double()) != std::signbit(b.get_double()))
    return false;
  return a == b;
}

struct Ran {
  bool passed = false;
  std::string got;
};

Ran run(const json::object& test, const calendar::ZoneTable& zones) {
  const auto& expect = test.at("expect").as_object();
  const bool want_error = expect.contains("error");
  const auto parsed = Expression::parse(std::string(test.at("expr").as_string()));
  if (!parsed) return {want_error, "parse error: " + parsed.error().front().message};
  Variables variables;
  if (const auto* vars = test.if_contains("vars"))
    variables = *Variables::from_json(std::make_shared<const json::value>(*vars));
  const auto checked = check(*parsed, Scope{.open = true});
  if (!checked.diagnostics.empty())
    return {want_error, "check error: " + checked.diagnostics.front().message};
  const auto value = evaluate(*parsed, variables, Limits{}, zones);
  if (!value) return {want_error, "error: " + value.error().message};
  const auto typed = to_typed_json(*value);
  if (!typed) return {false, "no JSON: " + typed.error().message};
  if (want_error) return {false, json::serialize(*typed)};
  const auto& object = typed->as_object();
  return {object.at("type") == expect.at("type") && same(object.at("value"), expect.at("value")),
          json::serialize(*typed)};
}

TEST(Conformance, PublicCases) {
  std::ifstream in(find_cases());
  if (!in) GTEST_SKIP() << "no public cases at " << find_cases() << ": only the project's own tables are run";
  const auto zones = calendar::ZoneTable::load();
  ASSERT_TRUE(zones) << zones.error().message;
  const auto document = json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  std::size_t passed = 0;
  const auto& cases = document.at("cases").as_array();
  for (const auto& entry : cases) {
    const auto& test = entry.as_object();
    const auto ran = run(test, *zones);
    passed += ran.passed;
    const auto id = std::string(test.at("file").as_string()) + "/" + std::string(test.at("expr").as_string());
    const bool expected = expected_failures().contains(id);
    EXPECT_NE(ran.passed, expected) << (expected ? "now passes, take it off the list: " : "failed: ") << id
                                    << "\n  got " << ran.got << "\n  want "
                                    << json::serialize(test.at("expect"));
  }
  std::cout << "CEL conformance: " << passed << " of " << cases.size() << " passed\n";
  EXPECT_GE(passed * 100, cases.size() * 95);
}

}  // namespace
}  // namespace baton::expr

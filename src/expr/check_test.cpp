#include <gtest/gtest.h>

#include "expr/template.hpp"
#include "expr/test_support.hpp"

namespace baton::expr {
namespace {

Scope scope() {
  Scope s;
  s.variables["inputs"] = Shape::object({{"count", Shape::of(Kind::integer)},
                                         {"name", Shape::of(Kind::string)},
                                         {"tags", Shape::list(Shape::of(Kind::string))},
                                         {"free", Shape()},
                                         {"limits", Shape::map(Shape::of(Kind::integer))}});
  const auto step = Shape::object({{"result", Shape()}, {"status", Shape::of(Kind::string)}});
  s.variables["steps"] = Shape::object({{"fetch", step}, {"my-step", step}, {"v1.2", step}});
  s.variables["item"] = Shape();
  return s;
}

// "offset+length: message [suggestion]; …", or the shape of the result if there is nothing to say.
std::string checked(std::string_view text, const Scope& s = scope()) {
  const auto parsed = Expression::parse(text);
  if (!parsed) return "parse error: " + parsed.error().front().message;
  const auto result = check(*parsed, s);
  std::string out;
  for (const auto& d : result.diagnostics) {
    if (!out.empty()) out += "; ";
    out += std::to_string(d.offset) + "+" + std::to_string(d.length) + ": " + d.message;
    if (!d.suggestion.empty()) out += " [" + d.suggestion + "]";
  }
  return out.empty() ? std::string(name_of(result.shape)) : out;
}

void expect_rows(std::span<const Row> rows, const Scope& s = scope()) {
  for (const auto& row : rows) {
    const auto got = checked(row.text, s);
    EXPECT_TRUE(fits(got, row.want)) << row.text << "\n   got " << got << "\n  want " << row.want;
  }
}

TEST(Check, Names) {
  const Row rows[] = {
      {"input.count", "0+5: unknown variable `input` [inputs]"},
      {"inputs.conut", "7+5: there is no `conut` here [count]"},
      {"inputs['conut']", "7+7: there is no `conut` here [count]"},
      {"inputs.zzzzz", "7+5: there is no `zzzzz` here"},
      {"steps.fetch.reslut", "12+6: there is no `reslut` here [result]"},
      {"steps.fetch.result.anything.at[0].all", "dyn"},
      {"steps.my-step.status", "6+7: a name with `-` or `.` in it is read with [ ] [[\"my-step\"]]"},
      {"steps.v1.2.status", "parse error…"},
      {"steps['my-step'].status", "string"},
      {"has(inputs.typo)", "11+4: there is no `typo` here"},
      {"has(inputs.name)", "bool"},
      {"inputs.limits.any", "int"},
      {"inputs.tags[0]", "string"},
      {"inputs.name.x", "12+1: string has no fields"},
      {"inputs.tags.map(t, tt)", "19+2: unknown variable `tt`…"},
      {"inputs.tags.map(t, t.x)", "21+1: string has no fields"},
      {"a + b", "0+1: unknown variable `a`; 4+1: unknown variable `b`"},
      {"int", "type"},
  };
  expect_rows(rows);
}

TEST(Check, Functions) {
  const Row rows[] = {
      {"siez(inputs.name)", "0+4: there is no function `siez` [size]"},
      {"inputs.name.startWith('a')", "12+9: there is no method `startWith` [startsWith]"},
      {"inputs.name.exist(x, x)",
       "12+5: there is no method `exist` [exists]; 18+1: unknown variable `x`; 21+1: unknown variable `x`"},
      {"contains(inputs.name, 'a')",
       "0+8: there is no function `contains`; it is written `value.contains(…)`"},
      {"inputs.name.int()", "12+3: there is no method `int`; it is written `int(value)`"},
      {"inputs.name.substring()", "12+9: `substring` takes 1 to 2 arguments"},
      {"size()", "0+4: `size` takes 1 argument"},
      {"size(inputs.count)", "5+12: `size` does not take int"},
      {"inputs.count.contains('a')", "0+12: `contains` is not defined for int"},
      {"inputs.name.contains(1)", "21+1: `contains` does not take int"},
      {"inputs.name.split(',')", "list"},
      {"inputs.name.split(',')[0].size()", "int"},
      {"duration('5 minutes')", "9+11: '5 minutes' is not a duration…"},
      {"timestamp('today')", "10+7: 'today' is not a timestamp…"},
      {"int('x') + int('5')", "4+3: 'x' is not an int"},
      {"duration(inputs.name)", "google.protobuf.Duration"},
  };
  expect_rows(rows);
}

TEST(Check, Operators) {
  const Row rows[] = {
      {"inputs.count + inputs.name", "0+26: int + string is not defined"},
      {"inputs.count + 1.5", "0+18: int + double is not defined"},
      {"inputs.count + item", "dyn"},
      {"inputs.count * 2", "int"},
      {"inputs.name + 'x'", "string"},
      {"inputs.tags + ['a']", "list"},
      {"timestamp(0) - timestamp(0)", "google.protobuf.Duration"},
      {"timestamp(0) - duration('1s')", "google.protobuf.Timestamp"},
      {"1.5 % 2.0", "0+9: double % double is not defined"},
      {"inputs.count < 'a'", "0+18: int < string is not defined"},
      {"inputs.count < 1.5", "bool"},
      {"inputs.tags < inputs.tags", "0+25: list < list is not defined"},
      {"inputs.count == '5'", "0+19: int is never equal to string"},
      {"inputs.count == 5.0 && inputs.name != null", "bool"},
      {"1 in inputs.count", "5+12: `in` needs a list or map, not int"},
      {"inputs.count ? 1 : 2", "0+12: the condition of ?: must be bool, not int"},
      {"inputs.count && true", "0+12: && needs bool, not int"},
      {"false || inputs.name", "9+11: || needs bool, not string"},
      {"!inputs.count", "1+12: ! needs bool, not int"},
      {"-inputs.name", "1+11: - needs int or double, not string"},
      {"true ? 1 : 'a'", "dyn"},
      {"true ? 1 : 2", "int"},
      {"inputs.count[0]", "0+12: only a list or map has an index, not int"},
      {"inputs.tags['a']", "12+3: a list is indexed by int, not string"},
      {"{1.5: 1}", "1+3: the key of a map must be string, int, uint or bool, not double"},
      {"{'a': 1}.a", "int"},
      {"{'a': 1}.b", "dyn"},
      {"{1: 'a'}[1]", "dyn"},
      {"[1, 2][0]", "int"},
      {"[1, 'a'][0]", "dyn"},
      {"[[1], [2]][0][0]", "int"},
  };
  expect_rows(rows);
}

TEST(Check, Macros) {
  const Row rows[] = {
      {"inputs.tags.all(t, t.size() > 1)", "bool"},
      {"inputs.tags.filter(t, t)", "22+1: the condition of `filter` must be bool, not string"},
      {"inputs.tags.filter(t, true)[0]", "string"},
      {"inputs.tags.map(t, size(t))[0]", "int"},
      {"inputs.tags.map(t, t == 'x', 1.5)[0]", "double"},
      {"inputs.count.map(x, x)", "0+12: `map` needs a list or map, not int"},
      {"inputs.map(k, k)[0]", "string"},
      {"item.map(x, x.y)", "list"},
  };
  expect_rows(rows);
}

TEST(Check, AnOpenScopeReportsOnlyWhatFailsForCertain) {
  const Row rows[] = {
      {"anything.at.all", "dyn"},
      {"a.f() || true", "bool"},
      {"true ? 1 : 1 + 'a'", "dyn"},
      {"[].map(x, x + f(x))", "list"},
      {"1 == 'a'", "bool"},
      {"f(1)", "0+1: there is no function `f`"},
      {"1 + 'a'", "0+7: int + string is not defined"},
      {"(1 + 'a' == 2) == true", "1+7: int + string is not defined"},
      {"size(1)", "5+1: `size` does not take int"},
  };
  expect_rows(rows, Scope{.open = true});
}

TEST(Check, ReportsTenAtMost) {
  std::string text = "x0";
  for (int i = 1; i < 50; ++i) text += " + x" + std::to_string(i);
  EXPECT_EQ(check(*Expression::parse(text), scope()).diagnostics.size(), 10u);
}

TEST(Check, TemplatesCountFromTheStartOfTheirText) {
  const auto parsed = Template::parse("a ${{ inputs.name }} b ${{ inptus.name }}");
  ASSERT_TRUE(parsed);
  const auto result = check(*parsed, scope());
  ASSERT_EQ(result.diagnostics.size(), 1u);
  EXPECT_EQ(result.diagnostics[0], (Diagnostic{27, 6, "unknown variable `inptus`", "inputs"}));
  EXPECT_EQ(result.shape.kind(), Kind::string);
  EXPECT_EQ(check(*Template::parse("${{ inputs.count }}"), scope()).shape.kind(), Kind::integer);
}

}  // namespace
}  // namespace baton::expr

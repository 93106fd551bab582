#include "expr/template.hpp"

#include <gtest/gtest.h>

#include "expr/test_support.hpp"

namespace baton::expr {
namespace {

std::string rendered(std::string_view text, const Variables& variables, const Limits& limits = {}) {
  const auto parsed = Template::parse(text);
  if (!parsed) {
    std::string out = "parse error:";
    for (const auto& d : parsed.error()) out += " " + std::to_string(d.offset) + ": " + d.message;
    return out;
  }
  const auto value = parsed->render(variables, limits, test_zones());
  return value ? boost::json::serialize(*value) : "error: " + value.error().message;
}

TEST(Template, Rendering) {
  const auto variables = variables_of(
      R"({"i": 3, "d": 1.5, "s": "text", "n": null, "b": true, "l": [1, {"a": null}], "m": {"k": "v"}})");
  const Row rows[] = {
      {"", R"("")"},
      {"plain $ text {{ }}", R"("plain $ text {{ }}")"},
      {"${{ i }}", "3"},
      {"${{i}}", "3"},
      {"${{ d }}", "1.5E0"},
      {"${{ s }}", R"("text")"},
      {"${{ n }}", "null"},
      {"${{ b }}", "true"},
      {"${{ l }}", R"([1,{"a":null}])"},
      {"${{ m }}", R"({"k":"v"})"},
      {" ${{ i }}", R"(" 3")"},
      {"${{ i }}${{ d }}${{ s }}${{ n }}${{ b }}", R"("31.5texttrue")"},
      {"${{ [1.5, 1.0, 1e300] }}", "[1.5E0,1E0,1E300]"},
      {"${{ [1.5, 1.0, 1e300, '\"', -0.0] }}!", R"("[1.5,1.0,1e+300,\"\\\"\",-0.0]!")"},
      {"l=${{ l }} m=${{ m }}", R"("l=[1,{\"a\":null}] m={\"k\":\"v\"}")"},
      {"${{ b'\\xff' }} ${{ duration('90s') }} ${{ timestamp(0) }} ${{ 2u }}",
       R"("/w== 90s 1970-01-01T00:00:00Z 2")"},
      {"${{ b'\\xff' }}", R"("/w==")"},
      {"${{ duration('90s') }}", "90"},
      {"${{ duration('1.5s') }}", "1.5E0"},
      {"${{ {'a': {'b': 1}} }}", R"({"a":{"b":1}})"},
      {"${{ {'a': {'b': 1}}}}", R"({"a":{"b":1}})"},
      {"${{ '}}' + \"}}\" + r'\\}}' }}", R"("}}}}\\}}")"},
      {"${{ '''a'}}''' }}!", R"("a'}}!")"},
      {"${{ 'it\\'s }}' }}", R"("it's }}")"},
      {"$${{ i }} is ${{ i }}", R"("${{ i }} is 3")"},
      {"$$${{ i }}", R"("$${{ i }}")"},
      {"${{ int }}", "error: a type (int) has no form in JSON"},
      {"a${{ int }}", R"("aint")"},
      {"${{ 0.0 / 0.0 }}", "error: JSON has no number for NaN"},
      {"${{ i / 0 }}", "error: division by zero…"},
      {"a ${{ i", "parse error: 2: `${{` without `}}`; a literal `${{` is written `$${{`"},
      {"${{ }}", "parse error: 4: the expression ends too early"},
      {"a ${{ 1 + }} ${{ 2 = }}",
       "parse error: 10: the expression ends too early 19: CEL compares with `==`"},
      {"${{ '}} ", "parse error: 0: `${{` without `}}`; a literal `${{` is written `$${{`"},
  };
  for (const auto& row : rows) {
    const auto got = rendered(row.text, variables);
    EXPECT_TRUE(fits(got, row.want)) << row.text << "\n   got " << got << "\n  want " << row.want;
  }
}

TEST(Template, Parts) {
  const auto constant = Template::parse("a $${{ b }}");
  ASSERT_TRUE(constant);
  EXPECT_TRUE(constant->is_constant());
  EXPECT_EQ(constant->constant_text(), "a ${{ b }}");
  EXPECT_EQ(constant->text(), "a $${{ b }}");
  EXPECT_FALSE(constant->whole());

  const auto whole = Template::parse("${{ a.b }}");
  ASSERT_TRUE(whole);
  EXPECT_FALSE(whole->is_constant());
  ASSERT_TRUE(whole->whole());
  EXPECT_EQ(whole->whole()->text(), " a.b ");

  const auto mixed = Template::parse("${{ a.b }} and ${{ c.d + a.b }}");
  ASSERT_TRUE(mixed);
  EXPECT_FALSE(mixed->whole());
  EXPECT_EQ(mixed->free_variables(), (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(mixed->paths(), (std::vector<Path>{{"a", "b"}, {"c", "d"}}));
}

TEST(Template, NumbersAreLimited) {
  const auto times = [](std::string_view part, int n) {
    std::string out;
    for (int i = 0; i < n; ++i) out += part;
    return out;
  };
  EXPECT_TRUE(Template::parse(times("${{1}}", 1'000)));
  const auto over = Template::parse(times("${{1}}", 1'001));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error(), (Diagnostics{{6'000, 3, "more than 1000 expressions in one text", ""}}));
  EXPECT_EQ(Template::parse(times("${{}}", 100)).error().size(), 10u);
}

TEST(Template, AllPartsShareTheLimits) {
  const auto variables = variables_of(R"({"l": [1, 2, 3, 4, 5, 6, 7, 8]})");
  EXPECT_EQ(rendered("${{ l.all(x, x > 0) }}", variables, {.steps = 100}), "true");
  EXPECT_EQ(
      rendered("${{ l.all(x, x > 0) }} ${{ l.all(x, x > 0) }} ${{ l.all(x, x > 0) }} ${{ l.all(x, x > 0) }}",
               variables, {.steps = 100}),
      "error: the expression does more work than is allowed (in `0`)");
}

}  // namespace
}  // namespace baton::expr

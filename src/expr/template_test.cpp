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

// ------------------------------------------------------------------------------------------------ secrets

// What is left when everything but the secrets is rendered.
std::string around(std::string_view text, const Variables& variables) {
  const auto value = Template::parse(text)->render(variables, {}, test_zones(), Template::Secrets::kept);
  return value ? boost::json::serialize(*value) : "error: " + value.error().message;
}

TEST(Template, SecretsStayAndEverythingElseIsRendered) {
  const auto variables = variables_of(
      R"({"i": 3, "s": "text", "dollar": "$", "evil": "${{ secrets.B }}", "list": ["${{ x", {"k": "$${{"}]})");
  const Row rows[] = {
      {"${{ secrets.A }}", R"("${{ secrets.A }}")"},
      {"${{secrets['A']}}", R"("${{ secrets.A }}")"},
      {"${{ (secrets.A) }}", R"("${{ secrets.A }}")"},
      {"${{ secrets['a-b.c'] }}", R"("${{ secrets[\"a-b.c\"] }}")"},
      {"${{ secrets['in'] }}", R"("${{ secrets[\"in\"] }}")"},
      {"${{ secrets['1'] }}", R"("${{ secrets[\"1\"] }}")"},
      {"Bearer ${{ secrets.A }}!", R"("Bearer ${{ secrets.A }}!")"},
      {"${{ i }}:${{ secrets.A }}:${{ s }}", R"("3:${{ secrets.A }}:text")"},
      {"${{ evil }}", R"("$${{ secrets.B }}")"},
      {"${{ evil }}${{ secrets.A }}", R"("$${{ secrets.B }}${{ secrets.A }}")"},
      {"${{ dollar }}{{ secrets.B }}", R"("$${{ secrets.B }}")"},
      {"${{ dollar }}${{ secrets.A }}", R"("${{ \"$\" }}${{ secrets.A }}")"},
      {"${{ list }}", R"(["$${{ x",{"k":"$$${{"}])"},
      {"${{ secrets.A == 'x' }}", "error: unknown variable `secrets`…"},
      {"${{ [secrets.A] }}", "error: unknown variable `secrets`…"},
      {"${{ secrets[s] }}", "error: unknown variable `secrets`…"},
      {"${{ secrets }}", "error: unknown variable `secrets`…"},
  };
  for (const auto& row : rows) {
    const auto got = around(row.text, variables);
    EXPECT_TRUE(fits(got, row.want)) << row.text << "\n   got " << got << "\n  want " << row.want;
  }
}

TEST(Template, NamesOfSecrets) {
  const auto parsed =
      Template::parse("${{ secrets.B }} ${{ secrets['A'] }} ${{ secrets.B }} ${{ size(secrets.C) }}");
  EXPECT_EQ(parsed->secrets(), (std::vector<std::string>{"A", "B"}));
}

// Whatever stands around secrets, and whatever values come between: rendering in two steps gives what
// rendering in one gives, and no value is taken for a secret.
TEST(Template, RenderingInTwoStepsIsRenderingInOne) {
  constexpr std::string_view kPieces[] = {"$", "{", "}", "{{", "}}", "${{", "$${{", " secrets.A ", "\"", "x"};
  constexpr std::string_view kExpressions[] = {"${{ secrets.A }}", "${{ v }}", "${{ secrets['b-c'] }}",
                                               "${{ '$' }}"};
  std::uint64_t seed = 1;
  const auto pick = [&](std::size_t n) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(seed >> 33) % n;
  };
  for (int round = 0; round < 20'000; ++round) {
    std::string value;
    for (std::size_t i = pick(6); i > 0; --i) value += kPieces[pick(std::size(kPieces))];
    std::string text;
    for (std::size_t i = pick(7); i > 0; --i) {
      text += pick(2) == 0 ? literal_text(kPieces[pick(std::size(kPieces))])
                           : std::string(kExpressions[pick(std::size(kExpressions))]);
    }
    const auto parsed = Template::parse(text);
    if (!parsed) continue;  // pieces that came together to an expression without an end
    Variables values;
    values.set("v", Value::string(value));
    Variables all(&values);
    all.set("secrets", Value::map({{Value::string("A"), Value::string("${{ s3cret $")},
                                   {Value::string("b-c"), Value::string("}}$")}}));
    const auto once = parsed->render(all, {}, test_zones());
    const auto first = parsed->render(values, {}, test_zones(), Template::Secrets::kept);
    if (!once) continue;
    ASSERT_TRUE(first) << text;
    const auto again = Template::parse(std::string(first->as_string()));
    ASSERT_TRUE(again) << text;
    for (const Path& path : again->paths()) EXPECT_EQ(path[0], "secrets") << text;
    const auto twice = again->render(all, {}, test_zones());
    ASSERT_TRUE(twice) << text;
    ASSERT_EQ(*twice, *once) << text << " with " << value;
  }
}

TEST(Template, LiteralText) {
  for (const char* text : {"", "$", "${{", "$${{", "a${{ secrets.A }}b$", "$$$${{ x }}", "{{", "}}${{"}) {
    const auto parsed = Template::parse(literal_text(text));
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->constant_text(), text);
    EXPECT_TRUE(parsed->is_constant()) << text;
  }
}

}  // namespace
}  // namespace baton::expr

#include <gtest/gtest.h>

#include "expr/test_support.hpp"

namespace baton::expr {
namespace {

std::string caret_of(std::string_view text) {
  const auto parsed = Expression::parse(text);
  return parsed ? "parsed" : render_caret(text, parsed.error().front());
}

TEST(Parser, ErrorsPointAtTheirCause) {
  const Row rows[] = {
      {"", "parse error at 0: the expression ends too early"},
      {"1 +", "parse error at 3: the expression ends too early"},
      {"1 2", "parse error at 2: unexpected `2`"},
      {"(1", "parse error at 2: the expression ends too early, expected `)`"},
      {"[1, 2", "parse error at 5: the expression ends too early, expected `]`"},
      {"{'a' 1}", "parse error at 5: unexpected `1`, expected `:`"},
      {"f(1,, 2)", "parse error at 4: unexpected `,`"},
      {"a.", "parse error at 2: the expression ends too early, expected the name of a field"},
      {"a.1", "parse error at 1: unexpected `.1`"},
      {"a.in", "parse error at 2: `in` is a word of the language; a field of that name is read with [ ]"},
      {"a ? b", "parse error at 5: the expression ends too early, expected `:`"},
      {"a = b", "parse error at 2: CEL compares with `==`"},
      {"a & b", "parse error at 2: CEL's logical and is `&&`"},
      {"a | upper", "parse error at 2: CEL's logical or is `||`; there are no filters"},
      {"a and b", "parse error at 2: unexpected `and`"},
      {"'abc", "parse error at 0: the string never ends"},
      {"'a\nb'", "parse error at 0: the string never ends"},
      {"'\\q'", "parse error at 1: unknown escape sequence; a backslash itself is written `\\\\`"},
      {"'\\x1'", "parse error at 1: `\\x` needs two hexadecimal digits"},
      {"'\\8'", "parse error at 1: unknown escape sequence…"},
      {"'\\19'", "parse error at 1: an octal escape needs three digits from `\\000` to `\\377`"},
      {"'\\ud800'", "parse error at 1: not a Unicode character"},
      {"'\\U00110000'", "parse error at 1: not a Unicode character"},
      {"'\\", "parse error at 1: unknown escape sequence…"},
      {"12ab", "parse error at 0: not a number"},
      {"0x", "parse error at 0: not a number"},
      {"1e400", "parse error at 0: the number does not fit into a double"},
      {"9223372036854775808", "parse error at 0: the integer does not fit into 64 bits with a sign…"},
      {"18446744073709551616u", "parse error at 0: the integer does not fit into 64 bits"},
      {"#", "parse error at 0: unexpected character"},
      {"${{ a }}", "parse error at 0: `$` has no meaning inside of an expression; `${{ }}` is not nested"},
      {"while", "parse error at 0: `while` is a reserved word and cannot name a variable"},
      {"[1].map(true, 1)", "parse error at 8: `true` is a reserved word and cannot name a variable"},
      {"[1].map(1, 1)",
       "parse error at 8: unexpected `1`, expected the name of a variable as the first argument of `map`"},
      {"[1].map(x)",
       "parse error at 9: unexpected `)`, `map` takes a variable and what to do with it, as in "
       "`list.map(x, x > 0)`"},
      {"[1].all(x, 1, 2)", "parse error at 4: `all` takes two arguments"},
      {"[1].map(x, 1, 2, 3)", "parse error at 4: `map` takes two or three arguments"},
      {"has(a)", "parse error at 0: `has` takes one field, as in `has(a.b)`"},
      {"has(a.b, c)", "parse error at 0: `has` takes one field, as in `has(a.b)`"},
      {"has(a['b'])", "parse error at 0: `has` takes one field, as in `has(a.b)`"},
      {"Message{a: 1}", "parse error at 7: unexpected `{`; messages cannot be made, only maps"},
      {"a.?b", "parse error at 2: optional values are not supported"},
      {"a[?0]", "parse error at 2: optional values are not supported"},
      {"[?a]", "parse error at 1: optional values are not supported"},
      {"{?'a': 1}", "parse error at 1: optional values are not supported"},
      {"a.``", "parse error at 2: a name in backticks…"},
      {"a.`b", "parse error at 2: a name in backticks…"},
      {"!-1", "parse error at 1: unexpected `-`"},
      {"'\xff'", "parse error at 1: the expression is not UTF-8"},
      {"\u00e9\xef", "parse error at 2: the expression is not UTF-8"},
      {"a\x80", "parse error at 1: the expression is not UTF-8"},
  };
  EXPECT_ROWS(rows, {});
}

TEST(Parser, Carets) {
  EXPECT_EQ(caret_of("size(a) == 'x' and b"),
            "unexpected `and`, did you mean `&&`?\n"
            "  size(a) == 'x' and b\n"
            "                 ^~~");
  EXPECT_EQ(caret_of("'\u00e9' +\n '\u00e9' = 2"),
            "CEL compares with `==`, did you mean `==`?\n"
            "   '\u00e9' = 2\n"
            "       ^");
  EXPECT_EQ(caret_of("1 +"),
            "the expression ends too early\n"
            "  1 +\n"
            "     ^");
  EXPECT_EQ(render_caret("a\tb", {2, 1, "m", ""}), "m\n  a b\n    ^");
  EXPECT_EQ(render_caret("ab", {99, 99, "m", ""}), "m\n  ab\n    ^");
  EXPECT_EQ(render_caret("", {0, 5, "m", ""}), "m\n  \n  ^");
  EXPECT_EQ(render_caret("ab\ncd", {1, 4, "m", ""}), "m\n  ab\n   ^") << "a caret stays in its line";
}

TEST(Parser, FreeVariablesAndPaths) {
  struct Case {
    std::string_view text;
    std::vector<std::string> variables;
    std::vector<Path> paths;
  };
  const Case cases[] = {
      {"1 + 2", {}, {}},
      {"steps.x.result.y", {"steps"}, {{"steps", "x", "result", "y"}}},
      {"steps['x-1'].result[\"y\"]", {"steps"}, {{"steps", "x-1", "result", "y"}}},
      {"has(steps.x.result.y)", {"steps"}, {{"steps", "x", "result", "y"}}},
      {"steps.x.result.list[0].name", {"steps"}, {{"steps", "x", "result", "list"}}},
      {"steps[inputs.name].result", {"inputs", "steps"}, {{"inputs", "name"}, {"steps"}}},
      {"item", {"item"}, {{"item"}}},
      {"a.b == a.b && a.c == 1", {"a"}, {{"a", "b"}, {"a", "c"}}},
      {"a.list.map(x, x.y + z.w)", {"a", "z"}, {{"a", "list"}, {"z", "w"}}},
      {"a.map(x, x).map(y, x.q)", {"a", "x"}, {{"a"}, {"x", "q"}}},
      {"[1].map(x, .x.y)", {"x"}, {{"x", "y"}}},
      {"(a ? b : c).d", {"a", "b", "c"}, {{"a"}, {"b"}, {"c"}}},
      {"f(a.b).c.d", {"a"}, {{"a", "b"}}},
      {"{'k': a.b}.k", {"a"}, {{"a", "b"}}},
      {"type(a) == int && b == google.protobuf.Timestamp", {"a", "b"}, {{"a"}, {"b"}}},
      {"map.x", {"map"}, {{"map", "x"}}},
      {"strings.quote(a.b)", {"a"}, {{"a", "b"}}},
      {"a.b.size()", {"a"}, {{"a", "b"}}},
      {"a.b.`c-d`", {"a"}, {{"a", "b", "c-d"}}},
  };
  for (const auto& c : cases) {
    const auto parsed = Expression::parse(c.text);
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_EQ(parsed->free_variables(), c.variables) << c.text;
    EXPECT_EQ(parsed->paths(), c.paths) << c.text;
    EXPECT_EQ(parsed->text(), c.text);
  }
}

std::string repeated(std::string_view part, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += part;
  return out;
}

TEST(Parser, DepthIsLimited) {
  const auto nested = [](std::string_view open, std::string_view inner, std::string_view close, int n) {
    return repeated(open, n) + std::string(inner) + repeated(close, n);
  };
  EXPECT_EQ(outcome(nested("(", "1", ")", 150)), "int 1");
  EXPECT_EQ(outcome("size(" + nested("[", "1", "]", 150) + ")"), "int 1");
  struct Case {
    const char *open, *inner, *close;
  };
  for (const auto& c :
       {Case{"(", "1", ")"}, Case{"[", "1", "]"}, Case{"{1:", "1", "}"}, Case{"f(", "1", ")"},
        Case{"a[", "1", "]"}, Case{"true ? 1 : ", "1", ""}, Case{"[1].map(x,", "x", ")"}, Case{"", "a", ".a"},
        Case{"", "a", "[0]"}, Case{"1 + ", "1", ""}, Case{"", "a", ".f()"}}) {
    for (const int n : {1'000, 5'000}) {
      const auto text = nested(c.open, c.inner, c.close, n);
      const auto parsed = Expression::parse(text, {.max_length = 1 << 20});
      ASSERT_FALSE(parsed) << c.open << c.inner << c.close;
      EXPECT_EQ(parsed.error().front().message, "the expression is nested more than 200 levels deep")
          << c.open;
    }
  }
}

TEST(Parser, TooDeepAtTheVeryEnd) {
  const auto parsed = Expression::parse(repeated("[", 200));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().front(),
            (Diagnostic{200, 0, "the expression is nested more than 200 levels deep", ""}));
}

TEST(Parser, ChainsOfLogicAndSignsAreNotDeep) {
  EXPECT_EQ(outcome("true" + repeated(" && true", 5'000)), "bool true");
  EXPECT_EQ(outcome("false" + repeated(" || false", 5'000)), "bool false");
  EXPECT_EQ(outcome(repeated("!", 10'001) + "true"), "bool false");
  EXPECT_EQ(outcome(repeated("-", 10'000) + "1"), "int 1");
  EXPECT_EQ(outcome(repeated("!", 10'000) + "1"), "error: !int is not defined") << "pairs do not vanish";
}

TEST(Parser, LengthIsLimited) {
  const std::string fits = "'" + std::string(64 * 1024 - 2, 'x') + "'";
  EXPECT_TRUE(Expression::parse(fits));
  const auto over = Expression::parse(fits + " ");
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().front().message, "the expression has 65537 bytes, more than 65536");
}

}  // namespace
}  // namespace baton::expr

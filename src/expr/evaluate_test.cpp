#include <gtest/gtest.h>

#include "expr/test_support.hpp"

namespace baton::expr {
namespace {

TEST(Evaluate, Literals) {
  const Row rows[] = {
      {"null", "null_type null"},
      {"true", "bool true"},
      {"0x1F", "int 31"},
      {"-0x1F", "int -31"},
      {"-9223372036854775808", R"(int "-9223372036854775808")"},
      {"9223372036854775807", R"(int "9223372036854775807")"},
      {"18446744073709551615u", R"(uint "18446744073709551615")"},
      {"7U", "uint 7"},
      {".5", "double 5E-1"},
      {"1e3", "double 1E3"},
      {"1.5E-3", "double 1.5E-3"},
      {"'a\\x41\\101\\u00e9\\U0001F600'", "string \"aAA\u00e9\U0001F600\""},
      {"\"it's\"", R"(string "it's")"},
      {"r'\\n'", R"(string "\\n")"},
      {"'''a'b\"c'''", R"(string "a'b\"c")"},
      {"b'\\xff\\377'", R"(bytes "//8=")"},
      {"bR'\\x'", R"(bytes "XHg=")"},
      {"[1, 'a', null,]", R"(list [1,"a",null])"},
      {"{'a': 1, 2: 'b', true: null, 3u: [],}", R"(map {"a":1,"2":"b","true":null,"3":[]})"},
      {"1 // a comment\n + 1", "int 2"},
      {"int", R"(type "int")"},
      {"google.protobuf.Timestamp", R"(type "google.protobuf.Timestamp")"},
  };
  EXPECT_ROWS(rows, {});
}

TEST(Evaluate, PrecedenceAndAssociation) {
  const Row rows[] = {
      {"1 + 2 * 3 - 4 / 2 % 2", "int 7"},
      {"10 - 3 - 2", "int 5"},
      {"(1 + 2) * 3", "int 9"},
      {"-2 * -3", "int 6"},
      {"1 - -1", "int 2"},
      {"--1", "int 1"},
      {"!true == false", "bool true"},
      {"1 < 2 && 2 < 3 || false", "bool true"},
      {"true || false && false", "bool true"},
      {"false ? 1 : true ? 2 : 3", "int 2"},
      {"1 in [1] == true", "bool true"},
      {"1 + 1 == 2 ? 'y' : 'n'", R"(string "y")"},
      {"[[1, 2], [3]][0][1]", "int 2"},
      {"{'a': {'b': [5]}}.a.b[0]", "int 5"},
      {"{'a-b': 1}.`a-b`", "int 1"},
  };
  EXPECT_ROWS(rows, {});
}

TEST(Evaluate, Arithmetic) {
  const Row rows[] = {
      {"9223372036854775807 + 1", "error: int overflow"},
      {"-9223372036854775808 - 1", "error: int overflow"},
      {"4611686018427387904 * 2", "error: int overflow"},
      {"-9223372036854775808 / -1", "error: int overflow"},
      {"-9223372036854775808 % -1", "error: int overflow"},
      {"-(-9223372036854775808)", "error: int overflow"},
      {"5 / -1", "int -5"},
      {"5 % -1", "int 0"},
      {"7 / 2", "int 3"},
      {"-7 / 2", "int -3"},
      {"-7 % 2", "int -1"},
      {"1 / 0", "error: division by zero"},
      {"1 % 0", "error: modulus by zero"},
      {"1u / 0u", "error: division by zero"},
      {"1u - 2u", "error: uint overflow"},
      {"18446744073709551615u * 2u", "error: uint overflow"},
      {"-(1u)", "error: -uint is not defined"},
      {"-'a'", "error: -string is not defined"},
      {"1.0 / 0.0", R"(double "Infinity")"},
      {"0.0 / 0.0", R"(double "NaN")"},
      {"5.0 % 2.0", "error: double % double is not defined; convert…"},
      {"1 + 1u", "error: int + uint is not defined; convert one side…"},
      {"1 + 1.0", "error: int + double is not defined; convert one side…"},
      {"'a' + 1", "error: string + int is not defined; convert with string()"},
      {"true + true", "error: bool + bool is not defined"},
      {"'a' + 'b'", R"(string "ab")"},
      {"b'a' + b'b'", R"(bytes "YWI=")"},
      {"[1] + ['a']", R"(list [1,"a"])"},
      {"[1] - [1]", "error: list - list is not defined"},
  };
  EXPECT_ROWS(rows, {});
}

TEST(Evaluate, Comparison) {
  const Row rows[] = {
      {"1 == 1u && 1u == 1.0 && 1 == 1.0", "bool true"},
      {"1 == '1'", "bool false"},
      {"null == 0", "bool false"},
      {"null == null", "bool true"},
      {"-1 < 0u", "bool true"},
      {"18446744073709551615u > 9223372036854775807", "bool true"},
      {"1.5 > 1 && 1.5 > 1u && 2 > 1.5 && 2u > 1.5", "bool true"},
      {"0.0 / 0.0 == 0.0 / 0.0", "bool false"},
      {"0.0 / 0.0 <= 1.0 || 0.0 / 0.0 > 1", "bool false"},
      {"[1, 2] == [1u, 2.0]", "bool true"},
      {"[1] == [1, 1]", "bool false"},
      {"{'a': 1, 'b': 2} == {'b': 2.0, 'a': 1u}", "bool true"},
      {"{1: 'a'} == {1u: 'a'}", "bool true"},
      {"{'a': 1} == {'b': 1}", "bool false"},
      {"b'a' < b'b' && 'a' < 'b' && false < true", "bool true"},
      {"timestamp(1) < timestamp(2) && duration('1s') < duration('2s')", "bool true"},
      {"[1] < [2]", "error: list < list is not defined"},
      {"null < null", "error: null_type < null_type is not defined"},
      {"1 < 'a'", "error: int < string is not defined"},
      {"int == type(1) && type(int) == type", "bool true"},
      {"'\U0001F600' > '\uFFFD'", "bool true"},
  };
  EXPECT_ROWS(rows, {});
}

TEST(Evaluate, LogicAbsorbsErrors) {
  const Row rows[] = {
      {"1 / 0 > 0 || true", "bool true"},
      {"true || 1 / 0 > 0", "bool true"},
      {"1 / 0 > 0 && false", "bool false"},
      {"false && 1 / 0 > 0", "bool false"},
      {"1 / 0 > 0 || false", "error: division by zero (in `1 / 0`)"},
      {"1 / 0 > 0 && true", "error: division by zero (in `1 / 0`)"},
      {"1 || true", "bool true"},
      {"1 || false", "error: || needs bool, not int (in `1`)"},
      {"'a' && true", "error: && needs bool, not string…"},
      {"true ? 1 : 1 / 0", "int 1"},
      {"1 ? 2 : 3", "error: the condition of ?: is int, not bool"},
      {"!1", "error: !int is not defined"},
      {"!(1 / 0 == 1) || true", "bool true"},
  };
  EXPECT_ROWS(rows, {});
}

TEST(Evaluate, FieldsIndexesMembership) {
  const auto variables =
      variables_of(R"({"m": {"name": 1, "none": null, "list": [1, 2.5, "x"]}, "nothing": null})");
  const Row rows[] = {
      {"m.name", "int 1"},
      {"m['name']", "int 1"},
      {"m.list[2]", R"(string "x")"},
      {"m.list[2u] + m.list[2.0]", R"(string "xx")"},
      {"m.nmae", "error: no such key: 'nmae', did you mean `name`?"},
      {"m.absent", "error: no such key: 'absent'"},
      {"m.list[3]", "error: index out of range: 3, the list has 3 items"},
      {"m.list[-1]", "error: index out of range: -1…"},
      {"m.list[0.5]", "error: a list is indexed by whole numbers…"},
      {"m.list['a']", "error: a list is indexed by int, not by string"},
      {"m.list[true]", "error: a list is indexed by int, not by bool"},
      {"m.list[double('NaN')]", "error: index out of range…"},
      {"m.name.x", "error: cannot read the field `x` of int"},
      {"nothing.x", "error: cannot read the field `x` of null; has() tells whether it is there"},
      {"'abc'[0]", "error: cannot index string"},
      {"has(m.name)", "bool true"},
      {"has(m.none)", "bool true"},
      {"has(m.absent)", "bool false"},
      {"has(nothing.x)", "bool false"},
      {"has(m.absent.x)", "error: no such key: 'absent' (in `m.absent`)"},
      {"has(m.name.x)", "error: has() needs a map, int has no fields"},
      {"{1: 'a'}[1u] + {1u: 'b'}[1] + {1: 'c'}[1.0]", R"(string "abc")"},
      {"{1: 'a'}[2]", "error: no such key: 2…"},
      {"{true: 'a'}[true]", R"(string "a")"},
      {"{'a': 1}[1]", "error: no such key: 1…"},
      {"1 in [1.0] && 'a' in {'a': 1} && !('b' in {'a': 1}) && !(1 in m)", "bool true"},
      {"1 in 1", "error: `in` needs a list or map on its right side, not int"},
      {"{'a': 1, 'a': 2}", "error: the key a stands twice in the map"},
      {"{1: 1, 1u: 2}", "error: the key 1 stands twice in the map"},
      {"{1.5: 1}", "error: the key of a map is a string, int, uint or bool, not double"},
      {"{null: 1}", "error: the key of a map…"},
      {"missing", "error: unknown variable `missing`"},
      {"nothin", "error: unknown variable `nothin`, did you mean `nothing`?"},
  };
  EXPECT_ROWS(rows, variables);
}

TEST(Evaluate, Macros) {
  const Row rows[] = {
      {"[1, 2].all(x, x > 0)", "bool true"},
      {"[1, 2].all(x, x > 1)", "bool false"},
      {"[].all(x, x)", "bool true"},
      {"[0, 1].all(x, 1 / x > 5)", "bool false"},
      {"[0, 1].all(x, 1 / x > 0)", "error: division by zero (in `1 / x`)"},
      {"[0, 1].exists(x, 1 / x == 1)", "bool true"},
      {"[0, 1].exists(x, 1 / x == 2)", "error: division by zero (in `1 / x`)"},
      {"[].exists(x, x)", "bool false"},
      {"[1].exists(x, x)", "error: the condition of `exists` is int, not bool (in `x`)"},
      {"[1, 2, 2].exists_one(x, x == 2)", "bool false"},
      {"[1, 2].exists_one(x, x == 2)", "bool true"},
      {"[0, 1].exists_one(x, 1 / x == 1)", "error: division by zero (in `1 / x`)"},
      {"[1, 2, 3].map(x, x * x)", "list [1,4,9]"},
      {"[1, 2, 3].map(x, x > 1, x * x)", "list [4,9]"},
      {"[1, 2, 3].filter(x, x > 1)", "list [2,3]"},
      {"[1, 2].filter(x, x)", "error: the condition of `filter` is int, not bool (in `x`)"},
      {"{'b': 1, 'a': 2}.map(k, k)", R"(list ["b","a"])"},
      {"{'b': 1, 'a': 2}.filter(k, k == 'a')", R"(list ["a"])"},
      {"[1, 2].map(x, [3, 4].map(y, x * y))", "list [[3,4],[6,8]]"},
      {"[1, 2].map(x, [x].map(x, x + 1) + [x])", "list [[2,1],[3,2]]"},
      {"[1].map(x, x) + [2].map(x, x)", "list [1,2]"},
      {"x + [1].map(x, x)[0]", "int 101"},
      {"[1].map(x, .x)", "list [100]"},
      {"1.map(x, x)", "error: `map` needs a list or map, not int"},
      {"'abc'.all(x, true)", "error: `all` needs a list or map, not string"},
  };
  EXPECT_ROWS(rows, variables_of(R"({"x": 100})"));
}

TEST(Evaluate, UnknownFunctionsFailOnlyWhenReached) {
  const Row rows[] = {
      {"f(1)", "error: there is no function `f`"},
      {"'a'.f()", "error: there is no method `f`"},
      {"false && f(1)", "bool false"},
      {"a.f() || true", "bool true"},
      {"size()", "error: `size` does not take 0 arguments"},
      {"size(1, 2)", "error: `size` does not take 2 arguments"},
      {"contains('a', 'b')", "error: there is no function `contains`"},
      {"size(1)", "error: size(int) is not defined"},
      {"'a'.substring('b')", "error: string.substring(string) is not defined"},
  };
  EXPECT_ROWS(rows, {});
}

TEST(Evaluate, NamesWithDotsWinOverFields) {
  const Row rows[] = {
      {"a.b.c", "int 1"},
      {"a.b.d", "int 2"},
      {"a.b", R"(map {"c":9,"d":2})"},
      {"a.e", "int 3"},
      {"[{'z': 0}].map(y, y.z)", "list [0]"},
      {"[{'z': 0}].map(y, .y.z)", "list [42]"},
  };
  EXPECT_ROWS(rows, variables_of(R"({"a.b.c": 1, "a.b": {"c": 9, "d": 2}, "a": {"e": 3}, "y.z": 42})"));
}

TEST(Evaluate, SharesTheJsonOfVariables) {
  const auto doc = document(R"({"big": {"list": ["a long enough string to be seen", 2]}})");
  const auto variables = *Variables::from_json(doc);
  const auto value = evaluate(*Expression::parse("big.list"), variables, {}, test_zones());
  ASSERT_TRUE(value);
  EXPECT_EQ(value->json_array(), &doc->at("big").at("list").as_array());
  EXPECT_EQ(value->at(0).as_string().data(), doc->at("big").at("list").at(0).as_string().data());
}

TEST(Evaluate, ResultsKeepTheirDocumentAlive) {
  Result<Value> value;
  {
    auto variables = variables_of(R"({"big": {"list": ["a long enough string to be seen", 2]}})");
    value = evaluate(*Expression::parse("big.list[0]"), variables, {}, test_zones());
  }
  ASSERT_TRUE(value);
  EXPECT_EQ(value->as_string(), "a long enough string to be seen");
}

TEST(Evaluate, LazyVariablesAreAskedOnlyWhenNeeded) {
  int asked = 0;
  Variables outer;
  outer.set("a", Value::integer(1));
  outer.set_lazy("b", [&]() -> Result<Value> {
    ++asked;
    return Value::integer(2);
  });
  Variables inner(&outer);
  inner.set("a", Value::integer(10));
  EXPECT_EQ(outcome("a", inner), "int 10");
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(outcome("a + b", inner), "int 12");
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(inner.names(), (std::vector<std::string_view>{"a", "b"}));
}

TEST(Evaluate, AnErrorOfALoaderIsHandedThroughAndNotAbsorbed) {
  Variables variables;
  variables.set_lazy("b", []() -> Result<Value> { return fail(ErrorCode::io, "the payload is gone", "p1"); });
  const auto value = evaluate(*Expression::parse("b || true"), variables, {}, test_zones());
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error(), (Error{ErrorCode::io, "the payload is gone", "p1"}));
}

TEST(Evaluate, ErrorsNameCodeAndPlace) {
  const auto value = evaluate(*Expression::parse("1 + (2 / 0)"), {}, {}, test_zones());
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error(), (Error{ErrorCode::expression, "division by zero (in `(2 / 0)`)", "4"}));
}

class Steps final : public MapSource {
 public:
  std::size_t size() const override { return 1; }
  Value key_at(std::size_t) const override { return Value::string("x"); }
  Value value_at(std::size_t) const override { return Value::integer(7); }
  std::optional<Value> find(const Value& key) const override {
    if (!key.is(Kind::string) || key.as_string() != "x") return std::nullopt;
    return Value::integer(7);
  }
};

TEST(Evaluate, MapsOfTheProgram) {
  Variables variables;
  variables.set("steps", Value::map(std::make_shared<const Steps>()));
  EXPECT_EQ(outcome("steps.x", variables), "int 7");
  EXPECT_EQ(outcome("steps.map(k, steps[k])", variables), "list [7]");
  EXPECT_EQ(outcome("steps.y", variables), "error: no such key: 'y', did you mean `x`?");
  EXPECT_EQ(outcome("steps == {'x': 7}", variables), "bool true");
}

TEST(Evaluate, VariablesAreAnObject) {
  EXPECT_EQ(Variables::from_json(document("[1]")).error().code, ErrorCode::invalid_input);
}

}  // namespace
}  // namespace baton::expr

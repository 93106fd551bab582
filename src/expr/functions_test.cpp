#include <gtest/gtest.h>

#include "expr/test_support.hpp"

namespace baton::expr {
namespace {

TEST(Functions, Size) {
  const Row rows[] = {
      {"size('')", "int 0"},
      {"size('h\u00e9\U0001F600')", "int 3"},
      {"'abc'.size()", "int 3"},
      {"size(b'\\u00e9')", "int 2"},
      {"[1, 2].size()", "int 2"},
      {"size({'a': 1})", "int 1"},
      {"size(null)", "error: size(null_type) is not defined"},
  };
  EXPECT_ROWS(rows, {});
}

TEST(Functions, SearchInStrings) {
  const Row rows[] = {
      {"'hello'.contains('ell')", "bool true"},
      {"'hello'.contains('')", "bool true"},
      {"'hello'.startsWith('he') && 'hello'.endsWith('lo')", "bool true"},
      {"'hello'.startsWith('hello!')", "bool false"},
      {"'hello'.matches('l+')", "bool true"},
      {"'hello'.matches('^l+$')", "bool false"},
      {"matches('hello', 'h.*o')", "bool true"},
      {"'a'.matches('(')", "parse error at 12: not a regular expression: missing ): (…"},
      {"'a'.matches('(' + '')", "error: not a regular expression: missing ): (…"},
      {"'a'.matches('(?=a)')", "parse error at 12: not a regular expression…"},
      {"'hello'.indexOf('l')", "int 2"},
      {"'hello'.indexOf('l', 3)", "int 3"},
      {"'hello'.indexOf('l', 4)", "int -1"},
      {"'hello'.indexOf('', 5)", "int 5"},
      {"'hello'.indexOf('l', 6)", "error: index out of range: 6"},
      {"'hello'.indexOf('l', -1)", "error: index out of range: -1"},
      {"'\u00e9\u00e9x'.indexOf('x')", "int 2"},
      {"'hello'.lastIndexOf('l')", "int 3"},
      {"'hello'.lastIndexOf('l', 2)", "int 2"},
      {"'hello'.lastIndexOf('h', 0)", "int 0"},
      {"'hello'.lastIndexOf('')", "int 5"},
      {"'hello'.lastIndexOf('l', 9)", "error: index out of range: 9"},
      {"''.lastIndexOf('x')", "int -1"},
  };
  EXPECT_ROWS(rows, {});
}

TEST(Functions, PartsOfStrings) {
  const Row rows[] = {
      {"'h\u00e9llo'.charAt(1)", "string \"\u00e9\""},
      {"'abc'.charAt(3)", R"(string "")"},
      {"'abc'.charAt(4)", "error: index out of range: 4"},
      {"'abc'.charAt(-1)", "error: index out of range: -1"},
      {"'h\u00e9llo'.substring(1)", "string \"\u00e9llo\""},
      {"'h\u00e9llo'.substring(1, 2)", "string \"\u00e9\""},
      {"'abc'.substring(3)", R"(string "")"},
      {"'abc'.substring(4)", "error: index out of range: 4"},
      {"'abc'.substring(2, 1)", "error: invalid range of substring: start 2, end 1"},
      {"'abc'.substring(0, 4)", "error: index out of range: 4"},
      {"'a,b,c'.split(',')", R"(list ["a","b","c"])"},
      {"'a,b,c'.split(',', 2)", R"(list ["a","b,c"])"},
      {"'a,b,c'.split(',', 1)", R"(list ["a,b,c"])"},
      {"'a,b,c'.split(',', 0)", "list []"},
      {"'a,b,c'.split(',', -1)", R"(list ["a","b","c"])"},
      {"'a\u00e9b'.split('')", "list [\"a\",\"\u00e9\",\"b\"]"},
      {"'abc'.split('', 2)", R"(list ["a","bc"])"},
      {"''.split('')", "list []"},
      {"''.split(',')", R"(list [""])"},
      {"['a', 'b'].join()", R"(string "ab")"},
      {"['a', 'b'].join(', ')", R"(string "a, b")"},
      {"[].join(',')", R"(string "")"},
      {"['a', 1].join()", "error: join needs a list of strings, item 1 is int"},
      {"' \\t\\u00a0x y\\u3000\\n'.trim()", R"(string "x y")"},
      {"' '.trim()", R"(string "")"},
  };
  EXPECT_ROWS(rows, {});
}

TEST(Functions, ChangedStrings) {
  const Row rows[] = {
      {"'aXbX'.replace('X', '--')", R"(string "a--b--")"},
      {"'aXbX'.replace('X', '', 1)", R"(string "abX")"},
      {"'aXbX'.replace('X', '-', 0)", R"(string "aXbX")"},
      {"'aXbX'.replace('X', '-', -1)", R"(string "a-b-")"},
      {"'\u00e9b'.replace('', '-')", "string \"-\u00e9-b-\""},
      {"'ab'.replace('', '-', 2)", R"(string "-a-b")"},
      {"'\u00c9A'.lowerAscii() + '\u00e9a'.upperAscii()", "string \"\u00c9a\u00e9A\""},
      {"'a\u00e9\U0001F600'.reverse()", "string \"\U0001F600\u00e9a\""},
      {"strings.quote('a\"\\n\\\\\u00e9')", "string \"\\\"a\\\\\\\"\\\\n\\\\\\\\\u00e9\\\"\""},
  };
  EXPECT_ROWS(rows, {});
}

TEST(Functions, Format) {
  const Row rows[] = {
      {"'%s|%s|%s|%s'.format([1, 2u, 1.5, 'a'])", R"(string "1|2|1.5|a")"},
      {"'%s'.format([[1, 'a', null, true, b'x', duration('90s'), timestamp(0), int]])",
       R"(string "[1, a, null, true, x, 90s, 1970-01-01T00:00:00Z, int]")"},
      {"'%s'.format([{'b': 1, 'a': [2]}])", R"(string "{a: [2], b: 1}")"},
      {"'%d %d %d'.format([-5, 5u, double('-Infinity')])", R"(string "-5 5 -Infinity")"},
      {"'%b %b %o %x %X'.format([5, true, 8u, -255, 255])", R"(string "101 1 10 -ff FF")"},
      {"'%x %X'.format(['hi', b'\\xff'])", R"(string "6869 FF")"},
      {"'%f %.2f %.0f %e %.1e'.format([1.5, 2, 2.5, 1234.5, 3u])",
       R"(string "1.500000 2.00 2 1.234500e+03 3.0e+00")"},
      {"'%f %e'.format([double('NaN'), double('Infinity')])", R"(string "NaN Infinity")"},
      {"'100%%'.format([])", R"(string "100%")"},
      {"'%.100f'.format([1e308]).size()", "int 410"},
      {"'%d'.format([1.5])", "error: format's %d takes an int or uint, not double"},
      {"'%f'.format(['a'])", "error: format's %f takes a number, not string"},
      {"'%b'.format(['a'])", "error: format's %b takes an int, uint or bool, not string"},
      {"'%o'.format([true])", "error: format's %o takes an int or uint, not bool"},
      {"'%x'.format([1.5])", "error: format's %x takes an int, uint, string or bytes, not double"},
      {"'%a'.format([1])", "error: unknown clause in a format: `%a`…"},
      {"'%\u00e9'.format([1])", "error: unknown clause in a format: `%\u00e9`…"},
      {"'%s %s'.format([1])", "error: the format needs more than 1 values"},
      {"'%'.format([1])", "error: the format ends within a % clause"},
      {"'%.3'.format([1])", "error: the format ends within a % clause"},
      {"'%.f'.format([1])", "error: the precision in a format is a number from 0 to 100"},
      {"'%.101f'.format([1])", "error: the precision in a format is a number from 0 to 100"},
      {"'%.99999999999f'.format([1])", "error: the precision in a format is a number from 0 to 100"},
      {"'%.2d'.format([1])", "error: only %f and %e take a precision"},
  };
  EXPECT_ROWS(rows, {});
}

TEST(Functions, Conversions) {
  const Row rows[] = {
      {"bool('TRUE') && bool('1') && bool('t') && bool(true)", "bool true"},
      {"bool('F') || bool('0')", "bool false"},
      {"bool('yes')", "error: 'yes' is not a bool"},
      {"bytes('\u00e9')", R"(bytes "w6k=")"},
      {"double('1.5e2') + double(1) + double(2u) + double(0.5)", "double 1.535E2"},
      {"double('-Infinity')", R"(double "-Infinity")"},
      {"double('1e999')", "error: '1e999' is not a double"},
      {"double('1e-999')", "double 0E0"},
      {"double(' 1')", "error: ' 1' is not a double"},
      {"double('inf')", "error: 'inf' is not a double"},
      {"double('0x10')", "error: '0x10' is not a double"},
      {"double('')", "error: '' is not a double"},
      {"int('-12') + int(3u) + int(2.9) + int(-2.9) + int(4)", "int -5"},
      {"int('+5')", "int 5"},
      {"int('+-5')", "error: '+-5' is not an int"},
      {"int('9223372036854775808')", "error: '9223372036854775808' is not an int"},
      {"int('1.5')", "error: '1.5' is not an int"},
      {"int(18446744073709551615u)", "error: the uint is out of the range of int"},
      {"int(9223372036854775808.0)", "error: the double is out of the range of int"},
      {"int(double('NaN'))", "error: the double is out of the range of int"},
      {"int(timestamp('1970-01-01T00:01:00.9Z'))", "int 60"},
      {"int(true)", "error: int(bool) is not defined"},
      {"uint('12') + uint(3) + uint(2.9)", "uint 17"},
      {"uint(-1)", "error: a negative int is out of the range of uint"},
      {"uint(-1.0)", "error: the double is out of the range of uint"},
      {"uint(-0.5)", "error: the double is out of the range of uint"},
      {"uint(-0.0)", "uint 0"},
      {"uint(18446744073709551616.0)", "error: the double is out of the range of uint"},
      {"uint('-1')", "error: '-1' is not a uint"},
      {"string(1) + string(2u) + string(true) + string('x')", R"(string "12truex")"},
      {"string(b'\\u00e9')", "string \"\u00e9\""},
      {"string(b'\\xff')", "error: the bytes are not UTF-8"},
      {"string(null)", "error: string(null_type) is not defined"},
      {"string([1])", "error: string(list) is not defined"},
      {"string(duration('1m1.5s')) + string(timestamp('2026-11-21T01:46:00.120+02:00'))",
       R"(string "61.5s2026-11-20T23:46:00.12Z")"},
      {"[0.1, 1.0, -0.0045, 1e20, 1e21, 123456789.0, 1e-5, 0.0, -0.0].map(d, string(d))",
       R"(list ["0.1","1","-0.0045","100000000000000000000","1e+21","123456789","1e-05","0","-0"])"},
      {"type(1u) == uint && type(null) == null_type && type({}) == map", "bool true"},
      {"dyn(1) + 1", "int 2"},
  };
  EXPECT_ROWS(rows, {});
}

TEST(Functions, TimestampsAndDurations) {
  const Row rows[] = {
      {"timestamp('2026-11-21T01:46:00Z')", R"(google.protobuf.Timestamp "2026-11-21T01:46:00Z")"},
      {"timestamp('2026-11-21t01:46:00.123456789z')",
       R"(google.protobuf.Timestamp "2026-11-21T01:46:00.123456789Z")"},
      {"timestamp(1e3)", "error: timestamp(double) is not defined"},
      {"timestamp(1000)", R"(google.protobuf.Timestamp "1970-01-01T00:16:40Z")"},
      {"timestamp(-62135596800)", R"(google.protobuf.Timestamp "0001-01-01T00:00:00Z")"},
      {"timestamp(-62135596801)", "error: the timestamp is out of range: years 1 to 9999"},
      {"timestamp('2026-02-29T00:00:00Z')", "error: '2026-02-29T00:00:00Z' is not a timestamp…"},
      {"timestamp('2024-02-29T00:00:00Z').getDate()", "int 29"},
      {"timestamp('2026-01-01')", "error: '2026-01-01' is not a timestamp…"},
      {"timestamp('2026-01-01T00:00:00')", "error: '2026-01-01T00:00:00' is not…"},
      {"timestamp('2026-01-01T24:00:00Z')", "error: '2026-01-01T24:00:00Z' is not…"},
      {"timestamp('2026-01-01T00:00:00.Z')", "error: '2026-01-01T00:00:00.Z' is not…"},
      {"timestamp('0000-01-01T00:00:00Z')", "error: '0000-01-01T00:00:00Z' is not…"},
      {"timestamp('0001-01-01T00:00:00+00:01')", "error: '0001-01-01T00:00:00+00:01' is not…"},
      {"duration('1h30m') == duration('5400s')", "bool true"},
      {"duration('-1.5s')", R"(google.protobuf.Duration "-1.5s")"},
      {"duration('1ns') + duration('1us') + duration('1\u00b5s') + duration('1ms')",
       R"(google.protobuf.Duration "0.001002001s")"},
      {"duration('0.5h')", R"(google.protobuf.Duration "1800s")"},
      {"duration('.5s')", R"(google.protobuf.Duration "0.5s")"},
      {"duration('0')", R"(google.protobuf.Duration "0s")"},
      {"duration('5')", "error: '5' is not a duration…"},
      {"duration('')", "error: '' is not a duration…"},
      {"duration('1d')", "error: '1d' is not a duration…"},
      {"duration('.s')", "error: '.s' is not a duration…"},
      {"duration('9223372036.854775807s')", R"(google.protobuf.Duration "9223372036.854775807s")"},
      {"duration('9223372036.854775808s')", "error: '9223372036.854775808s' is not…"},
      {"duration('-9223372036.854775808s')", R"(google.protobuf.Duration "-9223372036.854775808s")"},
      {"duration('99999999999999999999h')", "error: '99999999999999999999h' is not…"},
      {"timestamp(0) + duration('-1ns')", R"(google.protobuf.Timestamp "1969-12-31T23:59:59.999999999Z")"},
      {"timestamp(0) - duration('0.5s')", R"(google.protobuf.Timestamp "1969-12-31T23:59:59.5Z")"},
      {"duration('1s') + timestamp(0)", R"(google.protobuf.Timestamp "1970-01-01T00:00:01Z")"},
      {"timestamp(60) - timestamp(0)", R"(google.protobuf.Duration "60s")"},
      {"timestamp('9999-12-31T23:59:59Z') + duration('1s')", "error: the timestamp is out of range…"},
      {"timestamp('9999-12-31T23:59:59Z') - timestamp(0)", "error: the duration is out of range…"},
      {"duration('9223372036s') + duration('1s')", "error: duration overflow"},
      {"duration('-9223372036s') - duration('1s')", "error: duration overflow"},
      {"timestamp(0) + timestamp(0)",
       "error: google.protobuf.Timestamp + google.protobuf.Timestamp is not defined"},
      {"duration('1s') * 2", "error: google.protobuf.Duration * int is not defined"},
  };
  EXPECT_ROWS(rows, {});
}

TEST(Functions, PartsOfTimes) {
  const Row rows[] = {
      {"t.getFullYear()", "int 2026"},
      {"t.getMonth()", "int 10"},
      {"t.getDate()", "int 21"},
      {"t.getDayOfMonth()", "int 20"},
      {"t.getDayOfWeek()", "int 6"},
      {"t.getDayOfYear()", "int 324"},
      {"t.getHours()", "int 1"},
      {"t.getMinutes()", "int 46"},
      {"t.getSeconds()", "int 9"},
      {"t.getMilliseconds()", "int 123"},
      {"t.getHours('UTC') + t.getHours('+02:00') + t.getHours('01:00')", "int 6"},
      {"t.getDate('-03:30')", "int 20"},
      {"t.getMinutes('-03:30')", "int 16"},
      {"t.getHours('Mars/Olympus')", "error: unknown time zone 'Mars/Olympus'"},
      {"t.getHours('+25:00')", "error: unknown time zone '+25:00'"},
      {"d.getHours()", "int 1"},
      {"d.getMinutes()", "int 61"},
      {"d.getSeconds()", "int 3661"},
      {"d.getMilliseconds()", "int 500"},
      {"d.getHours('UTC')", "error: a duration has no time zone"},
      {"d.getDate()", "error: google.protobuf.Duration.getDate() is not defined"},
      {"timestamp('1969-12-31T23:59:59.5Z').getSeconds()", "int 59"},
      {"timestamp('1969-12-31T23:59:59.5Z').getMilliseconds()", "int 500"},
  };
  Variables variables;
  variables.set("t", Value::timestamp({1795225569, 123'456'789}));
  variables.set("d", Value::duration(3'661'500'000'000));
  EXPECT_ROWS(rows, variables);
}

TEST(Functions, SystemZones) {
  const auto zones = calendar::ZoneTable::load();
  if (!zones) GTEST_SKIP() << zones.error().message;
  EXPECT_EQ(outcome("timestamp('2026-07-01T12:00:00Z').getHours('Europe/Berlin')", {}, {}, *zones), "int 14");
  EXPECT_EQ(outcome("timestamp('2026-01-01T12:00:00Z').getHours('Europe/Berlin')", {}, {}, *zones), "int 13");
}

}  // namespace
}  // namespace baton::expr

// Texts of values, and the values that they say.
#include "base/json.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <boost/json/error.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace baton {
namespace {

namespace json = boost::json;

TEST(Json, DoublesComeBackAsTheyWere) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const json::value again = parse_json(json::serialize(json::value(value)));
    ASSERT_EQ(again.to_number<double>(), value) << json::serialize(json::value(value));
  }
  EXPECT_EQ(parse_json("3.9166573353688693e-14").as_double(), 3.9166573353688693e-14);
  EXPECT_EQ(parse_json("0.1").as_double(), 0.1);
  EXPECT_EQ(parse_json("1e-400").as_double(), 0);
  EXPECT_TRUE(std::signbit(parse_json("-0.0").as_double()));
  EXPECT_EQ(parse_json("5e-324").as_double(), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(parse_json("123456789012345678901234567890").as_double(), 123456789012345678901234567890.0);
  EXPECT_EQ(parse_json("[0." + std::string(5000, '1') + "]").as_array()[0].as_double(), 0.11111111111111111);
}

TEST(Json, ElseItIsWhatTheLibraryReads) {
  for (const char* text : {"null", " [1, -2, 18446744073709551615, true, false, null] ",
                           R"({"a":{"b":[]},"":"\u00e4\n","a b":"x"})", R"({"a":1,"a":2})",
                           "\"\\ud83d\\ude00\"", "-9223372036854775808", "1.5e3"}) {
    EXPECT_EQ(parse_json(text), json::parse(text)) << text;
  }
  for (const char* text : {"", " ", "[", "[1,]", "{\"a\"}", "1 2", "nul", "\"\\x\"", "01", "1.", "+1",
                           "\"\xff\"", "[1] x", "NaN"}) {
    boost::system::error_code mine;
    boost::system::error_code theirs;
    parse_json(text, mine);
    json::parse(text, theirs);
    EXPECT_EQ(mine, theirs) << text;
    EXPECT_TRUE(mine) << text;
  }
}

TEST(Json, LimitsAndNumbersThatFitNowhere) {
  boost::system::error_code error;
  parse_json("[[[]]]", error, {}, {.max_depth = 2});
  EXPECT_EQ(error, json::error::too_deep);
  for (const char* text : {"1e400", "[-1e400]", "{\"a\":1e99999}"}) {
    parse_json(text, error);
    EXPECT_EQ(error, json::error::exponent_overflow) << text;
  }
  EXPECT_THROW(parse_json("["), boost::system::system_error);
}

}  // namespace
}  // namespace baton

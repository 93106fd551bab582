#include "api/json_text.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace baton::api {
namespace {

TEST(JsonText, Separates) {
  JsonText out;
  out.begin_object().key("a").begin_array().integer(1).integer(-2).end_array();
  out.key("b").begin_object().end_object().key("c").raw("[1.50]").key("d").null().key("e").boolean(true);
  out.end_object();
  EXPECT_EQ(out.take(), R"({"a":[1,-2],"b":{},"c":[1.50],"d":null,"e":true})");
}

TEST(JsonText, EscapesStrings) {
  JsonText out;
  out.string("a\"b\\c\n\r\t\x01\x7f é");
  EXPECT_EQ(out.take(), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f é\"");
}

TEST(JsonText, ReplacesIllFormedUtf8) {
  JsonText out;
  out.string("x\xffy");
  EXPECT_EQ(out.take(), "\"x\xEF\xBF\xBDy\"");
}

TEST(JsonText, Numbers) {
  JsonText out;
  out.begin_array().number(0.1).number(1e21).number(3).number(NAN).number(INFINITY).end_array();
  EXPECT_EQ(out.take(), "[0.1,1e+21,3,null,null]");
}

TEST(JsonText, TimesAndDurations) {
  JsonText out;
  out.begin_array()
      .instant({})
      .instant(WallTime{1'500'000})
      .seconds(std::nullopt)
      .seconds(Duration::millis(250));
  out.end_array();
  EXPECT_EQ(out.take(), "[null,\"1970-01-01T00:00:01.500Z\",null,0.25]");
}

}  // namespace
}  // namespace baton::api

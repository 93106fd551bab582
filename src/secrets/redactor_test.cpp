#include "secrets/redactor.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <random>

#include "expr/text.hpp"

namespace baton::secrets {
namespace {

std::shared_ptr<const Redactor> redactor(std::vector<std::string> values) {
  return Redactor::of(values);
}

TEST(Redactor, NothingToMaskIsNone) {
  EXPECT_EQ(redactor({}), nullptr);
  EXPECT_EQ(redactor({"abc", " "}), nullptr);
}

TEST(Redactor, Masks) {
  const auto r = redactor({"s3cret-token", "hello123", "123world", "abcd", "abcdefgh"});
  const std::pair<const char*, const char*> rows[] = {
      {"", ""},
      {"nothing here", "nothing here"},
      {"s3cret-token", "***"},
      {"a s3cret-token, s3cret-token!", "a ***, ***!"},
      {"s3cret-tokens3cret-token", "***"},
      {"hello123world", "***"},
      {"xabcdx", "x***x"},
      {"xabcdefghx", "x***x"},
      {"xabcdefgx", "x***efgx"},
      {"s3cret-toke", "s3cret-toke"},
      {"{\"t\":\"s3cret-token\"}", "{\"t\":\"***\"}"},
  };
  for (const auto& [text, expected] : rows) {
    EXPECT_EQ(r->mask(text), expected) << text;
    EXPECT_EQ(r->finds(text), std::string_view(text) != expected) << text;
  }
}

TEST(Redactor, MasksEncodedForms) {
  const std::string value = "p@ss \"word\"/\n\xC3\xA9";
  const auto r = redactor({value});
  const std::string encoded[] = {value, boost::json::serialize(boost::json::string(value)),
                                 "p%40ss%20%22word%22%2F%0A%C3%A9", expr::base64("user:" + value)};
  for (const std::string& text : encoded) {
    EXPECT_TRUE(r->finds(text)) << text;
    EXPECT_NE(r->mask("x" + text + "y").find("***"), std::string::npos) << text;
  }
}

TEST(Redactor, JsonStaysJson) {
  const auto r = redactor({"12345678", "quo\"te", "true", "\"lead"});
  const std::pair<const char*, const char*> rows[] = {
      {R"({"a":12345678,"b":-12345678.5,"c":1})", R"({"a":"***","b":"***","c":1})"},
      {R"({"12345678":"12345678"})", R"({"***":"***"})"},
      {R"(["quo\"te","quo\u0022te","\u0031\u003234\u0035678"])", R"(["***","***","***"])"},
      {R"([true,"true",null])", R"([true,"***",null])"},
      {R"({"inner":"{\"x\":\"quo\\\"te\"}"})", R"({"inner":"{\"x\":\"***\"}"})"},
      {R"(["lead"])", R"(["lead"])"},
      {R"({"a": "plain", "b": [1.50, 2E3]})", R"({"a": "plain", "b": [1.50, 2E3]})"},
      {"12345678 is no JSON \"", "*** is no JSON \""},
      {"", ""},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(r->mask_json(text), expected) << text;
}

// However a text is cut, the pieces together are what the whole text would be, and nothing waits for ever.
TEST(RedactedStream, AnyCutGivesTheSame) {
  std::mt19937 random(7);
  const auto pick = [&](std::size_t n) { return std::size_t{random()} % n; };
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> values;
    for (std::size_t i = 1 + pick(4); i > 0; --i) {
      std::string value;
      for (std::size_t n = 4 + pick(12); n > 0; --n) value += static_cast<char>('a' + pick(3));
      values.push_back(value);
    }
    const auto r = redactor(values);
    ASSERT_NE(r, nullptr);
    std::string text;
    for (std::size_t i = pick(12); i > 0; --i) {
      if (pick(2) == 0) text += values[pick(values.size())];
      for (std::size_t n = pick(8); n > 0; --n) text += static_cast<char>('a' + pick(4));
    }
    const std::string expected = r->mask(text);
    for (const std::string& value : values) ASSERT_EQ(expected.find(value), std::string::npos) << text;
    RedactedStream stream(r);
    std::string got;
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t size = std::min(rest.size(), pick(6));
      got += stream.next(rest.substr(0, size));
      rest.remove_prefix(size);
      ASSERT_LT(stream.waiting(), 16U);
    }
    got += stream.finish();
    ASSERT_EQ(got, expected) << text;
    ASSERT_EQ(stream.waiting(), 0U);
  }
}

TEST(RedactedStream, WaitsOnlyForWhatMayBeASecret) {
  RedactedStream stream(redactor({"token-value"}));
  EXPECT_EQ(stream.next("a line\n"), "a line\n");
  EXPECT_EQ(stream.next("say tok"), "say ");
  EXPECT_EQ(stream.next("yo\n"), "tokyo\n");
  EXPECT_EQ(stream.next("token-"), "");
  EXPECT_EQ(stream.next("value!"), "***!");
  EXPECT_EQ(stream.next("to"), "");
  EXPECT_EQ(stream.finish(), "to");
}

TEST(RedactedStream, WithoutSecretsPiecesGoThrough) {
  RedactedStream stream;
  const std::string piece = "anything";
  EXPECT_EQ(stream.next(piece).data(), piece.data());
  EXPECT_EQ(stream.finish(), "");
}

TEST(Redactor, LongSecretsAreMaskedWhole) {
  std::string value;
  for (int i = 0; value.size() < (64 << 10); ++i) value += std::to_string(i) + ".";
  value.resize(64 << 10);
  const auto r = redactor({value});
  EXPECT_EQ(r->mask("<" + value + ">"), "<***>");
}

}  // namespace
}  // namespace baton::secrets

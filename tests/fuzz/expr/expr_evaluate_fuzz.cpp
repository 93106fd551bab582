// Any text that parses is evaluated with all kinds of variables: it ends within its limits, gives the same
// answer twice, and its value can be written.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "expr/json.hpp"
#include "expr/template.hpp"

namespace {

using namespace baton::expr;

Variables make_variables() {
  auto variables = *Variables::from_json(std::make_shared<const boost::json::value>(boost::json::parse(
      R"({"i": 3, "u": 18446744073709551615, "d": 0.5, "s": "grün, blau", "b": true, "n": null,
          "l": [1, "a", null, [2.5]], "m": {"k": "v", "x": {"y": [1, 2, 3]}}, "q.r": 7})")));
  variables.set("t", Value::timestamp({1795225569, 123'456'789}));
  variables.set("p", Value::duration(-3'661'500'000'000));
  variables.set("z", Value::bytes("\xff\x00z"));
  return variables;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Variables variables = make_variables();
  static const auto zones = baton::calendar::ZoneTable::utc_only();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto expression = Expression::parse(text);
  if (!expression) return 0;
  const auto first = evaluate(*expression, variables, {}, zones);
  const auto second = evaluate(*expression, variables, {}, zones);
  if (first.has_value() != second.has_value()) std::abort();
  if (!first) {
    if (first.error().message.empty() || first.error() != second.error()) std::abort();
    return 0;
  }
  const auto typed = to_typed_json(*first);
  const auto again = to_typed_json(*second);
  if (typed.has_value() != again.has_value()) std::abort();
  if (typed && boost::json::serialize(*typed) != boost::json::serialize(*again)) std::abort();
  if (const auto plain = to_json(*first)) {
    // What was written as JSON reads back as the same JSON.
    const auto back = Value::from_json(std::make_shared<const boost::json::value>(*plain));
    if (*to_json(back) != *plain) std::abort();
  }
  return 0;
}

// Any bytes as an expression and as a template: parsing, checking and analysing never crash, and what they
// say points into the text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "expr/template.hpp"

namespace {

using namespace baton::expr;

void check_places(std::string_view text, const Diagnostics& diagnostics) {
  for (const auto& d : diagnostics) {
    if (d.offset > text.size() || d.length > text.size() - d.offset || d.message.empty()) std::abort();
    if (render_caret(text, d).empty()) std::abort();
  }
}

Scope closed_scope() {
  Scope scope;
  const auto step = Shape::object({{"result", Shape()}, {"status", Shape::of(Kind::string)}});
  scope.variables["inputs"] = Shape::object({{"n", Shape::of(Kind::integer)}, {"l", Shape::list(Shape())}});
  scope.variables["steps"] = Shape::object({{"a", step}, {"b-c", step}});
  return scope;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Scope closed = closed_scope();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto expression = Expression::parse(text);
  if (expression) {
    check_places(text, check(*expression, closed).diagnostics);
    check_places(text, check(*expression, Scope{.open = true}).diagnostics);
    for (const auto& path : expression->paths())
      if (path.empty()) std::abort();
  } else {
    if (expression.error().empty()) std::abort();
    if (text.size() <= 64 * 1024) check_places(text, expression.error());
  }
  const auto parsed = Template::parse(text);
  if (parsed) {
    check_places(text, check(*parsed, closed).diagnostics);
  } else if (text.size() <= 64 * 1024) {
    check_places(text, parsed.error());
  }
  return 0;
}

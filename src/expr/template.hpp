// Text with `${{ expression }}` parts, as it stands in the fields of a definition.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "expr/expr.hpp"

namespace baton::expr {

// Immutable once parsed.
//
// A text that is one expression and nothing else keeps the type of its value. Inside of other text a string
// stands as it is, numbers and booleans as CEL's string() writes them, null as nothing, lists and maps as
// compact JSON, bytes as base64, timestamps and durations as string() writes them. `$${{` stands for a
// literal
// `${{`.
class Template {
 public:
  // Offsets of the diagnostics, ten at most, count from the start of `text`. Each expression has the limits
  // of `options`; one text has at most 1,000 of them.
  static std::expected<Template, Diagnostics> parse(std::string_view text, const ParseOptions& options = {});

  const std::string& text() const { return text_; }
  // Has no expression; render() then needs no variables and gives constant_text().
  bool is_constant() const;
  std::string constant_text() const;
  // The expression, if there is nothing else.
  const Expression* whole() const;
  // As of an Expression, over all parts.
  std::vector<std::string> free_variables() const;
  std::vector<Path> paths() const;

  // The names of the secrets in it, ascending, distinct: of each part that is `secrets.NAME`, see
  // secret_named().
  std::vector<std::string> secrets() const;

  // What becomes of parts that are secrets: they are variables as all others, or they stay where they are.
  // Then the result is a text of this language again, in which nothing else is left to be rendered (and so
  // are all strings of a list or map).
  enum class Secrets : std::uint8_t { evaluated, kept };
  // All parts share one set of limits. Fails as evaluate() and to_json() do.
  Result<boost::json::value> render(const Variables& variables, const Limits& limits,
                                    const calendar::ZoneTable& zones,
                                    Secrets secrets = Secrets::evaluated) const;

  struct Part {
    std::variant<std::string, Expression> content;
    std::size_t offset = 0;  // of the expression's text in text()
  };
  const std::vector<Part>& parts() const { return parts_; }

 private:
  std::string text_;
  std::vector<Part> parts_;
};

// The name, if the expression is nothing but `secrets.NAME` or `secrets["NAME"]`: the one use of a secret.
std::optional<std::string> secret_named(const Expression& expression);

// A text of this language that renders to `text`, whatever stands in it.
std::string literal_text(std::string_view text);
// The same for all strings of a value; keys stay as they are.
void make_literal(boost::json::value& value);

// Checks every part; offsets count from the start of the template's text. The shape is the whole
// expression's, string for mixed text.
Checked check(const Template& text, const Scope& scope);

}  // namespace baton::expr

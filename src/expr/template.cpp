#include "expr/template.hpp"

#include <algorithm>
#include <set>

#include "expr/evaluate.hpp"
#include "expr/json.hpp"
#include "expr/lexer.hpp"
#include "expr/library.hpp"
#include "expr/text.hpp"

namespace baton::expr {
namespace {

namespace json = boost::json;
constexpr std::string_view kOpen = "${{";
constexpr std::string_view kClose = "}}";
constexpr std::size_t kMostExpressions = 1'000;  // of one text
constexpr std::size_t kMostDiagnostics = 10;

// Where the expression that starts at `at` ends: the place of its `}}`, npos if there is none. Braces of maps
// and braces in strings do not count.
std::size_t find_close(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const bool after_word = at > 0 && is_identifier_part(text[at - 1]);
    if (const auto length =
            after_word && text[at] != '"' && text[at] != '\'' ? 0 : string_literal_length(text, at);
        length > 0) {
      at += length;
    } else if (text[at] == '{') {
      ++depth;
      ++at;
    } else if (text[at] == '}' && depth > 0) {
      --depth;
      ++at;
    } else if (text.substr(at).starts_with(kClose)) {
      return at;
    } else {
      ++at;
    }
  }
  return std::string_view::npos;
}

bool append_json(std::string& out, const Value& value, Budget& budget, std::optional<Error>& error) {
  auto converted = to_json(value);
  if (!converted) {
    error = std::move(converted.error());
    return false;
  }
  const auto text = compact_json(*converted);
  if (!budget.make(text.size())) return false;
  out += text;
  return true;
}

}  // namespace

std::expected<Template, Diagnostics> Template::parse(std::string_view text, const ParseOptions& options) {
  Template result;
  result.text_ = text;
  Diagnostics diagnostics;
  std::string plain;
  const auto flush = [&] {
    if (!plain.empty()) result.parts_.push_back({std::move(plain), 0});
    plain.clear();
  };
  std::size_t at = 0;
  std::size_t expressions = 0;
  while (at < text.size() && diagnostics.size() < kMostDiagnostics) {
    const std::size_t open = text.find(kOpen, at);
    if (open == std::string_view::npos) {
      plain.append(text.substr(at));
      break;
    }
    if (open > at && text[open - 1] == '$') {
      plain.append(text.substr(at, open - 1 - at)).append(kOpen);
      at = open + kOpen.size();
      continue;
    }
    plain.append(text.substr(at, open - at));
    const std::size_t begin = open + kOpen.size();
    const std::size_t close = find_close(text, begin);
    if (close == std::string_view::npos) {
      diagnostics.push_back(
          {open, kOpen.size(), "`${{` without `}}`; a literal `${{` is written `$${{`", ""});
      break;
    }
    if (++expressions > kMostExpressions) {
      diagnostics.push_back({open, kOpen.size(),
                             "more than " + std::to_string(kMostExpressions) + " expressions in one text",
                             ""});
      break;
    }
    auto parsed = Expression::parse(text.substr(begin, close - begin), options);
    if (parsed) {
      flush();
      result.parts_.push_back({std::move(*parsed), begin});
    } else {
      for (auto& d : parsed.error()) {
        d.offset += begin;
        diagnostics.push_back(std::move(d));
      }
    }
    at = close + kClose.size();
  }
  flush();
  if (!diagnostics.empty()) return std::unexpected(std::move(diagnostics));
  return result;
}

bool Template::is_constant() const {
  return std::none_of(parts_.begin(), parts_.end(),
                      [](const Part& p) { return std::holds_alternative<Expression>(p.content); });
}

std::string Template::constant_text() const {
  std::string out;
  for (const auto& part : parts_)
    if (const auto* plain = std::get_if<std::string>(&part.content)) out += *plain;
  return out;
}

const Expression* Template::whole() const {
  return parts_.size() == 1 ? std::get_if<Expression>(&parts_[0].content) : nullptr;
}

std::vector<std::string> Template::free_variables() const {
  std::set<std::string> all;
  for (const auto& part : parts_)
    if (const auto* e = std::get_if<Expression>(&part.content))
      all.insert(e->free_variables().begin(), e->free_variables().end());
  return {all.begin(), all.end()};
}

std::vector<Path> Template::paths() const {
  std::set<Path> all;
  for (const auto& part : parts_)
    if (const auto* e = std::get_if<Expression>(&part.content))
      all.insert(e->paths().begin(), e->paths().end());
  return {all.begin(), all.end()};
}

Result<json::value> Template::render(const Variables& variables, const Limits& limits,
                                     const calendar::ZoneTable& zones) const {
  Budget budget(limits.steps, limits.bytes);
  std::string out;
  for (const auto& part : parts_) {
    if (const auto* plain = std::get_if<std::string>(&part.content)) {
      out += *plain;
      continue;
    }
    const auto& expression = std::get<Expression>(part.content);
    const auto value = evaluate(expression.ast(), variables, budget, zones);
    if (!value) return fail(to_error(value.error(), expression.text()));
    if (whole()) return to_json(*value);
    std::optional<Error> error;
    bool fits = true;
    switch (value->kind()) {
      case Kind::null:
        break;
      case Kind::bytes:
        fits = budget.make(value->size() * 2);
        if (fits) out += base64(value->as_bytes());
        break;
      case Kind::list:
      case Kind::map:
        fits = append_json(out, *value, budget, error);
        break;
      default:
        fits = append_text(out, *value, budget);
    }
    if (error) return fail(std::move(*error));
    if (!fits) return fail(to_error(budget.exhausted().error(), expression.text()));
  }
  return json::value(json::string(out.data(), out.size()));
}

Checked check(const Template& text, const Scope& scope) {
  Checked all;
  all.shape = Shape::of(Kind::string);
  for (const auto& part : text.parts()) {
    const auto* expression = std::get_if<Expression>(&part.content);
    if (!expression) continue;
    auto one = check(*expression, scope);
    for (auto& d : one.diagnostics) {
      d.offset += part.offset;
      all.diagnostics.push_back(std::move(d));
    }
    if (text.whole()) all.shape = std::move(one.shape);
  }
  return all;
}

}  // namespace baton::expr

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
constexpr std::string_view kSecrets = "secrets";
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

// The expression itself stands for the secret.
std::string secret_text(std::string_view name) {
  // A name with a dash, or a word of the language, stands in brackets.
  const auto plain = Expression::parse("secrets." + std::string(name));
  if (plain && secret_named(*plain) == name) return "${{ secrets." + std::string(name) + " }}";
  return "${{ secrets[" + compact_json(json::value(json::string(name.data(), name.size()))) + "] }}";
}

// A `$` before an expression would make it a literal one: such an end is written as an expression itself.
void append_before_secret(std::string& out, std::string_view plain) {
  const std::size_t end = plain.find_last_not_of('$') + 1;  // npos + 1 = 0
  out += literal_text(plain.substr(0, end));
  if (end < plain.size()) out.append("${{ \"").append(plain.substr(end)).append("\" }}");
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

std::vector<std::string> Template::secrets() const {
  std::set<std::string> all;
  for (const auto& part : parts_) {
    if (const auto* e = std::get_if<Expression>(&part.content)) {
      if (auto name = secret_named(*e)) all.insert(std::move(*name));
    }
  }
  return {all.begin(), all.end()};
}

Result<json::value> Template::render(const Variables& variables, const Limits& limits,
                                     const calendar::ZoneTable& zones, Secrets secrets) const {
  const bool keeps = secrets == Secrets::kept;
  Budget budget(limits.steps, limits.bytes);
  std::string out;    // if secrets are kept, text of this language
  std::string plain;  // what comes next; with secrets, the text itself
  for (const auto& part : parts_) {
    if (const auto* text = std::get_if<std::string>(&part.content)) {
      plain += *text;
      continue;
    }
    const auto& expression = std::get<Expression>(part.content);
    if (keeps) {
      if (const auto name = secret_named(expression)) {
        append_before_secret(out, plain);
        plain.clear();
        out += secret_text(*name);
        continue;
      }
    }
    const auto value = evaluate(expression.ast(), variables, budget, zones);
    if (!value) return fail(to_error(value.error(), expression.text()));
    if (whole()) {
      auto whole_value = to_json(*value);
      if (whole_value && keeps) make_literal(*whole_value);
      return whole_value;
    }
    std::optional<Error> error;
    bool fits = true;
    switch (value->kind()) {
      case Kind::null:
        break;
      case Kind::bytes:
        fits = budget.make(value->size() * 2);
        if (fits) plain += base64(value->as_bytes());
        break;
      case Kind::list:
      case Kind::map:
        fits = append_json(plain, *value, budget, error);
        break;
      default:
        fits = append_text(plain, *value, budget);
    }
    if (error) return fail(std::move(*error));
    if (!fits) return fail(to_error(budget.exhausted().error(), expression.text()));
  }
  out += keeps ? literal_text(plain) : plain;
  return json::value(json::string(out.data(), out.size()));
}

std::optional<std::string> secret_named(const Expression& expression) {
  const Ast& ast = expression.ast();
  const Node& n = ast.node(ast.root);
  if (n.kind != NodeKind::select && n.kind != NodeKind::index) return std::nullopt;
  const Node& of = ast.node(n.args[0]);
  if (of.kind != NodeKind::variable || of.name != kSecrets || of.slot != kNoSlot) return std::nullopt;
  if (n.kind == NodeKind::select) return n.name;
  const Value* key = constant_key(ast, n);
  return key != nullptr ? std::optional(std::string(key->as_string())) : std::nullopt;
}

std::string literal_text(std::string_view text) {
  std::string out;
  for (;;) {
    const std::size_t open = text.find(kOpen);
    if (open == std::string_view::npos) break;
    out.append(text.substr(0, open)).append("$").append(kOpen);
    text.remove_prefix(open + kOpen.size());
  }
  return out.append(text);
}

// Recursion is bounded: what expressions make and payloads have is at most 500 deep.
void make_literal(json::value& value) {
  if (auto* text = value.if_string()) {
    const std::string_view plain(text->data(), text->size());
    if (plain.find(kOpen) != std::string_view::npos) value = json::string(literal_text(plain));
  } else if (auto* list = value.if_array()) {
    for (json::value& item : *list) make_literal(item);
  } else if (auto* object = value.if_object()) {
    for (auto& member : *object) make_literal(member.value());
  }
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

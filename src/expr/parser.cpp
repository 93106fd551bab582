// Recursive descent with precedence climbing over the grammar of the CEL specification. Chains of one logical
// operator are one node, repeated signs are folded, so that only real nesting makes the tree deep; the depth
// limit then bounds the recursion of everything that walks the tree.
#include <algorithm>
#include <array>
#include <optional>

#include "base/text.hpp"
#include "expr/ast.hpp"
#include "expr/lexer.hpp"
#include "expr/text.hpp"

namespace baton::expr {
namespace {

constexpr std::size_t kMostDepth = 200;
// So many constant patterns of one expression are compiled ahead. Each may take up to 256 KiB and
// some milliseconds; further ones are compiled when they are evaluated, on the evaluation's account.
constexpr std::size_t kMostPatterns = 32;

struct BinaryOperator {
  std::string_view text;
  Operator op;
  int precedence;
};
constexpr int kOr = 1, kAnd = 2, kRelation = 3, kAddition = 4, kMultiplication = 5;
constexpr std::array<BinaryOperator, 14> kBinaryOperators = {{
    {"||", Operator::none, kOr},
    {"&&", Operator::none, kAnd},
    {"==", Operator::equal, kRelation},
    {"!=", Operator::not_equal, kRelation},
    {"<", Operator::less, kRelation},
    {"<=", Operator::less_equal, kRelation},
    {">", Operator::greater, kRelation},
    {">=", Operator::greater_equal, kRelation},
    {"in", Operator::in, kRelation},
    {"+", Operator::add, kAddition},
    {"-", Operator::subtract, kAddition},
    {"*", Operator::multiply, kMultiplication},
    {"/", Operator::divide, kMultiplication},
    {"%", Operator::modulo, kMultiplication},
}};

constexpr std::array<std::string_view, 18> kReserved = {
    "as",  "break", "const",   "continue",  "else",   "for", "function", "if",    "import",
    "let", "loop",  "package", "namespace", "return", "var", "void",     "while", "in"};

struct MacroRow {
  std::string_view name;
  std::size_t args;  // with the variable, without the range
  Macro macro;
};
constexpr std::array<MacroRow, 6> kMacros = {{{"all", 2, Macro::all},
                                              {"exists", 2, Macro::exists},
                                              {"exists_one", 2, Macro::exists_one},
                                              {"map", 2, Macro::map},
                                              {"map", 3, Macro::map_filter},
                                              {"filter", 2, Macro::filter}}};

// The steps that a macro's variable is in scope for.
struct Binding {
  std::string name;
  std::int32_t slot;
};

class Parser {
 public:
  Parser(std::string_view text, std::size_t max_depth) : lexer_(text), max_depth_(max_depth) {
    ast_.text = text;
  }

  std::expected<Ast, Diagnostic> parse() {
    advance();
    const auto root = expression();
    if (!problem_ && token_.kind != Token::Kind::end) unexpected_token();
    if (problem_) return std::unexpected(std::move(*problem_));
    ast_.root = *root;
    return std::move(ast_);
  }

 private:
  // Every parsing function returns nullopt after it has set problem_.
  using Parsed = std::optional<NodeId>;

  Parsed fail(std::size_t offset, std::size_t length, std::string message, std::string suggestion = {}) {
    if (!problem_) problem_ = Diagnostic{offset, length, std::move(message), std::move(suggestion)};
    return std::nullopt;
  }
  Parsed fail(const Token& at, std::string message, std::string suggestion = {}) {
    return fail(at.offset, at.length, std::move(message), std::move(suggestion));
  }

  bool advance() {
    last_end_ = token_.offset + token_.length;
    auto next = lexer_.next();
    if (!next) {
      if (!problem_) problem_ = std::move(next.error());
      token_ = Token{};
      return false;
    }
    token_ = std::move(*next);
    return true;
  }
  bool accept(std::string_view punctuation) { return token_.is(punctuation) && (advance(), true); }
  bool expect(std::string_view punctuation) {
    if (token_.is(punctuation)) return advance();
    unexpected_token("expected `" + std::string(punctuation) + "`");
    return false;
  }

  Parsed unexpected_token(std::string expected = {}) {
    if (problem_) return std::nullopt;
    const bool end = token_.kind == Token::Kind::end;
    std::string message = end ? "the expression ends too early"
                              : "unexpected `" + ast_.text.substr(token_.offset, token_.length) + "`";
    if (!expected.empty()) message += ", " + expected;
    std::string suggestion;
    if (token_.kind == Token::Kind::identifier) {
      if (token_.text == "and") suggestion = "&&";
      if (token_.text == "or") suggestion = "||";
    }
    if (token_.is("{")) message += "; messages cannot be made, only maps";
    return fail(token_, std::move(message), std::move(suggestion));
  }

  // ------------------------------------------------------------------------------------------- nodes

  Parsed add(Node node, std::size_t offset) {
    node.offset = static_cast<std::uint32_t>(offset);
    node.length = static_cast<std::uint32_t>(last_end_ - offset);
    std::uint32_t deepest = 0;
    for (const NodeId arg : node.args) deepest = std::max(deepest, ast_.nodes[arg].depth);
    node.depth = deepest + 1;
    if (node.depth > max_depth_) return too_deep(offset);
    ast_.nodes.push_back(std::move(node));
    return static_cast<NodeId>(ast_.nodes.size() - 1);
  }
  Parsed add_literal(Value value, std::size_t offset) {
    Node n;
    n.value = std::move(value);
    return add(std::move(n), offset);
  }
  Parsed too_deep(std::size_t offset) {
    const std::size_t length = offset < ast_.text.size() ? 1 : 0;
    return fail(offset, length,
                "the expression is nested more than " + std::to_string(max_depth_) + " levels deep");
  }
  std::size_t offset_of(NodeId id) const { return ast_.nodes[id].offset; }

  // --------------------------------------------------------------------------------------- operators

  Parsed expression() {
    if (++nesting_ > max_depth_) return too_deep(token_.offset);
    const auto result = conditional();
    --nesting_;
    return result;
  }

  Parsed conditional() {
    const auto condition = binary(kOr);
    if (!condition || !token_.is("?")) return condition;
    const std::size_t mark = token_.offset;
    advance();
    const auto yes = binary(kOr);
    if (!yes || !expect(":")) return std::nullopt;
    const auto no = expression();
    if (!no) return std::nullopt;
    Node n;
    n.kind = NodeKind::conditional;
    n.mark = static_cast<std::uint32_t>(mark);
    n.args = {*condition, *yes, *no};
    return add(std::move(n), offset_of(*condition));
  }

  const BinaryOperator* operator_here() const {
    const bool in = token_.kind == Token::Kind::identifier && token_.text == "in";
    if (token_.kind != Token::Kind::punctuation && !in) return nullptr;
    for (const auto& row : kBinaryOperators)
      if (row.text == token_.text) return &row;
    return nullptr;
  }

  Parsed binary(int min_precedence) {
    auto left = unary();
    while (left) {
      const auto* row = operator_here();
      if (!row || row->precedence < min_precedence) break;
      const auto mark = token_.offset;
      if (row->precedence <= kAnd) {
        left = logical_chain(*left, *row);
        continue;
      }
      if (!advance()) return std::nullopt;
      const auto right = binary(row->precedence + 1);
      if (!right) return std::nullopt;
      Node n;
      n.kind = NodeKind::binary;
      n.op = row->op;
      n.mark = mark;
      n.args = {*left, *right};
      left = add(std::move(n), offset_of(*left));
    }
    return left;
  }

  Parsed logical_chain(NodeId first, const BinaryOperator& row) {
    Node n;
    n.kind = row.precedence == kOr ? NodeKind::logical_or : NodeKind::logical_and;
    n.mark = token_.offset;
    n.args = {first};
    while (accept(row.text)) {
      const auto next = binary(row.precedence + 1);
      if (!next) return std::nullopt;
      n.args.push_back(*next);
    }
    return add(std::move(n), offset_of(first));
  }

  Parsed unary() {
    const std::size_t start = token_.offset;
    if (!token_.is("!") && !token_.is("-")) return member();
    const std::string sign = token_.text;
    std::size_t count = 0;
    std::size_t last_sign = start;
    while (token_.is(sign)) {
      last_sign = token_.offset;
      ++count;
      if (!advance()) return std::nullopt;
    }
    const bool not_sign = sign == "!";
    Parsed operand;
    // The sign belongs to the literal, or else the smallest int could not be written.
    if (!not_sign && (token_.kind == Token::Kind::integer || token_.kind == Token::Kind::number)) {
      operand = postfix(number_literal(true, last_sign));
      --count;
    } else {
      operand = member();
    }
    if (!operand || count == 0) return operand;
    // Pairs of signs cancel out, except that they demand the right kind: keep one pair.
    for (std::size_t i = 0; operand && i < (count % 2 == 1 ? 1u : 2u); ++i) {
      Node n;
      n.kind = not_sign ? NodeKind::negation : NodeKind::minus;
      n.mark = static_cast<std::uint32_t>(start);
      n.args = {*operand};
      operand = add(std::move(n), start);
    }
    return operand;
  }

  // ----------------------------------------------------------------------------------------- members

  Parsed member() { return postfix(primary()); }

  Parsed postfix(Parsed base) {
    while (base) {
      if (token_.is(".")) {
        base = field_or_method(*base);
      } else if (token_.is("[")) {
        const auto mark = token_.offset;
        if (!advance()) return std::nullopt;
        if (token_.is("?")) return fail(token_, "optional values are not supported");
        const auto index = expression();
        if (!index || !expect("]")) return std::nullopt;
        Node n;
        n.kind = NodeKind::index;
        n.mark = mark;
        n.args = {*base, *index};
        base = add(std::move(n), offset_of(*base));
      } else {
        break;
      }
    }
    return base;
  }

  Parsed field_or_method(NodeId base) {
    if (!advance()) return std::nullopt;
    if (token_.is("?")) return fail(token_, "optional values are not supported");
    const Token name = token_;
    if (name.kind != Token::Kind::identifier && name.kind != Token::Kind::quoted_identifier)
      return unexpected_token("expected the name of a field");
    if (name.kind == Token::Kind::identifier &&
        (name.text == "in" || name.text == "true" || name.text == "false" || name.text == "null"))
      return fail(name,
                  "`" + name.text + "` is a word of the language; a field of that name is read with [ ]",
                  "[\"" + name.text + "\"]");
    if (!advance()) return std::nullopt;
    if (name.kind == Token::Kind::identifier && token_.is("(")) return method(base, name);
    Node n;
    n.kind = NodeKind::select;
    n.name = name.text;
    n.mark = name.offset;
    n.args = {base};
    const Node& of = ast_.nodes[base];
    const bool plain = of.kind == NodeKind::variable ? of.slot == kNoSlot : !of.qualified.empty();
    if (plain && name.kind == Token::Kind::identifier)
      n.qualified = (of.kind == NodeKind::variable ? of.name : of.qualified) + "." + name.text;
    return add(std::move(n), offset_of(base));
  }

  std::optional<std::vector<NodeId>> arguments(std::string_view close) {
    std::vector<NodeId> args;
    while (!token_.is(close)) {
      const auto arg = expression();
      if (!arg) return std::nullopt;
      args.push_back(*arg);
      if (!accept(",")) break;
    }
    if (problem_ || !expect(close)) return std::nullopt;
    return args;
  }

  Parsed method(NodeId receiver, const Token& name) {
    if (!advance()) return std::nullopt;  // "("
    const Node& of = ast_.nodes[receiver];
    const std::string& prefix = of.kind == NodeKind::variable && of.slot == kNoSlot ? of.name : of.qualified;
    if (!prefix.empty()) {
      if (const auto* function = find_function(prefix + "." + name.text, false)) {
        auto args = arguments(")");
        if (!args) return std::nullopt;
        return call(std::move(*args), std::string(function->name), name.offset, false, offset_of(receiver));
      }
    }
    const bool macro_name = std::any_of(kMacros.begin(), kMacros.end(),
                                        [&](const MacroRow& row) { return row.name == name.text; });
    if (macro_name) return macro(receiver, name);
    auto args = arguments(")");
    if (!args) return std::nullopt;
    args->insert(args->begin(), receiver);
    return call(std::move(*args), name.text, name.offset, true, offset_of(receiver));
  }

  Parsed call(std::vector<NodeId> args, std::string name, std::size_t mark, bool is_method,
              std::size_t offset) {
    Node n;
    n.kind = NodeKind::call;
    n.function = find_function(name, is_method);
    n.mark = static_cast<std::uint32_t>(mark);
    n.method = is_method;
    if (name == "matches" && args.size() == 2 && patterns_ < kMostPatterns) {
      const Node& pattern = ast_.nodes[args[1]];
      if (pattern.kind == NodeKind::literal && pattern.value.is(Kind::string)) {
        std::string why;
        n.pattern = compile_pattern(pattern.value.as_string(), why);
        ++patterns_;
        if (!n.pattern) return fail(pattern.offset, pattern.length, "not a regular expression: " + why);
      }
    }
    n.name = std::move(name);
    n.args = std::move(args);
    return add(std::move(n), offset);
  }

  // The first argument names the variable; it must be known before the rest is parsed.
  Parsed macro(NodeId range, const Token& name) {
    const Token variable = token_;
    if (variable.kind != Token::Kind::identifier)
      return unexpected_token("expected the name of a variable as the first argument of `" + name.text + "`");
    if (is_reserved(variable.text)) return reserved_word(variable);
    if (!advance()) return std::nullopt;
    if (!token_.is(","))
      return unexpected_token("`" + name.text + "` takes a variable and what to do with it, as in `list." +
                              name.text + "(x, x > 0)`");
    if (!advance()) return std::nullopt;
    const auto slot = static_cast<std::int32_t>(bindings_.size());
    ast_.slots = std::max(ast_.slots, slot + 1);
    bindings_.push_back({variable.text, slot});
    auto args = arguments(")");
    bindings_.pop_back();
    if (!args) return std::nullopt;
    const auto row = std::find_if(kMacros.begin(), kMacros.end(), [&](const MacroRow& r) {
      return r.name == name.text && r.args == args->size() + 1;
    });
    if (row == kMacros.end())
      return fail(name, "`" + name.text + "` takes " +
                            (name.text == "map" ? "two or three arguments" : "two arguments"));
    Node n;
    n.kind = NodeKind::macro;
    n.macro = row->macro;
    n.name = name.text;
    n.mark = name.offset;
    n.slot = slot;
    n.args = std::move(*args);
    n.args.insert(n.args.begin(), range);
    return add(std::move(n), offset_of(range));
  }

  // --------------------------------------------------------------------------------------- primaries

  static bool is_reserved(std::string_view word) {
    return std::find(kReserved.begin(), kReserved.end(), word) != kReserved.end() || word == "true" ||
           word == "false" || word == "null";
  }
  Parsed reserved_word(const Token& word) {
    return fail(word, "`" + word.text + "` is a reserved word and cannot name a variable");
  }

  Parsed number_literal(bool negative, std::size_t start) {
    const Token t = token_;
    if (!advance()) return std::nullopt;
    if (t.kind == Token::Kind::number)
      return add_literal(Value::number(negative ? -t.number : t.number), start);
    if (t.kind == Token::Kind::unsigned_integer)
      return add_literal(Value::unsigned_integer(t.magnitude), start);
    constexpr std::uint64_t limit = std::uint64_t{1} << 63;
    if (t.magnitude > limit - (negative ? 0 : 1))
      return fail(t, "the integer does not fit into 64 bits with a sign; an unsigned one ends with u");
    // 0 - magnitude wraps to the right bits, also for the smallest int.
    const auto bits = negative ? std::uint64_t{0} - t.magnitude : t.magnitude;
    return add_literal(Value::integer(static_cast<std::int64_t>(bits)), start);
  }

  Parsed primary() {
    const Token t = token_;
    switch (t.kind) {
      case Token::Kind::integer:
      case Token::Kind::unsigned_integer:
      case Token::Kind::number:
        return number_literal(false, t.offset);
      case Token::Kind::string:
        return advance() ? add_literal(Value::string(t.text), t.offset) : std::nullopt;
      case Token::Kind::bytes:
        return advance() ? add_literal(Value::bytes(t.text), t.offset) : std::nullopt;
      case Token::Kind::identifier:
        return identifier(t, t.offset, false);
      case Token::Kind::punctuation:
        break;
      default:
        return unexpected_token();
    }
    if (t.is("(")) {
      if (!advance()) return std::nullopt;
      const auto inner = expression();
      if (!inner || !expect(")")) return std::nullopt;
      // The parentheses belong to the text of the node, and keep chains of && and || apart.
      ast_.nodes[*inner].offset = t.offset;
      ast_.nodes[*inner].length = static_cast<std::uint32_t>(last_end_ - t.offset);
      return inner;
    }
    if (t.is("[")) return list_literal();
    if (t.is("{")) return map_literal();
    if (t.is(".")) {
      if (!advance()) return std::nullopt;
      if (token_.kind != Token::Kind::identifier) return unexpected_token("expected a name");
      return identifier(token_, t.offset, true);
    }
    return unexpected_token();
  }

  Parsed identifier(Token name, std::size_t start, bool rooted) {
    if (!rooted && (name.text == "true" || name.text == "false"))
      return advance() ? add_literal(Value::boolean(name.text == "true"), start) : std::nullopt;
    if (!rooted && name.text == "null") return advance() ? add_literal(Value(), start) : std::nullopt;
    if (is_reserved(name.text)) return reserved_word(name);
    if (!advance()) return std::nullopt;
    if (token_.is("(")) {
      if (!advance()) return std::nullopt;
      if (name.text == "has") return has(name, start);
      auto args = arguments(")");
      if (!args) return std::nullopt;
      return call(std::move(*args), name.text, name.offset, false, start);
    }
    if (token_.is("{")) return unexpected_token();
    Node n;
    n.kind = NodeKind::variable;
    n.name = name.text;
    n.rooted = rooted;
    n.mark = name.offset;
    if (!rooted) {
      const auto bound = std::find_if(bindings_.rbegin(), bindings_.rend(),
                                      [&](const Binding& b) { return b.name == name.text; });
      if (bound != bindings_.rend()) n.slot = bound->slot;
    }
    return add(std::move(n), start);
  }

  Parsed has(const Token& name, std::size_t start) {
    auto args = arguments(")");
    if (!args) return std::nullopt;
    if (args->size() != 1 || ast_.nodes[args->front()].kind != NodeKind::select)
      return fail(name, "`has` takes one field, as in `has(a.b)`");
    // The select itself becomes the test, so that only its operand is evaluated.
    Node n = ast_.nodes[args->front()];
    n.kind = NodeKind::has;
    return add(std::move(n), start);
  }

  Parsed list_literal() {
    const std::size_t start = token_.offset;
    if (!advance()) return std::nullopt;
    if (token_.is("?")) return fail(token_, "optional values are not supported");
    auto items = arguments("]");
    if (!items) return std::nullopt;
    Node n;
    n.kind = NodeKind::list;
    n.mark = static_cast<std::uint32_t>(start);
    n.args = std::move(*items);
    return add(std::move(n), start);
  }

  Parsed map_literal() {
    const std::size_t start = token_.offset;
    if (!advance()) return std::nullopt;
    Node n;
    n.kind = NodeKind::map;
    n.mark = static_cast<std::uint32_t>(start);
    while (!token_.is("}")) {
      if (token_.is("?")) return fail(token_, "optional values are not supported");
      const auto key = expression();
      if (!key || !expect(":")) return std::nullopt;
      const auto value = expression();
      if (!value) return std::nullopt;
      n.args.push_back(*key);
      n.args.push_back(*value);
      if (!accept(",")) break;
    }
    if (problem_ || !expect("}")) return std::nullopt;
    return add(std::move(n), start);
  }

  Lexer lexer_;
  Token token_;
  std::size_t last_end_ = 0;  // of the token before token_
  std::size_t nesting_ = 0;
  std::size_t max_depth_;
  std::size_t patterns_ = 0;
  std::vector<Binding> bindings_;
  std::optional<Diagnostic> problem_;
  Ast ast_;
};

}  // namespace

std::string_view symbol(Operator op) {
  for (const auto& row : kBinaryOperators)
    if (row.op == op) return row.text;
  return "";
}

std::expected<Expression, Diagnostics> Expression::parse(std::string_view text, const ParseOptions& options) {
  const auto one = [](Diagnostic d) { return std::unexpected(Diagnostics{std::move(d)}); };
  if (text.size() > options.max_length)
    return one({options.max_length, 0,
                "the expression has " + std::to_string(text.size()) + " bytes, more than " +
                    std::to_string(options.max_length),
                ""});
  if (!is_utf8(text)) {
    std::size_t good = 0;
    for (std::size_t next = 0; good < text.size(); good = next) {
      next_code_point(text, next);
      if (!is_utf8(text.substr(good, next - good))) break;
    }
    return one({good, 1, "the expression is not UTF-8", ""});
  }
  auto ast = Parser(text, std::min(options.max_depth, kMostDepth)).parse();
  if (!ast) return one(std::move(ast.error()));
  analyse(*ast);
  return Expression(std::make_shared<const Ast>(std::move(*ast)));
}

const std::string& Expression::text() const {
  return ast_->text;
}
const std::vector<std::string>& Expression::free_variables() const {
  return ast_->free_variables;
}
const std::vector<Path>& Expression::paths() const {
  return ast_->paths;
}

}  // namespace baton::expr

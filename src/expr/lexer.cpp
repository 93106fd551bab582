#include "expr/lexer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "expr/text.hpp"

namespace baton::expr {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

struct Opening {
  bool raw = false;
  bool bytes = false;
  std::size_t prefix = 0;  // letters before the quote
  std::size_t quotes = 0;  // 1 or 3
  char quote = 0;
};

// What kind of string starts at `at`; quotes = 0 if none.
Opening opening_at(std::string_view text, std::size_t at) {
  const auto peek = [&](std::size_t i) { return at + i < text.size() ? text[at + i] : '\0'; };
  Opening o;
  for (; o.prefix < 2; ++o.prefix) {
    const char c = peek(o.prefix);
    if ((c == 'r' || c == 'R') && !o.raw) {
      o.raw = true;
    } else if ((c == 'b' || c == 'B') && !o.bytes) {
      o.bytes = true;
    } else {
      break;
    }
  }
  const char q = peek(o.prefix);
  if (q != '"' && q != '\'') return {};
  o.quote = q;
  o.quotes = peek(o.prefix + 1) == q && peek(o.prefix + 2) == q ? 3 : 1;
  return o;
}

}  // namespace

bool is_identifier_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_identifier_part(char c) {
  return is_identifier_start(c) || is_digit(c);
}

std::size_t string_literal_length(std::string_view text, std::size_t at) {
  const auto o = opening_at(text, at);
  if (o.quotes == 0) return 0;
  const std::string end(o.quotes, o.quote);
  std::size_t i = at + o.prefix + o.quotes;
  while (i < text.size()) {
    if (text[i] == '\\' && !o.raw) {
      i += 2;
    } else if (text.substr(i).starts_with(end)) {
      return i + o.quotes - at;
    } else if (text[i] == '\n' && o.quotes == 1) {
      break;
    } else {
      ++i;
    }
  }
  return std::min(i, text.size()) - at;
}

Token Lexer::token(Token::Kind kind, std::size_t start) const {
  Token t;
  t.kind = kind;
  t.offset = static_cast<std::uint32_t>(start);
  t.length = static_cast<std::uint32_t>(at_ - start);
  return t;
}

std::unexpected<Diagnostic> Lexer::error(std::size_t offset, std::size_t length, std::string message) const {
  return std::unexpected(Diagnostic{offset, length, std::move(message), ""});
}

Lexer::Result Lexer::next() {
  while (true) {
    const char c = peek();
    if (at_ < text_.size() && (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f')) {
      ++at_;
    } else if (c == '/' && peek(1) == '/') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else {
      break;
    }
  }
  if (at_ == text_.size()) return token(Token::Kind::end, at_);
  const char c = peek();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
  if (const auto o = opening_at(text_, at_); o.quotes > 0) return string(o.raw, o.bytes);
  if (is_identifier_start(c)) return word();
  if (c == '`') return quoted_identifier();
  return punctuation();
}

Lexer::Result Lexer::word() {
  const std::size_t start = at_;
  while (is_identifier_part(peek())) ++at_;
  auto t = token(Token::Kind::identifier, start);
  t.text = text_.substr(start, at_ - start);
  return t;
}

Lexer::Result Lexer::quoted_identifier() {
  const std::size_t start = at_++;
  while (is_identifier_part(peek()) || peek() == '.' || peek() == '-' || peek() == '/' || peek() == ' ')
    ++at_;
  if (peek() != '`' || at_ == start + 1)
    return error(
        start, at_ - start,
        "a name in backticks has letters, digits, `_`, `.`, `-`, `/` or blanks and ends with a backtick");
  ++at_;
  auto t = token(Token::Kind::quoted_identifier, start);
  t.text = text_.substr(start + 1, at_ - start - 2);
  return t;
}

Lexer::Result Lexer::number() {
  const std::size_t start = at_;
  bool hex = false;
  bool real = false;
  if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X') && hex_value(peek(2)) >= 0) {
    hex = true;
    at_ += 2;
    while (hex_value(peek()) >= 0) ++at_;
  } else {
    while (is_digit(peek())) ++at_;
    if (peek() == '.' && is_digit(peek(1))) {
      real = true;
      ++at_;
      while (is_digit(peek())) ++at_;
    }
    const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if ((peek() == 'e' || peek() == 'E') && is_digit(peek(1 + sign))) {
      real = true;
      at_ += 1 + sign;
      while (is_digit(peek())) ++at_;
    }
  }
  const auto digits = text_.substr(start + (hex ? 2 : 0), at_ - start - (hex ? 2 : 0));
  const bool is_unsigned = !real && (peek() == 'u' || peek() == 'U');
  if (is_unsigned) ++at_;
  if (is_identifier_part(peek())) {
    while (is_identifier_part(peek())) ++at_;
    return error(start, at_ - start, "not a number");
  }
  if (real) {
    auto t = token(Token::Kind::number, start);
    const auto value = parse_double(digits);
    if (!value) return error(start, at_ - start, "the number does not fit into a double");
    t.number = *value;
    return t;
  }
  auto t = token(is_unsigned ? Token::Kind::unsigned_integer : Token::Kind::integer, start);
  const auto [end, code] =
      std::from_chars(digits.data(), digits.data() + digits.size(), t.magnitude, hex ? 16 : 10);
  if (code != std::errc()) return error(start, at_ - start, "the integer does not fit into 64 bits");
  return t;
}

// Decodes one escape sequence; at_ is behind the backslash.
bool Lexer::escape(std::string& out, bool bytes, Diagnostic& problem) {
  const std::size_t start = at_ - 1;
  const auto bad = [&](std::string message) {
    problem = {start, std::min(at_, text_.size()) - start, std::move(message), ""};
    return false;
  };
  const char c = peek();
  ++at_;
  constexpr std::string_view simple = "abfnrtv\\?\"'`";
  constexpr std::string_view meaning = "\a\b\f\n\r\t\v\\?\"'`";
  if (const auto i = simple.find(c); c != '\0' && i != std::string_view::npos) {
    out += meaning[i];
    return true;
  }
  std::uint32_t code = 0;
  const auto read = [&](int count, int base) {
    for (int i = 0; i < count; ++i) {
      const int digit = hex_value(peek());
      if (digit < 0 || digit >= base) return false;
      code = code * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(digit);
      ++at_;
    }
    return true;
  };
  bool byte = false;
  if (c == 'x' || c == 'X') {
    if (!read(2, 16)) return bad("`\\x` needs two hexadecimal digits");
    byte = true;
  } else if (c >= '0' && c <= '3') {
    --at_;
    if (!read(3, 8)) return bad("an octal escape needs three digits from `\\000` to `\\377`");
    byte = true;
  } else if (c == 'u') {
    if (!read(4, 16)) return bad("`\\u` needs four hexadecimal digits");
  } else if (c == 'U') {
    if (!read(8, 16)) return bad("`\\U` needs eight hexadecimal digits");
  } else {
    return bad("unknown escape sequence; a backslash itself is written `\\\\`");
  }
  if (bytes && byte) {
    out += static_cast<char>(code);
    return true;
  }
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return bad("not a Unicode character");
  append_utf8(out, code);
  return true;
}

Lexer::Result Lexer::string(bool raw, bool bytes) {
  const std::size_t start = at_;
  const auto o = opening_at(text_, at_);
  const std::string end(o.quotes, o.quote);
  at_ += o.prefix + o.quotes;
  std::string out;
  while (true) {
    if (at_ >= text_.size() || (o.quotes == 1 && (peek() == '\n' || peek() == '\r')))
      return error(start, o.prefix + o.quotes, "the string never ends");
    if (text_.substr(at_).starts_with(end)) break;
    if (peek() == '\\' && !raw) {
      ++at_;
      Diagnostic problem;
      if (!escape(out, bytes, problem)) return std::unexpected(std::move(problem));
    } else {
      out += text_[at_++];
    }
  }
  at_ += o.quotes;
  auto t = token(bytes ? Token::Kind::bytes : Token::Kind::string, start);
  t.text = std::move(out);
  return t;
}

Lexer::Result Lexer::punctuation() {
  const std::size_t start = at_;
  for (const auto* two : {"&&", "||", "==", "!=", "<=", ">="}) {
    if (!text_.substr(at_).starts_with(two)) continue;
    at_ += 2;
    auto t = token(Token::Kind::punctuation, start);
    t.text = two;
    return t;
  }
  const char c = peek();
  constexpr std::string_view known = "+-*/%<>!?:.,()[]{}";
  if (c != '\0' && known.find(c) != std::string_view::npos) {
    ++at_;
    auto t = token(Token::Kind::punctuation, start);
    t.text = c;
    return t;
  }
  Diagnostic d{start, 1, "unexpected character", ""};
  if (c == '=') d = {start, 1, "CEL compares with `==`", "=="};
  if (c == '&') d = {start, 1, "CEL's logical and is `&&`", "&&"};
  if (c == '|') d = {start, 1, "CEL's logical or is `||`; there are no filters", "||"};
  if (c == '$') d.message = "`$` has no meaning inside of an expression; `${{ }}` is not nested";
  while (start + d.length < text_.size() &&
         (static_cast<unsigned char>(text_[start + d.length]) & 0xC0) == 0x80)
    ++d.length;
  return std::unexpected(std::move(d));
}

}  // namespace baton::expr

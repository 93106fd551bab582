// From the text of an expression to tokens; literals are decoded here.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "expr/diagnostic.hpp"

namespace baton::expr {

struct Token {
  enum class Kind : std::uint8_t {
    end,
    identifier,         // text
    quoted_identifier,  // `a-b`: text without the quotes
    integer,            // magnitude, its sign is an operator
    unsigned_integer,   // magnitude
    number,             // number
    string,             // text, decoded
    bytes,              // text, decoded
    punctuation,        // text
  };
  Kind kind = Kind::end;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::string text;
  std::uint64_t magnitude = 0;
  double number = 0;

  bool is(std::string_view punctuation) const { return kind == Kind::punctuation && text == punctuation; }
};

class Lexer {
 public:
  // `text` must be UTF-8, under 4 GiB, and outlive the lexer.
  explicit Lexer(std::string_view text) : text_(text) {}

  std::expected<Token, Diagnostic> next();

 private:
  using Result = std::expected<Token, Diagnostic>;

  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  Result number();
  Result string(bool raw, bool bytes);
  Result word();
  Result quoted_identifier();
  Result punctuation();
  Token token(Token::Kind kind, std::size_t start) const;
  std::unexpected<Diagnostic> error(std::size_t offset, std::size_t length, std::string message) const;
  bool escape(std::string& out, bool bytes, Diagnostic& problem);

  std::string_view text_;
  std::size_t at_ = 0;
};

bool is_identifier_start(char c);
bool is_identifier_part(char c);

// The length of the string literal (with its prefix) that starts at `at`, or 0 if none starts there. One that
// never ends reaches to the end of the text.
std::size_t string_literal_length(std::string_view text, std::size_t at);

}  // namespace baton::expr

// A reader of its own, since libyaml refuses surrogate pairs and Boost.JSON gives no places.
#include <string>

#include "base/text.hpp"
#include "spec/read.hpp"
#include "spec/scalar.hpp"

namespace baton::spec {
namespace {

class JsonReader {
 public:
  JsonReader(std::string_view text, const TreeLimits& limits) : text_(text), builder_(text, limits) {}

  std::expected<Tree, SyntaxError> read() {
    if (document()) return builder_.take();
    return std::unexpected(builder_.error());
  }

 private:
  // One turn per value; `open_` holds the brackets around it.
  bool document() {
    while (true) {
      skip_space();
      if (at_ < text_.size() && (text_[at_] == '{' || text_[at_] == '[')) {
        const char open = text_[at_];
        if (!builder_.begin(open == '{' ? NodeKind::map : NodeKind::list, position())) return false;
        open_ += open;
        ++at_;
        skip_space();
        if (at_ < text_.size() && text_[at_] == closing(open)) {
          if (!close()) return false;
        } else {
          if (open == '{' && !key()) return false;
          continue;
        }
      } else if (!scalar()) {
        return false;
      }
      if (!after_value()) return false;
      if (open_.empty()) return true;
    }
  }

  // Closes brackets and steps over a comma up to the next value; at the end of the text if none is open.
  bool after_value() {
    while (!open_.empty()) {
      skip_space();
      const char c = at_ < text_.size() ? text_[at_] : '\0';
      if (c == closing(open_.back())) {
        if (!close()) return false;
      } else if (c == ',') {
        ++at_;
        skip_space();
        if (at_ < text_.size() && text_[at_] == closing(open_.back()))
          return expected("a value after the comma");
        return open_.back() == '[' || key();
      } else {
        return expected(open_.back() == '{' ? "`,` or `}`" : "`,` or `]`");
      }
    }
    skip_space();
    return at_ == text_.size() || expected("the end of the text");
  }

  bool close() {
    ++at_;
    open_.pop_back();
    return builder_.end();
  }

  bool key() {
    skip_space();
    if (at_ == text_.size() || text_[at_] != '"') return expected("a key in double quotes");
    if (!string()) return false;
    skip_space();
    if (at_ == text_.size() || text_[at_] != ':') return expected("`:`");
    ++at_;
    return true;
  }

  bool scalar() {
    if (at_ == text_.size()) return expected("a value");
    if (text_[at_] == '"') return string();
    const std::size_t start = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    const std::string_view word = text_.substr(start, at_ - start);
    const Span span{static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(word.size())};
    if (word == "null") return builder_.scalar(NodeKind::null, span, word, false);
    if (word == "true" || word == "false") return builder_.scalar(NodeKind::boolean, span, word, false);
    if (!is_number(word)) {
      at_ = start;
      return expected("a value");
    }
    const auto kind = plain_kind(word);
    if (!kind) return builder_.fail(span, kind.error());
    return builder_.scalar(*kind, span, word, false);
  }

  bool string() {
    const std::size_t start = at_++;
    const std::size_t plain = text_.find_first_of("\"\\", at_);
    std::string decoded;
    std::string_view value;
    if (plain != std::string_view::npos && text_[plain] == '"') {
      value = text_.substr(at_, plain - at_);
      at_ = plain;
    } else {
      while (at_ < text_.size() && text_[at_] != '"') {
        if (text_[at_] == '\\') {
          if (!escape(decoded)) return false;
        } else {
          decoded += text_[at_++];
        }
      }
      value = decoded;
    }
    if (at_ == text_.size()) {
      return builder_.fail({static_cast<std::uint32_t>(start), 1}, "this string has no closing quote");
    }
    ++at_;
    for (std::size_t i = start; i < at_; ++i) {
      if (static_cast<unsigned char>(text_[i]) < 0x20) {
        return builder_.fail({static_cast<std::uint32_t>(i), 1},
                             "a control character in a string must be escaped");
      }
    }
    return builder_.scalar(NodeKind::string,
                           {static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(at_ - start)},
                           value, true);
  }

  bool escape(std::string& out) {
    const std::size_t start = at_++;
    const auto bad = [&] {
      return builder_.fail({static_cast<std::uint32_t>(start), 2}, "this is not an escape of JSON");
    };
    if (at_ == text_.size()) return bad();
    const char c = text_[at_++];
    constexpr std::string_view kFrom = "\"\\/bfnrt";
    constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    if (const std::size_t i = kFrom.find(c); i != std::string_view::npos) {
      out += kTo[i];
      return true;
    }
    std::uint32_t code = 0;
    if (c != 'u' || !hex4(code)) return bad();
    if (code >= 0xD800 && code < 0xE000) {
      std::uint32_t low = 0;
      const bool pair = code < 0xDC00 && text_.substr(at_, 2) == "\\u" && (at_ += 2, hex4(low)) &&
                        low >= 0xDC00 && low < 0xE000;
      if (!pair)
        return builder_.fail({static_cast<std::uint32_t>(start), 6}, "this is half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(out, code);
    return true;
  }

  bool hex4(std::uint32_t& code) {
    if (text_.size() - at_ < 4) return false;
    code = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = text_[at_++];
      std::uint32_t digit = 0;
      if (c >= '0' && c <= '9') {
        digit = static_cast<std::uint32_t>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        digit = static_cast<std::uint32_t>(c - 'a') + 10;
      } else if (c >= 'A' && c <= 'F') {
        digit = static_cast<std::uint32_t>(c - 'A') + 10;
      } else {
        return false;
      }
      code = code << 4 | digit;
    }
    return true;
  }

  static void append_utf8(std::string& out, std::uint32_t code) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | (code >> 6));
      tail(0);
    } else if (code < 0x10000) {
      out += static_cast<char>(0xE0 | (code >> 12));
      tail(6);
      tail(0);
    } else {
      out += static_cast<char>(0xF0 | (code >> 18));
      tail(12);
      tail(6);
      tail(0);
    }
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' ||
           c == '.' || c == '_';
  }

  // JSON's numbers: no leading zeros or plus, digits on both sides of the point.
  static bool is_number(std::string_view word) {
    std::size_t at = word.starts_with('-') ? 1 : 0;
    const auto digits = [&] {
      const std::size_t start = at;
      while (at < word.size() && is_digit(word[at])) ++at;
      return at > start;
    };
    const std::size_t first = at;
    if (!digits() || (word[first] == '0' && at > first + 1)) return false;
    if (at < word.size() && word[at] == '.' && (++at, !digits())) return false;
    if (at < word.size() && (word[at] == 'e' || word[at] == 'E')) {
      ++at;
      if (at < word.size() && (word[at] == '+' || word[at] == '-')) ++at;
      if (!digits()) return false;
    }
    return at == word.size();
  }

  static char closing(char open) { return open == '{' ? '}' : ']'; }
  std::uint32_t position() const { return static_cast<std::uint32_t>(at_); }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool expected(std::string_view what) {
    const std::string found = at_ == text_.size()
                                  ? "the text ends"
                                  : "found `" + printable(text_.substr(at_, character_size())) + "`";
    return builder_.fail({position(), at_ == text_.size() ? 0U : 1U},
                         "expected " + std::string(what) + ", but " + found);
  }

  std::size_t character_size() const {
    std::size_t size = 1;
    while (at_ + size < text_.size() && (static_cast<unsigned char>(text_[at_ + size]) & 0xC0) == 0x80)
      ++size;
    return size;
  }

  std::string_view text_;
  TreeBuilder builder_;
  std::size_t at_ = 0;
  std::string open_;  // the open brackets
};

}  // namespace

std::expected<Tree, SyntaxError> read_json(std::string_view text, const TreeLimits& limits) {
  return JsonReader(text, limits).read();
}

}  // namespace baton::spec

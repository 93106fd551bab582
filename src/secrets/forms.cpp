#include "secrets/forms.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

#include "base/latin1.hpp"
#include "expr/text.hpp"
#include "model/secret.hpp"

namespace baton::secrets {
namespace {

constexpr std::size_t kShortest = model::kMinSecretValue;
constexpr std::size_t kEncoded = 8;  // shorter values: their encodings are too common
constexpr std::size_t kLongest = 1024;
constexpr std::size_t kPiece = 512;
constexpr std::size_t kBase64Line = 76;
constexpr std::string_view kBlank = " \t\r\n\v\f";

class Forms {
 public:
  void add(std::string_view form) {
    if (form.size() <= kLongest) {
      if (form.size() >= kShortest) all_.emplace(form);
      return;
    }
    while (form.size() >= kPiece + kShortest) {
      all_.emplace(form.substr(0, kPiece));
      form.remove_prefix(kPiece);
    }
    all_.emplace(form);
  }
  std::vector<std::string> take() { return {all_.begin(), all_.end()}; }

 private:
  std::set<std::string, std::less<>> all_;
};

enum class Json : std::uint8_t {
  plain,  // only what must be escaped
  slash,  // and "/"
  ascii,  // and everything beyond ASCII, as \uXXXX
  ascii_upper
};

void append_unit(std::string& out, std::uint32_t unit, bool upper) {
  const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[unit >> shift & 15U];
}

std::string in_json(std::string_view text, Json how) {
  const bool ascii = how == Json::ascii || how == Json::ascii_upper;
  const bool upper = how == Json::ascii_upper;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) >= 0x80 && ascii) {
      const std::uint32_t point = expr::next_code_point(text, at);
      if (point >= 0x10000) {
        append_unit(out, 0xD800 + ((point - 0x10000) >> 10), upper);
        append_unit(out, 0xDC00 + ((point - 0x10000) & 0x3FF), upper);
      } else {
        append_unit(out, point, upper);
      }
      continue;
    }
    ++at;
    constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
    constexpr std::string_view kNames = "\"\\bfnrt";
    if (const std::size_t named = kNamed.find(c); named != std::string_view::npos) {
      out += '\\';
      out += kNames[named];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      append_unit(out, static_cast<unsigned char>(c), upper);
    } else if (c == '/' && how == Json::slash) {
      out += "\\/";
    } else {
      out += c;
    }
  }
  return out;
}

// `plain`: characters that stay, beside letters and digits.
std::string percent_encoded(std::string_view text, std::string_view plain, bool upper, bool plus) {
  const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (word || plain.find(c) != std::string_view::npos) {
      out += c;
    } else if (c == ' ' && plus) {
      out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

void add_base64(std::string_view value, Forms& forms) {
  // What stands before a value decides where its groups of three bytes begin.
  for (std::size_t before = 0; before < 3; ++before) {
    std::string text = expr::base64(std::string(before, '\0') + std::string(value));
    // Characters that bits of the neighbours go into are not its own.
    const std::size_t bits = 8 * (before + value.size());
    text.resize(bits / 6);
    text.erase(0, before == 0 ? 0 : before + 1);
    std::string for_urls = text;
    std::ranges::replace(for_urls, '+', '-');
    std::ranges::replace(for_urls, '/', '_');
    for (const std::string& form : {text, for_urls}) {
      forms.add(form);
      if (before != 0) continue;
      for (std::size_t at = 0; form.size() > kBase64Line && at < form.size(); at += kBase64Line) {
        const std::string line = form.substr(at, kBase64Line);
        if (line.size() >= kEncoded) forms.add(line);
      }
    }
  }
}

}  // namespace

std::string_view trimmed(std::string_view value) {
  const std::size_t first = value.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return value.substr(first, value.find_last_not_of(kBlank) + 1 - first);
}

std::vector<std::string> forms_of(std::string_view value) {
  Forms forms;
  value = trimmed(value);
  if (value.size() < kShortest) return {};
  const auto add_text = [&](std::string_view text) {
    forms.add(text);
    for (const Json how : {Json::plain, Json::slash, Json::ascii, Json::ascii_upper})
      forms.add(in_json(text, how));
  };
  add_text(value);
  add_text(utf8_of_latin1(value));  // by a program that took its UTF-8 for Latin-1
  if (value.find('\n') != std::string_view::npos) {
    for (std::string_view rest = value; !rest.empty();) {
      const std::string_view line = trimmed(rest.substr(0, rest.find('\n')));
      if (line.size() >= kEncoded) add_text(line);
      rest.remove_prefix(std::min(
          rest.size(), rest.find('\n') == std::string_view::npos ? rest.size() : rest.find('\n') + 1));
    }
  }
  if (value.size() >= kEncoded) {
    add_base64(value, forms);
    for (const bool upper : {true, false}) {
      forms.add(percent_encoded(value, "-._~", upper, false));
      forms.add(percent_encoded(value, "-._~", upper, true));
      forms.add(percent_encoded(value, "-._~!*'()", upper, false));            // JavaScript's
      forms.add(percent_encoded(value, "-._~!$&'()*+,;=:@/?", upper, false));  // of a path or query
    }
  }
  return forms.take();
}

}  // namespace baton::secrets

// ISO 8859-1, which headers of HTTP are in and older servers send.
#pragma once

#include <string>
#include <string_view>

namespace baton {

// Each byte is the code point of that number; what is ASCII stays as it is.
inline std::string utf8_of_latin1(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0 | byte >> 6);
      out += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return out;
}

}  // namespace baton

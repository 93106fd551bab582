// Requests and answers from arbitrary bytes. However the bytes are cut, the parser must find the same
// messages: the whole input in one piece against pieces whose sizes the first byte chooses.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/http_parser.hpp"

namespace {

using namespace baton::net;

std::string transcript(HttpParser::Kind kind, std::string_view input, std::size_t step) {
  HttpParser parser(kind, {.target = 64, .header = 512, .body = 256});
  std::string out;
  std::string held;
  for (std::size_t at = 0; at < input.size() && !parser.failed(); at += step) {
    held += input.substr(at, step);
    for (;;) {
      const auto taken = parser.feed(held);
      if (taken > held.size()) std::abort();
      held.erase(0, taken);
      if (parser.failed()) break;
      if (parser.done()) {
        const auto& head = parser.head();
        out += head.method + " " + head.target + " " + std::to_string(head.status) +
               (head.keep_alive ? "k" : "c");
        for (const auto& [name, value] : head.headers) {
          if (!Headers::is_valid_name(name) || !Headers::is_valid_value(value)) std::abort();
          out += "|" + name + ":" + value;
        }
        out += "[" + parser.body() + "]";
        if (parser.body().size() > 256) std::abort();
        if (!head.target.empty()) (void)parse_target(head.target);
        parser.reset();
      } else if (taken == 0) {
        break;
      }
    }
  }
  if (!parser.failed()) {
    parser.feed_end();
    if (parser.done()) out += "[end:" + parser.body() + "]";
  }
  // Which limit a hopeless message meets first may depend on the cuts; that it fails may not.
  if (parser.failed()) out += "!";
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto kind = (data[0] & 1) != 0 ? HttpParser::Kind::response : HttpParser::Kind::request;
  const std::size_t step = 1 + (data[0] >> 1);
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (transcript(kind, input, input.size()) != transcript(kind, input, step)) std::abort();
  return 0;
}

#include "net/url.hpp"

#include <charconv>

#include "base/text.hpp"

namespace baton::net {
namespace {

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool has_control(std::string_view text) {
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

// Also refuses control characters and bytes that are not UTF-8: parameters are echoed in answers and logs.
std::optional<std::string> decode_text(std::string_view text, bool plus_is_space) {
  std::string spaced;
  if (plus_is_space && text.find('+') != text.npos) {
    spaced = text;
    for (char& c : spaced) {
      if (c == '+') c = ' ';
    }
    text = spaced;
  }
  auto decoded = percent_decode(text);
  if (!decoded || has_control(*decoded) || !is_utf8(*decoded)) return std::nullopt;
  return decoded;
}

}  // namespace

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return out;
}

std::string build_query(const QueryPairs& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    out += percent_encode(name);
    out += '=';
    out += percent_encode(value);
  }
  return out;
}

Result<QueryPairs> parse_query(std::string_view query, std::size_t max_pairs) {
  QueryPairs pairs;
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto piece = query.substr(0, end);
    query = end == query.npos ? std::string_view{} : query.substr(end + 1);
    if (piece.empty()) continue;
    if (pairs.size() == max_pairs) {
      return fail(ErrorCode::invalid_request,
                  "the query has more than " + std::to_string(max_pairs) + " parameters");
    }
    const auto equals = piece.find('=');
    auto name = decode_text(piece.substr(0, equals), true);
    auto value = equals == piece.npos ? std::string() : decode_text(piece.substr(equals + 1), true);
    if (!name || !value) {
      return fail(ErrorCode::invalid_request, "the query parameter \"" + printable(utf8_prefix(piece, 80)) +
                                                  "\" is not percent-encoded UTF-8 text");
    }
    pairs.emplace_back(std::move(*name), std::move(*value));
  }
  return pairs;
}

std::optional<std::string_view> find_query(const QueryPairs& pairs, std::string_view name) {
  for (const auto& [key, value] : pairs) {
    if (key == name) return value;
  }
  return std::nullopt;
}

Result<Target> parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/') {
    return fail(ErrorCode::invalid_request, "the request target must be a path that starts with \"/\"");
  }
  if (target.find('#') != target.npos) {
    return fail(ErrorCode::invalid_request, "the request target must not contain a fragment (\"#\")");
  }
  const auto question = target.find('?');
  const auto raw_path = target.substr(0, question);

  Target out;
  std::size_t at = 0;
  while (at < raw_path.size()) {  // raw_path[at] is the '/' before a segment
    const auto end = std::min(raw_path.find('/', at + 1), raw_path.size());
    const auto raw_segment = raw_path.substr(at + 1, end - at - 1);
    const auto segment = decode_text(raw_segment, false);
    if (!segment) {
      return fail(ErrorCode::invalid_request, "the path is not percent-encoded UTF-8 text");
    }
    if (*segment == "." || *segment == ".." || segment->find_first_of("/\\") != segment->npos) {
      return fail(ErrorCode::invalid_request,
                  "the path must not contain \".\" or \"..\" segments, backslashes or encoded slashes");
    }
    out.path += '/';
    out.path += *segment;
    at = end;
  }
  if (question != target.npos) {
    TRY(out.query, parse_query(target.substr(question + 1)));
  }
  return out;
}

std::string Endpoint::authority() const {
  if (unix_socket) return "localhost";
  const bool ipv6 = host.find(':') != host.npos;
  return (ipv6 ? "[" + host + "]" : host) + (port == (tls ? 443 : 80) ? "" : ":" + std::to_string(port));
}

std::string Endpoint::text() const {
  return unix_socket ? "unix:" + path : (tls ? "https://" : "http://") + authority();
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::usage, "\"" + printable(text) + "\" is not a server address: " + std::string(why) +
                                      " (use unix:/path/to/socket, http://host:port or https://host:port)");
  };
  Endpoint out;
  std::string_view rest = text;
  if (rest.starts_with("unix:")) {
    out.unix_socket = true;
    out.path = rest.substr(5);
    if (out.path.empty()) return bad("the path of the socket is missing");
    if (out.path.find('\0') != out.path.npos) return bad("the path contains a NUL byte");
    return out;
  }
  out.tls = rest.starts_with("https://");
  const bool with_scheme = out.tls || rest.starts_with("http://");
  if (with_scheme) {
    rest.remove_prefix(out.tls ? 8 : 7);
    if (rest.ends_with('/')) rest.remove_suffix(1);
  }
  std::string_view port;
  bool has_port = false;
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == rest.npos) return bad("\"]\" is missing");
    out.host = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    if (!rest.empty() && rest.front() != ':') return bad("a \":\" must follow \"]\"");
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else {
    const auto colon = rest.find(':');
    out.host = rest.substr(0, colon);
    has_port = colon != rest.npos;
    if (has_port) port = rest.substr(colon + 1);
  }
  if (out.host.empty()) return bad("the host is missing");
  for (char c : out.host) {
    if (!is_unreserved(c) && c != ':' && c != '%')
      return bad("the host has a character that hosts cannot have");
  }
  if (!has_port) {
    if (!with_scheme) return bad("the port is missing");
    out.port = out.tls ? 443 : 80;
    return out;
  }
  unsigned value = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
  if (error != std::errc() || end != port.data() + port.size() || value == 0 || value > 65535) {
    return bad("the port must be a number from 1 to 65535");
  }
  out.port = static_cast<std::uint16_t>(value);
  return out;
}

}  // namespace baton::net

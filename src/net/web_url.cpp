#include "net/web_url.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/text.hpp"

namespace baton::net {
namespace {

constexpr std::size_t kMaxUrl = 8 * 1024;
constexpr std::size_t kMaxHost = 253;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_hex(char c) {
  c = lower(c);
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_alphanumeric(char c) {
  c = lower(c);
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && std::ranges::equal(text.substr(0, prefix.size()), prefix, {}, lower);
}

// Whether a reference begins with a scheme.
bool has_scheme(std::string_view text) {
  const std::size_t end = text.find_first_of(":/?#");
  if (end == text.npos || end == 0 || text[end] != ':' || !is_alphanumeric(text[0])) return false;
  return std::ranges::all_of(text.substr(0, end),
                             [](char c) { return is_alphanumeric(c) || c == '+' || c == '-' || c == '.'; });
}

std::string encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kKept = "-._~!$&'()*+,;=:@/?";
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool escape = c == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2]);
    if (escape || is_alphanumeric(c) || (c != '\0' && kKept.find(c) != kKept.npos)) {
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

std::unexpected<Error> bad(std::string_view text, std::string_view why) {
  // The query is left out: it may hold what nobody is to see.
  const std::string_view cut = utf8_prefix(text.substr(0, text.find('?')), 200);
  return fail(ErrorCode::invalid_request,
              "\"" + printable(cut) + "\" is not a URL that can be requested: " + std::string(why));
}

Status parse_host(std::string_view text, std::string_view& rest, WebUrl& out) {
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == rest.npos) return bad(text, "\"]\" is missing");
    out.host = rest.substr(1, close - 1);
    const bool fits = !out.host.empty() &&
                      std::ranges::all_of(out.host, [](char c) { return is_hex(c) || c == ':' || c == '.'; });
    if (!fits) return bad(text, "between \"[\" and \"]\" stands no IPv6 address");
    rest.remove_prefix(close + 1);
    if (!rest.empty() && rest.front() != ':') return bad(text, "a \":\" must follow \"]\"");
  } else {
    const auto colon = std::min(rest.find(':'), rest.size());
    out.host = rest.substr(0, colon);
    rest.remove_prefix(colon);
    if (out.host.empty()) return bad(text, "the host is missing");
    if (out.host.size() > kMaxHost) return bad(text, "the host is longer than 253 characters");
    for (const char c : out.host) {
      if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_') continue;
      if (static_cast<unsigned char>(c) >= 0x80)
        return bad(text, "a host name with letters beyond a to z is written in its xn-- form");
      return bad(text, "the host has a character that hosts cannot have");
    }
  }
  std::ranges::transform(out.host, out.host.begin(), lower);
  return {};
}

}  // namespace

Result<WebUrl> parse_web_url(std::string_view text) {
  WebUrl out;
  std::string_view rest = text;
  if (text.size() > kMaxUrl) return bad(text, "it is longer than 8 KiB");
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return bad(text, "it holds a control character");
  }
  if (starts_with_ignoring_case(text, "https://")) {
    out.tls = true;
    rest.remove_prefix(8);
  } else if (starts_with_ignoring_case(text, "http://")) {
    rest.remove_prefix(7);
  } else {
    return bad(text, "it must begin with http:// or https://");
  }
  const std::size_t end = std::min(rest.find_first_of("/?#\\"), rest.size());
  std::string_view authority = rest.substr(0, end);
  rest.remove_prefix(end);
  // Also text behind a '\' would be the host to other readers.
  if (rest.starts_with('\\')) return bad(text, "a \"\\\" stands behind the host");
  if (authority.find('@') != authority.npos) {
    return fail(ErrorCode::invalid_request,
                "a URL must not hold a user or password: put them into an Authorization header");
  }
  TRY_VOID(parse_host(text, authority, out));
  out.port = out.tls ? 443 : 80;
  if (authority.size() > 1) {
    const std::string_view digits = authority.substr(1);
    unsigned value = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || stop != digits.data() + digits.size() || value == 0 || value > 65535) {
      return bad(text, "the port must be a number from 1 to 65535");
    }
    out.port = static_cast<std::uint16_t>(value);
  }
  const std::string_view target = rest.substr(0, rest.find('#'));
  out.target = (target.starts_with('/') ? "" : "/") + encoded(target);
  if (out.target.size() > kMaxUrl) return bad(text, "it is longer than 8 KiB");
  return out;
}

namespace {

// RFC 3986, 5.2.4, on a path that starts with '/'.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> segments;
  bool folder = false;  // what is left ends with '/'
  while (!path.empty()) {
    path.remove_prefix(1);  // the '/'
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    folder = segment == "." || segment == "..";
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (!folder) segments.push_back(segment);
  }
  std::string out;
  for (const std::string_view segment : segments) out.append("/").append(segment);
  if (folder || out.empty()) out += '/';
  return out;
}

}  // namespace

Result<WebUrl> resolve_reference(const WebUrl& base, std::string_view reference) {
  const std::string scheme = base.tls ? "https:" : "http:";
  if (has_scheme(reference)) return parse_web_url(reference);
  if (reference.starts_with("//")) return parse_web_url(scheme + std::string(reference));
  const std::string_view of_base = base.target;
  const std::string_view base_path = of_base.substr(0, of_base.find('?'));
  const std::string_view wanted = reference.substr(0, reference.find('#'));
  const std::size_t question = std::min(wanted.find('?'), wanted.size());
  const std::string_view path = wanted.substr(0, question);
  std::string target;
  if (path.empty()) {
    target = question < wanted.size() ? std::string(base_path) : std::string(of_base);
  } else if (path.starts_with('/')) {
    target = without_dots(path);
  } else {
    target = without_dots(std::string(base_path.substr(0, base_path.rfind('/') + 1)) + std::string(path));
  }
  return parse_web_url(base.origin() + target + std::string(wanted.substr(question)));
}

void add_query(WebUrl& url, const QueryPairs& pairs) {
  if (pairs.empty()) return;
  const bool has_query = url.target.find('?') != url.target.npos;
  if (!has_query) {
    url.target += '?';
  } else if (!url.target.ends_with('?') && !url.target.ends_with('&')) {
    url.target += '&';
  }
  url.target += build_query(pairs);
}

Endpoint WebUrl::endpoint() const {
  return {.unix_socket = false, .path = {}, .host = host, .port = port, .tls = tls};
}

std::string WebUrl::origin() const {
  return endpoint().text();
}

std::string WebUrl::text() const {
  return origin() + target;
}

std::string WebUrl::shown() const {
  const std::size_t question = target.find('?');
  return origin() + target.substr(0, question) + (question == target.npos ? "" : "?…");
}

}  // namespace baton::net

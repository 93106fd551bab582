#include "net/content_coding.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/gzip.hpp"

namespace baton::net {
namespace {

constexpr std::size_t kWorthIt = 1024;  // less goes into the same packet either way
constexpr std::string_view kMark = "-gzip\"";
constexpr std::array<std::string_view, 6> kKinds = {
    "application/json", "application/problem+json", "application/yaml", "application/jsonl", "text/plain",
    "text/css",
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view take(std::string_view& rest, char end) {
  const std::size_t at = rest.find(end);
  const std::string_view piece = rest.substr(0, at);
  rest = at == rest.npos ? std::string_view{} : rest.substr(at + 1);
  return trimmed(piece);
}

// "0.25" → 250: qvalues have at most three decimals (RFC 9110, section 12.4.2).
std::optional<int> weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int value = (text[0] - '0') * 1000;
  int unit = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return std::nullopt;
    value += (c - '0') * unit;
    unit /= 10;
  }
  return value > 1000 ? std::nullopt : std::optional(value);
}

// What an element of Accept-Encoding says: "gzip;q=0.5".
struct Preference {
  std::string_view coding;
  int weight = 1000;
};
std::optional<Preference> read(std::string_view element) {
  Preference read{take(element, ';')};
  if (read.coding.empty()) return std::nullopt;
  if (element.empty()) return read;
  const std::string_view name = take(element, '=');
  const auto value = weight(trimmed(element));
  if (!equals_ignoring_case(name, "q") || !value) return std::nullopt;
  read.weight = *value;
  return read;
}

bool is_worth_it(const Response& response) {
  if (response.body.size() < kWorthIt || response.status == 206) return false;
  for (const char* field : {"Content-Encoding", "Content-Range", "Set-Cookie"}) {
    if (response.headers.find(field)) return false;
  }
  std::string_view type = response.headers.find("Content-Type").value_or("");
  type = take(type, ';');
  return std::ranges::any_of(kKinds, [&](std::string_view kind) { return equals_ignoring_case(type, kind); });
}

}  // namespace

bool takes_gzip(const Headers& request) {
  std::optional<int> gzip;
  std::optional<int> identity;
  std::optional<int> others;
  for (const auto& [name, value] : request) {
    if (!equals_ignoring_case(name, "Accept-Encoding")) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const auto said = read(take(rest, ','));
      if (!said) continue;
      if (equals_ignoring_case(said->coding, "gzip") || equals_ignoring_case(said->coding, "x-gzip")) {
        gzip = said->weight;
      } else if (equals_ignoring_case(said->coding, "identity")) {
        identity = said->weight;
      } else if (said->coding == "*") {
        others = said->weight;
      }
    }
  }
  const int wanted = gzip.value_or(others.value_or(0));
  return wanted > 0 && wanted >= identity.value_or(0);
}

void restore_tags(Headers& request) {
  for (const char* name : {"If-Match", "If-None-Match"}) {
    const auto field = request.find(name);
    if (!field || field->find(kMark) == field->npos) continue;
    std::string tags(*field);
    for (std::size_t at = tags.find(kMark); at != tags.npos; at = tags.find(kMark, at))
      tags.erase(at, kMark.size() - 1);
    request.set(name, std::move(tags));
  }
}

void encode(Response& response, bool wanted) {
  if (!is_worth_it(response)) return;
  response.headers.add("Vary", "Accept-Encoding");
  if (!wanted) return;
  auto packed = gzipped(response.body, GzipEffort::fast);
  if (!packed || packed->size() >= response.body.size()) return;
  response.body = std::move(*packed);
  response.headers.set("Content-Encoding", "gzip");
  const auto tag = response.headers.find("ETag");
  if (!tag || !tag->starts_with('"') || tag->size() < 2) return;  // a weak one stands for all forms
  response.headers.set("ETag", std::string(tag->substr(0, tag->size() - 1)) + std::string(kMark));
}

}  // namespace baton::net

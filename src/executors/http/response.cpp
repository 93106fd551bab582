#include "executors/http/response.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <map>
#include <optional>

#include "base/json.hpp"
#include "base/latin1.hpp"
#include "base/text.hpp"
#include "executors/json_text.hpp"
#include "net/http_date.hpp"
#include "secrets/redactor.hpp"

namespace baton::executors::http {
namespace {

namespace json = boost::json;
namespace error_type = model::error_type;
using model::Outcome;

constexpr std::size_t kMaxPartialBody = 64 << 10;
constexpr std::size_t kMaxWords = 300;  // of the server, in a message
constexpr std::size_t kProblemsShown = 3;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

struct ContentType {
  std::string media;    // "application/json"; lower case
  std::string charset;  // lower case; "" if it is not said

  bool is_json() const {
    return media == "application/json" || media == "text/json" || media.ends_with("+json");
  }
};

ContentType content_type(const net::Response& response) {
  ContentType out;
  std::string_view rest = response.headers.find("Content-Type").value_or("");
  const std::size_t end = std::min(rest.find(';'), rest.size());
  out.media = lower(trim(rest.substr(0, end)));
  rest.remove_prefix(end);
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the ';'
    const std::size_t next = std::min(rest.find(';'), rest.size());
    const std::string parameter = lower(trim(rest.substr(0, next)));
    rest.remove_prefix(next);
    std::string_view value = parameter;
    if (!value.starts_with("charset=")) continue;
    value.remove_prefix(8);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    out.charset = value;
  }
  return out;
}

std::string_view without_mark(std::string_view body) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  return body.starts_with(kByteOrderMark) ? body.substr(kByteOrderMark.size()) : body;
}

std::string text_of(std::string_view body, const ContentType& type) {
  const bool latin = type.charset == "iso-8859-1" || type.charset == "latin1";
  return latin ? utf8_of_latin1(body) : to_utf8(without_mark(body));
}

std::string quoted(std::string_view text) {
  return json::serialize(json::string(text.data(), text.size()));
}

std::string headers_json(const net::Headers& headers) {
  std::map<std::string, std::string> joined;
  for (const auto& [name, value] : headers) {
    std::string key = lower(name);
    const char* between = key == "set-cookie" ? "\n" : ", ";
    const auto [at, fresh] = joined.emplace(std::move(key), value);
    if (!fresh) at->second.append(between).append(value);
  }
  std::string out = "{";
  for (const auto& [name, value] : joined) {
    if (out.size() > 1) out += ',';
    out.append(quoted(name)).append(":").append(quoted(to_utf8(value)));
  }
  return out + "}";
}

// `body` is JSON text.
std::string result_json(const net::Response& response, std::string_view body) {
  return R"({"status":)" + std::to_string(response.status) + R"(,"headers":)" +
         headers_json(response.headers) + R"(,"body":)" + std::string(body) + "}";
}

Outcome failed(model::Failure failure) {
  return {Outcome::Kind::failed, {}, std::move(failure)};
}

Outcome invalid(const Request& request, const std::string& why) {
  return failed(
      {.type = error_type::kValidation, .message = outline(request) + ": " + why, .never_retry = true});
}

std::optional<std::string> schema_problem(const schema::Schema& schema, std::string_view body) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = kMaxResultDepth;
  const json::value value = parse_json(body, error, {}, options);
  if (error) return "cannot be read";  // not reached: it was checked
  const schema::Problems problems = schema.validate(value, kProblemsShown);
  if (problems.empty()) return std::nullopt;
  std::string text;
  for (const schema::Problem& p : problems) {
    text += (text.empty() ? "" : "; ") + std::string("at \"") + printable(p.pointer) + "\" it " +
            printable(p.message);
  }
  return text;
}

// What the server says about its refusal, if that is short text.
std::string words_of(const net::Response& response, const ContentType& type,
                     const secrets::Redactor* redactor) {
  std::string words;
  if (type.is_json()) {
    json::error_code error;
    const json::value value = parse_json(without_mark(response.body), error);
    const auto* members = error ? nullptr : value.if_object();
    for (const char* name : {"detail", "message", "error_description", "error", "title"}) {
      const auto* member = members != nullptr ? members->if_contains(name) : nullptr;
      // {"error": {"message": …}} is as usual as {"error": "…"}.
      if (member != nullptr && member->is_object()) member = member->get_object().if_contains("message");
      const auto* text = member != nullptr ? member->if_string() : nullptr;
      if (text != nullptr && !text->empty()) {
        words.assign(text->data(), text->size());
        break;
      }
    }
  } else if (type.media == "text/plain") {
    words = text_of(response.body, type);
  }
  if (redactor != nullptr) words = redactor->mask(words);
  const std::string_view line = trim(std::string_view(words).substr(0, words.find_first_of("\r\n")));
  const std::string_view cut = utf8_prefix(line, kMaxWords);
  return printable(cut) + (cut.size() < line.size() ? "…" : "");
}

std::optional<Duration> retry_after(const net::Response& response, WallTime now) {
  const auto field = response.headers.find("Retry-After");
  if (!field) return std::nullopt;
  const std::string_view text = trim(*field);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) {
    constexpr std::int64_t kDay = 86'400;
    if (seconds < 0) return std::nullopt;
    return Duration::seconds(std::min(seconds, kDay));  // who waits decides how long is too long
  }
  const auto date = net::parse_http_date(text, now);
  if (!date) return std::nullopt;
  return std::max(*date - now, Duration{});
}

Outcome refused(const Request& request, const net::Response& response, const ContentType& type, WallTime now,
                const secrets::Redactor* redactor) {
  model::Failure failure;
  failure.type = error_type::kHttp;
  failure.status = response.status;
  failure.retry_after = retry_after(response, now);
  failure.message = outline(request) + ": " + std::to_string(response.status) + " " +
                    std::string(net::reason_phrase(response.status));
  if (const std::string words = words_of(response, type, redactor); !words.empty())
    failure.message += ": " + words;
  Outcome outcome = failed(std::move(failure));
  const std::string_view body = without_mark(response.body);
  if (type.is_json() && body.size() <= kMaxPartialBody && !json_problem(trim_json(body))) {
    outcome.result = result_json(response, trim_json(body));
  } else {
    std::string text = text_of(body, type);
    if (redactor != nullptr) text = redactor->mask(text);
    outcome.result = result_json(response, quoted(utf8_prefix(text, kMaxPartialBody)));
  }
  return outcome;
}

}  // namespace

Outcome outcome_of(const Request& request, const net::Response& response, WallTime now,
                   const secrets::Redactor* redactor) {
  const ContentType type = content_type(response);
  if (!request.expects(response.status)) return refused(request, response, type, now, redactor);
  const auto coding = response.headers.find("Content-Encoding");
  if (coding && !coding->empty() && !net::equals_ignoring_case(*coding, "identity")) {
    return invalid(request,
                   "the response is compressed (" + printable(*coding) + ") although that was not asked for");
  }
  std::string body;
  const bool bodiless = request.method == net::Method::head || response.body.empty();
  if (bodiless) {
    body = "null";
  } else if (type.is_json()) {
    body = trim_json(without_mark(response.body));
    if (const auto problem = json_problem(body)) {
      return invalid(request,
                     "the response calls itself " + type.media + " but is not valid JSON: " + *problem);
    }
  } else {
    body = quoted(text_of(response.body, type));
  }
  if (request.response_schema) {
    if (const auto problem = schema_problem(*request.response_schema, body)) {
      return invalid(request, "the body of the response does not fit `response_schema`: " + *problem);
    }
  }
  return {Outcome::Kind::completed, result_json(response, body), {}};
}

std::string outline(const net::Response& response) {
  std::string out = std::to_string(response.status) + " " + std::string(net::reason_phrase(response.status));
  if (const auto type = response.headers.find("Content-Type")) out += ", " + printable(*type);
  return out + ", " + std::to_string(response.body.size()) + (response.body.size() == 1 ? " byte" : " bytes");
}

std::string outline(const Request& request) {
  return std::string(net::to_string(request.method)) + " " + request.url.shown();
}

}  // namespace baton::executors::http

#include "executors/http/request.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/duration.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "base/trace_context.hpp"
#include "executors/json_text.hpp"

namespace baton::executors::http {
namespace {

namespace json = boost::json;

constexpr std::uint32_t kUsualRedirects = 10;

std::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::invalid_definition, std::move(message));
}

std::string_view view(const json::string& text) {
  return {text.data(), text.size()};
}

Result<std::string> text_of(std::string_view name, const json::value& value) {
  if (const auto* text = value.if_string()) return std::string(view(*text));
  return wrong("`" + std::string(name) + "` must be a string");
}

Result<net::QueryPairs> pairs_of(std::string_view name, const json::value& value) {
  net::QueryPairs pairs;
  const auto* members = value.if_object();
  if (members == nullptr) return wrong("`" + std::string(name) + "` must be a map");
  for (const auto& [key, member] : *members) {
    const auto add = [&, &parameter = key](const json::value& one) -> Status {
      if (one.is_null()) return {};
      TRY(std::string text, text_of(std::string(name) + "." + std::string(parameter), one));
      pairs.emplace_back(std::string(parameter), std::move(text));
      return {};
    };
    if (const auto* list = member.if_array()) {
      for (const json::value& one : *list) TRY_VOID(add(one));
    } else {
      TRY_VOID(add(member));
    }
  }
  return pairs;
}

Result<StatusRange> range_of(const json::value& value) {
  if (const auto* number = value.if_int64(); number != nullptr && *number >= 100 && *number <= 599) {
    return StatusRange{static_cast<int>(*number), static_cast<int>(*number)};
  }
  if (const auto* text = value.if_string(); text != nullptr && text->size() == 3) {
    const std::string_view word = view(*text);
    const int hundred = word[0] - '0';
    if (hundred >= 1 && hundred <= 5) {
      if (word.ends_with("xx")) return StatusRange{hundred * 100, hundred * 100 + 99};
      const int tens = word[1] - '0';
      const int ones = word[2] - '0';
      if (tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9) {
        const int status = hundred * 100 + tens * 10 + ones;
        return StatusRange{status, status};
      }
    }
  }
  return wrong("`expect` has " + json::serialize(value) + ", which is no HTTP status and no class like 2xx");
}

bool changes_something(net::Method method) {
  return method != net::Method::get && method != net::Method::head && method != net::Method::options;
}

class Reader {
 public:
  Result<Request> read(const json::object& request) {
    for (const auto& [key, value] : request) TRY_VOID(member(key, value));
    if (request_.url.host.empty()) return wrong("`url` is missing");
    if (!method_given_ && has_body_) request_.method = net::Method::post;
    if (request_.expect.empty()) request_.expect.emplace_back();
    net::add_query(request_.url, query_);
    return std::move(request_);
  }

  bool has_body() const { return has_body_; }
  std::string_view content_type() const { return content_type_; }

 private:
  Status member(std::string_view key, const json::value& value) {
    if (key == "url") {
      TRY(const std::string text, text_of(key, value));
      auto url = net::parse_web_url(text);
      if (!url) return wrong(url.error().message);
      request_.url = std::move(*url);
    } else if (key == "method") {
      TRY(const std::string text, text_of(key, value));
      const auto method = net::method_from(text);
      if (!method) return wrong("`method` is not one that can be used: " + printable(text));
      request_.method = *method;
      method_given_ = true;
    } else if (key == "query") {
      TRY(query_, pairs_of(key, value));
    } else if (key == "headers") {
      return headers(value);
    } else if (key == "json") {
      body(json::serialize(value), "application/json");
    } else if (key == "form") {
      TRY(const net::QueryPairs pairs, pairs_of(key, value));
      body(net::build_query(pairs), "application/x-www-form-urlencoded");
    } else if (key == "body") {
      TRY(std::string text, text_of(key, value));
      body(std::move(text), "text/plain; charset=utf-8");
    } else if (key == "expect") {
      return expect(value);
    } else if (key == "follow") {
      return follow(value);
    } else if (key == "connect_timeout") {
      return connect_timeout(value);
    } else if (key == "tls") {
      return tls(value);
    } else {
      return wrong("unknown field \"" + printable(key) + "\" of `http`");
    }
    return {};
  }

  void body(std::string text, std::string_view content_type) {
    request_.body = std::move(text);
    content_type_ = content_type;
    has_body_ = true;
  }

  Status headers(const json::value& value) {
    const auto* members = value.if_object();
    if (members == nullptr) return wrong("`headers` must be a map");
    for (const auto& [key, member] : *members) {
      const std::string name(key);
      TRY(std::string text, text_of("headers." + name, member));
      if (!net::Headers::is_valid_name(name))
        return wrong("\"" + printable(name) + "\" is not a name of a header field");
      // The value may be secret: it is not shown.
      if (!net::Headers::is_valid_value(text)) {
        return wrong(
            "the header field " + name +
            " has a value that headers cannot have (a line break, a control character, or blanks around it)");
      }
      request_.headers.set(name, std::move(text));
    }
    return {};
  }

  Status expect(const json::value& value) {
    if (const auto* list = value.if_array()) {
      for (const json::value& one : *list) {
        TRY(const StatusRange range, range_of(one));
        request_.expect.push_back(range);
      }
    } else {
      TRY(const StatusRange range, range_of(value));
      request_.expect.push_back(range);
    }
    return {};
  }

  Status follow(const json::value& value) {
    if (const auto* yes = value.if_bool()) {
      request_.follow = *yes ? kUsualRedirects : 0;
    } else if (const auto* number = value.if_int64(); number != nullptr && *number >= 0 && *number <= 50) {
      request_.follow = static_cast<std::uint32_t>(*number);
    } else {
      return wrong("`follow` must be true, false or a number from 0 to 50");
    }
    return {};
  }

  Status connect_timeout(const json::value& value) {
    json::error_code error;
    const auto* text = value.if_string();
    auto duration =
        text != nullptr ? parse_duration(view(*text)) : duration_from_seconds(value.to_number<double>(error));
    if (error || !duration || duration->us <= 0)
      return wrong("`connect_timeout` must be a duration of more than 0");
    request_.connect_timeout = *duration;
    return {};
  }

  Status tls(const json::value& value) {
    const auto* members = value.if_object();
    if (members == nullptr) return wrong("`tls` must be a map");
    for (const auto& [key, member] : *members) {
      if (key == "verify" && member.is_bool()) {
        request_.verify = member.get_bool();
      } else if (key == "ca" && member.is_string()) {
        request_.ca_file = view(member.get_string());
      } else {
        return wrong("`tls` has a wrong or unknown field: " + printable(key));
      }
    }
    return {};
  }

  Request request_;
  net::QueryPairs query_;
  std::string_view content_type_;
  bool has_body_ = false;
  bool method_given_ = false;
};

void add_unless_given(net::Headers& headers, const char* name, std::string_view value) {
  if (!value.empty() && !headers.find(name)) headers.add(name, std::string(value));
}

}  // namespace

bool Request::expects(int status) const {
  return std::ranges::any_of(expect,
                             [&](const StatusRange& r) { return r.first <= status && status <= r.last; });
}

Result<Request> parse_request(const Attempt& attempt) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = kMaxResultDepth + 16;  // values of the run, and what the step puts around them
  const json::value value = parse_json(attempt.spec, error, {}, options);
  const auto* members = error ? nullptr : value.if_object();
  const auto* request = members != nullptr ? members->if_contains("request") : nullptr;
  if (request == nullptr || !request->is_object()) return wrong("the request cannot be read");
  Reader reader;
  TRY(Request out, reader.read(request->get_object()));
  std::string traceparent;
  std::string idempotency_key = attempt.task.text();
  for (const auto& [key, member] : *members) {
    if (key == "response_schema") {
      auto schema = schema::Schema::compile(member);
      if (!schema) return wrong("`response_schema` is not a schema: " + schema.error().front().message);
      out.response_schema = std::move(*schema);
    } else if (key == "generation") {
      json::error_code ignored;
      idempotency_key += "-" + std::to_string(member.to_number<std::uint32_t>(ignored));
    } else if (key == "traceparent") {
      TRY(traceparent, text_of(key, member));
    } else if (key != "request") {
      return wrong("unknown member \"" + printable(key) + "\"");
    }
  }
  add_unless_given(out.headers, "Accept", "application/json, */*;q=0.8");
  add_unless_given(out.headers, "User-Agent", "baton");
  out.headers.set("Accept-Encoding", "identity");
  if (reader.has_body()) add_unless_given(out.headers, "Content-Type", reader.content_type());
  if (changes_something(out.method)) add_unless_given(out.headers, "Idempotency-Key", idempotency_key);
  add_unless_given(out.headers, "traceparent",
                   trace_of_attempt(traceparent, attempt.task.run, attempt.token).text());
  return out;
}

}  // namespace baton::executors::http

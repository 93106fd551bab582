// What an HTTP attempt does: the JSON in Attempt::spec.
//
//   "request":         the step's `http` as the definition's reference describes it, every expression
//   evaluated: "url"
//                      (required), "method", "query", "headers", one of "json", "form" and "body", "expect",
//                      "follow", "connect_timeout", "tls" {"verify", "ca" (a path)}. Values of headers are
//                      strings; those of query and form are strings, null, or lists of these.
//   "response_schema": a JSON Schema for the body, or missing
//   "traceparent":     of the run, as it was submitted, or missing: the header of that name is a span in it
//   "generation":      of the task, if it is not the first
//
// Other members are an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "executors/executor.hpp"
#include "net/http.hpp"
#include "net/web_url.hpp"
#include "schema/schema.hpp"

namespace baton::executors::http {

// 200–299 of "2xx", 404–404 of 404.
struct StatusRange {
  int first = 200;
  int last = 299;
};

struct Request {
  net::Method method = net::Method::get;
  net::WebUrl url;
  net::Headers headers;  // complete, but for what the client writes
  std::string body;
  std::vector<StatusRange> expect;
  std::uint32_t follow = 10;
  Duration connect_timeout = Duration::seconds(10);
  bool verify = true;
  std::string ca_file;  // "" = the system's
  std::optional<schema::Schema> response_schema;

  bool expects(int status) const;
};

// Of the attempt's spec. The task's id is the Idempotency-Key of methods that change something, with the
// generation behind it: a task that was reset is to be done again, not to be answered as before.
// invalid_definition with a sentence that names the member.
Result<Request> parse_request(const Attempt& attempt);

}  // namespace baton::executors::http

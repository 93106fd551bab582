#include "api/problem.hpp"

#include "api/json_text.hpp"

namespace baton::api {
namespace {

// "invalid_definition" → "Invalid definition"
std::string title_of(std::string_view code) {
  std::string title(code);
  for (char& c : title) {
    if (c == '_') c = ' ';
  }
  title[0] = static_cast<char>(title[0] - 'a' + 'A');
  return title;
}

}  // namespace

namespace {

net::Response write_problem(const Error& error, int status, std::string_view more) {
  const ErrorCodeInfo& row = info(error.code);
  JsonText body;
  body.begin_object();
  body.key("type").string("https://baton.invalid/errors/" + std::string(row.name));
  body.key("title").string(title_of(row.name));
  body.key("status").integer(status);
  body.key("detail").string(error.message);
  body.key("code").string(row.name);
  if (error.where.starts_with('/')) body.key("pointer").string(error.where);
  body.end_object();
  net::Response response{status, {{"Content-Type", "application/problem+json"}}, body.take()};
  if (!more.empty()) {
    response.body.pop_back();
    response.body += ',';
    response.body += more;
    response.body += '}';
  }
  if (error.code == ErrorCode::overloaded || error.code == ErrorCode::read_only ||
      error.code == ErrorCode::unavailable) {
    response.headers.add("Retry-After", "1");
  }
  return response;
}

}  // namespace

net::Response problem(const Error& error, std::string_view more) {
  return write_problem(error, info(error.code).http_status, more);
}

net::Response problem(const Error& error, int status, std::string_view more) {
  return write_problem(error, status, more);
}

}  // namespace baton::api

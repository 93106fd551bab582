#include "api/request_body.hpp"

#include <algorithm>
#include <boost/json/error.hpp>

#include "base/json.hpp"
#include "base/text.hpp"

namespace baton::api {
namespace {

std::unexpected<Error> wrong(std::string_view name, std::string_view wanted) {
  return fail(ErrorCode::invalid_request, "\"" + std::string(name) + "\" must be " + std::string(wanted),
              "/" + std::string(name));
}

// A result of 64 levels in a report of a list of them.
constexpr std::size_t kMostLevels = 64 + 3;

}  // namespace

Result<RequestBody> RequestBody::parse(const net::Request& request) {
  const std::string_view type = request.headers.find("Content-Type").value_or("");
  const std::string_view media = type.substr(0, type.find(';'));
  if (!net::equals_ignoring_case(media.substr(0, media.find_last_not_of(' ') + 1), "application/json")) {
    return fail(ErrorCode::invalid_request, "the body must be JSON, with Content-Type: application/json");
  }
  boost::json::parse_options options;
  options.max_depth = kMostLevels;
  boost::system::error_code error;
  boost::json::value parsed = parse_json(request.body, error, {}, options);
  if (error == boost::json::error::exponent_overflow)
    return fail(ErrorCode::invalid_request, "the body has a number that does not fit into a double");
  if (error) return fail(ErrorCode::invalid_request, "the body is not valid JSON: " + error.message());
  if (!parsed.is_object()) return fail(ErrorCode::invalid_request, "the body must be a JSON object");
  return RequestBody(std::move(parsed.get_object()));
}

Status RequestBody::only(std::initializer_list<std::string_view> known) const {
  for (const auto& [key, value] : members_) {
    if (std::ranges::find(known, std::string_view(key)) != known.end()) continue;
    std::string message = "unknown member \"" + printable(key) + "\"";
    const std::string_view near = nearest(key, {known.begin(), known.size()});
    if (!near.empty()) message += "; did you mean \"" + std::string(near) + "\"?";
    return fail(ErrorCode::invalid_request, std::move(message), "/" + printable(key));
  }
  return {};
}

const boost::json::value* RequestBody::find(std::string_view name) const {
  const boost::json::value* value = members_.if_contains(name);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

Result<std::string> RequestBody::text(std::string_view name, std::size_t max_bytes) const {
  const boost::json::value* value = find(name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return wrong(name, "a string");
  const boost::json::string& text = value->get_string();
  if (text.size() > max_bytes) {
    return fail(ErrorCode::too_large,
                "\"" + std::string(name) + "\" has " + std::to_string(text.size()) + " bytes; at most " +
                    std::to_string(max_bytes) + " are allowed",
                "/" + std::string(name));
  }
  return std::string(text);
}

Result<bool> RequestBody::boolean(std::string_view name, bool fallback) const {
  const boost::json::value* value = find(name);
  if (value == nullptr) return fallback;
  if (!value->is_bool()) return wrong(name, "true or false");
  return value->get_bool();
}

Result<std::optional<std::int64_t>> RequestBody::integer(std::string_view name, std::int64_t low,
                                                         std::int64_t high) const {
  const boost::json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_int64() || value->get_int64() < low || value->get_int64() > high) {
    return wrong(name, "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return value->get_int64();
}

Result<boost::json::object> RequestBody::object(std::string_view name) const {
  const boost::json::value* value = find(name);
  if (value == nullptr) return boost::json::object();
  if (!value->is_object()) return wrong(name, "an object");
  return value->get_object();
}

}  // namespace baton::api

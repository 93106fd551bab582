// The JSON object that a request carries. Every failure is invalid_request and says which member is wrong;
// `where` is its JSON pointer.
#pragma once

#include <boost/json/object.hpp>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "net/http.hpp"

namespace baton::api {

class RequestBody {
 public:
  // Of application/json, up to 64 levels deep.
  static Result<RequestBody> parse(const net::Request& request);
  // One that stands within another body.
  explicit RequestBody(boost::json::object members) : members_(std::move(members)) {}

  // Other members than these are errors.
  Status only(std::initializer_list<std::string_view> known) const;
  const boost::json::object& members() const { return members_; }
  const boost::json::value* find(std::string_view name) const;  // null if it is missing or null

  // Missing members are empty or the fallback.
  Result<std::string> text(std::string_view name, std::size_t max_bytes) const;
  Result<bool> boolean(std::string_view name, bool fallback) const;
  Result<std::optional<std::int64_t>> integer(std::string_view name, std::int64_t low,
                                              std::int64_t high) const;
  Result<boost::json::object> object(std::string_view name) const;

 private:
  boost::json::object members_;
};

}  // namespace baton::api

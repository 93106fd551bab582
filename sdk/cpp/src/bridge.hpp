// Between the public types and those of Baton's own sources. Within this library the public ones stand in
// baton::v0, which is not inline here: `v0::Error` is the one, `baton::Error` the other.
#pragma once

#include <baton/json.hpp>
#include <baton/result.hpp>
#include <baton/worker.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "client/client.hpp"

namespace baton::v0 {

inline Error error_of(const baton::Error& error) {
  return {static_cast<Code>(error.code), error.message, error.where};
}
inline baton::Duration duration_of(Seconds seconds) {
  constexpr double kLongest = 1e9;  // 30 years
  const double bounded = seconds.count() < 0 ? 0 : seconds.count() < kLongest ? seconds.count() : kLongest;
  return baton::Duration{static_cast<std::int64_t>(bounded * 1e6)};
}

Json json_of(const boost::json::value& value);
boost::json::value boost_of(const Json& json);
// Null stands for an empty object; usage: it is something else.
baton::Result<boost::json::object> members_of(const Json& json, std::string_view what);

// usage or bad_configuration: the address is none.
baton::Result<baton::client::Server> server_of(const ServerAddress& address);

}  // namespace baton::v0

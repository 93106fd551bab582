// The description of the API that the program carries: openapi.yaml, as it was built from.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "base/error.hpp"

namespace baton::api {

std::string_view openapi_yaml();
// Read when it is asked for: few do, and keeping this form, too, would cost memory for ever.
Result<boost::json::value> read_openapi();

}  // namespace baton::api

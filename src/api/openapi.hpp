// The description of the API that the program carries: openapi.yaml, as it was built from.
#pragma once

#include <string_view>

namespace baton::api {

std::string_view openapi_yaml();

}  // namespace baton::api

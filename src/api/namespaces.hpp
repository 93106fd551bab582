// What is said of namespaces.
#pragma once

#include <string>
#include <string_view>

#include "api/core.hpp"
#include "auth/principal.hpp"

namespace baton::api {

inline constexpr std::string_view kNamespaceHeader = "X-Baton-Namespace";

// not_found, with what may have been meant: a namespace that `who` may enter.
Error no_such_namespace(const Common& common, const auth::Principal& who, const std::string& name);

}  // namespace baton::api

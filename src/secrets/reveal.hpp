// Puts the values of secrets where a rendered step has left their names (expr::Template::Secrets::kept).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace baton::secrets {

// The value of a secret, or why there is none.
using Lookup = std::function<Result<std::string>(std::string_view name)>;

// `spec`: JSON whose strings are templates with nothing but `${{ secrets.NAME }}` in them. The same JSON with
// the values; names of members are taken as they stand. Fails with what `lookup` says, and with `expression`
// if there is anything else in the strings.
Result<std::string> reveal(std::string_view spec, const Lookup& lookup);

}  // namespace baton::secrets

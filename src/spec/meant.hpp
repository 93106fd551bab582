// What people probably meant by a field that does not exist.
#pragma once

#include <string_view>

#include "spec/fields.hpp"

namespace baton::spec {

// The field of `shape` that other tools call `word`, else the one that is spelled nearly like it, else "".
std::string_view meant_field(Shape shape, std::string_view word);

}  // namespace baton::spec

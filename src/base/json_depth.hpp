// How deeply JSON may be nested that is read: for boost::json::parse_options::max_depth, whose own value
// is 32.
#pragma once

#include <cstddef>

namespace baton {

// Of what was checked already when it came: stored values, answers. A result has 64 levels at most
// (executors/json_text.hpp) and a definition as many; what is made of them has a multiple of that.
inline constexpr std::size_t kReadJsonDepth = 600;

}  // namespace baton

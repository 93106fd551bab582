// JSON that a task wrote or a server sent: checked, but kept as text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace baton::executors {

inline constexpr std::size_t kMaxResult = 2 << 20;
inline constexpr std::size_t kMaxResultDepth = 64;

// Nothing if `text` is one JSON value (RFC 8259, UTF-8, at most kMaxResultDepth levels, numbers that fit into
// a double), else what is wrong.
std::optional<std::string> json_problem(std::string_view text);

// `text` without the white space around it.
std::string_view trim_json(std::string_view text);

}  // namespace baton::executors

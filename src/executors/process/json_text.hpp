// JSON that a task wrote: checked, but kept as text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace baton::executors::process {

inline constexpr std::size_t kMaxResult = 2 << 20;
inline constexpr std::size_t kMaxResultDepth = 64;

// Nothing if `text` is one JSON value (RFC 8259, UTF-8, at most kMaxResultDepth levels), else what is wrong.
std::optional<std::string> json_problem(std::string_view text);

// `text` without the white space around it.
std::string_view trim_json(std::string_view text);

// The wish in {"retry_after": "60s"} (a duration or a number of seconds); nothing if there is none that can
// be understood. `text` is valid JSON.
std::optional<Duration> retry_after_of(std::string_view text);

// {"stdout": …, "exit_code": 0}: `output` is cut at 64 KiB, ill-formed UTF-8 is replaced by U+FFFD.
std::string default_result(std::string_view output);

}  // namespace baton::executors::process

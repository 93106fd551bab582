// The W3C's Trace Context (https://www.w3.org/TR/trace-context/): which trace something belongs to, as the
// header `traceparent` or the variable TRACEPARENT says it: "00-TRACE-PARENT-FLAGS" in lower-case hexadecimal
// digits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"

namespace baton {

struct TraceContext {
  std::string trace;         // 32 digits, not all zero
  std::string parent;        // 16 digits, not all zero: the span that this came from
  std::string flags = "01";  // 2 digits; bit 0: it is recorded

  // What is not one is none. Of a later version of the standard only these fields are taken.
  static std::optional<TraceContext> parse(std::string_view text);
  std::string text() const;
};

// What an attempt is given: a span of its own, in the trace that its run was submitted with (`submitted`, as
// that came; may be empty or wrong). A run without one is a trace of its own, with the digits of its id.
// `attempt` tells the attempts of a run apart.
TraceContext trace_of_attempt(std::string_view submitted, const RunId& run, const Token& attempt);

}  // namespace baton

// Requests that are answered when a run has ended.
#pragma once

#include <cstddef>

#include "api/call.hpp"
#include "api/core.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "net/http.hpp"

namespace baton::api {

inline constexpr std::size_t kLongestRunWait = 300;  // seconds

// Answers with the run as soon as it has ended, or as it is when patience is over. Any thread.
void answer_when_ended(const CorePtr& core, CallPtr call, const RunId& run, Duration patience,
                       int status = 200, net::Headers headers = {});

}  // namespace baton::api

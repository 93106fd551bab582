// The credential of what runs inside of a task.
#pragma once

#include "api/request_body.hpp"
#include "base/ids.hpp"

namespace baton::api {

// "token" of a body: that of the task's attempt.
Result<Token> read_token(const RequestBody& body);

}  // namespace baton::api

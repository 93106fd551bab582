// A new run that repeats another one.
#pragma once

#include <optional>
#include <string>

#include "api/core.hpp"
#include "api/request_body.hpp"
#include "model/command.hpp"

namespace baton::api {

// What a new run with the input of `run` takes, with what the body says otherwise: input, job_id, metadata,
// priority, version; null: nothing. The key makes it one run however often it is asked for; "" = each time
// another one. Fails with not_found, or with what is wrong with it.
Result<model::SubmitRun> read_replay(Core& core, const RunId& run, const RequestBody* body, std::string key);

}  // namespace baton::api

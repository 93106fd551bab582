// What a stored run was given, for runs that repeat it or go on with another version.
#pragma once

#include <boost/json/object.hpp>

#include "api/core.hpp"
#include "model/definition.hpp"
#include "model/payload.hpp"

namespace baton::api {

// A payload that is an object; an empty one if there is none. corrupt: it is none.
Result<boost::json::object> stored_object(Core& core, const model::PayloadKey& key);
// The run's input as it was given: an optional input that was not given is stored as null and left out here.
// What may be null by the declarations of `before`, the version that it was checked against (null: nobody
// knows it), was given as null and stays, if `workflow` has such an input.
Result<boost::json::object> given_input(Core& core, RunKey run, const model::Workflow* before,
                                        const model::Workflow& workflow);
// Environment variables are taken when a run is submitted: conflict if the workflow reads others than the
// version that it was submitted with (null: nobody knows).
Status check_environment(const model::Workflow& workflow, const model::Workflow* before);

}  // namespace baton::api

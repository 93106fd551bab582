// Expressions of a task in the scope of its run (SEMANTICS 1–4), and what an executor gets. Every payload
// that they look at must be in the value cache (needs.hpp).
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "base/error.hpp"
#include "engine/state.hpp"

namespace baton::engine {

// `when` of a step; true if it has none. A value that is not a boolean is an error.
Result<bool> evaluate_when(State& state, Run& run, const Task& task);

// The items of a mapped step: the elements of a list, or {key, value} of a map in the order of its keys.
Result<boost::json::array> evaluate_items(State& state, Run& run, const Task& task);

// The first branch of a switch whose condition holds, or the `else`; -1: none.
Result<std::int32_t> evaluate_branches(State& state, Run& run, const Task& task);

// `until` of a repeated step or a poll, over `self`; true if there is none. `result`: of the attempt that has
// just succeeded, JSON.
Result<bool> evaluate_until(State& state, Run& run, const Task& task, const std::string& result);

// action, with, env and workdir of the task's action (Program::action) with every template replaced: an
// object as model::body_of makes it. If it reads secrets, a member `secrets` has their names, and the strings
// of the others are templates again in which only these are left.
Result<boost::json::value> render_body(State& state, Run& run, const Task& task);

// The limits, rate and fair key of a task whose step has expressions in them.
Result<model::Flow> render_flow(State& state, Run& run, const Task& task);

// The key of the cached result that the task may take or leave; "" if the key comes to null: neither. Of a
// step with `cache`.
Result<std::string> render_cache_key(State& state, Run& run, const Task& task);

// What is stored as the task's input after its action was rendered: the step's own body, with the bodies of
// other phases beside it under their names ({"with", …, "fallback": {…}}). Needs the present input in the
// value cache.
Result<std::string> input_with(State& state, const Task& task, boost::json::value body);

// The body of the task's action as it was recorded when it was rendered; constant ones are not recorded.
// Needs the task's input in the value cache, if it has one.
Result<boost::json::value> recorded_body(State& state, const Run& run, const Task& task);

// The JSON text that the executor of the task's kind gets: the rendered body and the submitter's
// surroundings.
struct ExecutorSpec {
  std::string json;
  bool sealed = false;  // as model::Assignment has it
};
Result<ExecutorSpec> executor_spec(State& state, Run& run, const Task& task);

// The traceparent that the run was submitted with; "" = none. Needs its context in the value cache.
std::string trace_of(State& state, const Run& run);

}  // namespace baton::engine

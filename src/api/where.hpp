// `where`: which runs a list or a bulk command is about, as an expression (CEL) over what the store has an
// index for: status, workflow, job_id and created_at.
//
//   status in ["failed", "cancelled"] && workflow == "etl" && created_at > now - duration("24h")
//
// Conditions are joined by `&&`; `||` joins conditions on the same field. What an index cannot answer is an
// error that says what can be asked instead: a list never walks all runs to evaluate an expression.
#pragma once

#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "store/store.hpp"

namespace baton::api {

struct Where {
  store::RunFilter filter;  // without a shard
  bool nothing = false;     // no run can fulfil it
};

// `now` is the value of the variable of that name. invalid_request: what is wrong, with its place in the
// text.
Result<Where> parse_where(std::string_view text, WallTime now);

// Both filters at once; false: no run can fulfil both.
bool narrow(store::RunFilter& filter, const Where& where);

}  // namespace baton::api

// What a process attempt does: the JSON in Attempt::spec, and the environment that the executor adds.
//
//   { "argv": ["prog", "arg"…] }                      run this program; without "/" it is looked up in PATH
//   { "script": "text", "shell": ["sh","-e","-c"] }   run the shell with the text as its last argument
//                                                     (`shell` may be missing: this is its default)
//   "env":     {"NAME": "value"…}  the complete environment except for what the executor adds (default empty)
//   "workdir": "/absolute/path"    default, also if "": the run's scratch directory (BATON_RUN_DIR)
//   "with":    any JSON            written to the file $BATON_INPUT (default {})
//   "parse":   "json" | null       how stdout becomes the result if $BATON_RESULT was not written
//   "traceparent": "00-…"          of the run, as it was submitted, or missing
//
// Other members are an error. The executor adds BATON_RUN_ID, BATON_TASK_ID, BATON_ATTEMPT, BATON_TOKEN,
// BATON_RUN_DIR, BATON_INPUT and BATON_RESULT, BATON_SOCKET where the owner serves the API on one, and
// BATON_NAMESPACE where that is known; members of `env` with these names are replaced. Unless `env` has a
// TRACEPARENT, the attempt gets one: a span of its own in the run's trace.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "executors/executor.hpp"
#include "executors/process/scratch.hpp"

namespace baton::executors::process {

struct Spec {
  std::vector<std::string> argv;  // never empty
  std::map<std::string, std::string> env;
  std::string workdir;  // empty: the run's scratch directory
  std::string input;    // JSON text; empty without `with`
  bool parse_json = false;
  std::string traceparent;
};

// invalid_definition with a sentence that names the member.
Result<Spec> parse_spec(std::string_view json);

// The allow-listed part of `environment` (a null-terminated list of "NAME=value"): PATH, HOME, USER, LANG,
// LC_*, TZ, TMPDIR (SEMANTICS 44). What `env` of a definition is merged over.
std::map<std::string, std::string> base_environment(const char* const* environment);

// "NAME=value" in the order of the names.
std::vector<std::string> full_environment(const Spec& spec, const Attempt& attempt, const AttemptFiles& files,
                                          const std::string& socket = {});

}  // namespace baton::executors::process

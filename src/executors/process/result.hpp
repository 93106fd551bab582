// How a process's end becomes the outcome of its attempt (PRODUCT §4; SEMANTICS 6, 7, 44, 54).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "executors/json_text.hpp"
#include "executors/process/capture.hpp"
#include "model/outcome.hpp"

namespace baton::executors::process {

// What the process left in $BATON_RESULT.
struct ResultFile {
  bool written = false;
  std::string text;     // if it could be read and is not too large
  std::string problem;  // otherwise: a phrase that says why not
  bool unread = false;  // there may be one, but this process lacked the descriptors to read it
};
// Reads at most kMaxResult bytes. A symbolic link, a pipe or a device is a problem, never followed or waited
// for.
ResultFile read_result_file(const std::string& path);

// The JSON that an attempt left although it did not complete. `text` is empty if there is none that can be
// used; `problem` says why, if there was something.
struct PartialResult {
  std::string text;
  std::string problem;
};
PartialResult partial_result(const ResultFile& file);

struct Ended {
  int wait_status = 0;  // as of waitpid
  bool parse_json = false;
  Head output{kStdoutHead};  // kMaxResult if parse_json
  Tail errors{kMaxErrorText};
  ResultFile result;
};
model::Outcome outcome_of(const Ended& ended);

// The result of an ended process, in the order of the rules:
//   - exit 0, $BATON_RESULT unread: interrupted. What it says is not known, and the process did not fail.
//   - signal: failed, `signal`; valid JSON in $BATON_RESULT is the partial result.
//   - exit other than 0: failed, `exit`; partial result as above; 75 with its wish for the delay.
//   - 0, $BATON_RESULT written: completed with its JSON; invalid or too large: failed, `validation`, never
//   retried.
//   - 0, parse: json: completed with stdout as JSON; invalid or too large: as above.
//   - 0: completed with {"stdout": …, "exit_code": 0}.

// The wish in {"retry_after": "60s"} (a duration or a number of seconds); nothing if there is none that can
// be understood. `text` is valid JSON.
std::optional<Duration> retry_after_of(std::string_view text);

// {"stdout": …, "exit_code": 0}: `output` is cut at 64 KiB, ill-formed UTF-8 is replaced by U+FFFD.
std::string default_result(std::string_view output);

// An attempt whose program could not be started.
model::Outcome start_failure(std::string message, bool never_retry = false);

// The server stopped, or the helper process died, under the attempt.
model::Outcome interruption(std::string message);

}  // namespace baton::executors::process

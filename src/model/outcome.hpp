// How one attempt ended, as its executor reports it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"

namespace baton::model {

// Error types that Baton itself raises (SEMANTICS 15); a handler may raise any other name.
namespace error_type {
inline constexpr const char* kExit = "exit";  // exit code other than 0; 127 also if it could not be started
inline constexpr const char* kSignal = "signal";            // killed by a signal
inline constexpr const char* kTimeout = "timeout";          // ended after the soft or hard timeout
inline constexpr const char* kLost = "lost";                // the worker died or lost its lease
inline constexpr const char* kInterrupted = "interrupted";  // the server stopped under an in-process attempt
inline constexpr const char* kConnection =
    "connection";                             // none, or it broke before the whole answer was there
inline constexpr const char* kHttp = "http";  // a status that was not expected: Failure::status
inline constexpr const char* kValidation = "validation";  // the result has the wrong form or is too large
inline constexpr const char* kExpression = "expression";  // an expression failed
inline constexpr const char* kCancelled = "cancelled";
inline constexpr const char* kStartTimeout = "start_timeout";  // waited too long in the queue
inline constexpr const char* kHeartbeat = "heartbeat";         // gave no sign of life for too long
inline constexpr const char* kRejected = "rejected";           // a person said no
inline constexpr const char* kBreakerOpen = "breaker_open";    // and the task does not wait for it
inline constexpr const char* kQuarantined = "quarantined";     // lost or interrupted too often
inline constexpr const char* kFinally = "finally";             // of a run: only a finally step failed
inline constexpr const char* kGivenUp = "given_up";            // of a run: somebody ended it as stuck
inline constexpr const char* kUnsatisfied = "unsatisfied";     // `repeat` ended, its condition did not hold
}  // namespace error_type

struct Failure {
  std::string type;                     // one of error_type, or the handler's own
  std::string message;                  // for people; at most 4 KiB are kept
  std::optional<int> exit_code;         // of a process that exited
  std::optional<int> signal;            // of a process that was killed
  std::optional<int> status;            // of an HTTP response
  std::optional<Duration> retry_after;  // the handler's wish for the delay of the next attempt
  bool never_retry = false;             // the handler says that another try cannot help

  friend bool operator==(const Failure&, const Failure&) = default;
};

struct Outcome {
  enum class Kind : std::uint8_t { completed, failed, interrupted };
  Kind kind = Kind::completed;
  std::string result;  // JSON text; of a failed attempt: the partial result, may be empty
  Failure failure;     // unless completed

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

}  // namespace baton::model

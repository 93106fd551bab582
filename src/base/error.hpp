// Expected failures are values. Every function that can fail for a reason outside the program returns
// Result<T>; bugs are assertions, and exceptions of libraries stop at the module that called them.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace baton {

// What went wrong, as far as a caller reacts to it differently. Each code has a page in
// docs/errors/<name>.md.
enum class ErrorCode : std::uint8_t {
  usage,                 // the command line or a parameter is wrong
  invalid_definition,    // a workflow definition has errors
  invalid_input,         // the run's input does not fit the workflow's `inputs`
  invalid_request,       // a request to the API is malformed
  unsupported,           // a feature of the language or API that this version does not have
  not_found,             // no such run, task, workflow, file
  conflict,              // the state forbids it; the message says the state and what is possible
  stale_token,           // a report or heartbeat with a token that no longer holds the attempt
  idempotency_mismatch,  // same idempotency key, other body
  not_allowed,           // permission missing
  too_large,             // over a limit; the message names the limit
  overloaded,            // backlog full: try again later
  read_only,             // the store takes no writes at the moment (disk full, probe pending)
  unavailable,           // the server cannot be reached or is stopping
  timed_out,             // a wait ended before the awaited thing happened
  owned,                 // another process owns the data directory
  io,                    // a file or socket operation failed
  corrupt,               // stored data is damaged
  bad_configuration,     // configuration file, environment or flags contradict each other
  expression,            // an expression failed to evaluate
  interrupted,           // this process was told to stop
  internal,              // a bug: please report
};

// One row per code: its name in APIs and documentation, and the exit code of a command that ends with it.
struct ErrorCodeInfo {
  ErrorCode code;
  std::string_view name;
  int exit_code;
  int http_status;
};

// All codes in the order of the enumeration.
std::span<const ErrorCodeInfo> all_error_codes();
const ErrorCodeInfo& info(ErrorCode code);
std::optional<ErrorCode> error_code_from_name(std::string_view name);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  // a sentence for people: what, where, what to do instead
  std::string where;    // machine-readable place: a JSON pointer, a file, an id; may be empty

  friend bool operator==(const Error&, const Error&) = default;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string where = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(where)});
}
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

// `errno`'s value as a phrase ("No space left on device"), independent of the locale.
std::string errno_text(int errno_value);

}  // namespace baton

#define BATON_CONCAT_INNER(a, b) a##b
#define BATON_CONCAT(a, b) BATON_CONCAT_INNER(a, b)

// TRY(auto x, f()): x = value of f(), or return its error from this function.
#define TRY(declaration, expression)                                                                        \
  auto BATON_CONCAT(try_, __LINE__) = (expression);                                                         \
  if (!BATON_CONCAT(try_, __LINE__)) return ::baton::fail(std::move(BATON_CONCAT(try_, __LINE__)).error()); \
  declaration = std::move(*BATON_CONCAT(try_, __LINE__))

// TRY_VOID(f()): return the error of a Status from this function.
#define TRY_VOID(expression) \
  if (auto try_status = (expression); !try_status) return ::baton::fail(std::move(try_status).error())

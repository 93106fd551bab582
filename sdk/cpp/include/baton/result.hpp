// Expected failures are values: what may fail returns Result<T>, or Status if there is no value.
//
//   auto run = client.get(id);
//   if (!run) return complain(run.error().message);
//   use(run->status);
//
// Who prefers exceptions writes client.get(id).value(), which throws Exception.
#pragma once

#include <baton/config.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace baton::BATON_INLINE v0 {

// What went wrong, as far as a program reacts to it differently: the codes of docs/errors.
enum class Code {
  usage,                 // a parameter is wrong
  invalid_definition,    // a workflow definition has mistakes; the message names them all
  invalid_input,         // the input does not fit the workflow's `inputs`
  invalid_request,       // the server cannot read the request
  unsupported,           // this version does not have that
  not_found,             // there is no such thing
  conflict,              // the state forbids it; the message says which
  stale_token,           // another attempt holds the task: what this one does does not count any more
  idempotency_mismatch,  // the same key came with another request
  not_allowed,           // who asks may not do that, or is not known
  too_large,             // over a limit, which the message names
  overloaded,            // not now; try again later
  read_only,             // the server cannot write just now
  unavailable,           // nobody answers; what was asked may have happened
  timed_out,             // a wait was over before what was waited for
  owned,                 // another process owns the data directory
  io,                    // a file or connection failed
  corrupt,               // stored data are damaged
  bad_configuration,     // settings contradict each other
  expression,            // an expression failed
  interrupted,           // was told to stop
  internal,              // a mistake of Baton's: please report it
};

// "not_found"
BATON_API std::string_view name(Code code) noexcept;

struct Error {
  Code code = Code::internal;
  std::string message;  // a sentence for people: what, where, what to do instead
  std::string where;    // machine-readable place, such as a JSON pointer; may be empty
};

// Thrown by value() of a result that has none.
class BATON_API Exception : public std::runtime_error {
 public:
  explicit Exception(Error error);
  ~Exception() override;
  const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

// A value or an error. operator* and -> of one that has no value are mistakes, as with std::optional.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& operator*() & { return *std::get_if<0>(&content_); }
  const T& operator*() const& { return *std::get_if<0>(&content_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&content_)); }
  T* operator->() { return std::get_if<0>(&content_); }
  const T* operator->() const { return std::get_if<0>(&content_); }

  T& value() & { return check(), **this; }
  const T& value() const& { return check(), **this; }
  T value() && { return check(), std::move(**this); }
  template <typename U>
  T value_or(U&& otherwise) const& {
    return ok() ? **this : static_cast<T>(std::forward<U>(otherwise));
  }

  const Error& error() const& { return *std::get_if<1>(&content_); }
  Error&& error() && { return std::move(*std::get_if<1>(&content_)); }

 private:
  void check() const {
    if (!ok()) throw Exception(error());
  }

  std::variant<T, Error> content_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  void value() const {
    if (error_) throw Exception(*error_);
  }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace baton::BATON_INLINEv0

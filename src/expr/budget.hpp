// What one evaluation has left, and how an evaluation fails.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

#include "expr/value.hpp"

namespace baton::expr {

// An evaluation that failed. CEL's logical operators may absorb an ordinary fault, never one of exhaustion or
// of a loader.
struct Fault {
  std::string message;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  bool placed = false;  // offset and length are set
  bool final = false;   // not to be absorbed
  std::shared_ptr<const Error> loader_error;
};

using Outcome = std::expected<Value, Fault>;

inline std::unexpected<Fault> fault(std::string message) {
  return std::unexpected(Fault{std::move(message)});
}

class Budget {
 public:
  Budget(std::uint64_t steps, std::uint64_t bytes) : steps_(steps), bytes_(bytes) {}

  // False: exhausted, and the evaluation must end with exhausted().
  bool spend(std::uint64_t steps) {
    if (steps > steps_) {
      steps_ = 0;
      return false;
    }
    steps_ -= steps;
    return true;
  }
  // For work on `n` bytes of text: copying, searching, comparing.
  bool spend_text(std::uint64_t n) { return spend(1 + n / 64); }
  // For a new string, list or map of `n` bytes.
  bool make(std::uint64_t n) {
    if (n > bytes_) {
      bytes_ = 0;
      out_of_memory_ = true;
      return false;
    }
    bytes_ -= n;
    return spend_text(n);
  }
  std::uint64_t& steps() { return steps_; }

  std::unexpected<Fault> exhausted() const {
    return std::unexpected(Fault{.message = out_of_memory_ ? "the expression makes more data than is allowed"
                                                           : "the expression does more work than is allowed",
                                 .final = true});
  }

 private:
  std::uint64_t steps_;
  std::uint64_t bytes_;
  bool out_of_memory_ = false;
};

}  // namespace baton::expr

// The lines of a definition's graph: needs, and the ways of a `switch`.
#pragma once

#include <string>
#include <vector>

#include "spec/outline.hpp"

namespace baton::cli {

class Links {
 public:
  // `unicode`: notes may have characters beyond ASCII.
  Links(const spec::Outline& outline, bool unicode);

  // Ascending, without repetitions.
  const std::vector<Ordinal>& before(Ordinal step) const { return before_[step]; }
  const std::vector<Ordinal>& after(Ordinal step) const { return after_[step]; }
  // All steps, each after those before it.
  const std::vector<Ordinal>& order() const { return order_; }

  // What there is to say about a step in a few words: its condition, for what it runs, its kind if it is no
  // process.
  const std::vector<std::string>& notes(Ordinal step) const { return notes_[step]; }
  // Whether it may be left out by a condition or a `switch`.
  bool conditional(Ordinal step) const { return conditional_[step]; }

 private:
  bool reaches(Ordinal from, Ordinal to) const;

  std::vector<std::vector<Ordinal>> before_;
  std::vector<std::vector<Ordinal>> after_;
  std::vector<Ordinal> order_;
  std::vector<std::vector<std::string>> notes_;
  std::vector<bool> conditional_;
};

}  // namespace baton::cli

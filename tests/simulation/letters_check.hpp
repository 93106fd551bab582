// What is promised about dead letters (SEMANTICS 13, 21): one for each task and generation that failed for
// good and counts, and no others.
#pragma once

#include <set>
#include <string>

#include "books.hpp"
#include "diary.hpp"
#include "scenario/observe.hpp"
#include "store/store.hpp"

namespace baton::simulation {

class LettersCheck {
 public:
  LettersCheck(store::Reader& reader, Diary& diary) : reader_(reader), diary_(diary) {}

  void discard_intended(const std::string& id) { discarded_.insert(id); }  // it may be gone
  void finish(const RunBook& run, const scenario::Observed& seen);

 private:
  store::Reader& reader_;
  Diary& diary_;
  std::set<std::string> discarded_;
};

}  // namespace baton::simulation

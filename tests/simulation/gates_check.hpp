// What must not start (SEMANTICS 31, 34, 41): what is paused, what a breaker holds back, what a cancel or a
// deadline has ended.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "books.hpp"
#include "diary.hpp"
#include "store/store.hpp"

namespace baton::simulation {

class GatesCheck {
 public:
  GatesCheck(store::Reader& reader, Diary& diary, bool steady_clock)
      : reader_(reader), diary_(diary), steady_clock_(steady_clock) {}

  // Before the books follow.
  void attempt_starts(const RunBook& run, const TaskBook& task, const model::Fact& fact);
  void attempt_ends(const RunBook& run, const model::Fact& fact);
  // All facts so far were told.
  void look();

 private:
  struct Probe {
    std::string what;
    ShardTime half_open_since;
    std::uint32_t most = 1;
  };
  using Attempt = std::pair<RunId, Ordinal>;
  void check_pauses(const RunBook& run, const TaskBook& task, const model::Fact& fact,
                    const std::string& what);
  void check_breaker(const RunBook& run, const TaskBook& task, const model::Fact& fact,
                     const std::string& what);

  store::Reader& reader_;
  Diary& diary_;
  bool steady_clock_;
  std::map<std::string, std::map<Attempt, ShardTime>>
      through_;                          // a breaker: attempts under way, and since when
  std::map<std::string, Probe> probed_;  // breakers with a probe since the last look: the last one
};

}  // namespace baton::simulation

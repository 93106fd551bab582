// What is promised about signals (SEMANTICS 37): a run keeps them from its start; per name each wait takes
// the oldest one, and nothing waits for one that is there.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "books.hpp"
#include "diary.hpp"
#include "store/store.hpp"

namespace baton::simulation {

class SignalsCheck {
 public:
  SignalsCheck(store::Reader& reader, Diary& diary) : reader_(reader), diary_(diary) {}

  // What somebody was told at the owner's door.
  void accepted(const RunId& run, std::uint32_t number, const std::string& data, bool existing);

  void received(const RunBook& run, const model::Fact& fact);
  void wait_begins(const RunBook& run, const model::Fact& fact);
  void wait_ends(const RunBook& run, const model::Fact& fact);  // however
  void forget(const RunId& run);                                // what nobody has taken
  // Everything of a commit is written down.
  void look();

 private:
  struct Name {
    std::vector<std::uint32_t> kept;  // by number
    std::set<Ordinal> waiting;
  };
  struct Run {
    std::map<std::string, Name> names;
    std::map<std::uint32_t, std::string> data;  // by number, as far as known
    std::set<std::uint32_t> fresh;              // that were said to be new
    std::map<Ordinal, std::string> waits;       // for which name
  };

  store::Reader& reader_;
  Diary& diary_;
  std::map<RunId, Run> runs_;
  std::set<RunId> touched_;
};

}  // namespace baton::simulation

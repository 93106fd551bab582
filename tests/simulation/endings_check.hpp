// What is promised about the end of a run (SEMANTICS 26–28, 55; RELIABILITY I13): whatever a step began to do
// is cleaned up after, completed steps are undone backwards when the run fails, and what was registered is
// given back, or stays on the list where people see it.
#pragma once

#include <map>
#include <string>

#include "books.hpp"
#include "diary.hpp"
#include "store/store.hpp"

namespace baton::simulation {

class EndingsCheck {
 public:
  EndingsCheck(store::Reader& reader, Diary& diary) : reader_(reader), diary_(diary) {}

  // ---- The ledger of things: what attempts have made, and what somebody has given back.
  void made(const Token& token, const TaskId& task, const std::string& resource);
  void given_back(const std::string& resource);

  // ---- Facts, before the books follow them
  void task_added(RunBook& run, const model::Fact& fact);
  void attempt_starts(const TaskBook& task, const std::string& what);
  void stage_begins(const RunBook& run);  // with the stage that ends now
  void resource_fact(RunBook& run, TaskBook& task, const model::Fact& fact);
  void run_ends(const RunBook& run);

  // When nothing has gone wrong for a long time.
  void finish();

 private:
  void check_order(const RunBook& run, const model::Fact& fact, const TaskBook& parent);
  void wrong(const char* invariant, std::string what) { diary_.wrong(invariant, std::move(what)); }

  store::Reader& reader_;
  Diary& diary_;
  std::map<std::string, bool> things_;  // by the id of their resource: whether they exist
};

}  // namespace baton::simulation

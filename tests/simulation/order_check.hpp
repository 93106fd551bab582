// Strict priorities: what is more urgent starts first (SEMANTICS 39), among tasks that nothing but the want
// of a worker keeps in their queue.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "books.hpp"
#include "diary.hpp"
#include "store/store.hpp"

namespace baton::simulation {

class OrderCheck {
 public:
  OrderCheck(store::Reader& reader, Diary& diary) : reader_(reader), diary_(diary) {}

  void committed(const RunBook& run, const TaskBook& task, const model::Fact& fact);
  // All facts so far were told.
  void look();

 private:
  struct Waiting {
    std::string queue;
    std::int64_t priority = 0;
    bool seen = false;  // it has stood there since an earlier look
    const RunBook* run = nullptr;
  };
  struct Start {
    std::string what;
    Waiting was;
  };

  store::Reader& reader_;
  Diary& diary_;
  bool paused_ = false;  // anything, ever: it would have to be known what it held back, and when
  std::map<TaskKey, Waiting> waiting_;
  std::vector<Start> starts_;  // since the last look
};

}  // namespace baton::simulation

// Limits and rates: what steps take of them, what people set, and the count from outside (I8): of what the
// journal says that runs, at no instant more than there is, and in no span of time more starts than allowed.
#pragma once

#include <boost/json/object.hpp>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "diary.hpp"
#include "engine/moment.hpp"
#include "model/command.hpp"
#include "model/definition.hpp"
#include "model/fact.hpp"

namespace baton::simulation {

// Has a step that makes attempts use something now and then.
void add_limits(boost::json::object& step, engine::Random& random);

// How much there is of what steps use. Nobody ever says anything else.
std::vector<model::SetLimit> limits_that_are_set();

class LimitsCheck {
 public:
  LimitsCheck(Diary& diary, bool steady_clock) : diary_(diary), steady_clock_(steady_clock) {}

  void committed(RunKey run, const model::Workflow& workflow, const model::Fact& fact);
  // All facts so far were told.
  void look();

 private:
  void starts(const TaskKey& task, const model::Step& step, const model::Fact& fact);

  Diary& diary_;
  bool steady_clock_ = true;
  std::set<TaskKey> helpers_;                                     // tasks that serve others hold nothing
  std::map<std::string, std::map<TaskKey, std::uint32_t>> held_;  // by limit
  std::map<std::string, std::uint64_t> taken_;  // limits since the last look, and how much there is of them
  std::map<std::string, std::deque<WallTime>> starts_;  // by rate: the last ones
};

}  // namespace baton::simulation

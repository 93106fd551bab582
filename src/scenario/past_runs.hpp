// Assumptions from what was: how long the attempts of earlier runs of a workflow took, and how often they
// failed.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "scenario/assumptions.hpp"

namespace baton::scenario {

class PastRuns {
 public:
  // A task as the API shows it, with its `attempt_list`. Only what says how long the step's own work takes
  // counts: neither helpers, fallbacks and preflights nor attempts that were stopped, lost or given back.
  void add(const boost::json::object& task);

  // Where there are attempts of a step, they are what is assumed of it.
  void apply(Assumptions& assumptions) const;
  // Steps of which nothing is known.
  std::vector<std::string_view> unknown(const Assumptions& assumptions) const;

 private:
  struct Step {
    std::vector<Duration> took;
    std::uint64_t failed = 0;
    std::map<std::string, std::uint64_t> errors;  // by type: how often
    std::string result;                           // JSON, of the last one that completed
  };
  std::map<std::string, Step> steps_;
};

}  // namespace baton::scenario

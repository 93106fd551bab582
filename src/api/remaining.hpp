// How long a run will still take: the longest chain of steps that have not ended, each as long as it took in
// earlier runs, or as its `estimate` says.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/time.hpp"
#include "model/definition.hpp"
#include "model/rows.hpp"

namespace baton::api {

// By step; how long it took from its first attempt to its end.
using PastDurations = std::map<std::string, Duration, std::less<>>;

// The middle one of the durations of each step.
class DurationStatistics {
 public:
  void add(const std::string& step, Duration took) { took_[step].push_back(took); }
  PastDurations medians() &&;

 private:
  std::map<std::string, std::vector<Duration>> took_;
};

// `rows`: the steps' own tasks by ordinal, pending ones included. A step of which nothing is known takes as
// long as the others do on average; nullopt: nothing is known of any. `now` = nullopt: what runs counts as
// just started.
std::optional<Duration> time_left(const model::Workflow& workflow, std::span<const model::TaskRow> rows,
                                  const PastDurations& past, std::optional<WallTime> now);

}  // namespace baton::api

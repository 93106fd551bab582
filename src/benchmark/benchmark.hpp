// Measures what Baton does per second on this machine: a real server with every commit durable, a worker
// process, and this process as the client, over HTTP on the loopback interface.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace baton::benchmark {

struct Options {
  std::string program;    // the path of baton
  std::string directory;  // exists and is empty; what is measured is the disk that it is on
  int rounds = 5;
  int tasks = 20'000;                          // of the first workload
  std::uint64_t seed = 0;                      // of the moment at which the server is killed
  std::function<void(std::string_view)> note;  // what it is about to do
  std::function<bool()> interrupted;           // asked between the parts
};

// One figure of each round.
struct Series {
  std::string name;  // "W1 rate"
  std::string what;  // "20,000 independent tasks, end to end"
  std::string unit;  // "tasks/s"
  std::vector<double> values;
  double goal = 0;    // 0 = none
  bool more = false;  // whether more is better

  double lowest() const;
  double median() const;
  double highest() const;
  bool reached() const;  // by the median
};

// The server was killed in the middle of the first workload, and went on.
struct Kill {
  double after = 0;  // seconds from the first submission
  std::size_t acknowledged = 0;
  std::size_t runs = 0;  // that there are afterwards: as many as were submitted, however often
  std::size_t lost = 0;  // acknowledged, and missing or not completed
  double seconds = 0;    // the whole, from the first submission to the last end
};

struct Report {
  std::vector<Series> floors;
  std::vector<Series> series;
  Kill kill;
};

// Fails with io, internal (Baton did what it must not do), interrupted.
Result<Report> measure(const Options& options);

}  // namespace baton::benchmark

// Counts and measures. What happens is counted when it happens (add, observe); what *is* is read when
// somebody asks (Reading). Both together are what GET /metrics shows.
//
// Values and text format are prometheus-cpp's; which metrics there are says catalogue.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "telemetry/catalogue.hpp"

namespace prometheus {
class Counter;
class Histogram;
}  // namespace prometheus

namespace baton::telemetry {

// The values of a metric's labels, in the order of the catalogue.
using Labels = std::initializer_list<std::string_view>;

// One series at one moment, for those who show metrics in their own way.
struct Sample {
  Metric metric;
  std::array<std::string, kMostLabels> labels;
  double value = 0;                    // of a counter or gauge; of a histogram the sum
  std::uint64_t count = 0;             // of a histogram
  std::vector<std::uint64_t> buckets;  // of a histogram: how many were at most each bound
  std::string space{};                 // the namespace that it is about; "" = the whole process
};

// What is read at one moment: gauges, and counters that others keep. Not thread-safe.
class Reading {
 public:
  // Each combination of labels once; those beyond the limit are left out.
  void set(Metric metric, Labels labels, double value);
  void set(Metric metric, double value) { set(metric, {}, value); }

 private:
  friend class Meter;
  std::vector<Sample> samples_;
  std::array<std::size_t, kMetrics> series_{};
};

// Thread-safe.
class Meter {
 public:
  Meter();
  ~Meter();
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  void add(Metric metric, Labels labels, double by = 1);  // of a counter
  void add(Metric metric) { add(metric, {}); }
  void observe(Metric metric, Labels labels, double value);  // of a histogram
  void observe(Metric metric, double value) { observe(metric, {}, value); }

  // Everything, by metric in the order of the catalogue, then by labels.
  std::vector<Sample> samples(const Reading& reading = {}) const;

 private:
  friend class Tally;
  struct Series;
  struct Family;

  Series& series(Metric metric, Labels labels);

  mutable std::mutex mutex_;  // guards the rest
  std::vector<std::unique_ptr<Family>> families_;
};

// What is to count once something else has happened: the commit that it follows from is durable. Dropped, it
// has never been. Not thread-safe; the meter must outlive it.
class Tally {
 public:
  explicit Tally(Meter& meter) : meter_(meter) {}

  void add(Metric metric, Labels labels);
  void observe(Metric metric, Labels labels, double value);
  void count();  // now, and once

 private:
  struct Entry {
    Meter::Series* series;
    double value;
  };
  Meter& meter_;
  std::vector<Entry> entries_;
};

// Several lists as one, in the order of samples(). Each namespace counts by itself, and none takes another's
// series away.
std::vector<Sample> merged(std::vector<std::vector<Sample>> lists);

// The Prometheus text format, version 0.0.4. What is about a namespace has the label `namespace`, first.
std::string to_text(const std::vector<Sample>& samples);
inline constexpr std::string_view kTextType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace baton::telemetry

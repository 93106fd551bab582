#include "telemetry/process_stats.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <map>

namespace baton::telemetry {
namespace {

TEST(ProcessStats, KnowsThisProcess) {
  Reading reading;
  read_process(reading);
  std::map<Metric, double> values;
  for (const Sample& sample : Meter().samples(reading)) values[sample.metric] = sample.value;
  EXPECT_GT(values.at(Metric::process_resident), 1 << 20);
  EXPECT_GE(values.at(Metric::process_virtual), values.at(Metric::process_resident));
  EXPECT_GE(values.at(Metric::process_threads), 1);
  EXPECT_GE(values.at(Metric::process_open_fds), 1);
  EXPECT_LE(values.at(Metric::process_open_fds), values.at(Metric::process_max_fds));
  EXPECT_GE(values.at(Metric::process_cpu), 0);
  // The clock that it is counted with may differ from the wall's by a little.
  EXPECT_LE(values.at(Metric::process_start), static_cast<double>(::time(nullptr)) + 60);
  EXPECT_GT(values.at(Metric::process_start), 1.5e9);
}

}  // namespace
}  // namespace baton::telemetry

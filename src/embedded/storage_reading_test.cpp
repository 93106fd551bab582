#include "embedded/storage_reading.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace baton::embedded {
namespace {

using telemetry::Metric;

TEST(StorageReading, TellsWhatIsTakenAndWhatIsLeft) {
  std::string folder = testing::TempDir() + "/baton-storage-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::ofstream(folder + "/baton.db") << std::string(5000, 'x');
  telemetry::Reading reading;
  read_storage(folder, reading);
  std::filesystem::remove_all(folder);

  std::map<Metric, telemetry::Sample> samples;
  for (telemetry::Sample& sample : telemetry::Meter().samples(reading)) {
    samples.emplace(sample.metric, std::move(sample));
  }
  ASSERT_TRUE(samples.contains(Metric::database_bytes));
  EXPECT_EQ(samples.at(Metric::database_bytes).labels[0], "database");
  EXPECT_EQ(samples.at(Metric::database_bytes).value, 5000);
  EXPECT_LE(samples.at(Metric::disk_free).value, samples.at(Metric::disk_size).value);
}

TEST(StorageReading, SaysNothingOfWhatIsNotThere) {
  telemetry::Reading reading;
  read_storage(testing::TempDir() + "/baton-storage-none", reading);
  for (const telemetry::Sample& sample : telemetry::Meter().samples(reading)) {
    EXPECT_NE(sample.metric, Metric::disk_free);
    EXPECT_NE(sample.metric, Metric::database_bytes);
  }
}

}  // namespace
}  // namespace baton::embedded

#include "telemetry/catalogue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace baton::telemetry {
namespace {

// What `promtool check metrics` asks of names, and a little more.
TEST(Catalogue, NamesSayWhatTheyCount) {
  std::set<std::string_view> names;
  for (const MetricInfo& metric : catalogue()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name << " stands there twice";
    EXPECT_TRUE(metric.name.starts_with("baton_") || metric.name.starts_with("process_")) << metric.name;
    EXPECT_TRUE(std::ranges::all_of(metric.name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }))
        << metric.name;
    EXPECT_EQ(metric.kind == MetricKind::counter, metric.name.ends_with("_total")) << metric.name;
    for (const std::string_view reserved : {"_count", "_sum", "_bucket"}) {
      EXPECT_FALSE(metric.name.ends_with(reserved)) << metric.name;
    }
    EXPECT_FALSE(metric.help.empty()) << metric.name;
    EXPECT_FALSE(metric.help.ends_with('.')) << metric.name;
    EXPECT_TRUE(std::ranges::is_sorted(metric.buckets)) << metric.name;
  }
}

TEST(Catalogue, HasNoIdsAsLabels) {
  for (const MetricInfo& metric : catalogue()) {
    for (std::size_t i = 0; i < metric.label_count(); ++i) {
      const std::string_view label = metric.labels[i];
      EXPECT_FALSE(label == "run" || label == "task" || label == "id" || label == "le") << metric.name;
    }
  }
  EXPECT_TRUE(is_open("workflow"));
  EXPECT_FALSE(is_open("status"));
}

TEST(Catalogue, IsInTheOrderOfItsEnum) {
  for (const MetricInfo& metric : catalogue()) EXPECT_EQ(&info(metric.id), &metric);
}

}  // namespace
}  // namespace baton::telemetry

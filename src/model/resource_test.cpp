#include "model/resource.hpp"

#include <gtest/gtest.h>

namespace baton::model {
namespace {

Resource sample() {
  Resource resource;
  resource.task = {RunId::make(RunKey::make(ShardId{0}, 7), WallTime{1'000'000}, Seed{1, 2}), 3};
  resource.name = "deployment.eu-1";
  resource.status = ResourceStatus::leaked;
  resource.at = {5'000'000};
  resource.order = 4;
  resource.attempt = 2;
  resource.body = R"({"action":["./undeploy.sh"]})";
  resource.cleaner = 12;
  resource.error = "exit code 3";
  return resource;
}

TEST(Resource, ReadsBack) {
  const auto back = resource_of(record_of(sample()));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, sample());
}

TEST(Resource, ItsIdBeginsWithItsTask) {
  const Record record = record_of(sample());
  EXPECT_EQ(record.id.key, sample().task.text() + ":deployment.eu-1");
  EXPECT_TRUE(record.id.key.starts_with(sample().task.run.text() + "."));
}

TEST(Resource, DamageIsAnErrorNeverACrash) {
  const Record good = record_of(sample());
  for (std::size_t i = 0; i < good.state.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      Record flipped = good;
      flipped.state[i] = static_cast<char>(flipped.state[i] ^ (1 << bit));
      (void)resource_of(flipped);
    }
  }
  for (const char* key : {"", ":x", "run", "nonsense:x"}) {
    Record record = good;
    record.id.key = key;
    const auto read = resource_of(record);
    ASSERT_FALSE(read) << key;
    EXPECT_EQ(read.error().code, ErrorCode::corrupt);
  }
  Record newer = good;
  newer.state = std::string("\x02\x09", 2);  // field 1, a status that this version does not know
  EXPECT_FALSE(resource_of(newer));
}

}  // namespace
}  // namespace baton::model

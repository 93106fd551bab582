#include "spec/flow.hpp"

#include <gtest/gtest.h>

#include "spec/parse.hpp"

namespace baton::spec {
namespace {

constexpr std::string_view kText = R"(
name: train
inputs: {tenant: {type: string}}
steps:
  plain: {run: x}
  own: {run: x, concurrency: {limit: 3}, rate_limit: {limit: 10, per: 1m}}
  two: {run: x, concurrency: [{key: "t-${{ inputs.tenant }}"}, {key: eu, limit: 2}], uses: {gpu: 2}}
  fair: {run: x, fair_key: "${{ inputs.tenant }}", rate_limit: {limit: 5, key: api, burst: 3}}
)";

model::FlowRules rules(const model::Workflow& workflow, std::size_t step) {
  return workflow.steps.at(step).flow ? *workflow.steps.at(step).flow : model::FlowRules{};
}

TEST(Flow, IsReadIntoTheModel) {
  const ParseResult parsed = parse_workflow(kText);
  ASSERT_TRUE(parsed.workflow) << render(parsed.diagnostics);
  EXPECT_EQ(parsed.workflow->steps[0].flow, nullptr);
  const model::FlowRules own = rules(*parsed.workflow, 1);
  EXPECT_EQ(own.flow.limits, (std::vector<model::LimitUse>{{"train.own", 1, 3}}));
  EXPECT_EQ(own.flow.rate, "train.own");
  EXPECT_EQ(own.rate, (model::RateRule{10, Duration::minutes(1), 1}));
  EXPECT_TRUE(own.is_constant);
  const model::FlowRules two = rules(*parsed.workflow, 2);
  EXPECT_EQ(two.flow.limits,
            (std::vector<model::LimitUse>{{"eu", 1, 2}, {"gpu", 2, 0}, {"t-${{ inputs.tenant }}", 1, 1}}));
  EXPECT_FALSE(two.is_constant);
  const model::FlowRules fair = rules(*parsed.workflow, 3);
  EXPECT_EQ(fair.flow.fair_key, "${{ inputs.tenant }}");
  EXPECT_EQ(fair.rate, (model::RateRule{5, Duration::seconds(1), 3}));
}

TEST(Flow, TheCanonicalFormSaysTheSame) {
  const ParseResult parsed = parse_workflow(kText);
  ASSERT_TRUE(parsed.workflow);
  const ParseResult again = parse_canonical(parsed.workflow->canonical);
  ASSERT_TRUE(again.workflow) << parsed.workflow->canonical << render(again.diagnostics);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(rules(*parsed.workflow, i), rules(*again.workflow, i)) << i;
  EXPECT_EQ(parsed.workflow->hash, again.workflow->hash);
}

}  // namespace
}  // namespace baton::spec

#include "engine/requests.hpp"

#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"
#include "model/draft.hpp"
#include "model/request_use.hpp"

namespace baton::engine {
namespace {

using testing::error_of;
using testing::FlowBuilder;
using testing::World;

model::Sender with_key(const std::string& key, const std::string& body = "body") {
  model::Sender sender("cli:ada", "socket");
  sender.request = {key, Hash256::of(body)};
  return sender;
}

std::size_t kept(const World& world) {
  std::size_t count = 0;
  for (const auto& [key, record] : world.disk().records())
    count += key.kind == model::RecordKind::request ? 1 : 0;
  return count;
}

std::size_t audited(const World& world) {
  std::size_t count = 0;
  for (const auto& [key, record] : world.disk().records())
    count += key.kind == model::RecordKind::audit ? 1 : 0;
  return count;
}

TEST(Requests, TheSameOneAgainChangesNothingAndGetsTheFirstAnswer) {
  World world;
  const auto one = world.ask(model::MakeDraft{"nightly", "Nightly", ""}, with_key("k"));
  ASSERT_NE(std::get_if<model::WorkflowApplied>(&one), nullptr) << error_of(one).message;
  world.restart();
  const auto again = world.ask(model::MakeDraft{"nightly", "Nightly", ""}, with_key("k"));
  ASSERT_NE(std::get_if<model::WorkflowApplied>(&again), nullptr) << error_of(again).message;
  EXPECT_EQ(std::get<model::WorkflowApplied>(again).workflow, "nightly");
  EXPECT_TRUE(std::get<model::WorkflowApplied>(again).created);
  EXPECT_FALSE(world.disk().records().contains(model::draft_key("nightly-2")));
  EXPECT_EQ(audited(world), 1U);
  const auto other = world.ask(model::MakeDraft{"nightly", "Nightly", ""}, with_key("other"));
  EXPECT_EQ(std::get<model::WorkflowApplied>(other).workflow, "nightly-2");
}

TEST(Requests, AnotherOneWithTheKeyIsRefused) {
  World world;
  world.ask(model::SetLimit{"gpu", 4, ""}, with_key("k"));
  const auto reply = world.ask(model::SetLimit{"gpu", 5, ""}, with_key("k", "other"));
  EXPECT_EQ(error_of(reply).code, ErrorCode::idempotency_mismatch);
  EXPECT_EQ(model::limit_of(world.disk().records().at(model::limit_key("gpu")))->limit, 4U);
}

TEST(Requests, RefusalsAndQuestionsAreNotKept) {
  World world;
  EXPECT_EQ(error_of(world.ask(model::SetLimit{"gpu", std::nullopt, ""}, with_key("k"))).code,
            ErrorCode::not_found);
  world.ask(model::AskSurvey{}, with_key("k"));
  EXPECT_EQ(kept(world), 0U);
  world.ask(model::SetLimit{"gpu", 4, ""}, with_key("k", "fits now"));
  EXPECT_EQ(error_of(world.ask(model::SetLimit{"gpu", 5, ""}, with_key("k", "other"))).code,
            ErrorCode::idempotency_mismatch);
}

TEST(Requests, CountForADay) {
  World world;
  world.ask(model::SetLimit{"gpu", 4, ""}, with_key("k"));
  world.advance(Duration::hours(24) - Duration{1});
  EXPECT_EQ(error_of(world.ask(model::SetLimit{"gpu", 5, ""}, with_key("k", "other"))).code,
            ErrorCode::idempotency_mismatch);
  world.advance(Duration{1});
  const auto reply = world.ask(model::SetLimit{"gpu", 5, ""}, with_key("k", "other"));
  EXPECT_NE(std::get_if<model::Done>(&reply), nullptr);
  EXPECT_EQ(kept(world), 2U) << "its old record is gone";
}

TEST(Requests, TheOldestGo) {
  World world({.check_memory = false});
  const auto extra = 10;
  for (std::uint64_t i = 0; i < model::kMaxRequestsKept + extra; ++i)
    world.send(model::SetLimit{"gpu", static_cast<std::uint32_t>(i % 1000), ""},
               with_key("k" + std::to_string(i)));
  world.work_off();
  EXPECT_LE(kept(world), 2 * model::kMaxRequestsKept);
  EXPECT_FALSE(world.disk().records().contains(model::request_use_key("k0")));
  EXPECT_TRUE(world.disk().records().contains(model::request_use_key("k" + std::to_string(extra + 1))));
}

TEST(Requests, AKeyThatIsTooLong) {
  World world;
  const auto reply =
      world.ask(model::SetLimit{"gpu", 1, ""}, with_key(std::string(model::kMaxRequestKey + 1, 'k')));
  EXPECT_EQ(error_of(reply).code, ErrorCode::invalid_request);
}

TEST(Requests, DamagedOnesCountAsNone) {
  model::Record record = model::to_record(model::RequestUse{.key = "k", .number = 1, .answer = "x"});
  record.state = "\x0a";
  EXPECT_FALSE(model::request_use_of(record));
  EXPECT_FALSE(model::answer_of("\x08\x63"));
  EXPECT_FALSE(model::answer_of(""));
}

TEST(Requests, AnswersAreKeptWhole) {
  const RunId run = RunId::make(RunKey::make(ShardId{0}, 7), WallTime{1000}, Seed{1, 2});
  const auto again = [](const model::ReplyBody& answer) {
    const auto text = model::packed(answer);
    EXPECT_TRUE(text);
    auto read = model::answer_of(text.value_or(""));
    EXPECT_TRUE(read);
    return read ? *read : model::ReplyBody(model::Done{});
  };
  const auto cancel =
      std::get<model::CancelAccepted>(again(model::CancelAccepted{run, model::RunStatus::cancelled}));
  EXPECT_TRUE(cancel.run == run && cancel.status == model::RunStatus::cancelled);
  const auto gone = std::get<model::Discarded>(again(model::Discarded{3, {"a", ""}}));
  EXPECT_TRUE(gone.count == 3 && gone.unknown.size() == 2 && gone.unknown[0] == "a");
  const auto removed = std::get<model::RunsRemoved>(
      again(model::RunsRemoved{2, {{run, Error{ErrorCode::conflict, "is needed", "x"}}}}));
  ASSERT_EQ(removed.kept.size(), 1U);
  EXPECT_EQ(removed.kept[0].second, (Error{ErrorCode::conflict, "is needed", "x"}));
  const auto task = std::get<model::CleaningBegun>(again(model::CleaningBegun{TaskId{run, 4}, true}));
  EXPECT_TRUE(task.existing && task.by.ordinal == 4);
  EXPECT_FALSE(model::packed(model::Survey{})) << "that is a question";
}

// ---- Edits of what is as it was seen

TEST(Edits, OnlyOfWhatIsAsItWasSeen) {
  World world;
  const auto set = [&](std::uint32_t to, std::string expected) {
    return error_of(world.ask(model::SetLimit{"gpu", to, "", std::move(expected)}, "cli:ada"));
  };
  EXPECT_EQ(set(1, "*").code, ErrorCode::conflict) << "there is none yet";
  world.ask(model::SetLimit{"gpu", 1, "", "0"}, "cli:ada");
  const std::string tag = model::tag_of(world.state().record(model::limit_key("gpu")));
  EXPECT_NE(tag, "0");
  world.ask(model::SetLimit{"gpu", 2, "", tag}, "cli:ada");
  const Error late = set(3, tag);
  EXPECT_EQ(late.code, ErrorCode::conflict);
  EXPECT_EQ(late.where, model::tag_of(world.state().record(model::limit_key("gpu"))));
  EXPECT_EQ(model::limit_of(world.disk().records().at(model::limit_key("gpu")))->limit, 2U);
}

// ---- Drafts

TEST(Drafts, NamesComeFromTitles) {
  EXPECT_EQ(model::name_from_title("API Workflow"), "api-workflow");
  EXPECT_EQ(model::name_from_title("  Nightly Build (EU)  "), "nightly-build-eu");
  EXPECT_EQ(model::name_from_title("v1.2_x"), "v1.2_x");
  EXPECT_EQ(model::name_from_title("äöü"), "");
  EXPECT_EQ(model::name_from_title(std::string(500, 'A')).size(), 128U);
  EXPECT_EQ(model::numbered_name("n", 1), "n");
  EXPECT_EQ(model::numbered_name(std::string(128, 'n'), 12), std::string(125, 'n') + "-12");
}

TEST(Drafts, GoWhenADefinitionTakesTheirPlace) {
  World world;
  world.ask(model::MakeDraft{"w", "W", "what it is for"}, "cli:ada");
  const auto draft = model::draft_of(world.disk().records().at(model::draft_key("w")));
  ASSERT_TRUE(draft);
  EXPECT_EQ(draft->description, "what it is for");
  EXPECT_EQ(draft->by, "cli:ada");
  world.ask(model::ApplyWorkflow{.workflow = FlowBuilder("w").run("a").done(), .note = ""}, "cli:ada");
  EXPECT_FALSE(world.disk().records().contains(model::draft_key("w")));
  const auto next = world.ask(model::MakeDraft{"w", "W", ""}, "cli:ada");
  EXPECT_EQ(std::get<model::WorkflowApplied>(next).workflow, "w-2");
}

TEST(Drafts, ThereIsRoomForSoMany) {
  World world({.check_memory = false});
  for (std::size_t i = 0; i < model::kMaxDrafts; ++i)
    world.send(model::MakeDraft{"d" + std::to_string(i), "", ""}, "cli:ada");
  world.work_off();
  EXPECT_EQ(error_of(world.ask(model::MakeDraft{"more", "", ""}, "cli:ada")).code, ErrorCode::too_large);
  EXPECT_EQ(error_of(world.ask(model::MakeDraft{"", "", ""}, "cli:ada")).code, ErrorCode::invalid_request);
}

TEST(GivingUp, EndsARunAsFailedAndItCanBeRecovered) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto reply =
      world.ask(model::CancelRun{.run = run, .reason = "nothing happened", .give_up = true}, "cli:ada");
  ASSERT_NE(std::get_if<model::CancelAccepted>(&reply), nullptr) << error_of(reply).message;
  world.work_off();
  EXPECT_EQ(world.run(run).status, model::RunStatus::failed);
  EXPECT_EQ(world.run(run).error_type, "given_up");
  EXPECT_EQ(world.run(run).error_message, "nothing happened");
  world.ask(model::RecoverRun{.run = run}, "cli:ada");
  world.restart();
  world.complete(world.claim_one());
  world.work_off();
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

}  // namespace
}  // namespace baton::engine

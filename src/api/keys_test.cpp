#include "api/test_support.hpp"
#include "auth/key_text.hpp"
#include "model/api_key.hpp"
#include "model/audit.hpp"

namespace baton::api::test {
namespace {

namespace json = boost::json;

class KeysTest : public ApiTest {
 protected:
  // What the engine does with the command.
  KeysTest() {
    runtime_.answer = [this](const model::CommandBody& body) -> model::ReplyBody {
      model::Batch batch;
      if (const auto* create = std::get_if<model::CreateKey>(&body)) {
        batch.records.push_back({model::to_record(model::KeyRow{.name = create->name,
                                                                .hash = create->hash,
                                                                .role = create->role,
                                                                .why = create->reason,
                                                                .at = kThen,
                                                                .expires_at = create->expires_at})});
        commit(std::move(batch));
      } else if (const auto* revoke = std::get_if<model::RevokeKey>(&body)) {
        batch.records.push_back(
            {model::to_record(model::KeyRow{.name = revoke->name, .at = kThen, .revoked_at = kThen})});
        commit(std::move(batch));
      }
      return model::Done{};
    };
  }
  net::Response create(const std::string& body) {
    return post("/api/v1/keys", body, {{"Content-Type", "application/json"}});
  }
  void put(model::Record record) {
    model::Batch batch;
    batch.records.push_back({std::move(record)});
    commit(std::move(batch));
  }
  // `count` entries, as the engine writes them.
  std::vector<model::AuditEntry> write_audit(std::uint64_t count) {
    std::vector<model::AuditEntry> entries;
    model::AuditHead head;
    for (std::uint64_t number = 1; number <= count; ++number) {
      model::AuditEntry entry{.sequence = static_cast<JournalSequence>(number),
                              .number = number,
                              .at = kThen,
                              .actor = "key:ci",
                              .from = "192.0.2.7",
                              .action = "cancel",
                              .target = std::to_string(number),
                              .previous = head.hash};
      head = {number, entry.sequence, 0, entry.hash()};
      put(model::to_record(entry));
      entries.push_back(std::move(entry));
    }
    put(model::to_record(head));
    return entries;
  }
  std::string problem_of_audit() {
    const json::object result = object(get("/api/v1/audit/verify"));
    EXPECT_EQ(result.at("ok").as_bool(), result.at("problem").is_null());
    return result.at("problem").is_null() ? "" : std::string(result.at("problem").as_string());
  }
};

TEST_F(KeysTest, TheTextIsInOneAnswerOnly) {
  const net::Response made = create(R"({"name":"ci","role":"operator","reason":"builds"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const json::object key = object(made);
  const std::string text(key.at("key").as_string());
  EXPECT_TRUE(auth::is_key_text(text));
  EXPECT_EQ(std::get<model::CreateKey>(runtime_.commands.at(0).first).hash, Hash256::of(text));
  EXPECT_EQ(key.at("role"), "operator");
  EXPECT_EQ(key.at("status"), "valid");
  const net::Response listed = get("/api/v1/keys");
  EXPECT_EQ(object(listed).at("items").as_array().at(0).at("name"), "ci");
  EXPECT_EQ(listed.body.find(text), std::string::npos);
  EXPECT_EQ(listed.body.find(Hash256::of(text).hex()), std::string::npos);
}

TEST_F(KeysTest, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"name":"x"})", "role"},
      {R"({"name":"x","role":"root"})", "viewer, operator, editor, admin or worker"},
      {R"({"name":"x","role":"admin","namespace":"other"})", "namespace"},
      {R"({"name":"x","role":"admin","expires_in":"soon"})", "expires_in"},
      {R"({"name":"x","role":"admin","expires_at":"soon"})", "expires_at"},
      {R"({"name":"x","role":"admin","expires_at":"2030-01-01T00:00:00Z","expires_in":"1h"})", "exclude"},
      {R"({"name":"x","rolle":"admin"})", "did you mean"},
  };
  for (const auto& [body, part] : cases) {
    const net::Response refused = create(body);
    EXPECT_GE(refused.status, 400) << body;
    EXPECT_NE(refused.body.find(part), std::string::npos) << refused.body;
  }
  EXPECT_TRUE(runtime_.commands.empty());
}

TEST_F(KeysTest, Revoking) {
  create(R"({"name":"deploy","role":"editor"})");
  const net::Response gone = call({.method = net::Method::delete_, .target = "/api/v1/keys/deploy"});
  EXPECT_EQ(gone.status, 200) << gone.body;
  EXPECT_EQ(object(gone).at("status"), "revoked");
  const net::Response none = call({.method = net::Method::delete_, .target = "/api/v1/keys/deplay"});
  EXPECT_EQ(none.status, 404);
  EXPECT_NE(detail(none).find("did you mean \"deploy\""), std::string::npos) << detail(none);
}

TEST_F(KeysTest, TheAuditIsListedNewestFirst) {
  write_audit(5);
  const json::object page = object(get("/api/v1/audit?limit=2"));
  EXPECT_EQ(page.at("items").as_array().at(0).at("number"), 5);
  EXPECT_EQ(page.at("items").as_array().at(1).at("target"), "4");
  const json::object next =
      object(get("/api/v1/audit?limit=9&cursor=" + std::string(page.at("next").as_string())));
  EXPECT_EQ(next.at("items").as_array().size(), 3U);
  EXPECT_TRUE(next.at("next").is_null());
  EXPECT_EQ(get("/api/v1/audit?cursor=x").status, 400);
}

TEST_F(KeysTest, AnUntouchedChainHolds) {
  EXPECT_EQ(problem_of_audit(), "") << "without any entry";
  write_audit(2500);
  EXPECT_EQ(problem_of_audit(), "");
  EXPECT_EQ(object(get("/api/v1/audit/verify")).at("entries"), 2500);
}

TEST_F(KeysTest, AChangedEntryIsNamed) {
  auto entries = write_audit(9);
  model::Record record = model::to_record(entries[3]);
  record.state[2] = 'K';
  put(record);
  EXPECT_NE(problem_of_audit().find("entry 4"), std::string::npos) << problem_of_audit();
  EXPECT_NE(get("/api/v1/audit").body.find(R"("tampered":true)"), std::string::npos);
}

TEST_F(KeysTest, AnEntryThatWasWrittenAnewIsNamed) {
  auto entries = write_audit(9);
  entries[3].actor = "key:other";
  put(model::to_record(entries[3]));
  EXPECT_NE(problem_of_audit().find("entry 5"), std::string::npos) << problem_of_audit();
}

TEST_F(KeysTest, AMissingEntryIsNamed) {
  const auto entries = write_audit(9);
  model::Batch batch;
  batch.records.push_back({model::to_record(entries[3]), true});
  commit(std::move(batch));
  EXPECT_NE(problem_of_audit().find("behind entry 3"), std::string::npos) << problem_of_audit();
}

TEST_F(KeysTest, ACutEndIsSeen) {
  const auto entries = write_audit(9);
  model::Batch batch;
  batch.records.push_back({model::to_record(entries[8]), true});
  commit(std::move(batch));
  EXPECT_NE(problem_of_audit().find("9 were written"), std::string::npos) << problem_of_audit();
}

TEST_F(KeysTest, AMissingHeadIsSeen) {
  write_audit(3);
  model::Batch batch;
  batch.records.push_back({model::to_record(model::AuditHead{}), true});
  commit(std::move(batch));
  EXPECT_NE(problem_of_audit(), "");
}

}  // namespace
}  // namespace baton::api::test

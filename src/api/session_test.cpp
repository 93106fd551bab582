// Signing in, and what others' pages may not do with it.
#include "api/test_support.hpp"
#include "model/api_key.hpp"

namespace baton::api::test {
namespace {

using model::Role;

class SessionTest : public ApiTest {
 protected:
  SessionTest() {
    runtime_.answer = [](const model::CommandBody& body) -> model::ReplyBody {
      if (std::holds_alternative<model::AskSurvey>(body)) return model::Survey{};
      return model::Done{};
    };
    put_key({.name = "ada", .hash = Hash256::of("secret"), .role = Role::editor});
  }
  void put_key(const model::KeyRow& row) {
    model::Batch batch;
    batch.records.push_back({model::to_record(row)});
    commit(std::move(batch));
    EXPECT_TRUE(api_->read_keys());
  }
  net::Response sign_in(const std::string& key, net::Headers more = {}) {
    more.set("Content-Type", "application/json");
    return remote({.method = net::Method::post,
                   .target = "/api/v1/session",
                   .headers = std::move(more),
                   .body = R"({"key":")" + key + R"("})"});
  }
  static std::string cookie_of(const net::Response& response) {
    const std::string field(response.headers.find("Set-Cookie").value_or(""));
    return field.substr(0, field.find(';'));
  }
  // A change, by which one sees who may.
  int set_limit(net::Headers headers) {
    headers.set("Content-Type", "application/json");
    return remote({.method = net::Method::put,
                   .target = "/api/v1/limits/gpu",
                   .headers = std::move(headers),
                   .body = R"({"limit":3})"})
        .status;
  }
  int list_limits(net::Headers headers) {
    return remote({.method = net::Method::get, .target = "/api/v1/limits", .headers = std::move(headers)})
        .status;
  }
};

TEST_F(SessionTest, AKeyOpensOneAndItsCookieIsNobodyElses) {
  const auto response = sign_in("secret");
  ASSERT_EQ(response.status, 201) << response.body;
  const std::string field(response.headers.find("Set-Cookie").value_or(""));
  EXPECT_TRUE(field.starts_with("baton_session=baton_")) << field;
  for (const char* part : {"; Path=/", "; HttpOnly", "; SameSite=Strict", "; Max-Age=43200"})
    EXPECT_NE(field.find(part), field.npos) << part;
  const auto who = object(response);
  EXPECT_EQ(who.at("name"), "key:ada");
  EXPECT_EQ(who.at("role"), "editor");
  EXPECT_EQ(response.body.find("secret"), std::string::npos);
  const std::string cookie = cookie_of(response);
  EXPECT_EQ(response.body.find(cookie.substr(14)), std::string::npos) << "no script may see it";

  EXPECT_EQ(list_limits({{"Cookie", "other=1; " + cookie}}), 200);
  EXPECT_EQ(list_limits({{"Cookie", cookie.substr(0, cookie.size() - 1)}}), 401);
  EXPECT_EQ(list_limits({{"Cookie", "x" + cookie}}), 401);
  const auto asked = object(
      remote({.method = net::Method::get, .target = "/api/v1/session", .headers = {{"Cookie", cookie}}}));
  EXPECT_EQ(asked.at("session").at("csrf_token"), who.at("session").at("csrf_token"));
}

TEST_F(SessionTest, AChangeNeedsItsToken) {
  const auto response = sign_in("secret");
  const std::string cookie = cookie_of(response);
  const std::string token(object(response).at("session").at("csrf_token").as_string());
  EXPECT_EQ(set_limit({{"Cookie", cookie}}), 403);
  EXPECT_EQ(set_limit({{"Cookie", cookie}, {"X-CSRF-Token", token.substr(1)}}), 403);
  EXPECT_EQ(set_limit({{"Cookie", cookie}, {"X-CSRF-Token", token}}), 200);
  EXPECT_EQ(set_limit({{"X-CSRF-Token", token}}), 401);
  EXPECT_EQ(set_limit({{"Cookie", cookie}, {"X-CSRF-Token", token}, {"Origin", "http://evil.example"}}), 403);
  EXPECT_EQ(set_limit({{"X-API-Key", "secret"}}), 200) << "a key is no cookie: nobody has it sent";
}

TEST_F(SessionTest, Ends) {
  const auto response = sign_in("secret");
  const std::string cookie = cookie_of(response);
  const std::string token(object(response).at("session").at("csrf_token").as_string());
  const auto out = remote({.method = net::Method::delete_,
                           .target = "/api/v1/session",
                           .headers = {{"Cookie", cookie}, {"X-CSRF-Token", token}}});
  EXPECT_EQ(out.status, 200);
  EXPECT_NE(out.headers.find("Set-Cookie").value_or("").find("Max-Age=0"), std::string::npos);
  EXPECT_EQ(list_limits({{"Cookie", cookie}}), 401);
  EXPECT_EQ(
      remote(
          {.method = net::Method::delete_, .target = "/api/v1/session", .headers = {{"X-API-Key", "secret"}}})
          .status,
      409);
}

TEST_F(SessionTest, GoesWithItsKey) {
  const std::string cookie = cookie_of(sign_in("secret"));
  put_key({.name = "ada", .hash = Hash256::of("secret"), .role = Role::viewer});
  EXPECT_EQ(list_limits({{"Cookie", cookie}}), 200);
  model::KeyRow gone{.name = "ada", .hash = Hash256::of("secret"), .role = Role::editor};
  gone.revoked_at = kThen;
  put_key(gone);
  EXPECT_EQ(list_limits({{"Cookie", cookie}}), 401);
}

TEST_F(SessionTest, GuessingIsLimited) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sign_in("guess" + std::to_string(i)).status, 401);
  const auto locked = sign_in("secret");
  EXPECT_EQ(locked.status, 429);
  EXPECT_TRUE(locked.headers.find("Retry-After"));
}

TEST_F(SessionTest, OfARequestThatIsWrong) {
  const auto post = [&](const char* body) {
    return remote({.method = net::Method::post,
                   .target = "/api/v1/session",
                   .headers = {{"Content-Type", "application/json"}},
                   .body = body})
        .status;
  };
  for (const char* body : {"", "{}", R"({"key":""})", R"({"key":7})", R"({"key":"secret","more":1})"})
    EXPECT_EQ(post(body), 400) << body;
  EXPECT_EQ(sign_in("secret", {{"Origin", "http://evil.example"}}).status, 403);
}

// ---- The page

TEST_F(SessionTest, ThePageNeedsNoScript) {
  const auto page = remote({.method = net::Method::get, .target = "/"});
  EXPECT_EQ(page.status, 200);
  const std::string policy(page.headers.find("Content-Security-Policy").value_or(""));
  EXPECT_TRUE(policy.starts_with("default-src 'none'")) << policy;
  EXPECT_EQ(policy.find("unsafe"), policy.npos);
  EXPECT_EQ(policy.find("script-src"), policy.npos);
  EXPECT_EQ(page.body.find("<script"), std::string::npos);
  EXPECT_EQ(page.body.find("style="), std::string::npos) << "the policy would not let it count";
  EXPECT_EQ(remote({.method = net::Method::get, .target = "/style.css"}).headers.find("Content-Type"),
            "text/css; charset=utf-8");
}

TEST_F(SessionTest, SignsInAndOutByForms) {
  const auto form = [&](const char* target, const std::string& body, net::Headers headers = {}) {
    headers.set("Content-Type", "application/x-www-form-urlencoded");
    return remote(
        {.method = net::Method::post, .target = target, .headers = std::move(headers), .body = body});
  };
  EXPECT_EQ(form("/sign-in", "").status, 400);
  EXPECT_EQ(form("/sign-in", "key=secret&key=secret").status, 400);
  const auto wrong = form("/sign-in", "key=%3Cscript%3E");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.body.find("<script"), std::string::npos);
  const auto in = form("/sign-in", "key=secret");
  EXPECT_EQ(in.status, 303);
  EXPECT_EQ(in.headers.find("Location"), "/");
  const std::string cookie = cookie_of(in);
  const auto page = remote({.method = net::Method::get, .target = "/", .headers = {{"Cookie", cookie}}});
  EXPECT_NE(page.body.find("key:ada"), std::string::npos);
  const std::size_t at = page.body.find("value=\"baton_");
  ASSERT_NE(at, std::string::npos);
  const std::string token = page.body.substr(at + 7, 70);
  EXPECT_EQ(form("/sign-out", "csrf_token=nonsense", {{"Cookie", cookie}}).status, 403);
  EXPECT_EQ(list_limits({{"Cookie", cookie}}), 200);
  EXPECT_EQ(form("/sign-out", "csrf_token=" + token, {{"Cookie", cookie}}).status, 303);
  EXPECT_EQ(list_limits({{"Cookie", cookie}}), 401);
}

}  // namespace
}  // namespace baton::api::test

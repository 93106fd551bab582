// Every route with every kind of credential: made from the router, so that a new route is in it.
#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "api/router.hpp"
#include "api/test_support.hpp"
#include "model/api_key.hpp"
#include "model/applied.hpp"
#include "model/dead_letter.hpp"

namespace baton::api::test {
namespace {

using model::Role;

struct Credential {
  std::string name;
  net::Headers headers;
  std::optional<Role> role;  // none: nobody
  std::string space = "*";
};

constexpr const char* kHeader = "X-Baton-Namespace";

class PermissionsTest : public ApiTest {
 protected:
  PermissionsTest() {
    runtime_.answer = other_runtime_.answer = [](const model::CommandBody&) -> model::ReplyBody {
      return Error{ErrorCode::not_found, "there is nothing", ""};
    };
    add_namespace("other");
    model::Batch batch;
    for (const Role role : {Role::viewer, Role::operator_, Role::editor, Role::admin, Role::worker}) {
      for (const char* space : {"*", "default", "other"}) {
        const std::string role_name(model::name(role));
        const std::string name = *space == '*' ? role_name : role_name + "-of-" + space;
        batch.records.push_back({model::to_record(
            model::KeyRow{.name = name, .hash = Hash256::of(name), .role = role, .space = space})});
        credentials_.push_back({name, {{"X-API-Key", name}}, role, space});
      }
    }
    model::KeyRow gone{.name = "gone", .hash = Hash256::of("gone"), .role = Role::admin};
    gone.revoked_at = kThen;
    batch.records.push_back({model::to_record(gone)});
    model::KeyRow old{.name = "old", .hash = Hash256::of("old"), .role = Role::admin};
    old.expires_at = WallTime{-1};
    batch.records.push_back({model::to_record(old)});
    commit(std::move(batch));
    EXPECT_TRUE(api_->read_keys());
    credentials_.push_back({"none", {}, std::nullopt});
    credentials_.push_back({"unreadable", {{"Authorization", "Nonsense"}}, std::nullopt});
    credentials_.push_back({"empty", {{"X-API-Key", ""}, {"Authorization", "Bearer"}}, std::nullopt});
    credentials_.push_back({"revoked", {{"X-API-Key", "gone"}}, std::nullopt});
    credentials_.push_back({"expired", {{"X-API-Key", "old"}}, std::nullopt});
    credentials_.push_back(
        {"two", {{"X-API-Key", "admin"}, {"Authorization", "Bearer viewer"}}, std::nullopt});
  }

  // "/api/v1/runs/{id}" with something in place of the names.
  static std::string path_of(const Route& route) {
    std::string path;
    bool inside = false;
    for (const char c : route.pattern) {
      if (c == '{') path += "nothing";
      inside = c == '{' || (inside && c != '}');
      if (!inside && c != '}') path += c;
    }
    return path;
  }
  static bool reads(const Route& route) { return route.method == net::Method::get; }
  int status_of(net::Method method, const std::string& target, const Credential& credential) {
    return remote({.method = method, .target = target, .headers = credential.headers}).status;
  }

  std::vector<Credential> credentials_;
};

TEST_F(PermissionsTest, EveryRouteAsksForItsRole) {
  for (const Route& route : routes()) {
    // Whoever may is refused for another reason: a stream, say, would not end.
    const std::string path = path_of(route) + (route.permission.anonymous() ? "" : "?nothing=1");
    for (const Credential& who : credentials_) {
      const int status = status_of(route.method, path, who);
      const std::string what = std::string(net::to_string(route.method)) + ' ' + path + " as " + who.name;
      if (route.permission.anonymous()) {
        if (reads(route)) {
          EXPECT_EQ(status, 200) << what;
        } else {
          EXPECT_NE(status, 403) << what << ": it signs in or out, whoever asks";
        }
      } else if (!who.role) {
        EXPECT_EQ(status, 401) << what;
      } else if (!route.permission.allows({.name = "x", .role = *who.role, .space = who.space})) {
        EXPECT_EQ(status, 403) << what;
      } else {
        EXPECT_NE(status, 401) << what;
        EXPECT_NE(status, 403) << what;
      }
    }
  }
}

TEST_F(PermissionsTest, NobodyEntersAnotherNamespace) {
  for (const Route& route : routes()) {
    if (route.permission.anonymous() || route.permission.of_server()) continue;
    const std::string path = path_of(route) + "?nothing=1";
    for (Credential who : credentials_) {
      if (!who.role || !route.permission.allows({.name = "x", .role = *who.role, .space = who.space}))
        continue;
      for (const char* space : {"default", "other", "none", "", "*", "DEFAULT"}) {
        who.headers.set(kHeader, space);
        const int status = status_of(route.method, path, who);
        const std::string what = std::string(net::to_string(route.method)) + ' ' + path + " as " + who.name +
                                 " in \"" + space + '"';
        const bool there = std::string_view(space) == "default" || std::string_view(space) == "other";
        if (who.space == "*") {
          EXPECT_NE(status, 403) << what;
          if (!there) EXPECT_EQ(status, 404) << what;
        } else if (who.space == space) {
          EXPECT_NE(status, 403) << what;
        } else {
          EXPECT_EQ(status, 403) << what;
        }
      }
    }
  }
}

TEST_F(PermissionsTest, WhetherThereIsAnotherNamespaceIsNotTold) {
  const auto answer = [&](const char* space) {
    std::string body =
        remote({.target = "/api/v1/runs", .headers = {{"X-API-Key", "viewer-of-default"}, {kHeader, space}}})
            .body;
    const std::size_t at = body.find(space);
    if (at != body.npos) body.replace(at, std::string_view(space).size(), "SPACE");
    return body;
  };
  EXPECT_EQ(answer("other"), answer("nowhere"));
  // A key for all may be helped.
  const auto helped =
      remote({.target = "/api/v1/runs", .headers = {{"X-API-Key", "viewer"}, {kHeader, "othr"}}});
  EXPECT_NE(detail(helped).find("did you mean \"other\"?"), std::string::npos);
  const auto two = remote({.target = "/api/v1/runs",
                           .headers = {{"X-API-Key", "viewer"}, {kHeader, "other"}, {kHeader, "default"}}});
  EXPECT_EQ(two.status, 400);
}

TEST_F(PermissionsTest, AKeysNamespaceIsThatOfItsRequests) {
  const auto run = new_run("name: w\nsteps:\n  a: {run: x}\n");
  const auto status = [&](const char* key, const char* space) {
    net::Headers headers{{"X-API-Key", key}};
    if (space != nullptr) headers.set(kHeader, space);
    return remote({.target = "/api/v1/runs/" + run.id.text(), .headers = headers}).status;
  };
  EXPECT_EQ(status("viewer", nullptr), 200);
  EXPECT_EQ(status("viewer", "default"), 200);
  EXPECT_EQ(status("viewer", "other"), 404);
  EXPECT_EQ(status("viewer-of-default", nullptr), 200);
  EXPECT_EQ(status("viewer-of-other", nullptr), 404);
  EXPECT_EQ(status("viewer-of-other", "default"), 403);
}

TEST_F(PermissionsTest, ACommandGoesToItsNamespace) {
  const auto set_limit = [&](const char* key) {
    remote({.method = net::Method::put,
            .target = "/api/v1/limits/gpu",
            .headers = {{"X-API-Key", key}, {"Content-Type", "application/json"}},
            .body = R"({"limit":3})"});
  };
  const auto limits = [](const FakeRuntime& runtime) {
    return std::ranges::count_if(runtime.commands, [](const auto& command) {
      return std::holds_alternative<model::SetLimit>(command.first);
    });
  };
  set_limit("editor-of-other");
  EXPECT_EQ(limits(other_runtime_), 1);
  EXPECT_EQ(limits(runtime_), 0);
  set_limit("editor");
  EXPECT_EQ(limits(runtime_), 1);
}

TEST_F(PermissionsTest, WhatIsDeletedIsMissing) {
  const auto status = [&] {
    return remote({.target = "/api/v1/runs", .headers = {{"X-API-Key", "viewer-of-other"}}}).status;
  };
  EXPECT_EQ(status(), 200);
  api_->remove("other");
  EXPECT_EQ(status(), 404);
}

TEST_F(PermissionsTest, AWorkerMayDoWhatTheProtocolSaysAndNothingElse) {
  std::set<std::string> may;
  for (const Route& route : routes()) {
    if (route.permission.anonymous() || !route.permission.allows({.name = "w", .role = Role::worker}))
      continue;
    may.insert(std::string(net::to_string(route.method)) + ' ' + std::string(route.pattern));
  }
  EXPECT_EQ(may, (std::set<std::string>{
                     "DELETE /api/v1/session", "GET /api/v1/session", "DELETE /api/v1/workers/{name}",
                     "POST /api/v1/workers/{name}/register", "POST /api/v1/workers/{name}/claim",
                     "POST /api/v1/workers/{name}/report", "POST /api/v1/workers/{name}/heartbeat",
                     "POST /api/v1/workers/{name}/release", "POST /api/v1/workers/{name}/ended-runs",
                     "POST /api/v1/tasks/{id}/logs", "POST /api/v1/tasks/{id}/resources",
                     "POST /api/v1/tasks/{id}/resources/{name}/release", "POST /api/v1/tasks/{id}/progress",
                     "POST /api/v1/tasks/{id}/tasks", "POST /api/v1/tasks/{id}/runs"}));
}

TEST_F(PermissionsTest, AWorkerSpeaksForItselfAlone) {
  const auto farewell = [&](const char* key) {
    return remote({.method = net::Method::delete_,
                   .target = "/api/v1/workers/w1",
                   .headers = {{"X-API-Key", key}}})
        .status;
  };
  EXPECT_EQ(farewell("worker"), 404) << "the runtime's word";
  EXPECT_EQ(farewell("worker-of-default"), 403);
  EXPECT_EQ(farewell("worker-of-other"), 404) << "in its namespace that is another one";
  EXPECT_EQ(farewell("operator"), 404);
  runtime_.answer = [](const model::CommandBody&) -> model::ReplyBody { return model::Done{}; };
  EXPECT_EQ(farewell("worker"), 200);
  EXPECT_EQ(farewell("worker-of-default"), 200) << "the name is free";
}

TEST_F(PermissionsTest, NoSpellingOfAPathLeadsAround) {
  for (const Route& route : routes()) {
    const std::string path = path_of(route);
    if (route.permission.anonymous() && (path == "/" || !reads(route))) continue;  // anybody may in any case
    std::string upper = path;
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    for (const std::string& trick :
         {"/" + path, path + "/", upper, path + "/livez", path + "%2flivez", path + "%2e", path + ";/livez",
          "/livez/.." + path, "/livez/%2e%2e" + path, "/livez" + path, "/%6civez" + path, path + "?x=/livez",
          path + "%00", path + "%20", path + "//"}) {
      const int status = status_of(route.method, trick, {"none", {}, std::nullopt});
      const bool same = trick == path + "?x=/livez" && route.permission.anonymous();
      EXPECT_TRUE(status == 401 || status == 400 || (same && status == 200)) << trick << ": " << status;
    }
  }
}

TEST_F(PermissionsTest, OtherMethodsSayNothing) {
  for (const Route& route : routes()) {
    for (const net::Method method :
         {net::Method::get, net::Method::post, net::Method::put, net::Method::patch, net::Method::delete_}) {
      const Match match = find_route(method, path_of(route));
      if (match.route != nullptr) continue;
      EXPECT_EQ(status_of(method, path_of(route), {"none", {}, std::nullopt}), match.open ? 405 : 401)
          << route.pattern;
      const auto refused =
          remote({.method = method, .target = path_of(route), .headers = {{"X-API-Key", "viewer"}}});
      EXPECT_EQ(refused.status, 405) << route.pattern;
      EXPECT_EQ(refused.headers.find("Allow"), allow_text(match.allowed)) << route.pattern;
    }
  }
}

TEST_F(PermissionsTest, OptionsSaysWhatAPathTakes) {
  for (const Route& route : routes()) {
    const auto ask = [&](const std::string& path, net::Headers headers) {
      return remote({.method = net::Method::options, .target = path, .headers = std::move(headers)});
    };
    const std::string path = path_of(route);
    const auto answer = ask(path, {{"X-API-Key", "viewer"}});
    EXPECT_EQ(answer.status, 204) << path;
    EXPECT_EQ(answer.body, "") << path;
    const std::string allow = ", " + std::string(answer.headers.find("Allow").value_or("")) + ',';
    const auto names = [&](std::string_view method) {
      return allow.find(", " + std::string(method) + ',') != std::string::npos;
    };
    EXPECT_TRUE(names(net::to_string(route.method))) << path << allow;
    EXPECT_TRUE(names("OPTIONS")) << path << allow;
    EXPECT_EQ(names("HEAD"), names("GET")) << path << allow;
    const bool open = find_route(net::Method::options, path).open;
    EXPECT_EQ(ask(path, {}).status, open ? 204 : 401) << path;
    EXPECT_EQ(ask("/nothing" + path, {{"X-API-Key", "viewer"}}).status, 404) << path;
  }
}

// Not compared: what counts the requests themselves.
TEST_F(PermissionsTest, HeadIsGetWithoutABody) {
  for (const Route& route : routes()) {
    if (!reads(route) || route.pattern == "/metrics" || route.pattern == "/api/v1/metrics") continue;
    // With a wrong parameter where there would be a stream without end.
    const std::string path = path_of(route) + (route.pattern.ends_with("/events") ? "?nothing=1" : "");
    for (const char* encoding : {"identity", "gzip"}) {
      const net::Headers headers{{"X-API-Key", "admin"}, {"Accept-Encoding", encoding}};
      const auto whole = remote({.target = path, .headers = headers});
      const auto head = remote({.method = net::Method::head, .target = path, .headers = headers});
      EXPECT_EQ(head.status, whole.status) << path;
      EXPECT_EQ(head.body, "") << path;
      const auto fields = [](const net::Response& response) {
        return std::vector(response.headers.begin(), response.headers.end());
      };
      EXPECT_EQ(fields(head), fields(whole)) << path;
    }
  }
}

TEST_F(PermissionsTest, WhatIsLargeIsCompressedForWhoAsks) {
  const auto plain = remote({.target = "/api/v1/openapi.json", .headers = {{"X-API-Key", "viewer"}}});
  const auto packed = remote(
      {.target = "/api/v1/openapi.json", .headers = {{"X-API-Key", "viewer"}, {"Accept-Encoding", "gzip"}}});
  EXPECT_EQ(packed.headers.find("Content-Encoding"), "gzip");
  EXPECT_LT(packed.body.size() * 4, plain.body.size());
  EXPECT_EQ(plain.headers.find("Vary"), "Accept-Encoding");
  EXPECT_FALSE(plain.headers.find("Content-Encoding"));
}

TEST_F(PermissionsTest, AnIdempotencyKeyHasItsBoundEverywhere) {
  for (const Route& route : routes()) {
    if (route.method != net::Method::post) continue;
    const int status =
        remote({.method = route.method,
                .target = path_of(route),
                .headers = {{"X-API-Key", "admin"}, {"Idempotency-Key", std::string(257, 'k')}}})
            .status;
    EXPECT_EQ(status, 400) << route.pattern;
  }
}

TEST_F(PermissionsTest, WhatTakesNoIfMatchSaysSo) {
  for (const Route& route : routes()) {
    if (reads(route)) continue;
    const auto answer = remote({.method = route.method,
                                .target = path_of(route),
                                .headers = {{"X-API-Key", "admin"}, {"If-Match", "\"1\""}}});
    const bool refused = answer.status == 400 && detail(answer).starts_with("this takes no If-Match");
    EXPECT_EQ(refused, !route.conditional) << route.pattern;
  }
}

TEST_F(PermissionsTest, ABodyIsJson) {
  for (const Route& route : routes()) {
    net::ClientRequest request{.method = route.method,
                               .target = path_of(route),
                               .headers = {{"X-API-Key", "admin"}, {"Content-Type", "text/plain"}},
                               .body = "{}"};
    EXPECT_EQ(remote(request).status, 415) << route.pattern;
  }
}

TEST_F(PermissionsTest, LeavingThingsBehindNeedsAnAdmin) {
  const auto run = new_run("name: w\nsteps:\n  a: {run: x}\n");
  const auto terminate = [&](const char* key) {
    return remote({.method = net::Method::post,
                   .target = "/api/v1/runs/" + run.id.text() + "/terminate",
                   .headers = {{"X-API-Key", key}, {"Content-Type", "application/json"}},
                   .body = R"({"cleanup":false})"})
        .status;
  };
  EXPECT_EQ(terminate("operator"), 403);
  EXPECT_EQ(terminate("admin"), 404) << "the runtime's word";
}

TEST_F(PermissionsTest, RemovingManyRunsNeedsWhatRemovingOneNeeds) {
  const auto prune = [&](const char* key, const char* dry_run) {
    return remote({.method = net::Method::post,
                   .target = "/api/v1/runs/bulk",
                   .headers = {{"X-API-Key", key}, {"Content-Type", "application/json"}},
                   .body = std::string(R"({"action":"prune","filter":{"workflow":"w"},"dry_run":)") +
                           dry_run + "}"})
        .status;
  };
  EXPECT_EQ(prune("operator", "true"), 200);
  EXPECT_EQ(prune("operator", "false"), 403);
  EXPECT_EQ(prune("editor", "false"), 403);
  EXPECT_EQ(prune("admin", "false"), 200);
}

TEST_F(PermissionsTest, ATextOfOnesOwnNeedsAnEditor) {
  const auto submit = [&](const char* key, const char* body) {
    return remote({.method = net::Method::post,
                   .target = "/api/v1/runs",
                   .headers = {{"X-API-Key", key}, {"Content-Type", "application/json"}},
                   .body = body})
        .status;
  };
  const char* text = R"({"definition":"name: w\nsteps:\n  a: {run: x}\n"})";
  EXPECT_EQ(submit("operator", text), 403);
  EXPECT_EQ(submit("editor", text), 404) << "the runtime's word";
  EXPECT_EQ(submit("operator", R"({"workflow":"none"})"), 404) << "there is no such workflow";
}

TEST_F(PermissionsTest, WhatAStoredStepRunsIsTheWordOfAnEditor) {
  const auto run = new_run("name: w\nsteps:\n  a: {exec: [load, x], with: {n: 1}}\n");
  model::TaskRow row = task(run, 0, 0);
  row.status = model::TaskStatus::failed;
  put(row);
  model::DeadLetter letter;
  letter.task = {run.id, 0};
  letter.generation = 1;
  model::Batch batch;
  batch.records.push_back({model::to_record(letter), false});
  commit(std::move(batch));
  const auto again = [&](const std::string& path, const char* key, const std::string& arguments) {
    return remote({.method = net::Method::post,
                   .target = path,
                   .headers = {{"X-API-Key", key}, {"Content-Type", "application/json"}},
                   .body = R"({"arguments":)" + arguments + "}"});
  };
  for (const std::string& path :
       {"/api/v1/tasks/" + run.id.text() + ".0/retry",
        "/api/v1/dead-letters/" + model::dead_letter_id(letter.task, 1) + "/replay"}) {
    for (const char* arguments :
         {R"({"action":["sh","-c","id"]})", R"({"env":{"PATH":"/evil"}})", R"({"workdir":"/evil"})",
          R"({"with":{"n":2},"action":["x"]})", R"({"action":null})"}) {
      const auto refused = again(path, "operator", arguments);
      EXPECT_EQ(refused.status, 403) << path << arguments;
      EXPECT_NE(detail(refused).find("this needs the role editor"), std::string::npos);
    }
    EXPECT_EQ(again(path, "operator", R"({"with":{"n":2}})").status, 404) << "the runtime's word";
    EXPECT_EQ(again(path, "editor", R"({"action":["sh"]})").status, 404) << "the runtime's word";
  }
}

TEST_F(PermissionsTest, AnOperatorsRunsHaveTheServersSurroundings) {
  const auto workflow =
      spec::parse_workflow("name: w\nsteps:\n  a: {run: x, with: \"${{ env.STAGE + env.HOME }}\"}\n")
          .workflow;
  ASSERT_NE(workflow, nullptr);
  model::Batch batch;
  batch.definitions.push_back(
      {"w", 1, workflow->hash, std::make_shared<const std::string>(workflow->canonical), kThen});
  batch.records.push_back(
      {model::to_record(model::AppliedWorkflow{"w", {{1, kThen, "cli:ada", ""}}}), false});
  commit(std::move(batch));
  const auto submit = [&](const char* key, const std::string& context) {
    return remote({.method = net::Method::post,
                   .target = "/api/v1/runs",
                   .headers = {{"X-API-Key", key}, {"Content-Type", "application/json"}},
                   .body = R"({"workflow":"w","context":)" + context + "}"});
  };
  for (const char* context : {R"({"workdir":"/evil"})", R"({"env":{"PATH":"/evil"}})",
                              R"({"env":{"STAGE":"prod","LC_ALL":"C"}})"}) {
    EXPECT_EQ(submit("operator", context).status, 403) << context;
    EXPECT_EQ(submit("editor", context).status, 404) << "the runtime's word";
  }
  runtime_.commands.clear();
  // What the definition reads is no step's environment, whatever its name.
  EXPECT_EQ(submit("operator", R"({"env":{"STAGE":"prod","HOME":"/evil","OTHER":"1"}})").status, 404);
  ASSERT_EQ(runtime_.commands.size(), 1U);
  EXPECT_EQ(std::get<model::SubmitRun>(runtime_.commands[0].first).context,
            R"({"workdir":"","env":{},"metadata":{},"vars":{"HOME":"/evil","STAGE":"prod"}})");
}

TEST_F(PermissionsTest, OperatorsBringNoProgramsByWayOfATask) {
  const auto run = new_run("name: w\nsteps:\n  a: {run: x}\n");
  put(task(run, 0, 0));
  const auto ask = [&](const char* path, const char* key, const char* body) {
    return remote({.method = net::Method::post,
                   .target = "/api/v1/tasks/" + run.id.text() + ".0/" + path,
                   .headers = {{"X-API-Key", key}, {"Content-Type", "application/json"}},
                   .body = body})
        .status;
  };
  const char* tasks = R"({"token":"1-1","steps":"steps: {b: {run: id}}"})";
  const char* resource = R"({"token":"1-1","name":"vm","argv":["id"]})";
  EXPECT_EQ(ask("tasks", "operator", tasks), 403);
  EXPECT_EQ(ask("resources", "operator", resource), 403);
  for (const char* key : {"worker", "editor"}) {
    EXPECT_EQ(ask("tasks", key, tasks), 404) << "the runtime's word";
    EXPECT_EQ(ask("resources", key, resource), 404) << "the runtime's word";
  }
}

TEST_F(PermissionsTest, TheHistoryHasTheKeysName) {
  runtime_.commands.clear();
  remote({.method = net::Method::put,
          .target = "/api/v1/limits/gpu",
          .headers = {{"X-API-Key", "editor"}, {"Content-Type", "application/json"}},
          .body = R"({"limit":3})"});
  const auto sent = std::ranges::find_if(runtime_.commands, [](const auto& command) {
    return std::holds_alternative<model::SetLimit>(command.first);
  });
  ASSERT_NE(sent, runtime_.commands.end());
  EXPECT_EQ(sent->second, "key:editor");
}

}  // namespace
}  // namespace baton::api::test

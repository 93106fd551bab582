// openapi.yaml says what the code does: the same routes, and the same fields as the objects that are
// rendered.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "api/render.hpp"
#include "api/router.hpp"
#include "spec/parse.hpp"
#include "spec/read.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;
using Names = std::set<std::string>;

class OpenApi : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream file(std::string(BATON_SOURCE_DIR) + "/openapi.yaml");
    std::stringstream text;
    text << file.rdbuf();
    text_ = text.str();
    const auto tree = spec::read_tree("openapi.yaml", text_, {});
    ASSERT_TRUE(tree.has_value()) << tree.error().message;
    document_ = tree->to_json(tree->root());
  }

  const json::value& schema(std::string_view name) const {
    return document_.at("components").at("schemas").at(name);
  }
  static Names keys(const json::value& object) {
    Names names;
    for (const auto& [key, value] : object.as_object()) names.emplace(key);
    return names;
  }
  static Names words(const json::value& array) {
    Names names;
    for (const auto& word : array.as_array()) names.emplace(word.as_string());
    return names;
  }

  std::string text_;
  json::value document_;
};

TEST_F(OpenApi, HasExactlyTheRoutes) {
  Names documented;
  for (const auto& [path, item] : document_.at("paths").as_object()) {
    for (const auto& [method, operation] : item.as_object()) {
      if (method != "parameters") documented.insert(std::string(method) + ' ' + std::string(path));
    }
  }
  Names served;
  for (const Route& route : routes()) {
    std::string method(net::to_string(route.method));
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    served.insert(method + ' ' + std::string(route.pattern));
  }
  EXPECT_EQ(documented, served);
}

TEST_F(OpenApi, SaysWhoMay) {
  for (const Route& route : routes()) {
    std::string method(net::to_string(route.method));
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    const json::object& operation = document_.at("paths").at(route.pattern).at(method).as_object();
    const std::string what = method + ' ' + std::string(route.pattern);
    const json::value* role = operation.if_contains("x-role");
    const json::value* security = operation.if_contains("security");
    EXPECT_EQ(security != nullptr && security->as_array().empty(), route.permission.anonymous()) << what;
    ASSERT_EQ(role != nullptr, !route.permission.anonymous()) << what;
    const auto least = route.permission.least();
    if (role != nullptr) EXPECT_EQ(role->as_string(), least ? model::name(*least) : "any") << what;
  }
}

TEST_F(OpenApi, SaysOfEveryPostHowItIsRepeated) {
  for (const Route& route : routes()) {
    if (route.method != net::Method::post) continue;
    const json::object& operation = document_.at("paths").at(route.pattern).at("post").as_object();
    bool key = false;
    if (const json::value* parameters = operation.if_contains("parameters")) {
      for (const json::value& parameter : parameters->as_array()) {
        const json::object& one = parameter.as_object();
        const json::value* reference = one.if_contains("$ref");
        const json::value* name = one.if_contains("name");
        key |= reference != nullptr && reference->as_string() == "#/components/parameters/idempotencyKey";
        key |= name != nullptr && name->as_string() == "Idempotency-Key";
      }
    }
    EXPECT_NE(key, operation.contains("x-repeatable")) << route.pattern;
  }
}

TEST_F(OpenApi, SaysWhatTakesIfMatch) {
  for (const Route& route : routes()) {
    if (route.method == net::Method::get) continue;
    std::string method(net::to_string(route.method));
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    const json::object& operation = document_.at("paths").at(route.pattern).at(method).as_object();
    const json::value* parameters = operation.if_contains("parameters");
    const std::string text = parameters == nullptr ? "" : json::serialize(*parameters);
    const bool said = text.find("parameters/ifMatch") != text.npos || text.find("If-Match") != text.npos;
    EXPECT_EQ(said, route.conditional) << method << ' ' << route.pattern;
    EXPECT_EQ(operation.at("responses").as_object().contains("412"), route.conditional)
        << method << ' ' << route.pattern;
  }
}

TEST_F(OpenApi, SaysWhatIsAboutANamespace) {
  for (const auto& [path, item] : document_.at("paths").as_object()) {
    bool named = false;
    if (const json::value* parameters = item.as_object().if_contains("parameters")) {
      for (const json::value& parameter : parameters->as_array()) {
        const json::value* reference = parameter.as_object().if_contains("$ref");
        named |= reference != nullptr && reference->as_string() == "#/components/parameters/namespace";
      }
    }
    bool wanted = false;
    for (const Route& route : routes()) {
      if (route.pattern != std::string_view(path)) continue;
      std::string method(net::to_string(route.method));
      for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
      const json::value* scope = item.at(method).as_object().if_contains("x-scope");
      EXPECT_EQ(scope != nullptr && scope->as_string() == "server", route.permission.of_server())
          << method << ' ' << path;
      wanted |= !route.permission.of_server() && !route.permission.anonymous();
    }
    EXPECT_EQ(named, wanted) << path;
  }
}

TEST_F(OpenApi, DescribesKeysAndTheAudit) {
  JsonText space;
  write_namespace({}, true, space);
  const json::value described = json::parse(space.take());
  EXPECT_EQ(keys(schema("Namespace").at("properties")), keys(described));
  EXPECT_EQ(words(schema("Namespace").at("required")), keys(described));
  JsonText out;
  write_api_key({}, {}, "text", out);
  const json::value key = json::parse(out.take());
  EXPECT_EQ(keys(schema("Key").at("properties")), keys(key));
  Names required = words(schema("Key").at("required"));
  required.insert("key");
  EXPECT_EQ(required, keys(key));
  JsonText other;
  write_audit_entry({}, false, other);
  const json::value entry = json::parse(other.take());
  EXPECT_EQ(keys(schema("AuditEntry").at("properties")), keys(entry));
  EXPECT_EQ(words(schema("AuditEntry").at("required")), keys(entry));
}

TEST_F(OpenApi, DescribesSecrets) {
  JsonText out;
  write_secret({}, std::nullopt, out);
  const json::value secret = json::parse(out.take());
  EXPECT_EQ(keys(schema("Secret").at("properties")), keys(secret));
  EXPECT_EQ(words(schema("Secret").at("required")), keys(secret));
}

TEST_F(OpenApi, DescribesRuns) {
  JsonText out;
  write_run({}, {nullptr, 0, "{}", "{}", nullptr, "{}", "[]"}, out);
  const json::value run = json::parse(out.take());
  EXPECT_EQ(keys(schema("Run").at("properties")), keys(run));
  EXPECT_EQ(keys(schema("Run").at("properties").at("counts").at("properties")), keys(run.at("counts")));
  Names required = words(schema("Run").at("required"));
  required.insert("input");
  required.insert("resources");
  EXPECT_EQ(required, keys(run));
}

TEST_F(OpenApi, DescribesTasks) {
  const auto parsed = spec::parse_workflow("name: x\nsteps:\n  a: {run: x}\n");
  model::TaskRow row;
  row.history.emplace_back();
  JsonText out;
  write_task(row, {{}, RunSteps(parsed.workflow), {}, "null", true}, out);
  const json::value task = json::parse(out.take());
  EXPECT_EQ(keys(schema("Task").at("properties")), keys(task));
  EXPECT_EQ(keys(schema("Attempt").at("properties")), keys(task.at("attempt_list").at(0)));
}

TEST_F(OpenApi, DescribesBreakers) {
  JsonText out;
  write_breaker({}, out);
  const json::value breaker = json::parse(out.take());
  EXPECT_EQ(keys(schema("Breaker").at("properties")), keys(breaker));
  EXPECT_EQ(words(schema("Breaker").at("required")), keys(breaker));
}

TEST_F(OpenApi, DescribesCachedResults) {
  JsonText out;
  write_cached_result({.key = "w/s/h"}, out);
  const json::value cached = json::parse(out.take());
  EXPECT_EQ(keys(schema("CachedResult").at("properties")), keys(cached));
  EXPECT_EQ(words(schema("CachedResult").at("required")), keys(cached));
}

TEST_F(OpenApi, DescribesLimits) {
  JsonText out;
  write_limit({.name = "gpu", .holders = {{{}, "go", 1}}}, out);
  const json::value limit = json::parse(out.take());
  EXPECT_EQ(keys(schema("Limit").at("properties")), keys(limit));
  EXPECT_EQ(words(schema("Limit").at("required")), keys(limit));
  EXPECT_EQ(keys(schema("Limit").at("properties").at("holders").at("items").at("properties")),
            keys(limit.at("holders").at(0)));
}

TEST_F(OpenApi, DescribesQueuesAndRoutes) {
  JsonText out;
  write_queue({}, nullptr, out);
  const json::value queue = json::parse(out.take());
  EXPECT_EQ(keys(schema("Queue").at("properties")), keys(queue));
  EXPECT_EQ(words(schema("Queue").at("required")), keys(queue));
  JsonText other;
  write_route({}, other);
  const json::value route = json::parse(other.take());
  EXPECT_EQ(keys(schema("Route").at("properties")), keys(route));
  EXPECT_EQ(words(schema("Route").at("required")), keys(route));
}

TEST_F(OpenApi, DescribesDeadLetters) {
  JsonText out;
  const DeadLetterDetails details{"{}", "{}", "{}"};
  write_dead_letter({}, out, &details);
  const json::value letter = json::parse(out.take());
  EXPECT_EQ(keys(schema("DeadLetter").at("properties")), keys(letter));
  Names required = words(schema("DeadLetter").at("required"));
  required.merge(Names{"task_detail", "arguments", "run_input"});
  EXPECT_EQ(required, keys(letter));
}

TEST_F(OpenApi, AFactOfATaskThatServesAnotherSaysItsRole) {
  const auto role_of = [](std::uint8_t role) {
    JsonText out;
    write_fact({}, {.kind = model::FactKind::attempt_started, .role = role, .text = "w"}, nullptr, out);
    const json::value fact = json::parse(out.take());
    const auto* found = fact.as_object().if_contains("role");
    return found == nullptr ? std::string() : std::string(found->as_string());
  };
  EXPECT_EQ(role_of(0), "");
  EXPECT_EQ(role_of(200), "") << "of a newer version";
  Names names;
  for (std::uint8_t role = 1; role <= static_cast<std::uint8_t>(model::TaskRole::resource); ++role)
    names.insert(role_of(role));
  EXPECT_EQ(words(schema("Fact").at("properties").at("role").at("enum")), names);
}

TEST_F(OpenApi, DescribesStates) {
  const auto check = [&](std::string_view of, auto first, auto last, std::string_view field = "status") {
    Names names;
    for (auto i = static_cast<int>(first); i <= static_cast<int>(last); ++i) {
      names.emplace(model::name(static_cast<decltype(first)>(i)));
    }
    EXPECT_EQ(words(schema(of).at("properties").at(field).at("enum")), names) << of;
  };
  check("Run", model::RunStatus::pending, model::RunStatus::cancelled);
  check("Task", model::TaskStatus::pending, model::TaskStatus::cancelled);
  check("Attempt", model::AttemptEnd::running, model::AttemptEnd::cancelled);
  check("Fact", model::FactKind::run_submitted, model::kLastFactKind, "type");
}

}  // namespace
}  // namespace baton::api

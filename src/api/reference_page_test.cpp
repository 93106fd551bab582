#include <boost/json/object.hpp>
#include <set>

#include "api/openapi.hpp"
#include "api/test_support.hpp"

namespace baton::api::test {
namespace {

// What stands between `before` and the next quote, wherever that is.
std::multiset<std::string> all_behind(std::string_view text, std::string_view before) {
  std::multiset<std::string> found;
  for (std::size_t at = text.find(before); at != std::string_view::npos; at = text.find(before, at)) {
    at += before.size();
    found.emplace(text.substr(at, text.find('"', at) - at));
  }
  return found;
}

class ReferencePageTest : public ApiTest {};

TEST_F(ReferencePageTest, HasEveryOperationAndObjectOnce) {
  const auto answer = get("/api/v1/reference");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.headers.find("Content-Type"), "text/html; charset=utf-8");
  EXPECT_TRUE(answer.headers.find("Content-Security-Policy"));
  const auto ids = all_behind(answer.body, " id=\"");
  const auto document = read_openapi();
  ASSERT_TRUE(document.has_value());
  std::size_t expected = 0;
  for (const auto& [path, item] : document->at("paths").as_object()) {
    for (const auto& [method, operation] : item.as_object()) {
      if (!operation.is_object()) continue;
      ++expected;
      EXPECT_EQ(ids.count(std::string(operation.at("operationId").as_string())), 1U) << path << ' ' << method;
    }
  }
  for (const auto& [name, schema] : document->at("components").at("schemas").as_object()) {
    ++expected;
    EXPECT_EQ(ids.count("schema-" + std::string(name)), 1U) << name;
  }
  EXPECT_EQ(ids.size(), expected);
}

TEST_F(ReferencePageTest, NoLinkLeadsNowhere) {
  const auto answer = get("/api/v1/reference");
  const auto ids = all_behind(answer.body, " id=\"");
  const auto links = all_behind(answer.body, "href=\"#");
  EXPECT_GT(links.size(), 300U);
  for (const std::string& link : links) EXPECT_TRUE(ids.contains(link)) << link;
}

TEST_F(ReferencePageTest, EveryElementEnds) {
  const auto answer = get("/api/v1/reference");
  for (const char* name :
       {"p", "td", "tr", "table", "section", "dl", "dd", "ul", "li", "code", "h3", "a", "span"}) {
    std::size_t begun = 0;
    for (const char* end : {">", " "}) begun += all_behind(answer.body, "<" + std::string(name) + end).size();
    EXPECT_EQ(begun, all_behind(answer.body, "</" + std::string(name) + ">").size()) << name;
  }
}

}  // namespace
}  // namespace baton::api::test

#include "net/web_url.hpp"

#include <gtest/gtest.h>

namespace baton::net {
namespace {

struct Parsed {
  const char* text;
  const char* url;  // what it is then
  const char* shown;
};

TEST(WebUrl, IsReadAndWritten) {
  const Parsed table[] = {
      {"http://example.org", "http://example.org/", "http://example.org/"},
      {"HTTP://Example.ORG:80/A", "http://example.org/A", "http://example.org/A"},
      {"https://example.org:443/", "https://example.org/", "https://example.org/"},
      {"https://example.org:80", "https://example.org:80/", "https://example.org:80/"},
      {"http://h:8001/a/b?x=1&y=%20#frag", "http://h:8001/a/b?x=1&y=%20", "http://h:8001/a/b?…"},
      {"http://h?x", "http://h/?x", "http://h/?…"},
      {"http://h#f", "http://h/", "http://h/"},
      {"http://[::1]:7/a", "http://[::1]:7/a", "http://[::1]:7/a"},
      {"http://[FE80::A]/", "http://[fe80::a]/", "http://[fe80::a]/"},
      {"http://127.0.0.1:1/", "http://127.0.0.1:1/", "http://127.0.0.1:1/"},
      {"http://h/a b\xC3\xA4\"<>|^`{}\\", "http://h/a%20b%C3%A4%22%3C%3E%7C%5E%60%7B%7D%5C",
       "http://h/a%20b%C3%A4%22%3C%3E%7C%5E%60%7B%7D%5C"},
      {"http://h/100%/%zz/%4", "http://h/100%25/%25zz/%254", "http://h/100%25/%25zz/%254"},
      {"http://h/a/../b", "http://h/a/../b", "http://h/a/../b"},
      {"http://under_score.example/", "http://under_score.example/", "http://under_score.example/"},
  };
  for (const Parsed& row : table) {
    const auto url = parse_web_url(row.text);
    ASSERT_TRUE(url) << row.text << ": " << url.error().message;
    EXPECT_EQ(url->text(), row.url);
    EXPECT_EQ(url->shown(), row.shown);
    EXPECT_EQ(parse_web_url(url->text()), *url) << row.text;
  }
}

TEST(WebUrl, RefusesWhatCannotBeRequested) {
  const std::pair<std::string, const char*> table[] = {
      {"", "must begin with http"},
      {"example.org", "must begin with http"},
      {"ftp://h/", "must begin with http"},
      {"file:///etc/passwd", "must begin with http"},
      {"http:/h/", "must begin with http"},
      {"http://", "the host is missing"},
      {"http:///x", "the host is missing"},
      {"http://:80/", "the host is missing"},
      {"http://h:0/", "from 1 to 65535"},
      {"http://h:65536/", "from 1 to 65535"},
      {"http://h:8x/", "from 1 to 65535"},
      {"http://h:-1/", "from 1 to 65535"},
      {"http://user:pass@h/", "Authorization header"},
      {"http://good.example\\@evil/", "stands behind the host"},
      {"http://h\\x/", "stands behind the host"},
      {"http://a b/", "hosts cannot have"},
      {"http://a%2fb/", "hosts cannot have"},
      {"http://b\xC3\xBC"
       "cher.example/",
       "xn--"},
      {"http://[::1/", "\"]\" is missing"},
      {"http://[]/", "no IPv6 address"},
      {"http://[fe80::1%25eth0]/", "no IPv6 address"},
      {"http://[::1]x/", "must follow"},
      {"http://h/a\r\nHost: evil", "control character"},
      {std::string("http://h/\0x", 11), "control character"},
      {"http://h/" + std::string(9000, 'a'), "8 KiB"},
      {"http://h/" + std::string(3000, ' '), "8 KiB"},
      {"http://" + std::string(254, 'a') + "/", "253"},
  };
  for (const auto& [text, why] : table) {
    const auto url = parse_web_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, ErrorCode::invalid_request);
    EXPECT_NE(url.error().message.find(why), std::string::npos) << url.error().message;
  }
  EXPECT_EQ(parse_web_url("gopher://h/?token=abc").error().message.find("abc"), std::string::npos);
  EXPECT_EQ(parse_web_url("http://me:pw@h/").error().message.find("pw"), std::string::npos);
}

// RFC 3986, 5.4.
TEST(WebUrl, References) {
  const auto base = parse_web_url("http://a/b/c/d;p?q");
  ASSERT_TRUE(base);
  const std::pair<const char*, const char*> table[] = {
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g/"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q"},
      {"g#s", "http://a/b/c/g"},
      {"g?y#s", "http://a/b/c/g?y"},
      {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/./x", "http://a/b/c/g?y/./x"},
      {"https://other:8443/z", "https://other:8443/z"},
      {"a b", "http://a/b/c/a%20b"},
  };
  for (const auto& [reference, target] : table) {
    const auto url = resolve_reference(*base, reference);
    ASSERT_TRUE(url) << reference << ": " << url.error().message;
    EXPECT_EQ(url->text(), target) << reference;
  }
  for (const char* reference :
       {"mailto:x@y", "javascript:alert(1)", "file:///etc/passwd", "http:g", "//", "//u@h/"}) {
    EXPECT_FALSE(resolve_reference(*base, reference)) << reference;
  }
}

TEST(WebUrl, QueriesAreAdded) {
  const std::pair<const char*, const char*> table[] = {
      {"http://h/", "http://h/?a=1%20%26&b="},
      {"http://h/?x=1", "http://h/?x=1&a=1%20%26&b="},
      {"http://h/?", "http://h/?a=1%20%26&b="},
      {"http://h/?x&", "http://h/?x&a=1%20%26&b="},
  };
  for (const auto& [text, expected] : table) {
    auto url = parse_web_url(text);
    ASSERT_TRUE(url);
    add_query(*url, {{"a", "1 &"}, {"b", ""}});
    EXPECT_EQ(url->text(), expected);
    add_query(*url, {});
    EXPECT_EQ(url->text(), expected);
  }
}

}  // namespace
}  // namespace baton::net

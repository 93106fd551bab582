#include "executors/http/http_executor.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "executors/http/test_support.hpp"

namespace baton::executors::http {
namespace {

using test::answer;
using test::Conversation;
using test::Harness;
using test::Server;
using Kind = model::Outcome::Kind;

// Answers every request of every connection with these bytes, then closes.
Server::Serve always(std::string bytes) {
  return [bytes = std::move(bytes)](Conversation& client, int) {
    if (!client.read_request().empty()) client.write(bytes);
  };
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(HttpExecutor, ARequestAndItsAnswer) {
  std::string seen;
  Server server([&](Conversation& client, int) {
    seen = client.read_request();
    client.write(answer(R"({"text":"hello"})", "application/json"));
  });
  Harness harness;
  const Token token = harness.start("\"url\":\"" + server.url("/p?a=secret") +
                                    R"(","json":{"q":1},"headers":{"Authorization":"Bearer secret"})");
  const model::Outcome outcome = harness.wait(token);
  EXPECT_EQ(outcome.kind, Kind::completed) << outcome.failure.message;
  EXPECT_EQ(
      outcome.result,
      R"({"status":200,"headers":{"content-length":"16","content-type":"application/json"},"body":{"text":"hello"}})");
  EXPECT_TRUE(seen.starts_with(
      "POST /p?a=secret HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"))
      << seen;
  EXPECT_TRUE(contains(seen, "Authorization: Bearer secret\r\n")) << seen;
  EXPECT_TRUE(contains(seen, "Idempotency-Key: " + TaskId{}.text() + "\r\n")) << seen;
  EXPECT_TRUE(seen.ends_with("\r\n\r\n{\"q\":1}")) << seen;

  const std::string log = harness.log(token);
  EXPECT_TRUE(contains(log, "> POST " + server.url("/p?…") + ", 7 bytes")) << log;
  EXPECT_TRUE(contains(log, "Authorization")) << log;
  EXPECT_TRUE(contains(log, "< 200 OK, application/json, 16 bytes")) << log;
  EXPECT_FALSE(contains(log, "secret")) << log;
  EXPECT_FALSE(contains(log, "hello")) << log;
}

TEST(HttpExecutor, RedirectsAreFollowedUpToTheirLimit) {
  std::atomic<int> hops = 0;
  Server server([&](Conversation& client, int) {
    while (!client.read_request().empty()) {
      ++hops;  // before the client can know
      client.write("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
    }
  });
  Harness harness;
  const auto loop = harness.get(server.url());
  EXPECT_EQ(loop.failure.type, "http");
  EXPECT_EQ(loop.failure.status, 302);
  EXPECT_TRUE(loop.failure.never_retry);
  EXPECT_TRUE(contains(loop.failure.message, "more than 10 redirects")) << loop.failure.message;
  EXPECT_EQ(hops, 11);
  const auto none = harness.run("\"url\":\"" + server.url() + "\",\"follow\":false");
  EXPECT_TRUE(contains(none.failure.message, "`follow` is off; it leads to " + server.url("/again")))
      << none.failure.message;
  const auto expected = harness.run("\"url\":\"" + server.url() + "\",\"expect\":302");
  EXPECT_EQ(expected.kind, Kind::completed);
  EXPECT_EQ(hops, 13);
}

TEST(HttpExecutor, AnotherOriginGetsNoCredentials) {
  std::string seen;
  Server other([&](Conversation& client, int) {
    seen = client.read_request();
    client.write(answer("ok"));
  });
  Server server(always("HTTP/1.1 307 Temporary Redirect\r\nLocation: " + other.url("/z") +
                       "\r\nContent-Length: 0\r\n\r\n"));
  Harness harness;
  const auto outcome =
      harness.run("\"url\":\"" + server.url() +
                  R"(","body":"x","headers":{"Authorization":"s","X-Token":"s","Accept":"a/b"})");
  EXPECT_EQ(outcome.kind, Kind::completed) << outcome.failure.message;
  EXPECT_TRUE(seen.starts_with("POST /z ")) << seen;
  EXPECT_TRUE(contains(seen, "Accept: a/b")) << seen;
  EXPECT_FALSE(contains(seen, "Authorization")) << seen;
  EXPECT_FALSE(contains(seen, "X-Token")) << seen;
  EXPECT_TRUE(seen.ends_with("\r\n\r\nx")) << seen;
}

TEST(HttpExecutor, StatusesBecomeFailures) {
  Server server(always("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"));
  Harness harness;
  const auto outcome = harness.get(server.url());
  EXPECT_EQ(outcome.failure.type, "http");
  EXPECT_EQ(outcome.failure.status, 429);
  EXPECT_EQ(outcome.failure.retry_after, Duration::seconds(7));
}

TEST(HttpExecutor, NobodyThere) {
  std::uint16_t port = 0;
  {
    const auto listener = net::listen_tcp("127.0.0.1", 0);
    ASSERT_TRUE(listener);
    port = listener->port;
  }
  Harness harness;
  const auto refused = harness.get("http://127.0.0.1:" + std::to_string(port) + "/");
  EXPECT_EQ(refused.failure.type, "connection");
  EXPECT_FALSE(refused.failure.never_retry);
  EXPECT_TRUE(contains(refused.failure.message, "Connection refused")) << refused.failure.message;
}

TEST(HttpExecutor, HostileServers) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
  struct Row {
    const char* what;
    Server::Serve serve;
    const char* type;
    const char* message;
  };
  const auto endless = [](std::string start, std::string piece) -> Server::Serve {
    return [start = std::move(start), piece = std::move(piece)](Conversation& client, int) {
      client.read_request();
      client.write(start);
      while (client.write(piece)) {
      }
    };
  };
  const Row table[] = {
      {"closes without an answer", always(""), "connection", "closed the connection"},
      {"resets", [](Conversation& client, int) { client.read_request(), client.reset(); }, "connection",
       "lost the connection"},
      {"half-closes",
       [](Conversation& client, int) { client.read_request(), client.end_sending(), client.wait_closed(); },
       "connection", "closed the connection"},
      {"cuts a body", always(head + "Content-Length: 10\r\n\r\nhalf"), "connection", "cut short"},
      {"cuts a chunked body", always(head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"), "connection",
       "cut short"},
      {"speaks nonsense", always("220 smtp.example.org ESMTP\r\n\r\n"), "connection",
       "cannot read the answer"},
      {"speaks nonsense at length", endless("", std::string(1000, 'x')), "validation",
       "the header is larger"},
      {"contradicts itself",
       always(head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "connection",
       "cannot read the answer"},
      {"has two lengths", always(head + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), "connection",
       "cannot read the answer"},
      {"has no end of headers",
       endless("HTTP/1.1 200 OK\r\n", "X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"), "validation",
       "the header is larger"},
      {"never says 200", endless("", "HTTP/1.1 100 Continue\r\n\r\n"), "connection", "interim"},
      {"has no end of its body", endless(head + "\r\n", std::string(65536, 'x')), "validation",
       "larger than 2097152 bytes"},
      {"has no end of its chunks",
       endless(head + "Transfer-Encoding: chunked\r\n\r\n", "a\r\n0123456789\r\n"), "validation",
       "larger than 2097152 bytes"},
      {"announces too much", always(head + "Content-Length: 99999999999\r\n\r\n"), "validation",
       "larger than 2097152 bytes"},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(row.what);
    Server server(row.serve);
    Harness harness;
    const auto outcome = harness.get(server.url());
    EXPECT_EQ(outcome.kind, Kind::failed);
    EXPECT_EQ(outcome.failure.type, row.type) << outcome.failure.message;
    EXPECT_EQ(outcome.failure.never_retry, std::string_view(row.type) == "validation");
    EXPECT_TRUE(contains(outcome.failure.message, row.message)) << outcome.failure.message;
    EXPECT_EQ(server.connections(), 1) << "nothing is repeated behind the engine's back";
  }
}

TEST(HttpExecutor, BodiesWithoutALength) {
  Server server([](Conversation& client, int) {
    client.read_request();
    client.write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end");
  });
  Harness harness;
  const auto outcome = harness.get(server.url());
  EXPECT_TRUE(outcome.result.ends_with("\"body\":\"until the end\"}")) << outcome.result;
}

TEST(HttpExecutor, ASilentServerIsLeftWhenTheAttemptIsStopped) {
  Server server([](Conversation& client, int) {
    client.read_request();
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nha");
    client.wait_closed();
  });
  for (const StopMode mode : {StopMode::soft, StopMode::hard}) {
    Harness harness;
    const Token token = harness.start("\"url\":\"" + server.url() + "\"");
    harness.wait_started(token);
    EXPECT_EQ(harness.executor().reattach(token), Reattached::running);
    harness.executor().stop(token, mode);
    const auto outcome = harness.wait(token);
    EXPECT_EQ(outcome.kind, Kind::failed);
    EXPECT_EQ(outcome.failure.type, "cancelled");
    harness.executor().stop(token, mode);  // of one that has ended: no effect
  }
}

TEST(HttpExecutor, AnAttemptThatWaitsForAThreadCanBeStopped) {
  Server server([](Conversation& client, int) {
    client.read_request();
    client.wait_closed();
  });
  Harness harness(nullptr, 1);
  const Token first = harness.start("\"url\":\"" + server.url() + "\"");
  harness.wait_started(first);
  const Token second = harness.start("\"url\":\"" + server.url() + "\"");
  const Token third = harness.start("\"url\":\"" + server.url() + "\"");
  harness.executor().stop(second, StopMode::soft);
  EXPECT_EQ(harness.wait(second).failure.type, "cancelled");
  harness.executor().stop(first, StopMode::hard);
  EXPECT_EQ(harness.wait(first).failure.type, "cancelled");
  harness.wait_started(third);
  harness.executor().stop(third, StopMode::soft);
  EXPECT_EQ(harness.wait(third).failure.type, "cancelled");
}

TEST(HttpExecutor, ShutdownInterrupts) {
  Server server([](Conversation& client, int) {
    client.read_request();
    client.wait_closed();
  });
  Harness harness(nullptr, 2);
  std::vector<Token> tokens;
  for (int i = 0; i < 5; ++i) tokens.push_back(harness.start("\"url\":\"" + server.url() + "\""));
  harness.wait_started(tokens[1]);
  harness.executor().shutdown();
  for (const Token& token : tokens) {
    EXPECT_EQ(harness.wait(token).kind, Kind::interrupted);
    EXPECT_EQ(harness.executor().reattach(token), Reattached::gone);
  }
  harness.executor().shutdown();
}

TEST(HttpExecutor, ManyAtATime) {
  Server server(always(answer("x")));
  Harness harness;
  std::vector<Token> tokens;
  for (int i = 0; i < 200; ++i) tokens.push_back(harness.start("\"url\":\"" + server.url() + "\""));
  for (const Token& token : tokens) EXPECT_EQ(harness.wait(token).kind, Kind::completed);
}

TEST(HttpExecutor, ABrokenSpecIsTheDefinitionsFault) {
  Harness harness;
  const Token token = harness.start("\"url\":\"nowhere\"");
  const auto outcome = harness.wait(token);
  EXPECT_EQ(outcome.failure.type, "validation");
  EXPECT_TRUE(outcome.failure.never_retry);
  EXPECT_TRUE(contains(outcome.failure.message, "must begin with http")) << outcome.failure.message;
  EXPECT_TRUE(contains(harness.log(token), "must begin with http"));
}

TEST(HttpExecutor, DeniedAddressesAreNotConnectedTo) {
  std::vector<net::AddressRange> deny{*net::AddressRange::parse("127.0.0.0/8"),
                                      *net::AddressRange::parse("::1")};
  Server server(always(answer("x")));
  Harness harness(
      std::make_shared<const net::AddressPolicy>(std::move(deny), std::vector<net::AddressRange>{}));
  const std::string port = ":" + std::to_string(server.port()) + "/";
  for (const char* host : {"127.0.0.1", "localhost", "2130706433", "0x7f.0.0.1", "0177.1", "0.0.0.0", "[::1]",
                           "[::ffff:127.0.0.1]"}) {
    const auto outcome = harness.get("http://" + std::string(host) + port);
    EXPECT_EQ(outcome.failure.type, "connection") << host;
    EXPECT_TRUE(outcome.failure.never_retry) << host;
    EXPECT_TRUE(contains(outcome.failure.message, "is denied")) << outcome.failure.message;
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpExecutor, ARedirectDoesNotLeadAroundThePolicy) {
  Server inner(always(answer("x")));
  Server outer(always("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:" + std::to_string(inner.port()) +
                      "/\r\nContent-Length: 0\r\n\r\n"));
  std::vector<net::AddressRange> deny{*net::AddressRange::parse("127.0.0.2")};
  Harness harness(
      std::make_shared<const net::AddressPolicy>(std::move(deny), std::vector<net::AddressRange>{}));
  const auto outcome = harness.get(outer.url());
  EXPECT_TRUE(contains(outcome.failure.message, "127.0.0.2 is denied (127.0.0.2)"))
      << outcome.failure.message;
  EXPECT_EQ(outer.connections(), 1);
  EXPECT_EQ(inner.connections(), 0);
}

}  // namespace
}  // namespace baton::executors::http

#include "net/http_client.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <deque>
#include <optional>
#include <thread>

#include "net/test_support.hpp"

namespace baton::net {
namespace {

using test::Event;
using test::kPatience;
using test::TempDir;
using test::TestServer;

// Answers every connection with bytes from a script, one entry per connection: it reads until the end of a
// head, writes the entry, and closes.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::deque<std::string> script)
      : listener_(*listen_unix(dir_.file("s"), 0600, IfExists::fail)),
        thread_([this, script] { serve(script); }) {}

  Endpoint endpoint() const { return {.unix_socket = true, .path = dir_.file("s"), .host = {}, .port = 0}; }
  // The heads that arrived; waits for the end of the script.
  std::vector<std::string> heads() {
    thread_.join();
    return heads_;
  }

 private:
  void serve(std::deque<std::string> script) {
    for (const auto& entry : script) {
      pollfd state{listener_.get(), POLLIN, 0};
      if (::poll(&state, 1, static_cast<int>(kPatience.us / 1000)) <= 0) return;
      const Fd fd(::accept(listener_.get(), nullptr, nullptr));
      std::string head;
      char c = 0;
      while (!head.ends_with("\r\n\r\n") && ::read(fd.get(), &c, 1) == 1) head += c;
      heads_.push_back(head);
      [[maybe_unused]] const auto n = ::write(fd.get(), entry.data(), entry.size());
    }
  }

  TempDir dir_;
  Fd listener_;
  std::vector<std::string> heads_;
  std::jthread thread_;
};

void echo(Request request, Responder responder) {
  responder.respond({.status = 200, .headers = {{"X-Path", request.path}}, .body = request.body});
}

ClientRequest get(std::string target = "/") {
  return {.method = Method::get, .target = std::move(target), .headers = {}, .body = {}};
}

TEST(HttpClientTest, KeepsItsConnection) {
  TestServer server(echo);
  HttpClient client(server.endpoint);
  for (int i = 0; i < 5; ++i) {
    const auto answer = client.request({.method = Method::post,
                                        .target = "/x",
                                        .headers = {{"Host", "evil"}},
                                        .body = "body " + std::to_string(i)},
                                       kPatience);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->headers.find("x-path"), "/x");
    EXPECT_EQ(answer->body, "body " + std::to_string(i));
  }
  EXPECT_EQ(server.server.stats().accepted, 1u);
}

TEST(HttpClientTest, TcpHeadAndLargeBodies) {
  TestServer server(echo);
  const auto port = server.server.listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(port);
  HttpClient client(*parse_endpoint("http://localhost:" + std::to_string(*port)));
  const auto head =
      client.request({.method = Method::head, .target = "/h", .headers = {}, .body = {}}, kPatience);
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->headers.find("x-path"), "/h");
  const std::string large(20'000'000, 'x');
  const auto answer =
      client.request({.method = Method::put, .target = "/", .headers = {}, .body = large}, kPatience);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, large);
}

TEST(HttpClientTest, NobodyThere) {
  const TempDir dir;
  HttpClient client({.unix_socket = true, .path = dir.file("none"), .host = {}, .port = 0});
  const auto answer = client.request(get(), kPatience);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  EXPECT_NE(answer.error().message.find(dir.file("none")), std::string::npos);
}

TEST(HttpClientTest, ReplacesAConnectionThatIsKnownToBeClosed) {
  TestServer server(echo);
  HttpClient client(server.endpoint);
  ASSERT_TRUE(client.request(get(), kPatience));
  server.server.close();
  Loop& loop = server.loop;
  HttpServer second(loop, {}, echo);
  ASSERT_TRUE(second.listen_unix(server.endpoint.path));
  const auto answer =
      client.request({.method = Method::post, .target = "/", .headers = {}, .body = "b"}, kPatience);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "b");
}

TEST(HttpClientTest, RetriesIdempotentRequestsOnALostKeptConnection) {
  constexpr const char* kKeep = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  for (const bool idempotent : {true, false}) {
    TempDir dir;
    const auto path = dir.file("s");
    const auto listener = listen_unix(path, 0600, IfExists::fail);
    ASSERT_TRUE(listener);
    int requests = 0;
    std::jthread server([&] {
      for (int connection = 0; connection < 2; ++connection) {
        pollfd state{listener->get(), POLLIN, 0};
        if (::poll(&state, 1, connection == 0 || idempotent ? 60'000 : 0) <= 0) return;
        const Fd fd(::accept(listener->get(), nullptr, nullptr));
        const auto read_head = [&] {
          std::string head;
          char c = 0;
          while (!head.ends_with("\r\n\r\n") && ::read(fd.get(), &c, 1) == 1) head += c;
          if (head.ends_with("\r\n\r\n")) ++requests;
        };
        const auto answer = [&] { EXPECT_GT(::write(fd.get(), kKeep, std::string_view(kKeep).size()), 0); };
        read_head();
        answer();
        if (connection == 0) read_head();  // the second request: closed without an answer
      }
    });
    HttpClient client({.unix_socket = true, .path = path, .host = {}, .port = 0});
    ASSERT_TRUE(client.request(get(), kPatience));
    const auto second = client.request(
        {.method = Method::post, .target = "/", .headers = {}, .body = {}, .idempotent = idempotent},
        kPatience);
    server.join();
    EXPECT_EQ(second.has_value(), idempotent);
    if (!idempotent) {
      EXPECT_EQ(second.error().code, ErrorCode::unavailable);
    }
    EXPECT_EQ(requests, idempotent ? 3 : 2);
  }
}

TEST(HttpClientTest, NeverRetriesOnceAnswerBytesCame) {
  ScriptedServer server({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"});
  HttpClient client(server.endpoint());
  const auto answer = client.request(get(), kPatience);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::io);
  EXPECT_EQ(server.heads().size(), 1u);
}

TEST(HttpClientTest, ReadsOddButLegalAnswers) {
  ScriptedServer server({
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 "
      "OK\r\nContent-Length: 2\r\n\r\nok",
      "HTTP/1.0 200 Fine\r\n\r\nuntil the end",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: trailer\r\n\r\n",
      "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
  });
  HttpClient client(server.endpoint());
  for (const auto* body : {"ok", "until the end", "ab", ""}) {
    const auto answer = client.request(get(), kPatience);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body, body);
    client.disconnect();
  }
}

TEST(HttpClientTest, RefusesBadAndLargeAnswers) {
  const std::pair<const char*, ErrorCode> cases[] = {
      {"nonsense\r\n\r\n", ErrorCode::io},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", ErrorCode::io},
      {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", ErrorCode::too_large},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n", ErrorCode::too_large},
      {"HTTP/1.1 200 OK\r\n\r\n12345678901", ErrorCode::too_large},
      {"", ErrorCode::unavailable},
  };
  for (const auto& [text, code] : cases) {
    ScriptedServer server({text});
    HttpClient client(server.endpoint(), {.limits = {.max_header = 200, .max_body = 10}});
    const auto answer = client.request(get(), kPatience);
    ASSERT_FALSE(answer) << text;
    EXPECT_EQ(answer.error().code, code) << text;
  }
  ScriptedServer server({"HTTP/1.1 200 OK\r\nX: " + std::string(300, 'x') + "\r\n\r\n"});
  HttpClient client(server.endpoint(), {.limits = {.max_header = 200, .max_body = 10}});
  EXPECT_EQ(client.request(get(), kPatience).error().code, ErrorCode::too_large);
}

TEST(HttpClientTest, RefusesRequestsThatAreNotHttp) {
  TestServer server(echo);
  HttpClient client(server.endpoint);
  for (const auto* target : {"", "x", "/a b", "/a\r\nX: y", "/\xc3\xa4"}) {
    EXPECT_EQ(client.request(get(target), kPatience).error().code, ErrorCode::invalid_request) << target;
  }
  EXPECT_EQ(
      client
          .request({.method = Method::get, .target = "/", .headers = {{"X", "a\nb"}}, .body = {}}, kPatience)
          .error()
          .code,
      ErrorCode::invalid_request);
  EXPECT_EQ(server.server.stats().accepted, 0u);
}

TEST(HttpClientTest, TimesOutAndCanBeCancelled) {
  std::vector<Responder> held;
  Event asked;
  TestServer server([&](Request request, Responder responder) {
    held.push_back(std::move(responder));
    if (request.path == "/cancel") asked.set();
  });
  HttpClient client(server.endpoint);
  EXPECT_EQ(client.request(get(), Duration::millis(20)).error().code, ErrorCode::timed_out);
  Cancellation cancel;
  std::jthread other([&] {
    asked.wait();
    cancel.cancel();
  });
  EXPECT_EQ(client.request(get("/cancel"), kPatience, &cancel).error().code, ErrorCode::interrupted);
  EXPECT_TRUE(cancel.cancelled());
  EXPECT_EQ(client.request(get(), kPatience, &cancel).error().code, ErrorCode::interrupted);
  server.loop.invoke([&] { held.clear(); });
}

TEST(HttpClientTest, EarlyRefusalOfALargeBodyIsRead) {
  ServerOptions options;
  options.max_body = 1000;
  TestServer server(echo, options);
  HttpClient client(server.endpoint);
  for (int i = 0; i < 5; ++i) {
    const auto answer = client.request(
        {.method = Method::post, .target = "/", .headers = {}, .body = std::string(3'000'000, 'x')},
        kPatience);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 413);
    const auto small =
        client.request({.method = Method::post, .target = "/", .headers = {}, .body = "s"}, kPatience);
    ASSERT_TRUE(small) << small.error().message;
    EXPECT_EQ(small->body, "s");
  }
}

TEST(HttpClientStreamTest, DeliversPieces) {
  std::optional<StreamWriter> writer;
  TestServer server([&](Request, Responder responder) {
    writer = responder.stream(200, {{"X", "y"}});
    writer->write("one");
  });
  HttpClient client(server.endpoint);
  std::string all;
  const auto answer = client.stream(
      get(),
      [&](std::string_view piece) {
        all += piece;
        server.loop.invoke([&] {
          if (all == "one") {
            writer->write("two");
          } else {
            writer->close();
          }
        });
        return true;
      },
      kPatience);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(all, "onetwo");
  EXPECT_EQ(answer->headers.find("x"), "y");
  EXPECT_EQ(answer->body, "");
}

TEST(HttpClientStreamTest, StopsWhenTheCallbackSaysSoAndGoesOn) {
  std::vector<StreamWriter> writers;
  TestServer server([&](Request request, Responder responder) {
    if (request.path == "/plain") return echo(std::move(request), std::move(responder));
    writers.push_back(responder.stream(200, {}));
    writers.back().write("piece");
  });
  HttpClient client(server.endpoint);
  int pieces = 0;
  ASSERT_TRUE(client.stream(get(), [&](std::string_view) { return ++pieces < 1; }, kPatience));
  EXPECT_EQ(pieces, 1);
  EXPECT_TRUE(client.request(get("/plain"), kPatience));
  EXPECT_EQ(client.stream(
                      get(), [](std::string_view) { return true; }, Duration::millis(20))
                .error()
                .code,
            ErrorCode::timed_out);
  Cancellation cancel;
  EXPECT_EQ(client
                .stream(
                    get(),
                    [&](std::string_view) {
                      cancel.cancel();
                      return true;
                    },
                    kPatience, &cancel)
                .error()
                .code,
            ErrorCode::interrupted);
  EXPECT_THROW((void)client.stream(get(), [](std::string_view) -> bool { throw 1; }, kPatience), int);
  EXPECT_TRUE(client.request(get("/plain"), kPatience));
  server.loop.invoke([&] { writers.clear(); });
}

TEST(HttpClientStreamTest, CollectsErrorAnswersAndSeesCutStreams) {
  TestServer server([&](Request request, Responder responder) {
    if (request.path == "/error") return responder.respond(problem(404, "no such stream"));
    auto writer = responder.stream(200, {});
    writer.write("half");
  });
  HttpClient client(server.endpoint);
  const auto fail_on_piece = [](std::string_view) {
    ADD_FAILURE() << "an error's body is not a piece of the stream";
    return true;
  };
  const auto refused = client.stream(get("/error"), fail_on_piece, kPatience);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 404);
  EXPECT_NE(refused->body.find("no such stream"), std::string::npos);
  const auto cut = client.stream(get("/cut"), [](std::string_view) { return true; }, kPatience);
  ASSERT_FALSE(cut);
  EXPECT_TRUE(cut.error().code == ErrorCode::io || cut.error().code == ErrorCode::unavailable)
      << cut.error().message;
}

}  // namespace
}  // namespace baton::net

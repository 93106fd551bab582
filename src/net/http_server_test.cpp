#include "net/http_server.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "net/test_support.hpp"

namespace baton::net {
namespace {

using test::Event;
using test::kPatience;
using test::RawClient;
using test::TestServer;

// Answers with what it was asked.
void echo(Request request, Responder responder) {
  Response response;
  response.headers.add("Content-Type", "text/plain");
  response.body = std::string(to_string(request.method)) + " " + request.path;
  for (const auto& [name, value] : request.query) response.body += " " + name + "=" + value;
  response.body += " " + request.body;
  responder.respond(std::move(response));
}

std::string get(std::string_view target, std::string_view more = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more) + "\r\n";
}

// Sends `text` on a connection of its own and returns everything until the server closes.
std::string answer_to(const TestServer& server, std::string_view text) {
  auto client = server.connect();
  client.send(text);
  return client.read_all();
}

TEST(HttpServerTest, AnswersAndKeepsTheConnection) {
  TestServer server(echo);
  auto client = server.connect();
  for (int i = 0; i < 3; ++i) {
    client.send(get("/a%20b?x=1&y=%26"));
    EXPECT_EQ(client.read_until("\r\n\r\n"),
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 17\r\n\r\n");
    EXPECT_EQ(client.read_until("y=& "), "GET /a b x=1 y=& ");
  }
  EXPECT_EQ(server.server.stats().accepted, 1u);
  EXPECT_EQ(server.server.stats().requests, 3u);
}

TEST(HttpServerTest, EveryAnswerHasTheFieldsThatAllShallHave) {
  ServerOptions options;
  options.headers = {{"X-Content-Type-Options", "nosniff"}, {"Content-Type", "text/html"}};
  TestServer server(echo, options);
  auto client = server.connect();
  client.send(get("/"));
  const std::string head = client.read_until("\r\n\r\n");
  EXPECT_NE(head.find("X-Content-Type-Options: nosniff\r\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("text/html"), std::string::npos) << "the answer's own counts";
  EXPECT_NE(answer_to(server, "nonsense\r\n\r\n").find("nosniff"), std::string::npos);
}

TEST(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  TestServer server(echo);
  std::string text;
  for (int i = 0; i < 500; ++i) text += get("/" + std::to_string(i));
  text += get("/last", "Connection: close\r\n");
  const auto answer = answer_to(server, text);
  std::size_t at = 0;
  for (int i = 0; i < 500; ++i) {
    at = answer.find("GET /" + std::to_string(i) + " ", at);
    ASSERT_NE(at, answer.npos) << i;
  }
  EXPECT_TRUE(answer.ends_with("Connection: close\r\n\r\nGET /last ")) << answer.substr(answer.size() - 100);
}

TEST(HttpServerTest, PipelinedRequestsWaitForALateAnswer) {
  std::optional<Responder> late;
  Event asked;
  TestServer server([&](Request request, Responder responder) {
    if (request.path != "/late") return echo(std::move(request), std::move(responder));
    late = std::move(responder);
    asked.set();
  });
  auto client = server.connect();
  client.send(get("/late") + get("/after", "Connection: close\r\n"));
  asked.wait();
  late->respond({.status = 202, .headers = {}, .body = "late"});
  const auto all = client.read_all();
  EXPECT_TRUE(all.starts_with("HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\n\r\nlateHTTP/1.1 200 OK\r\n"))
      << all;
  EXPECT_TRUE(all.ends_with("GET /after ")) << all;
}

TEST(HttpServerTest, ReadsBodiesOfBothFramings) {
  TestServer server(echo);
  const std::string large(300'000, 'x');
  auto client = server.connect();
  client.send("POST /l HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(large.size()) + "\r\n\r\n" +
              large);
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read_until("POST /l " + large).size(), large.size() + 8);
  client.send("PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  client.send("6\r\n world\r\n0\r\n\r\n");
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read_until("world"), "PUT /c hello world");
}

TEST(HttpServerTest, SendsContinueOnlyWhenAsked) {
  TestServer server(echo);
  auto client = server.connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(client.read_until("ok"), "POST / ok");
}

TEST(HttpServerTest, HeadGetsTheHeaderOfGet) {
  TestServer server([](Request request, Responder responder) {
    EXPECT_EQ(request.method, Method::get);
    EXPECT_EQ(request.head_only, request.path == "/h");
    responder.respond({.status = 200, .headers = {}, .body = "body!"});
  });
  const auto all =
      answer_to(server, "HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n" + get("/g", "Connection: close\r\n"));
  EXPECT_EQ(all,
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nbody!");
}

TEST(HttpServerTest, NoContentHasNoLength) {
  TestServer server(
      [](Request, Responder responder) { responder.respond({.status = 204, .headers = {}, .body = {}}); });
  EXPECT_EQ(answer_to(server, get("/", "Connection: close\r\n")),
            "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

TEST(HttpServerTest, OldClientsGetOneAnswer) {
  TestServer server(echo);
  const auto all = answer_to(server, "GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(all.ends_with("Connection: close\r\n\r\nGET /old ")) << all;
}

TEST(HttpServerTest, HalfClosedClientGetsItsAnswer) {
  std::optional<Responder> late;
  Event asked;
  TestServer server([&](Request, Responder responder) {
    late = std::move(responder);
    asked.set();
  });
  auto client = server.connect();
  client.send(get("/"));
  client.end_sending();
  asked.wait();
  late->respond({.status = 200, .headers = {}, .body = "still"});
  EXPECT_TRUE(client.read_all().ends_with("still"));
}

TEST(HttpServerTest, AnsweredFromAnotherThread) {
  std::jthread thread;
  TestServer server([&](Request request, Responder responder) {
    thread = std::jthread([r = std::move(request), answer = std::move(responder)]() mutable {
      echo(std::move(r), std::move(answer));
    });
  });
  auto client = server.connect();
  for (int i = 0; i < 20; ++i) {
    client.send(get("/t"));
    client.read_until("GET /t ");
  }
  EXPECT_EQ(server.server.stats().requests, 20u);
}

TEST(HttpServerTest, DroppedAndThrowingHandlersAnswer500) {
  std::mutex mutex;
  std::string reported;
  ServerOptions options;
  options.report = [&](std::string_view what) {
    const std::lock_guard lock(mutex);
    reported = what;
  };
  TestServer server(
      [](Request request, Responder responder) {
        if (request.path == "/throw") throw std::runtime_error("boom");
        const Responder dropped = std::move(responder);
      },
      options);
  auto client = server.connect();
  for (const auto* path : {"/drop", "/throw"}) {
    client.send(get(path));
    EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
    const auto body = client.read_until("}\n");
    EXPECT_EQ(body.find("boom"), body.npos) << "the inside of the server is not the client's business";
  }
  const std::lock_guard lock(mutex);
  EXPECT_NE(reported.find("boom"), reported.npos);
}

TEST(HttpServerTest, InvalidAnswersBecome500) {
  TestServer server([](Request request, Responder responder) {
    Response response;
    if (request.path == "/status") response.status = 42;
    if (request.path == "/value") response.headers.add("X", "a\r\nSet-Cookie: evil");
    if (request.path == "/name") response.headers.add("X y", "a");
    if (request.path != "/stream") return responder.respond(std::move(response));
    auto writer = responder.stream(200, {{"X", "a\nb"}});
    EXPECT_FALSE(writer.write("x"));
  });
  auto client = server.connect();
  for (const auto* path : {"/status", "/value", "/name", "/stream"}) {
    client.send(get(path));
    const auto head = client.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 500 ")) << path << head;
    EXPECT_EQ(head.find("evil"), head.npos);
    client.read_until("}\n");
  }
}

TEST(HttpServerTest, PeerOfBothKindsOfSocket) {
  std::mutex mutex;
  Peer peer;
  TestServer server([&](Request request, Responder responder) {
    const std::lock_guard lock(mutex);
    peer = request.peer;
    responder.respond({});
  });
  answer_to(server, get("/", "Connection: close\r\n"));
  {
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(peer.local);
    EXPECT_EQ(peer.uid, ::getuid());
    EXPECT_EQ(peer.pid, ::getpid());
  }
  const auto port = server.server.listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(port) << port.error().message;
  ASSERT_NE(*port, 0);
  RawClient tcp({.unix_socket = false, .path = {}, .host = "127.0.0.1", .port = *port});
  tcp.send(get("/"));
  tcp.read_until("\r\n\r\n");
  const std::lock_guard lock(mutex);
  EXPECT_FALSE(peer.local);
  EXPECT_TRUE(peer.address.starts_with("127.0.0.1:")) << peer.address;
}

// --- what the server refuses -------------------------------------------------------------------------------

void expect_problem(const std::string& answer, int status) {
  const auto start = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_phrase(status)) + "\r\n";
  EXPECT_TRUE(answer.starts_with(start)) << answer;
  EXPECT_NE(answer.find("Content-Type: application/problem+json\r\n"), answer.npos) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), answer.npos) << answer;
  EXPECT_NE(answer.find("\"status\":" + std::to_string(status) + ","), answer.npos) << answer;
}

TEST(HttpServerTest, RefusesMalformedAndUnknown) {
  TestServer server(echo);
  expect_problem(answer_to(server, "nonsense\r\n\r\n"), 400);
  expect_problem(answer_to(server, get("/../x")), 400);
  expect_problem(answer_to(server, get("/?a=%zz")), 400);
  expect_problem(answer_to(server, "BREW / HTTP/1.1\r\nHost: h\r\n\r\n"), 501);
  expect_problem(answer_to(server, "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n"), 501);
  expect_problem(
      answer_to(server,
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
                "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"),
      400);
  EXPECT_EQ(server.server.stats().requests, 0u)
      << "nothing behind a refused message may be taken for a request";
  EXPECT_EQ(server.server.stats().refused, 6u);
}

TEST(HttpServerTest, LimitsOnBothSides) {
  ServerOptions options;
  options.max_target = 100;
  options.max_header = 1000;
  options.max_body = 5000;
  TestServer server(echo, options);
  const auto ok = [](const std::string& answer) { return answer.starts_with("HTTP/1.1 200 OK"); };
  const std::string close = "Connection: close\r\n";
  EXPECT_TRUE(ok(answer_to(server, get("/" + std::string(99, 'a'), close))));
  expect_problem(answer_to(server, get("/" + std::string(100, 'a'), close)), 414);
  const auto fixed = get("/", close + "X: \r\n").size();
  EXPECT_TRUE(ok(answer_to(server, get("/", close + "X: " + std::string(1000 - fixed, 'a') + "\r\n"))));
  expect_problem(answer_to(server, get("/", close + "X: " + std::string(1001 - fixed, 'a') + "\r\n")), 431);
  const auto post = [&](std::size_t size) {
    return "POST / HTTP/1.1\r\nHost: h\r\n" + close + "Content-Length: " + std::to_string(size) + "\r\n\r\n" +
           std::string(size, 'b');
  };
  EXPECT_TRUE(ok(answer_to(server, post(5000))));
  expect_problem(answer_to(server, post(5001)), 413);
}

TEST(HttpServerTest, RefusedLargeUploadStillReadsTheReason) {
  ServerOptions options;
  options.max_body = 1000;
  TestServer server(echo, options);
  const std::string body(5'000'000, 'b');
  expect_problem(answer_to(server, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n" + body),
                 413);
}

TEST(HttpServerTest, TooManyBytesInFlight) {
  ServerOptions options;
  options.max_receiving = 10'000;
  TestServer server(echo, options);
  auto first = server.connect();
  // In one piece that the server reads at once, so before anything of the second connection.
  first.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3100\r\n\r\n" + std::string(3000, 'a'));
  const auto refused = answer_to(
      server, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20000\r\n\r\n" + std::string(19'000, 'a'));
  expect_problem(refused, 503);
  EXPECT_NE(refused.find("Retry-After: 1\r\n"), refused.npos);
  first.send(std::string(100, 'a'));
  EXPECT_TRUE(first.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
}

TEST(HttpServerTest, SlowHeaderAndBodyAre408IdleIsClosed) {
  ServerOptions options;
  options.header_deadline = Duration::millis(50);
  options.body_grace = Duration::millis(50);
  options.idle_timeout = Duration::millis(50);
  TestServer server(echo, options);
  expect_problem(answer_to(server, "GET / HTTP/1.1\r\nHost:"), 408);
  expect_problem(answer_to(server, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe"), 408);
  EXPECT_EQ(answer_to(server, ""), "");
  EXPECT_EQ(answer_to(server, "\r\n"), "");
  auto client = server.connect();
  client.send(get("/"));
  client.read_until("GET / ");
  EXPECT_EQ(client.read_all(), "");
}

TEST(HttpServerTest, SlowHandlersAreNotTimedOut) {
  ServerOptions options;
  options.header_deadline = options.idle_timeout = options.body_grace = Duration::millis(20);
  std::optional<Responder> late;
  Event asked;
  TestServer server(
      [&](Request, Responder responder) {
        late = std::move(responder);
        asked.set();
      },
      options);
  auto client = server.connect();
  client.send(get("/"));
  asked.wait();
  EXPECT_EQ(answer_to(server, ""), "");  // a second connection lives through a whole idle time-out meanwhile
  EXPECT_FALSE(late->disconnected());
  late->respond({.status = 200, .headers = {}, .body = "late"});
  EXPECT_TRUE(client.read_until("late").ends_with("late"));
}

TEST(HttpServerTest, ConnectionsBeyondTheLimitGet503) {
  ServerOptions options;
  options.max_connections = 2;
  TestServer server(echo, options);
  auto first = server.connect();
  auto second = server.connect();
  for (auto* client : {&first, &second}) {
    client->send(get("/"));
    client->read_until("GET / ");
  }
  expect_problem(answer_to(server, get("/")), 503);
  first.send(get("/again"));
  first.read_until("GET /again ");
}

TEST(HttpServerTest, ManyIdleConnectionsAreCheap) {
  constexpr std::size_t kIdle = 2000;
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  if (files.rlim_max < 2 * kIdle + 100) GTEST_SKIP() << "this process may open too few files";
  files.rlim_cur = std::max<rlim_t>(files.rlim_cur, 2 * kIdle + 100);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  TestServer server(echo);
  std::vector<RawClient> idle;
  for (std::size_t i = 0; i < kIdle; ++i) idle.push_back(server.connect());
  auto busy = server.connect();
  busy.send(get("/"));
  busy.read_until("GET / ");
  EXPECT_EQ(server.server.stats().connections, kIdle + 1);
  for (auto& client : idle) client.close();
}

// --- streams -----------------------------------------------------------------------------------------------

TEST(HttpServerStreamTest, ChunksThenKeepAlive) {
  TestServer server([](Request request, Responder responder) {
    if (request.path == "/plain") return echo(std::move(request), std::move(responder));
    auto writer = responder.stream(200, {{"Content-Type", "text/event-stream"}});
    EXPECT_TRUE(writer.write("hello"));
    EXPECT_TRUE(writer.write(""));
    EXPECT_TRUE(writer.write(std::string(17, 'x')));
    writer.close();
    EXPECT_FALSE(writer.write("late"));
    EXPECT_FALSE(writer.open());
  });
  auto client = server.connect();
  client.send(get("/s") + get("/plain"));
  EXPECT_EQ(client.read_until("\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "5\r\nhello\r\n11\r\nxxxxxxxxxxxxxxxxx\r\n0\r\n\r\n");
  client.read_until("GET /plain ");
}

TEST(HttpServerStreamTest, OldClientAndHead) {
  TestServer server([](Request request, Responder responder) {
    auto writer = responder.stream(200, {});
    EXPECT_EQ(writer.write("raw"), !request.head_only);
    writer.close();
  });
  EXPECT_TRUE(answer_to(server, "GET / HTTP/1.0\r\n\r\n").ends_with("\r\nConnection: close\r\n\r\nraw"));
  EXPECT_EQ(answer_to(server, "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

TEST(HttpServerStreamTest, WrittenFromManyThreads) {
  std::vector<std::jthread> threads;
  TestServer server([&](Request, Responder responder) {
    auto writer = std::make_shared<StreamWriter>(responder.stream(200, {}, 1 << 20));
    auto left = std::make_shared<std::atomic<int>>(4);
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([writer, left] {
        for (int i = 0; i < 500; ++i) EXPECT_TRUE(writer->write("0123456789"));
        if (left->fetch_sub(1) == 1) writer->close();
      });
    }
  });
  auto client = server.connect();
  client.send(get("/"));
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n0\r\n\r\n").size(), 2000u * 15 + 5);
}

TEST(HttpServerStreamTest, SlowReaderIsCutOff) {
  Event closed;
  std::optional<StreamWriter> writer;
  Event started;
  TestServer server([&](Request, Responder responder) {
    writer = responder.stream(200, {}, 64 * 1024);
    writer->on_close([&] { closed.set(); });
    started.set();
  });
  auto client = server.connect();
  client.send(get("/"));
  started.wait();
  // The client reads nothing: the socket's buffer fills, then ours, then the stream is over.
  const std::string piece(1000, 'x');
  std::size_t written = 0;
  while (writer->write(piece)) {
    written += piece.size();
    ASSERT_LT(written, 64u << 20);
    ASSERT_LE(writer->buffered(), 64u * 1024);
  }
  EXPECT_FALSE(writer->open());
  closed.wait();
  EXPECT_FALSE(client.read_all().ends_with("0\r\n\r\n"));
}

TEST(HttpServerStreamTest, StalledReaderIsCutOffByTime) {
  ServerOptions options;
  options.write_timeout = Duration::millis(50);
  Event closed;
  std::optional<StreamWriter> writer;
  TestServer server(
      [&](Request, Responder responder) {
        writer = responder.stream(200, {}, 64 << 20);
        EXPECT_TRUE(writer->write(std::string(8 << 20, 'x')));
        writer->on_close([&] { closed.set(); });
      },
      options);
  auto client = server.connect();
  client.send(get("/"));
  closed.wait();
}

TEST(HttpServerStreamTest, LongAnswerAtTheClientsPace) {
  constexpr int kPieces = 2000;
  const std::string piece(5000, 'x');
  struct Download {
    StreamWriter writer;
    int left = kPieces;
  };
  std::function<void(std::shared_ptr<Download>)> go_on = [&](std::shared_ptr<Download> d) {
    while (d->left > 0 && d->writer.buffered() < 32 * 1024) {
      --d->left;
      EXPECT_TRUE(d->writer.write(piece));
    }
    if (d->left == 0) return d->writer.close();
    auto& writer = d->writer;
    writer.when_drained(8 * 1024, [&go_on, d = std::move(d)]() mutable { go_on(std::move(d)); });
  };
  TestServer server([&](Request, Responder responder) {
    go_on(std::make_shared<Download>(responder.stream(200, {}, 64 * 1024)));
  });
  auto client = server.connect();
  client.send(get("/"));
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n0\r\n\r\n").size(), kPieces * (piece.size() + 8) + 5);
}

TEST(HttpServerStreamTest, LearnsThatTheClientLeft) {
  Event started, closed;
  std::optional<StreamWriter> writer;
  TestServer server([&](Request, Responder responder) {
    writer = responder.stream(200, {});
    writer->on_close([&] { closed.set(); });
    started.set();
  });
  auto client = server.connect();
  client.send(get("/"));
  started.wait();
  client.close();
  closed.wait();
  EXPECT_FALSE(writer->write("x"));
  Event again;
  writer->on_close([&] { again.set(); });
  again.wait();
}

TEST(HttpServerStreamTest, DroppedWriterBreaksOff) {
  TestServer server([](Request, Responder responder) {
    auto writer = responder.stream(200, {});
    writer.write("half");
  });
  const auto all = answer_to(server, get("/"));
  EXPECT_EQ(all.find("0\r\n\r\n"), all.npos) << "half an answer must not look whole";
}

TEST(HttpServerStreamTest, RespondersLearnThatTheClientLeft) {
  Event asked;
  std::optional<Responder> late;
  TestServer server([&](Request request, Responder responder) {
    if (request.path == "/other") return echo(std::move(request), std::move(responder));
    late = std::move(responder);
    asked.set();
  });
  auto client = server.connect();
  client.send(get("/"));
  asked.wait();
  client.close();
  // The loop sees the end of the first connection before it answers on a second one, or one of those after
  // it.
  auto other = server.connect();
  for (int i = 0; i < 1000 && !late->disconnected(); ++i) {
    other.send(get("/other"));
    other.read_until("GET /other ");
  }
  EXPECT_TRUE(late->disconnected());
  late->respond({});
}

// --- stopping ----------------------------------------------------------------------------------------------

TEST(HttpServerStopTest, DrainLetsRequestsFinishAndClosesIdleOnes) {
  Event asked, drained;
  std::optional<Responder> late;
  TestServer server([&](Request, Responder responder) {
    late = std::move(responder);
    asked.set();
  });
  auto idle = server.connect();
  auto busy = server.connect();
  busy.send(get("/"));
  asked.wait();
  server.server.drain(kPatience, [&] { drained.set(); });
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_FALSE(std::filesystem::exists(server.endpoint.path));
  EXPECT_FALSE(connect_to(server.endpoint, Loop::now() + kPatience, -1));
  late->respond({.status = 200, .headers = {}, .body = "done"});
  EXPECT_TRUE(busy.read_all().ends_with("Connection: close\r\n\r\ndone"));
  busy.close();
  drained.wait();
  EXPECT_EQ(server.server.stats().connections, 0u);
}

TEST(HttpServerStopTest, DrainBreaksOffAtItsDeadline) {
  Event asked, drained;
  std::optional<Responder> late;
  TestServer server([&](Request, Responder responder) {
    late = std::move(responder);
    asked.set();
  });
  auto busy = server.connect();
  busy.send(get("/"));
  asked.wait();
  server.server.drain(Duration::millis(20), [&] { drained.set(); });
  drained.wait();
  EXPECT_EQ(busy.read_all(), "");
  EXPECT_TRUE(late->disconnected());
  late->respond({});
}

TEST(HttpServerStopTest, HandlesOutliveServerAndLoop) {
  Event asked;
  std::optional<Responder> responder;
  std::optional<StreamWriter> writer;
  {
    TestServer server([&](Request request, Responder r) {
      if (request.path == "/s") {
        writer = r.stream(200, {});
        asked.set();
      } else {
        responder = std::move(r);
      }
    });
    auto one = server.connect();
    one.send(get("/"));
    auto two = server.connect();
    two.send(get("/"));
    auto three = server.connect();
    three.send(get("/s"));
    asked.wait();
    server.server.close();
    server.server.close();
    EXPECT_EQ(three.read_until("\r\n\r\n").substr(0, 15), "HTTP/1.1 200 OK");
  }
  EXPECT_FALSE(writer->write("x"));
  writer->close();
  if (responder) responder->respond({});
  writer.reset();
  responder.reset();
}

TEST(HttpServerStopTest, ClosingFromAHandler) {
  TestServer* self = nullptr;
  TestServer server([&](Request, Responder responder) {
    self->server.close();
    responder.respond({});
  });
  self = &server;
  EXPECT_EQ(answer_to(server, get("/") + get("/")), "");
}

TEST(HttpServerTest, SaysWhatTimeItIs) {
  std::atomic<std::int64_t> now = 784'111'777'000'000;
  ServerOptions options;
  options.now = [&] { return WallTime{now}; };
  TestServer server([](Request, Responder responder) { responder.respond({}); }, std::move(options));
  auto client = server.connect();
  for (const char* date : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT"}) {
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string head = client.read_until("\r\n\r\n");
    EXPECT_NE(head.find("\r\nDate: " + std::string(date) + "\r\n"), std::string::npos) << head;
    now += 1'000'000;
  }
}

}  // namespace
}  // namespace baton::net

#include "net/tls.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "net/http_client.hpp"
#include "net/openssl.hpp"
#include "net/test_tls_server.hpp"

namespace baton::net {
namespace {

using test::Certificate;
using test::kPatience;
using test::TempDir;
using test::TlsServer;

Result<Response> get(const Endpoint& endpoint, const TlsClientOptions& trust, std::size_t times = 1) {
  ClientOptions options;
  TRY(options.tls, TlsContext::client(trust));
  HttpClient client(endpoint, std::move(options));
  Result<Response> answer = fail(ErrorCode::internal, "");
  for (std::size_t i = 0; i < times; ++i) answer = client.request({.target = "/"}, kPatience);
  return answer;
}

void expect_refused(const Result<Response>& answer, std::string_view why) {
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable) << answer.error().message;
  EXPECT_NE(answer.error().message.find(why), std::string::npos) << answer.error().message;
}

TEST(Tls, WithoutTheLibraryTheErrorSaysWhatToInstall) {
  for (const char* library : {"libssl.so.none", "libm.so.6"}) {  // none at all; another one
    const auto loaded = load_openssl(library);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::unavailable);
    EXPECT_NE(loaded.error().message.find(library), std::string::npos) << loaded.error().message;
    EXPECT_NE(loaded.error().message.find("libssl3"), std::string::npos) << loaded.error().message;
  }
}

TEST(Tls, ATrustedServer) {
  TlsServer server((Certificate()));
  const TlsClientOptions trust{.ca_file = server.certificate_file()};
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const auto answer = get(server.endpoint(host), trust, 3);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body, "ok");
  }
}

TEST(Tls, AnAuthorityCanBeTrusted) {
  const Certificate authority({.authority = true});
  TempDir dir;
  authority.write(dir.file("ca.pem"), dir.file("ca.key"));
  TlsServer server(Certificate({}, &authority));
  EXPECT_TRUE(get(server.endpoint("localhost"), {.ca_file = dir.file("ca.pem")}));
  TlsServer other(Certificate({}));
  expect_refused(get(other.endpoint("localhost"), {.ca_file = dir.file("ca.pem")}), "is not trusted");
}

TEST(Tls, CertificatesThatAreNotTrusted) {
  TlsServer self_signed((Certificate()));
  expect_refused(get(self_signed.endpoint("localhost"), {}),
                 "the certificate of localhost is not trusted: self-signed");

  TlsServer wrong_host(Certificate({.names = "DNS:example.org,IP:192.0.2.1"}));
  const TlsClientOptions trust{.ca_file = wrong_host.certificate_file()};
  expect_refused(get(wrong_host.endpoint("localhost"), trust), "hostname mismatch");
  expect_refused(get(wrong_host.endpoint("127.0.0.1"), trust), "IP address mismatch");

  TlsServer expired(Certificate({.valid_from = -7200, .valid_until = -3600}));
  expect_refused(get(expired.endpoint("localhost"), {.ca_file = expired.certificate_file()}), "has expired");

  TlsServer early(Certificate({.valid_from = 3600, .valid_until = 7200}));
  expect_refused(get(early.endpoint("localhost"), {.ca_file = early.certificate_file()}), "not yet valid");

  for (const TlsServer* server : {&self_signed, &wrong_host, &expired, &early}) {
    EXPECT_TRUE(get(server->endpoint("localhost"), {.verify = false}));
  }
}

TEST(Tls, AnEndThatWasNotSaidIsACut) {
  const std::string endless = "HTTP/1.1 200 OK\r\n\r\nuntil the end";
  TlsServer honest(Certificate(), {.answer = endless});
  const auto whole = get(honest.endpoint("localhost"), {.verify = false});
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->body, "until the end");
  TlsServer cut(Certificate(), {.answer = endless, .says_goodbye = false});
  const auto half = get(cut.endpoint("localhost"), {.verify = false});
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().code, ErrorCode::io) << half.error().message;
  EXPECT_NE(half.error().message.find("was cut"), std::string::npos);
  // With a length nothing can be missing.
  TlsServer careless(Certificate(), {.says_goodbye = false});
  EXPECT_TRUE(get(careless.endpoint("localhost"), {.verify = false}));
}

TEST(Tls, LargeMessages) {
  const std::string body(3 << 20, 'x');
  TlsServer server(
      Certificate(),
      {.answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body});
  const auto answer = get(server.endpoint("localhost"), {.verify = false});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, body);
}

TEST(Tls, WhoDoesNotSpeakTls) {
  test::TestServer plain([](Request, Responder responder) { responder.respond({}); });
  const auto port = plain.server.listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(port);
  expect_refused(get({.host = "127.0.0.1", .port = *port, .tls = true}, {.verify = false}),
                 "cannot agree on TLS");
  TlsServer server((Certificate()));
  HttpClient client({.host = "127.0.0.1", .port = server.port()});
  EXPECT_FALSE(client.request({.target = "/"}, kPatience));
  HttpClient without_context(server.endpoint("localhost"));
  EXPECT_EQ(without_context.request({.target = "/"}, kPatience).error().code, ErrorCode::invalid_request);
}

TEST(Tls, FilesThatAreNone) {
  TempDir dir;
  std::ofstream(dir.file("empty.pem")) << "nothing";
  Certificate().write(dir.file("c.pem"), dir.file("k.pem"));
  Certificate().write(dir.file("d.pem"), dir.file("l.pem"));
  for (const std::string& file : {dir.file("none.pem"), dir.file("empty.pem"), dir.file("k.pem")}) {
    const auto context = TlsContext::client({.ca_file = file});
    ASSERT_FALSE(context) << file;
    EXPECT_EQ(context.error().code, ErrorCode::bad_configuration);
    EXPECT_NE(context.error().message.find(file), std::string::npos) << context.error().message;
  }
  EXPECT_TRUE(TlsContext::server({.certificate_file = dir.file("c.pem"), .key_file = dir.file("k.pem")}));
  for (const TlsServerOptions& options : {TlsServerOptions{dir.file("none.pem"), dir.file("k.pem")},
                                          TlsServerOptions{dir.file("c.pem"), dir.file("none.pem")},
                                          TlsServerOptions{dir.file("c.pem"), dir.file("l.pem")}}) {
    const auto context = TlsContext::server(options);
    ASSERT_FALSE(context);
    EXPECT_EQ(context.error().code, ErrorCode::bad_configuration);
  }
}

// The server over TLS, with the client.
class TlsHttp : public testing::Test {
 protected:
  TlsHttp() {
    Certificate().write(dir_.file("c.pem"), dir_.file("k.pem"));
    ServerOptions options;
    options.tls =
        *TlsContext::server({.certificate_file = dir_.file("c.pem"), .key_file = dir_.file("k.pem")});
    options.header_deadline = Duration::seconds(60);
    server_.emplace(handle, std::move(options));
    const auto port = server_->server.listen_tcp("127.0.0.1", 0);
    EXPECT_TRUE(port);
    endpoint_ = {.host = "localhost", .port = *port, .tls = true};
    options_.tls = *TlsContext::client({.ca_file = dir_.file("c.pem")});
  }

  static void handle(Request request, Responder responder) {
    if (request.path == "/stream") {
      auto writer = responder.stream(200, {});
      for (int i = 0; i < 50; ++i) writer.write(std::string(1000, 'a' + static_cast<char>(i % 26)));
      return writer.close();
    }
    responder.respond({.status = 200, .headers = {{"X-Path", request.path}}, .body = request.body});
  }

  TempDir dir_;
  std::optional<test::TestServer> server_;
  Endpoint endpoint_;
  ClientOptions options_;
};

TEST_F(TlsHttp, OneConnectionForManyRequests) {
  HttpClient client(endpoint_, options_);
  for (const std::size_t size : {0U, 1U, 1000U, 20'000U, 70'000U, 3'000'000U, 5U}) {
    const std::string body(size, 'x');
    const auto answer = client.request({.method = Method::post, .target = "/p", .body = body}, kPatience);
    ASSERT_TRUE(answer) << size << ": " << answer.error().message;
    EXPECT_EQ(answer->body, body);
  }
  EXPECT_EQ(server_->server.stats().accepted, 1u);
}

TEST_F(TlsHttp, Streams) {
  HttpClient client(endpoint_, options_);
  std::string text;
  const auto answer = client.stream(
      {.target = "/stream"},
      [&](std::string_view piece) {
        text += piece;
        return true;
      },
      kPatience);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(text.size(), 50'000u);
  EXPECT_TRUE(client.request({.target = "/again"}, kPatience));
}

TEST_F(TlsHttp, ClosesWithAnEnd) {
  HttpClient client(endpoint_, options_);
  // Refused, so the connection is closed after the answer; that is read to its end.
  const auto refused = client.request({.target = "/" + std::string(9000, 'x')}, kPatience);
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->status, 414);
}

TEST_F(TlsHttp, PlainClientsGetNothing) {
  test::RawClient raw({.host = "127.0.0.1", .port = endpoint_.port});
  raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(raw.read_all().find("HTTP/"), std::string::npos);
  EXPECT_EQ(server_->server.stats().requests, 0u);
  test::RawClient silent({.host = "127.0.0.1", .port = endpoint_.port});
  silent.end_sending();
  EXPECT_EQ(silent.read_all(), "");
  // The Unix socket stays what it was.
  HttpClient local(server_->endpoint);
  EXPECT_TRUE(local.request({.target = "/"}, kPatience));
}

}  // namespace
}  // namespace baton::net

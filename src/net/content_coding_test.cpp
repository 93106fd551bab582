#include "net/content_coding.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <optional>
#include <thread>

#include "net/test_support.hpp"

namespace baton::net {
namespace {

using test::TestServer;

std::string unpacked(std::string_view packed) {
  z_stream stream{};
  EXPECT_EQ(::inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  ::inflateEnd(&stream);
  return out;
}

TEST(ContentCoding, ReadsWhatClientsTake) {
  const struct {
    const char* text;
    bool takes;
  } cases[] = {
      {"gzip", true},
      {"GZip", true},
      {"x-gzip", true},
      {"gzip, deflate, br", true},
      {" br ; q=1.0 ,\tgzip ; q=0.8", true},
      {"deflate, gzip;q=0.001", true},
      {"*", true},
      {"*;q=0.5, identity;q=0.1", true},
      {"identity;q=0, gzip;q=0.1", true},
      {"gzip;q=0.5, identity;q=0.5", true},
      {"gzip;q=1.000", true},
      {"", false},
      {"identity", false},
      {"br", false},
      {"gzip;q=0", false},
      {"gzip;q=0.000, *", false},
      {"*;q=0", false},
      {"gzip;q=0.5, identity", false},
      {"gzip;q=1.001", false},
      {"gzip;q=2", false},
      {"gzip;q=-1", false},
      {"gzip;q=0.1234", false},
      {"gzip;q=", false},
      {"gzip;q", false},
      {"gzip;x=1", false},
      {"gzip;q=1;q=1", false},
      {"gzipx", false},
      {";q=1", false},
      {",,;,=", false},
  };
  for (const auto& one : cases) EXPECT_EQ(takes_gzip({{"Accept-Encoding", one.text}}), one.takes) << one.text;
  EXPECT_FALSE(takes_gzip({}));
  EXPECT_TRUE(takes_gzip({{"accept-encoding", "br"}, {"Accept-Encoding", "gzip"}})) << "both fields count";
}

Response answer_of(std::size_t size, Headers headers, int status = 200) {
  return {status, std::move(headers), std::string(size, 'x')};
}
bool is_packed(const Response& response) {
  return response.headers.find("Content-Encoding") == "gzip" && unpacked(response.body)[0] == 'x';
}

TEST(ContentCoding, PacksTextFromASizeOn) {
  for (const char* type :
       {"application/json", "application/problem+json", "text/plain; version=0.0.4; charset=utf-8",
        "Text/CSS;charset=utf-8", "application/yaml"}) {
    Response response = answer_of(1024, {{"Content-Type", type}});
    encode(response, true);
    EXPECT_TRUE(is_packed(response)) << type;
    EXPECT_LT(response.body.size(), 100U);
    EXPECT_EQ(response.headers.find("Vary"), "Accept-Encoding");
  }
  Response refused = answer_of(5000, {{"Content-Type", "application/problem+json"}}, 422);
  encode(refused, true);
  EXPECT_TRUE(is_packed(refused));
}

TEST(ContentCoding, LeavesTheRestAsItIs) {
  const Headers json{{"Content-Type", "application/json"}};
  for (Response response : {
           answer_of(1023, json),
           answer_of(5000, {}),
           answer_of(5000, json, 206),
           answer_of(5000, {{"Content-Type", "text/html; charset=utf-8"}}),
           answer_of(5000, {{"Content-Type", "application/octet-stream"}}),
           answer_of(5000, {{"Content-Type", "application/json"}, {"Content-Encoding", "br"}}),
           answer_of(5000, {{"Content-Type", "application/json"}, {"Content-Range", "bytes 0-4999/9999"}}),
           answer_of(5000, {{"Content-Type", "application/json"}, {"Set-Cookie", "a=b"}}),
       }) {
    const Response was = response;
    encode(response, true);
    EXPECT_EQ(response.body, was.body);
    EXPECT_FALSE(response.headers.find("Vary"));
  }
  Response unwanted = answer_of(5000, json);
  encode(unwanted, false);
  EXPECT_EQ(unwanted.body, std::string(5000, 'x'));
  EXPECT_EQ(unwanted.headers.find("Vary"), "Accept-Encoding") << "a cache must not give it to everybody";
}

TEST(ContentCoding, TheCompressedFormHasATagOfItsOwn) {
  Response strong = answer_of(5000, {{"Content-Type", "application/json"}, {"ETag", "\"3f2a\""}});
  encode(strong, true);
  EXPECT_EQ(strong.headers.find("ETag"), "\"3f2a-gzip\"");
  Response weak = answer_of(5000, {{"Content-Type", "application/json"}, {"ETag", "W/\"3f2a\""}});
  encode(weak, true);
  EXPECT_EQ(weak.headers.find("ETag"), "W/\"3f2a\"");
  Response plain = answer_of(5000, {{"Content-Type", "application/json"}, {"ETag", "\"3f2a\""}});
  encode(plain, false);
  EXPECT_EQ(plain.headers.find("ETag"), "\"3f2a\"");

  Headers request{{"If-Match", R"("3f2a-gzip", "17", W/"x-gzip")"}, {"if-none-match", "\"-gzip\""}};
  restore_tags(request);
  EXPECT_EQ(request.find("If-Match"), R"("3f2a", "17", W/"x")");
  EXPECT_EQ(request.find("If-None-Match"), "\"\"");
  Headers any{{"If-Match", "*"}};
  restore_tags(any);
  EXPECT_EQ(any.find("If-Match"), "*");
}

// Answers from another thread, as handlers do that read a database; `/loop` on the loop's.
class Elsewhere {
 public:
  ~Elsewhere() {
    for (std::thread& thread : threads_) thread.join();
  }
  void answer(Request request, Responder responder) {
    Response response{200, {{"Content-Type", "application/json"}, {"ETag", "\"1\""}}, std::string(9000, 'x')};
    if (request.headers.find("If-Match")) response.body += *request.headers.find("If-Match");
    if (request.path == "/loop") return responder.respond(std::move(response));
    threads_.emplace_back([to = std::move(responder), answer = std::move(response)]() mutable {
      to.respond(std::move(answer));
    });
  }

 private:
  std::vector<std::thread> threads_;
};

struct Answer {
  std::string head;
  std::string body;
};
Answer ask(const TestServer& server, std::string_view request) {
  auto client = server.connect();
  client.send(std::string(request) + "Host: h\r\nConnection: close\r\n\r\n");
  std::string head = client.read_until("\r\n\r\n");
  return {std::move(head), client.read_all()};
}
bool has(const Answer& answer, std::string_view line) {
  return answer.head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
}

TEST(ContentCoding, AServerPacksOffItsLoop) {
  Elsewhere elsewhere;
  TestServer server([&](Request request, Responder responder) {
    elsewhere.answer(std::move(request), std::move(responder));
  });
  const Answer packed = ask(server, "GET / HTTP/1.1\r\nAccept-Encoding: gzip\r\nIf-Match: \"7-gzip\"\r\n");
  EXPECT_TRUE(has(packed, "Content-Encoding: gzip"));
  EXPECT_TRUE(has(packed, "Vary: Accept-Encoding"));
  EXPECT_TRUE(has(packed, "ETag: \"1-gzip\""));
  EXPECT_TRUE(has(packed, "Content-Length: " + std::to_string(packed.body.size())));
  EXPECT_EQ(unpacked(packed.body), std::string(9000, 'x') + "\"7\"");

  const Answer head = ask(server, "HEAD / HTTP/1.1\r\nAccept-Encoding: gzip\r\nIf-Match: \"7-gzip\"\r\n");
  EXPECT_EQ(head.head, packed.head);
  EXPECT_EQ(head.body, "");

  const Answer plain = ask(server, "GET / HTTP/1.1\r\n");
  EXPECT_FALSE(has(plain, "Content-Encoding: gzip"));
  EXPECT_TRUE(has(plain, "Vary: Accept-Encoding"));
  EXPECT_TRUE(has(plain, "ETag: \"1\""));
  EXPECT_EQ(plain.body, std::string(9000, 'x'));

  const Answer looped = ask(server, "GET /loop HTTP/1.1\r\nAccept-Encoding: gzip\r\n");
  EXPECT_EQ(looped.body, std::string(9000, 'x')) << "others wait for that thread";
}

TEST(ContentCoding, StreamsAreNotPacked) {
  TestServer server([](Request, Responder responder) {
    StreamWriter stream = responder.stream(200, {{"Content-Type", "application/json"}});
    stream.write(std::string(9000, 'x'));
    stream.close();
  });
  const Answer streamed = ask(server, "GET / HTTP/1.1\r\nAccept-Encoding: gzip\r\n");
  EXPECT_FALSE(has(streamed, "Content-Encoding: gzip"));
  EXPECT_NE(streamed.body.find(std::string(9000, 'x')), std::string::npos);
}

}  // namespace
}  // namespace baton::net

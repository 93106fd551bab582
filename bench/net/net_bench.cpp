// Small requests against net::HttpServer: one server thread, one client thread, as MEASURED's HTTP table was
// taken. Each connection has one request in flight. Prints requests/s, the server thread's CPU per request
// and, for the product's own blocking client, the median round trip.
//
//   net_bench [requests per row, default 200000]
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_client.hpp"
#include "net/http_server.hpp"

namespace {

using namespace baton;
using namespace baton::net;

const std::string kBody(200, 'b');

double thread_cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "net_bench: %s\n", why.c_str());
  std::exit(1);
}

// The cheapest client there can be: blocking sockets, answers of a known size.
class RawConnections {
 public:
  RawConnections(const Endpoint& endpoint, int count)
      : request_(
            "POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
            "application/json\r\nContent-Length: " +
            std::to_string(kBody.size()) + "\r\n\r\n" + kBody) {
    for (int i = 0; i < count; ++i) {
      auto fd = connect_to(endpoint, Loop::now() + Duration::seconds(5), -1);
      if (!fd) give_up(fd.error().message);
      ::fcntl(fd->get(), F_SETFL, 0);  // blocking
      connections_.push_back(std::move(*fd));
    }
  }

  // One request on each connection.
  void round() {
    for (const auto& fd : connections_) {
      if (::send(fd.get(), request_.data(), request_.size(), MSG_NOSIGNAL) < 0)
        give_up("the server has gone");
    }
    for (const auto& fd : connections_) read_answer(fd.get());
  }

 private:
  void read_answer(int fd) {
    char buffer[4096];
    for (;;) {
      const auto n = ::recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) give_up("the server has closed the connection");
      if (std::string_view(buffer, static_cast<std::size_t>(n)).ends_with('}')) return;
    }
  }

  std::string request_;
  std::vector<Fd> connections_;
};

void row(const char* name, HttpServer& server, Loop& loop, int requests, int per_round,
         const std::function<void()>& round) {
  for (int i = 0; i < 2000 / per_round; ++i) round();
  double cpu_before = 0;
  double cpu_after = 0;
  loop.invoke([&] { cpu_before = thread_cpu_seconds(); });
  const auto begin = Loop::now();
  const auto handled_before = server.stats().requests;
  for (int i = 0; i < requests / per_round; ++i) round();
  const auto spent = (Loop::now() - begin).as_seconds();
  loop.invoke([&] { cpu_after = thread_cpu_seconds(); });
  const auto handled = static_cast<double>(server.stats().requests - handled_before);
  std::printf("%-34s %10.0f req/s %8.2f us server CPU/request\n", name, handled / spent,
              (cpu_after - cpu_before) * 1e6 / handled);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  int requests = 200'000;
  if (argc > 1) {
    const std::string_view text = argv[1];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), requests);
    if (error != std::errc() || end != text.data() + text.size() || requests < 8)
      give_up("requests must be a number >= 8");
  }
  Loop loop;
  HttpServer server(loop, {}, [](Request request, Responder responder) {
    Response response;
    response.headers.add("Content-Type", "application/json");
    response.body =
        R"({"id":"01890a5d-ac96-774b-bcce-b302099a8057","size":)" + std::to_string(request.body.size()) + "}";
    responder.respond(std::move(response));
  });
  const std::string path = "/tmp/baton-net-bench-" + std::to_string(::getpid());
  if (auto ok = server.listen_unix(path); !ok) give_up(ok.error().message);
  const auto port = server.listen_tcp("127.0.0.1", 0);
  if (!port) give_up(port.error().message);
  loop.start();

  const Endpoint unix_end{.unix_socket = true, .path = path, .host = {}, .port = 0};
  const Endpoint tcp_end{.unix_socket = false, .path = {}, .host = "127.0.0.1", .port = *port};
  for (const bool is_unix : {true, false}) {
    const auto& endpoint = is_unix ? unix_end : tcp_end;
    const std::string kind = is_unix ? "Unix" : "TCP";
    for (const int connections : {1, 8, 64}) {
      RawConnections raw(endpoint, connections);
      row((kind + ", " + std::to_string(connections) + " connection(s)").c_str(), server, loop, requests,
          connections, [&] { raw.round(); });
    }
    HttpClient client(endpoint);
    const ClientRequest request{
        .method = Method::post, .target = "/api/v1/runs", .headers = {}, .body = kBody};
    std::vector<std::int64_t> times;
    row((kind + ", HttpClient").c_str(), server, loop, requests, 1, [&] {
      const auto begin = Loop::now();
      const auto answer = client.request(request, Duration::seconds(5));
      if (!answer) give_up(answer.error().message);
      times.push_back((Loop::now() - begin).us);
    });
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                     times.end());
    std::printf("%-34s p50 %lld us\n", "", static_cast<long long>(times[times.size() / 2]));
  }
  server.close();
  return 0;
}

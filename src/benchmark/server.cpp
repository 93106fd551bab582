#include "benchmark/server.hpp"

#include <fstream>
#include <iterator>

#include "base/json.hpp"

namespace baton::benchmark {
namespace {

constexpr Duration kPatience = Duration::minutes(5);

// What a process said last, for whoever has to find out why it does not work.
std::string last_words(const std::string& log) {
  std::ifstream file(log);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  while (text.ends_with('\n')) text.pop_back();
  const std::size_t line = text.rfind('\n');
  return line == std::string::npos ? text : text.substr(line + 1);
}

}  // namespace

Result<boost::json::object> parse_object(std::string_view text) {
  boost::system::error_code error;
  boost::json::value parsed = parse_json(text, error);
  if (error || !parsed.is_object()) return fail(ErrorCode::io, "the server's answer is no JSON object");
  return std::move(parsed.get_object());
}

Caller::Caller(const client::Server& server) : http_(server.endpoint), key_(server.key) {}

Result<std::string> Caller::send(net::Method method, std::string_view target, std::string body,
                                 std::string_view idempotency_key) {
  net::ClientRequest request{method, std::string(target), {}, std::move(body), false};
  request.headers.set("Authorization", "Bearer " + key_);
  if (method == net::Method::post) request.headers.set("Content-Type", "application/json");
  if (!idempotency_key.empty()) request.headers.set("Idempotency-Key", std::string(idempotency_key));
  TRY(net::Response response, http_.request(request, kPatience));
  if (response.status >= 200 && response.status < 300) return std::move(response.body);
  return fail(ErrorCode::io, std::string(target) + " was answered with " + std::to_string(response.status) +
                                 ": " + response.body.substr(0, 500));
}

Result<std::string> Caller::post(std::string_view target, std::string body,
                                 std::string_view idempotency_key) {
  return send(net::Method::post, target, std::move(body), idempotency_key);
}

Result<std::string> Caller::get(std::string_view target) {
  return send(net::Method::get, target, {}, {});
}

Result<boost::json::object> Caller::get_object(std::string_view target) {
  TRY(const std::string text, get(target));
  return parse_object(text);
}

// Nothing of the user's own configuration counts: it would be another measurement.
Process::Spec Stack::spec(std::vector<std::string> words, const std::string& log) const {
  Process::Spec spec;
  spec.argv = std::move(words);
  spec.argv.insert(spec.argv.begin(), program_);
  spec.env = {{"HOME", directory_}, {"PATH", "/usr/local/bin:/usr/bin:/bin"}};
  if (!address_.key.empty()) spec.env["BATON_API_KEY"] = address_.key;
  spec.log = directory_ + "/" + log;
  return spec;
}

Status Stack::start_server() {
  const std::string port = address_.endpoint.port == 0 ? "0" : std::to_string(address_.endpoint.port);
  TRY(server_, Process::start(spec({"server", "--no-worker", "--data", directory_ + "/data", "--listen",
                                    "127.0.0.1:" + port, "--output", "jsonl"},
                                   "server.log")));
  auto line = server_->read_line();
  if (!line)
    return fail(ErrorCode::io, "the server does not start: " + last_words(directory_ + "/server.log"));
  TRY(const boost::json::object facts, parse_object(*line));
  TRY(address_.endpoint, net::parse_endpoint(std::string_view(facts.at("url").as_string())));
  std::ifstream file{std::string(facts.at("admin_key").as_string())};
  if (!(file >> address_.key)) return fail(ErrorCode::io, "the server's first key cannot be read");
  return {};
}

Status Stack::start_worker() {
  TRY(worker_, Process::start(spec({"bench-worker", "--url", address_.endpoint.text()}, "worker.log")));
  return {};
}

void Stack::stop() {
  if (worker_) worker_->end();
  if (server_) server_->end();
}

Duration Stack::cpu() const {
  return cpu_of(server_pid()) + cpu_of(worker_pid());
}

std::uint64_t Stack::memory() const {
  return memory_of(server_pid()) + memory_of(worker_pid());
}

}  // namespace baton::benchmark

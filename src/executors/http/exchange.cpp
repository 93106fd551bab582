#include "executors/http/exchange.hpp"

#include "base/duration.hpp"
#include "executors/http/redirect.hpp"
#include "executors/http/response.hpp"
#include "executors/json_text.hpp"
#include "net/loop.hpp"

namespace baton::executors::http {
namespace {

namespace error_type = model::error_type;
using model::Outcome;

constexpr std::size_t kMaxHeader = 64 * 1024;

Outcome failed(model::Failure failure) {
  return {Outcome::Kind::failed, {}, std::move(failure)};
}

Outcome failure_of(const Request& request, const Error& error) {
  model::Failure failure;
  failure.message = outline(request) + ": " + error.message;
  switch (error.code) {
    case ErrorCode::interrupted:
      return {Outcome::Kind::interrupted, {}, {.type = error_type::kInterrupted, .message = error.message}};
    case ErrorCode::not_allowed:
      failure.type = error_type::kConnection;
      failure.message += "; `egress.allow` in Baton's configuration would permit it";
      failure.never_retry = true;
      break;
    case ErrorCode::too_large:
    case ErrorCode::invalid_request:
      failure.type = error_type::kValidation;
      failure.never_retry = true;
      break;
    case ErrorCode::bad_configuration:
      failure.type = error_type::kConnection;
      failure.never_retry = true;
      break;
    default:
      failure.type = error_type::kConnection;
  }
  return failed(std::move(failure));
}

void log_request(const Request& request, const Surroundings& world) {
  std::string line = "> " + outline(request);
  if (!request.body.empty()) line += ", " + std::to_string(request.body.size()) + " bytes";
  world.log(line, false);
  std::string names;
  for (const auto& [name, value] : request.headers) names += (names.empty() ? "" : ", ") + name;
  world.log("> headers: " + names, false);
}

Result<net::Response> exchange(const Request& request, const Surroundings& world) {
  net::ClientOptions options;
  options.limits = {.max_header = kMaxHeader, .max_body = kMaxResult};
  options.connect_timeout = request.connect_timeout;
  options.addresses = world.addresses;
  if (request.url.tls) {
    TRY(options.tls, world.tls.of(request));
  }
  net::HttpClient client(request.url.endpoint(), std::move(options));
  net::ClientRequest message;
  message.method = request.method;
  message.target = request.url.target;
  message.headers = request.headers;
  message.body = request.body;
  log_request(request, world);
  const net::MonoTime begin = net::Loop::now();
  // The task's timeout is the engine's to measure: it stops the attempt.
  TRY(net::Response response, client.request(message, Duration::max(), &world.cancel));
  world.log("< " + outline(response) + ", " + to_display(net::Loop::now() - begin), false);
  return response;
}

Outcome not_followed(const Request& request, const net::Response& response, const std::string& why) {
  return failed({.type = error_type::kHttp,
                 .message = outline(request) + ": " + std::to_string(response.status) + " " +
                            std::string(net::reason_phrase(response.status)) +
                            ", which is not followed: " + why,
                 .status = response.status,
                 .never_retry = true});
}

Outcome carry_out_all(Request request, const Surroundings& world) {
  for (std::uint32_t redirects = 0;; ++redirects) {
    auto response = exchange(request, world);
    if (!response) return failure_of(request, response.error());
    auto next = redirected(request, *response);
    if (!next) return outcome_of(request, *response, world.now, world.redactor);
    if (!*next) return not_followed(request, *response, next->error().message);
    if (redirects == request.follow) {
      return not_followed(request, *response,
                          request.follow == 0 ? "`follow` is off; it leads to " + (*next)->url.shown()
                                              : "more than " + std::to_string(request.follow) + " redirects");
    }
    request = std::move(**next);
  }
}

}  // namespace

Result<std::shared_ptr<const net::TlsContext>> TlsContexts::of(const Request& request) {
  const net::TlsClientOptions options{.verify = request.verify, .ca_file = request.ca_file};
  if (request.verify && !request.ca_file.empty()) return net::TlsContext::client(options);
  const std::lock_guard lock(mutex_);
  auto& known = request.verify ? trusting_the_system_ : trusting_all_;
  if (!known) {
    TRY(known, net::TlsContext::client(options));
  }
  return known;
}

Outcome carry_out(Request request, const Surroundings& world) {
  Outcome outcome = carry_out_all(std::move(request), world);
  if (outcome.kind == Outcome::Kind::failed) world.log(outcome.failure.message, true);
  return outcome;
}

}  // namespace baton::executors::http

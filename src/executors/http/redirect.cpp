#include "executors/http/redirect.hpp"

#include <algorithm>
#include <string>

namespace baton::executors::http {
namespace {

constexpr std::string_view kHarmless[] = {"Accept",           "Accept-Encoding", "Accept-Language",
                                          "Content-Language", "Content-Type",    "Idempotency-Key",
                                          "traceparent",      "User-Agent"};

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

std::optional<Result<Request>> redirected(const Request& request, const net::Response& response) {
  if (!is_redirect(response.status) || request.expects(response.status)) return std::nullopt;
  const auto location = response.headers.find("Location");
  if (!location) return std::nullopt;
  auto url = net::resolve_reference(request.url, *location);
  if (!url) return fail(url.error());
  if (request.url.tls && !url->tls) {
    return fail(ErrorCode::invalid_request, "it leads from https to http: " + url->shown());
  }

  Request next = request;
  const bool same_origin = request.url.origin() == url->origin();
  const bool becomes_get =
      (response.status == 303 && request.method != net::Method::head) ||
      ((response.status == 301 || response.status == 302) && request.method == net::Method::post);
  next.url = std::move(*url);
  if (becomes_get) {
    next.method = net::Method::get;
    next.body.clear();
  }
  net::Headers kept;
  for (const auto& [name, value] : request.headers) {
    const auto is = [&, &field = name](std::string_view other) {
      return net::equals_ignoring_case(field, other);
    };
    if (!same_origin && std::ranges::none_of(kHarmless, is)) continue;
    if (becomes_get &&
        (is("Idempotency-Key") || name.starts_with("Content-") || name.starts_with("content-")))
      continue;
    kept.add(name, value);
  }
  next.headers = std::move(kept);
  return next;
}

}  // namespace baton::executors::http

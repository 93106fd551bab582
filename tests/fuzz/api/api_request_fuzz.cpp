// A request as it comes in at the door: its target, the fields that say who it is, and its body. The first
// line is the target, the lines up to an empty one are fields, the rest is the body.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/credentials.hpp"
#include "api/edits.hpp"
#include "api/entrance.hpp"
#include "api/request_body.hpp"
#include "api/router.hpp"
#include "net/url.hpp"

using namespace baton;

namespace {

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
  return line;
}

api::Entrance& entrance() {
  static api::Entrance door(api::EntranceOptions{.hosts = {"baton.example"},
                                                 .proxies = {*net::AddressRange::parse("10.0.0.0/8")},
                                                 .origins = {"https://ops.example"}});
  return door;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  net::Request request;
  request.method = net::Method::post;
  request.peer.address = "10.0.0.1:5";
  request.target = take_line(rest);
  if (auto target = net::parse_target(request.target)) {
    request.path = std::move(target->path);
    request.query = std::move(target->query);
    for (const net::Method method : {net::Method::get, net::Method::post, net::Method::put}) {
      const api::Match match = api::find_route(method, request.path);
      for (const std::string& capture : match.captures) {
        if (capture.empty()) std::abort();
      }
    }
  }
  for (std::string_view line = take_line(rest); !line.empty(); line = take_line(rest)) {
    const std::size_t colon = line.find(':');
    const std::string name(line.substr(0, colon));
    const std::string value(colon == line.npos ? std::string_view() : line.substr(colon + 1));
    if (net::Headers::is_valid_name(name) && net::Headers::is_valid_value(value))
      request.headers.add(name, value);
  }
  request.body = rest;

  const WallTime now{1'700'000'000'000'000};
  (void)api::key_of(request.headers);
  (void)entrance().place(request);
  if (entrance().who(request, now)) std::abort();  // there is no key that would let it in
  if (entrance().signed_in(request, now)) std::abort();
  if (const auto tag = api::read_if_match(request); tag && tag->find('"') != tag->npos) std::abort();
  (void)net::parse_query(request.body, 16);
  request.headers.set("Content-Type", "application/json");
  if (const auto body = api::RequestBody::parse(request)) {
    (void)body->text("definition", 100);
    (void)body->integer("priority", 0, 9);
    (void)body->object("input");
    (void)body->boolean("dry_run", false);
  } else if (body.error().code != ErrorCode::invalid_request && body.error().code != ErrorCode::too_large) {
    std::abort();
  }
  return 0;
}

// The table of routes: the only way in.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/core.hpp"
#include "auth/permission.hpp"
#include "net/http.hpp"

namespace baton::api {

struct Route {
  net::Method method;
  std::string_view pattern;                  // "/api/v1/runs/{id}": a name in braces captures one segment
  auth::Permission permission;               // who may; there is no default
  void (*handler)(const CorePtr&, CallPtr);  // on a worker's thread, but see `quick`
  bool rest = false;  // its last capture takes all that is left of the path: what it names may have slashes
  bool form = false;  // its body is that of an HTML form, not JSON
  bool conditional = false;  // it takes If-Match; any other change that has the field is refused
  // Its handler only reads the request and sends commands. With a small body it runs on the loop's thread:
  // handing it over would take longer than doing it.
  bool quick = false;
};
std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;
  std::vector<std::string> captures;
  // Without a route for this method: those that the path has, and whether one of them is for anyone.
  std::vector<net::Method> allowed;
  bool open = false;
};
Match find_route(net::Method method, std::string_view path);
// As the field Allow has it: "GET, HEAD, POST, OPTIONS". HEAD goes wherever GET does, OPTIONS everywhere.
std::string allow_text(const std::vector<net::Method>& allowed);

}  // namespace baton::api

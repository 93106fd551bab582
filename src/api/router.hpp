// The table of routes: the only way in.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "api/core.hpp"
#include "net/http.hpp"

namespace baton::api {

// Who may call a route. Each route says it: there is no default. (Until there are keys and roles, everyone
// who gets as far as the router is the owner's user and may do everything.)
enum class Access {
  anyone,
  read,
  change,
  work  // as a worker does
};

struct Route {
  net::Method method;
  std::string_view pattern;  // "/api/v1/runs/{id}": a name in braces captures one segment
  Access access;
  void (*handler)(const CorePtr&, CallPtr);  // on a worker's thread
  bool rest = false;  // its last capture takes all that is left of the path: what it names may have slashes
};
std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;
  std::vector<std::string> captures;
  std::vector<net::Method> allowed;  // methods of this path, if its route is for another method
};
Match find_route(net::Method method, std::string_view path);

}  // namespace baton::api

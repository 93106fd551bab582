#include "embedded/connection_room.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "net/http_server.hpp"

namespace baton::embedded {
namespace {

constexpr std::uint64_t kOfATask = 6;  // its pipes, its log, its result or connection
constexpr std::uint64_t kOfTheRest =
    256;  // the store's files, logs of remote attempts, listeners, what is read
constexpr std::uint64_t kFewest = 16;

}  // namespace

std::size_t connection_room(std::uint64_t open_files, std::uint32_t slots) {
  const std::uint64_t taken = kOfTheRest + kOfATask * slots;
  const std::uint64_t left = open_files > taken ? (open_files - taken) / 2 : 0;
  return std::clamp<std::uint64_t>(left, kFewest, net::ServerOptions{}.max_connections);
}

std::uint64_t most_open_files() {
  rlimit files{};
  return ::getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_max : RLIM_INFINITY;
}

}  // namespace baton::embedded

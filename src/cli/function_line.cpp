#include "cli/function_line.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <filesystem>

#include "base/text.hpp"
#include "net/loop.hpp"

namespace baton::cli {
namespace {

constexpr std::size_t kLongestLine = std::size_t{64} << 20;
constexpr Duration kPatience = Duration::seconds(10);

std::unexpected<Error> gone(const std::string& why) {
  return fail(ErrorCode::io, "the program of --functions has gone: " + why);
}

}  // namespace

Result<FunctionLine> FunctionLine::connect(const std::string& path) {
  net::Endpoint endpoint;
  endpoint.unix_socket = true;
  std::error_code error;
  endpoint.path = std::filesystem::absolute(path, error).string();
  TRY(net::Fd fd, net::connect_to(endpoint, net::Loop::now() + kPatience, -1));
  return FunctionLine(std::move(fd));
}

Status FunctionLine::wait(short events) const {
  pollfd waited{fd_.get(), events, 0};
  while (::poll(&waited, 1, -1) < 0) {
    if (errno != EINTR) return gone(errno_text(errno));
  }
  return {};
}

Result<std::string> FunctionLine::ask(const std::string& line) {
  const std::string said = line + '\n';
  for (std::size_t sent = 0; sent < said.size();) {
    TRY_VOID(wait(POLLOUT));
    const ssize_t n = ::send(fd_.get(), said.data() + sent, said.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return gone(errno_text(errno));
    if (n > 0) sent += static_cast<std::size_t>(n);
  }
  for (std::size_t looked = 0;;) {
    if (const std::size_t end = read_.find('\n', looked); end != std::string::npos) {
      std::string answer = read_.substr(0, end);
      read_.erase(0, end + 1);
      return answer;
    }
    looked = read_.size();
    if (looked > kLongestLine) return gone("a line has more than 64 MiB");
    TRY_VOID(wait(POLLIN));
    char piece[65536];
    const ssize_t n = ::recv(fd_.get(), piece, sizeof piece, 0);
    if (n == 0) return gone("it has closed the connection");
    if (n < 0 && errno != EAGAIN && errno != EINTR) return gone(errno_text(errno));
    if (n > 0) read_.append(piece, static_cast<std::size_t>(n));
  }
}

}  // namespace baton::cli

#include "executors/process/result.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>

#include "base/duration.hpp"
#include "base/fd.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "executors/process/shortage.hpp"

namespace baton::executors::process {
namespace {

namespace error_type = model::error_type;
namespace json = boost::json;
using model::Failure;
using model::Outcome;

constexpr int kNotStarted = 127;    // as shells say it
constexpr int kTransientExit = 75;  // EX_TEMPFAIL of sysexits.h

// The last lines of stderr, as they stand in a message: whole lines where something was cut.
std::string last_lines(const Tail& errors) {
  const std::string readable = to_utf8(errors.text());
  std::string_view text = readable;
  bool cut = errors.cut();
  if (text.size() > kMaxErrorText) {  // it grew, because it was not UTF-8
    text.remove_prefix(text.size() - kMaxErrorText);
    while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xC0) == 0x80) text.remove_prefix(1);
    cut = true;
  }
  if (const std::size_t newline = text.find('\n');
      cut && newline != std::string_view::npos && newline + 1 < text.size())
    text.remove_prefix(newline + 1);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return std::string(text);
}

Outcome failed(Failure failure) {
  return {Outcome::Kind::failed, {}, std::move(failure)};
}

Outcome invalid(std::string message) {
  return failed({.type = error_type::kValidation, .message = std::move(message), .never_retry = true});
}

Outcome completed_with(std::string_view text, const std::string& source) {
  text = trim_json(text);
  if (text.empty()) return invalid(source + " is empty, not JSON");
  if (const auto problem = json_problem(text)) return invalid(source + " is not valid JSON: " + *problem);
  return {Outcome::Kind::completed, std::string(text), {}};
}

Failure failure_of(int wait_status) {
  Failure failure;
  if (WIFSIGNALED(wait_status)) {
    const int signal = WTERMSIG(wait_status);
    const char* abbreviation = ::sigabbrev_np(signal);
    failure.type = error_type::kSignal;
    failure.signal = signal;
    failure.message = "killed by signal " + std::to_string(signal);
    if (abbreviation) failure.message += std::string(" (SIG") + abbreviation + ")";
    if (WCOREDUMP(wait_status)) failure.message += ", core dumped";
  } else {
    const int code = WEXITSTATUS(wait_status);
    failure.type = error_type::kExit;
    failure.exit_code = code;
    failure.message = "exited with code " + std::to_string(code);
  }
  return failure;
}

Outcome failed_with(const Ended& ended) {
  Outcome outcome = failed(failure_of(ended.wait_status));
  Failure& failure = outcome.failure;
  PartialResult partial = partial_result(ended.result);
  if (!partial.text.empty() && failure.exit_code == kTransientExit)
    failure.retry_after = retry_after_of(partial.text);
  if (!partial.problem.empty())
    failure.message += "; its partial result is lost: $BATON_RESULT " + partial.problem;
  outcome.result = std::move(partial.text);
  if (const std::string lines = last_lines(ended.errors); !lines.empty())
    failure.message += "; the end of stderr:\n" + lines;
  return outcome;
}

}  // namespace

ResultFile read_result_file(const std::string& path) {
  ResultFile file;
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) {
    file.unread = is_shortage(errno);
    file.written = errno != ENOENT && errno != ENOTDIR;
    file.problem = errno == ELOOP ? "is a symbolic link" : "cannot be read: " + errno_text(errno);
    return file;
  }
  file.written = true;
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    file.problem = "is not a regular file";
    return file;
  }
  std::string text;
  while (text.size() <= kMaxResult) {
    char buffer[16 << 10];
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      file.problem = "cannot be read: " + errno_text(errno);
      return file;
    }
    if (n == 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  if (text.size() > kMaxResult) {
    file.problem = "is larger than 2 MiB";
  } else {
    file.text = std::move(text);
  }
  return file;
}

PartialResult partial_result(const ResultFile& file) {
  if (!file.written) return {};
  if (!file.problem.empty()) return {{}, file.problem};
  const std::string_view text = trim_json(file.text);
  if (text.empty()) return {{}, "is empty, not JSON"};
  if (const auto problem = json_problem(text)) return {{}, "is not valid JSON: " + *problem};
  return {std::string(text), {}};
}

Outcome outcome_of(const Ended& ended) {
  if (!WIFEXITED(ended.wait_status) || WEXITSTATUS(ended.wait_status) != 0) return failed_with(ended);
  if (ended.result.unread) return interruption("its result " + ended.result.problem);
  if (ended.result.written) {
    if (!ended.result.problem.empty()) return invalid("$BATON_RESULT " + ended.result.problem);
    return completed_with(ended.result.text, "$BATON_RESULT");
  }
  if (ended.parse_json) {
    if (ended.output.overflow()) return invalid("stdout (parse: json) is larger than 2 MiB");
    return completed_with(ended.output.text(), "stdout (parse: json)");
  }
  return {Outcome::Kind::completed, default_result(ended.output.text()), {}};
}

std::optional<Duration> retry_after_of(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxResultDepth;
  json::error_code error;
  const json::value value = parse_json(text, error, {}, options);
  const json::object* members = error ? nullptr : value.if_object();
  const json::value* wish = members ? members->if_contains("retry_after") : nullptr;
  if (!wish) return std::nullopt;
  Result<Duration> duration = fail(ErrorCode::invalid_input, "");
  if (const json::string* words = wish->if_string()) {
    duration = parse_duration(std::string_view(words->data(), words->size()));
  } else if (wish->is_number()) {
    duration = duration_from_seconds(wish->to_number<double>(error));
  }
  return duration && !error ? std::optional(*duration) : std::nullopt;
}

std::string default_result(std::string_view output) {
  const std::string text = to_utf8(output);
  const std::string_view kept = utf8_prefix(text, kMaxStdout);
  const json::string quoted(kept.data(), kept.size());
  return R"({"stdout":)" + json::serialize(quoted) + R"(,"exit_code":0})";
}

Outcome start_failure(std::string message, bool never_retry) {
  return failed({.type = error_type::kExit,
                 .message = std::move(message),
                 .exit_code = kNotStarted,
                 .never_retry = never_retry});
}

Outcome interruption(std::string message) {
  return {Outcome::Kind::interrupted, {}, {.type = error_type::kInterrupted, .message = std::move(message)}};
}

}  // namespace baton::executors::process

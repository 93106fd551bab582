#include "benchmark/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>
#include <utility>

namespace baton::benchmark {
namespace {

// In the child, between fork and exec: only what is allowed there.
[[noreturn]] void become(char* const* argv, char* const* env, int out, int log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execve(argv[0], argv, env);
  ::_exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

// Nanoseconds that the process's threads have run.
std::int64_t run_time_of(pid_t pid) {
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  DIR* directory = ::opendir(tasks.c_str());
  if (directory == nullptr) return 0;
  std::int64_t total = 0;
  while (const dirent* entry = ::readdir(directory)) {
    std::ifstream file(tasks + "/" + entry->d_name + "/schedstat");
    std::int64_t ran = 0;
    if (file >> ran) total += ran;
  }
  ::closedir(directory);
  return total;
}

std::uint64_t own_memory_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("Pss:")) continue;
    std::istringstream words(line.substr(4));
    std::uint64_t kib = 0;
    words >> kib;
    return kib * 1024;
  }
  return 0;
}

}  // namespace

Result<Process> Process::start(const Spec& spec) {
  const auto failed = [&](std::string_view what) {
    return fail(ErrorCode::io, "cannot " + std::string(what) + ": " + errno_text(errno));
  };
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failed("make a pipe");
  Fd read(ends[0]);
  const Fd write(ends[1]);
  const Fd log(::open(spec.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log) return failed("open " + spec.log);
  std::vector<std::string> words = spec.argv;
  std::vector<std::string> variables;
  for (const auto& [name, value] : spec.env) variables.push_back(name + '=' + value);
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> env = pointers(variables);
  Process process;
  process.pid_ = ::fork();
  if (process.pid_ < 0) return failed("start " + spec.argv.front());
  if (process.pid_ == 0) become(argv.data(), env.data(), write.get(), log.get());
  process.out_ = std::move(read);
  return process;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), out_(std::move(other.out_)) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    kill();
    pid_ = std::exchange(other.pid_, -1);
    out_ = std::move(other.out_);
  }
  return *this;
}

Result<std::string> Process::read_line() {
  std::string line;
  for (char c = 0;;) {
    const ssize_t n = ::read(out_.get(), &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(ErrorCode::io, "the process ended before it was ready");
    if (c == '\n') return line;
    line += c;
  }
}

void Process::reap() {
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

void Process::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  reap();
}

void Process::end() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  reap();
}

Duration cpu_of(pid_t pid) {
  Duration total{run_time_of(pid) / 1000};
  for (const pid_t child : children_of(pid)) total = total + cpu_of(child);
  return total;
}

std::uint64_t memory_of(pid_t pid) {
  std::uint64_t total = own_memory_of(pid);
  for (const pid_t child : children_of(pid)) total += memory_of(child);
  return total;
}

}  // namespace baton::benchmark

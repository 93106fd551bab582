#include "executors/process/test_support.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "logs/render.hpp"

namespace baton::executors::process::test {

ScratchDirectory::ScratchDirectory() : path_("/tmp/baton-test-XXXXXX") {
  if (!::mkdtemp(path_.data())) std::abort();
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

NoDescriptors::NoDescriptors() {
  ::getrlimit(RLIMIT_NOFILE, &before_);
  const int lowest_free = ::dup(STDERR_FILENO);
  ::close(lowest_free);
  const rlimit none{static_cast<rlim_t>(lowest_free), before_.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
}

NoDescriptors::~NoDescriptors() {
  ::setrlimit(RLIMIT_NOFILE, &before_);
}

std::string quoted(const std::string& text) {
  return boost::json::serialize(boost::json::string(text));
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

RunId some_run() {
  return RunId::make(RunKey::make(ShardId{0}, 7), wall_of({2026, 11, 21, 1, 46, 0, 0}), Seed{1, 2});
}

std::vector<std::string> processes_with(const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string environment = read_file(entry.path().string() + "/environ");
    if (environment.find(text) != std::string::npos) found.push_back(entry.path().filename());
  }
  return found;
}

Harness::Harness(int lock, logs::Limits log_limits) {
  if (::mkfifo(pipe().c_str(), 0600) != 0) std::abort();
  said_.reset(::open(pipe().c_str(), O_RDWR | O_CLOEXEC));
  Options options;
  options.scratch = directory() + "/scratch";
  options.logs = directory() + "/logs";
  options.now = [] { return wall_of({2026, 11, 21, 1, 46, 0, 123000}); };
  options.lock = lock;
  options.log_limits = log_limits;
  Listener listener;
  listener.started = [this](const Token& token) {
    const std::lock_guard guard(mutex_);
    started_.insert(token);
    changed_.notify_all();
  };
  listener.finished = [this](const Token& token, model::Outcome outcome) {
    const std::lock_guard guard(mutex_);
    twice_ = !finished_.emplace(token, std::move(outcome)).second || twice_;
    changed_.notify_all();
  };
  auto created = ProcessExecutor::create(std::move(options), std::move(listener));
  if (!created) {
    ADD_FAILURE() << created.error().message;
    std::abort();
  }
  executor_ = std::move(*created);
}

Harness::~Harness() {
  executor_->shutdown();
  EXPECT_EQ(finished_.size(), last_);
  EXPECT_FALSE(twice_);
}

Token Harness::reserve() {
  const std::lock_guard guard(mutex_);
  return {3, ++last_};
}

Token Harness::start(const std::string& spec) {
  Attempt attempt;
  attempt.token = reserve();
  attempt.task = {some_run(), 5};
  attempt.step = "step";
  attempt.number = 2;
  attempt.log_path = "day/" + attempt.token.text();
  attempt.spec = spec;
  executor_->start(attempt);
  return attempt.token;
}

Token Harness::start_script(const std::string& script, const std::string& more_members) {
  return start(R"({"env":{"PATH":"/usr/local/bin:/usr/bin:/bin"},"script":)" + quoted(script) + more_members +
               "}");
}

void Harness::wait_started(const Token& token) {
  std::unique_lock guard(mutex_);
  changed_.wait(guard, [&] { return started_.contains(token); });
}

model::Outcome Harness::wait(const Token& token) {
  std::unique_lock guard(mutex_);
  changed_.wait(guard, [&] { return finished_.contains(token); });
  return finished_.at(token);
}

std::string Harness::listen() {
  std::string line;
  for (char byte = 0; ::read(said_.get(), &byte, 1) == 1 && byte != '\n';) line += byte;
  return line;
}

std::string Harness::log_file(const Token& token) const {
  return directory() + "/logs/day/" + token.text();
}

std::string Harness::log(const Token& token) {
  auto part = logs::read_part(log_file(token), 0, SIZE_MAX, {.streams = true});
  return part ? part->text : part.error().message;
}

int owner_main(const std::string& directory) {
  const int lock = ::open((directory + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0 || ::flock(lock, LOCK_EX) != 0) return 1;
  Options options;
  options.scratch = directory + "/scratch";
  options.logs = directory + "/logs";
  options.now = [] { return WallTime{}; };
  options.lock = lock;
  auto executor =
      ProcessExecutor::create(std::move(options), {[](const Token&) {}, [](const Token&, model::Outcome) {}});
  if (!executor) return 1;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  // A plain one, one that ignores SIGTERM, a session of its own, a double fork out of that session, one that
  // goes on creating orphans, and one that looks dead.
  const std::string scripts[] = {
      "echo $$ >$PIDS; exec sleep 1000",
      "trap '' TERM HUP INT; echo $$ >$PIDS; sleep 1000; sleep 1000",
      "setsid sh -c 'echo $$ >$PIDS; exec sleep 1000' & exec sleep 1000",
      "setsid sh -c '(setsid sh -c \"echo \\$\\$ >$PIDS; exec sleep 1000\" &); exit 0' & exec sleep 1000",
      "echo $$ >$PIDS; while :; do (setsid sleep 1000 &); sleep 0.01; done",
      "exec '" + self + "' " + kThreadsCommand + " $PIDS",
  };
  std::uint64_t sequence = 0;
  for (const std::string& script : scripts) {
    Attempt attempt;
    attempt.token = {1, ++sequence};
    attempt.task = {some_run(), 5};
    attempt.log_path = attempt.token.text();
    attempt.spec = R"({"env":{"PATH":"/usr/bin:/bin","PIDS":)" + quoted(directory + "/pids") +
                   R"(},"script":)" + quoted(script) + "}";
    (*executor)->start(std::move(attempt));
  }
  for (;;) ::pause();
}

int threads_main(const std::string& pids) {
  std::thread([] {
    for (;;) ::pause();
  }).detach();
  std::ofstream(pids) << ::getpid() << std::endl;
  ::pthread_exit(nullptr);
}

}  // namespace baton::executors::process::test

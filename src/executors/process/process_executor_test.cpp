#include "executors/process/process_executor.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <latch>
#include <sstream>
#include <thread>

#include "base/trace_context.hpp"
#include "executors/json_text.hpp"
#include "executors/process/scratch.hpp"
#include "executors/process/test_support.hpp"

namespace baton::executors::process {
namespace {

using Kind = model::Outcome::Kind;
using model::Outcome;
using test::Harness;
using test::quoted;

std::string stdout_json(const std::string& text) {
  return R"({"stdout":)" + quoted(text) + R"(,"exit_code":0})";
}

TEST(ProcessExecutor, RunsAScript) {
  Harness harness;
  const Token token = harness.start_script("echo hello; echo trouble >&2");
  const Outcome outcome = harness.wait(token);
  EXPECT_EQ(outcome.kind, Kind::completed) << outcome.failure.message;
  EXPECT_EQ(outcome.result, stdout_json("hello\n"));
  const std::string log = harness.log(token);
  EXPECT_NE(log.find("stdout hello\n"), std::string::npos) << log;
  EXPECT_NE(log.find("stderr trouble\n"), std::string::npos) << log;
}

TEST(ProcessExecutor, AProcessWithoutOutputHasNoLog) {
  Harness harness;
  const Token token = harness.start(R"({"argv":["/bin/true"]})");
  EXPECT_EQ(harness.wait(token).result, stdout_json(""));
  EXPECT_FALSE(std::filesystem::exists(harness.log_file(token)));
}

TEST(ProcessExecutor, TheShellStopsAtTheFirstError) {
  Harness harness;
  const Outcome outcome = harness.run_script("false; echo not reached");
  EXPECT_EQ(outcome.failure.type, "exit");
  EXPECT_EQ(outcome.failure.exit_code, 1);
}

TEST(ProcessExecutor, InputAndResultFiles) {
  Harness harness;
  EXPECT_EQ(harness.run_script("cat $BATON_INPUT >$BATON_RESULT", R"(,"with":{"n":[1,"two"]})").result,
            R"({"n":[1,"two"]})");
  // Without `with`; and what one task does to the common file, the next one does not see.
  EXPECT_EQ(harness.run_script("cp $BATON_INPUT $BATON_RESULT; chmod 600 $BATON_INPUT; echo 1 >$BATON_INPUT")
                .result,
            "{}");
  EXPECT_EQ(harness.run_script("cp $BATON_INPUT $BATON_RESULT; rm -f $BATON_INPUT").result, "{}");
  EXPECT_EQ(harness.run_script("cp $BATON_INPUT $BATON_RESULT").result, "{}");
  const Outcome transient = harness.run_script("echo '{\"retry_after\": \"60s\"}' >$BATON_RESULT; exit 75");
  EXPECT_EQ(transient.failure.exit_code, 75);
  EXPECT_EQ(transient.failure.retry_after, Duration::seconds(60));
  // Nothing of an attempt is left behind, while the directory stays for the run's other steps.
  EXPECT_TRUE(std::filesystem::is_empty(harness.run_dir() + "/.baton"));
}

TEST(ProcessExecutor, ParsesStdout) {
  Harness harness;
  EXPECT_EQ(harness.run_script("echo '[1, 2]'", R"(,"parse":"json")").result, "[1, 2]");
  const std::string megabyte = "printf '\"'; head -c 1000000 /dev/zero | tr '\\0' x; printf '\"'";
  EXPECT_EQ(harness.run_script(megabyte, R"(,"parse":"json")").result.size(), 1'000'002U);
}

TEST(ProcessExecutor, TheRunDirectoryIsSharedPrivateAndTheDefaultWorkingDirectory) {
  Harness harness;
  EXPECT_EQ(harness.run_script("echo data >shared; pwd").result, stdout_json(harness.run_dir() + "\n"));
  EXPECT_EQ(harness.run_script("cat $BATON_RUN_DIR/shared", R"(,"workdir":"/usr")").result,
            stdout_json("data\n"));
  struct stat status{};
  ASSERT_EQ(::stat(harness.run_dir().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  // A step that cleans up too much does not break the next one.
  EXPECT_EQ(harness.run_script("rm -rf $BATON_RUN_DIR").kind, Kind::completed);
  EXPECT_EQ(harness.run_script("pwd").kind, Kind::completed);
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(remove_run_scratch(harness.directory() + "/scratch", test::some_run()));
    EXPECT_FALSE(std::filesystem::exists(harness.run_dir()));
  }
}

TEST(ProcessExecutor, TheEnvironmentIsExact) {
  ::setenv("BATON_TEST_LEAK", "secret", 1);
  Harness harness;
  const Token token = harness.start(R"({"argv":["/usr/bin/env"],"env":{"ONLY":"this one","EMPTY":""}})");
  const std::string run = test::some_run().text();
  EXPECT_EQ(harness.wait(token).result,
            stdout_json("BATON_ATTEMPT=2\nBATON_INPUT=" + harness.directory() +
                        "/scratch/.no-input.json\nBATON_RESULT=" + harness.run_dir() + "/.baton/5." +
                        token.text() + ".result.json\nBATON_RUN_DIR=" + harness.run_dir() +
                        "\nBATON_RUN_ID=" + run + "\nBATON_TASK_ID=" + run +
                        ".5\nBATON_TOKEN=" + token.text() + "\nEMPTY=\nONLY=this one\nTRACEPARENT=" +
                        trace_of_attempt("", test::some_run(), token).text() + "\n"));
}

TEST(ProcessExecutor, InheritsNoDescriptors) {
  // One that was not opened close-on-exec, as a careless library would leave it.
  const Fd leaked(::dup(2));
  Harness harness;
  const Outcome outcome = harness.run_script(
      "ls -l /proc/self/fd | sed -n 's/.* \\([0-9]*\\) -> \\([^:]*\\).*/\\1 \\2/p'; readlink /proc/$$/fd/0");
  // 3 is the directory that ls itself reads.
  const std::string text(outcome.result);
  EXPECT_TRUE(text.starts_with(R"({"stdout":"0 /dev/null\n1 pipe\n2 pipe\n3 )")) << text;
  EXPECT_EQ(text.find("\\n4 "), std::string::npos) << text;
}

TEST(ProcessExecutor, SignalsUmaskLimitsAndGroupAreReset) {
  // What the surroundings of a server may have ignored.
  const auto pipe_before = ::signal(SIGPIPE, SIG_IGN);
  const auto hup_before = ::signal(SIGHUP, SIG_IGN);
  sigset_t blocked;
  sigset_t mask_before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &mask_before);
  {
    Harness harness;
    const Outcome outcome = harness.run_script(
        "cat /proc/self/status | grep -E '^Sig(Blk|Ign|Cgt)' | tr -d '\\t'; umask; ulimit -c; "
        "test $(ps -o pgid= -p $$) = $$ && echo own group; test \"$(ps -o tty= -p $$)\" = '?' && echo no "
        "terminal");
    EXPECT_EQ(
        outcome.result,
        stdout_json("SigBlk:0000000000000000\nSigIgn:0000000000000000\nSigCgt:0000000000000000\n0077\n0\n"
                    "own group\nno terminal\n"))
        << outcome.failure.message;
  }
  ::signal(SIGPIPE, pipe_before);
  ::signal(SIGHUP, hup_before);
  ::pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
}

TEST(ProcessExecutor, TasksKeepTheLimitOfOpenFilesThatTheServerHad) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{std::min<rlim_t>(500, before.rlim_max), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  {
    Harness harness;
    rlimit raised{};
    ::getrlimit(RLIMIT_NOFILE, &raised);
    EXPECT_EQ(raised.rlim_cur, raised.rlim_max);
    EXPECT_EQ(harness.run_script("ulimit -n").result, stdout_json(std::to_string(low.rlim_cur) + "\n"));
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
}

// It is not the task's fault, and descriptors come back.
TEST(ProcessExecutor, AStartWaitsForDescriptors) {
  Harness harness;
  EXPECT_EQ(harness.run_script("true").kind, Kind::completed);
  // Answered without a descriptor, after what was sent before it was tried.
  const auto fails_at_once = [&] {
    Attempt astray;
    astray.token = harness.reserve();
    astray.task = {test::some_run(), 0};
    astray.log_path = "../astray";
    const Token sent = astray.token;
    harness.executor().start(std::move(astray));
    EXPECT_EQ(harness.wait(sent).kind, Kind::failed);
  };
  fails_at_once();  // UBSan looks at an object's type by a pipe when it meets it first: before there is none
  Token token;
  {
    const test::NoDescriptors none;
    token = harness.start_script("echo done", R"(,"with":{"a":1})");
    fails_at_once();
    fails_at_once();
  }
  const Outcome outcome = harness.wait(token);
  EXPECT_EQ(outcome.kind, Kind::completed) << outcome.failure.message;
}

// A task may take the rights to its own directories away.
TEST(ProcessExecutor, FoldersWithoutRightsAreDeleted) {
  const test::ScratchDirectory directory;
  const std::string tree = directory.path() + "/run";
  std::filesystem::create_directories(tree + "/a/b");
  std::ofstream(tree + "/a/b/file") << "x";
  const bool root = ::geteuid() == 0;
  constexpr uid_t kNobody = 65534;
  for (const std::string& path : {directory.path(), tree, tree + "/a", tree + "/a/b", tree + "/a/b/file"}) {
    if (root) ASSERT_EQ(::chown(path.c_str(), kNobody, kNobody), 0);
  }
  for (const std::string& path : {tree + "/a/b", tree + "/a", tree})
    ASSERT_EQ(::chmod(path.c_str(), 0000), 0);
  // Of this thread alone: rights do not hold root up.
  if (root) ::setfsuid(kNobody);
  const Status removed = remove_tree(tree);
  if (root) ::setfsuid(0);
  EXPECT_TRUE(removed) << removed.error().message;
  EXPECT_FALSE(std::filesystem::exists(tree));
}

TEST(ProcessExecutor, StartFailuresSayWhatAndWhy) {
  Harness harness;
  const std::string here = harness.directory();
  std::ofstream(here + "/plain") << "echo no first line\n";
  std::ofstream(here + "/bad-interpreter") << "#!/no/such/interpreter\n";
  ::chmod((here + "/bad-interpreter").c_str(), 0700);
  std::ofstream(here + "/no-interpreter") << "just text\n";
  ::chmod((here + "/no-interpreter").c_str(), 0700);
  const std::string workdir = R"(,"workdir":)" + quoted(here);
  const std::pair<std::string, const char*> cases[] = {
      {R"({"argv":["./missing"])" + workdir + "}",
       "\"./missing\": there is no such file (working directory /tmp"},
      {R"({"argv":["no-such-program"],"env":{"PATH":"/usr/bin:/bin"}})", "in PATH (/usr/bin:/bin)"},
      {R"({"argv":["./plain"])" + workdir + "}", "not executable (chmod +x?)"},
      {R"({"argv":["./bad-interpreter"])" + workdir + "}", "the interpreter that it names"},
      {R"({"argv":["./no-interpreter"])" + workdir + "}", "#!/bin/sh"},
      {R"({"argv":["/usr"]})", "it is a directory"},
      {R"({"argv":["/bin/true"],"workdir":"/no/such/place"})",
       "cannot enter the working directory \"/no/such/place\": No such file or directory"},
      {R"({"argv":["/bin/true"],"workdir":"/etc/passwd"})", "Not a directory"},
      {R"({"argv":["/bin/echo",")" + std::string(200 << 10, 'x') + R"("]})", "128 KiB"},
      {R"({"argv":["/bin/true"],"workdir":"rel"})", "`workdir` must be an absolute path"},
      {"nonsense", "not JSON"},
  };
  for (const auto& [spec, expected] : cases) {
    const Token token = harness.start(spec);
    const Outcome outcome = harness.wait(token);
    EXPECT_EQ(outcome.kind, Kind::failed);
    EXPECT_EQ(outcome.failure.exit_code, 127) << spec.substr(0, 100);
    EXPECT_NE(outcome.failure.message.find(expected), std::string::npos) << outcome.failure.message;
  }
  EXPECT_EQ(harness.run_script("echo still alive").kind, Kind::completed);
}

TEST(ProcessExecutor, ManyAndLargeArgumentsArrive) {
  Harness harness;
  std::string spec = R"({"argv":["/bin/sh","-c","echo $#; echo ${#1}","sh")";
  for (int i = 0; i < 10; ++i) spec += ",\"" + std::string(100'000, 'x') + '"';
  EXPECT_EQ(harness.wait(harness.start(spec + "]}")).result, stdout_json("10\n100000\n"));
}

TEST(ProcessExecutor, TheProgramIsFoundInThePathOfItsOwnEnvironment) {
  Harness harness;
  const std::string bin = harness.directory() + "/bin";
  std::filesystem::create_directory(bin);
  std::ofstream(bin + "/mytool") << "#!/bin/sh\necho found\n";
  ::chmod((bin + "/mytool").c_str(), 0700);
  const std::string path = "/no/such:" + bin;
  EXPECT_EQ(harness.wait(harness.start(R"({"argv":["mytool"],"env":{"PATH":)" + quoted(path) + "}}")).result,
            stdout_json("found\n"));
}

TEST(ProcessExecutor, SoftStopLetsTheProcessFinishItsWork) {
  Harness harness;
  const Token token = harness.start_script("trap 'echo cleaned; exit 0' TERM; sleep 1000 & echo >" +
                                           harness.pipe() + "; wait");
  harness.listen();
  harness.executor().stop(token, StopMode::soft);
  EXPECT_EQ(harness.wait(token).result, stdout_json("cleaned\n"));
}

TEST(ProcessExecutor, SoftStopReachesTheWholeGroupAlsoIfStopped) {
  Harness harness;
  const Token token = harness.start_script("kill -STOP $$; sleep 1000");
  harness.wait_started(token);
  harness.executor().stop(token, StopMode::soft);
  const Outcome outcome = harness.wait(token);
  EXPECT_EQ(outcome.failure.type, "signal");
  EXPECT_EQ(outcome.failure.signal, SIGTERM);
}

TEST(ProcessExecutor, HardStopCannotBeTrapped) {
  Harness harness;
  const Token token =
      harness.start_script("trap '' TERM; echo >" + harness.pipe() + "; sleep 1000; sleep 1000");
  harness.listen();
  harness.executor().stop(token, StopMode::soft);
  harness.executor().stop(token, StopMode::hard);
  EXPECT_EQ(harness.wait(token).failure.signal, SIGKILL);
}

TEST(ProcessExecutor, StopOfAnUnknownOrFinishedAttemptDoesNothing) {
  Harness harness;
  const Token token = harness.start_script("echo done");
  harness.wait(token);
  harness.executor().stop(token, StopMode::hard);
  harness.executor().stop({9, 9}, StopMode::hard);
  EXPECT_EQ(harness.run_script("echo alive").result, stdout_json("alive\n"));
}

TEST(ProcessExecutor, WhatIsLeftOfTheGroupIsKilledAtTheEnd) {
  Harness harness;
  const Token token = harness.start_script("sleep 1000 & echo $! >child; sleep 1000 & sleep 1000 & echo out");
  EXPECT_EQ(harness.wait(token).result, stdout_json("out\n"));
  // The children held the pipes open: the attempt's end did not wait for them. They are the spawner's zombies
  // at most by now.
  const pid_t child = std::stoi(test::read_file(harness.run_dir() + "/child"));
  const std::string status = test::read_file("/proc/" + std::to_string(child) + "/status");
  EXPECT_EQ(status.find("State:\tS"), std::string::npos) << status;
}

TEST(ProcessExecutor, AProcessThatLeftTheGroupHoldsNothingUp) {
  Harness harness;
  const Token token = harness.start_script("setsid sh -c 'while :; do echo x; done' & echo mine >&2");
  EXPECT_EQ(harness.wait(token).kind, Kind::completed);
  EXPECT_NE(harness.log(token).find("stderr mine\n"), std::string::npos);
}

TEST(ProcessExecutor, BinaryOutputIsRawInTheLog) {
  Harness harness;
  const Token token = harness.start_script(R"(printf 'a\377\0z\n')");
  EXPECT_EQ(harness.wait(token).result, "{\"stdout\":\"a\xEF\xBF\xBD\\u0000z\\n\",\"exit_code\":0}");
  EXPECT_EQ(test::read_file(harness.log_file(token)).substr(24 + 16), std::string("a\xFF\0z\n", 5));
}

long resident_kib() {
  std::istringstream status(test::read_file("/proc/self/status"));
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") {
      long kib = 0;
      status >> kib;
      return kib;
    }
  }
  return -1;
}

TEST(ProcessExecutor, EndlessOutputIsBoundedInMemoryAndOnDisk) {
  Harness harness;
  harness.run_script("echo warm");
  const long before = resident_kib();
  const Token token =
      harness.start_script("head -c 200000000 /dev/zero | tr '\\0' '\\n'; echo; echo the end");
  EXPECT_EQ(harness.wait(token).kind, Kind::completed);
  EXPECT_LT(resident_kib() - before, 64 << 10);
  struct stat status{};
  ASSERT_EQ(::stat(harness.log_file(token).c_str(), &status), 0);
  EXPECT_LE(status.st_blocks * 512, (10 << 20) + (256 << 10));
  const std::string log = harness.log(token);
  EXPECT_NE(log.find("bytes dropped]"), std::string::npos);
  EXPECT_TRUE(log.ends_with("stdout the end\n"));
}

TEST(ProcessExecutor, ALineWithoutEndIsBoundedToo) {
  Harness harness;
  const Token token = harness.start_script("head -c 100000000 /dev/zero", R"(,"parse":"json")");
  EXPECT_EQ(harness.wait(token).failure.type, "validation");
  struct stat status{};
  ASSERT_EQ(::stat(harness.log_file(token).c_str(), &status), 0);
  EXPECT_LE(status.st_blocks * 512, (10 << 20) + (256 << 10));
}

TEST(ProcessExecutor, AnUnwritableLogDoesNotFailTheAttempt) {
  Harness harness;
  std::ofstream(harness.directory() + "/logs/day") << "a file where the directory should be";
  EXPECT_EQ(harness.run_script("echo hello").result, stdout_json("hello\n"));
}

TEST(ProcessExecutor, ALogPathCannotLeaveItsDirectory) {
  Harness harness;
  for (const char* path : {"", "/etc/x", "../x", "a/../../x", "a/.."}) {
    Attempt attempt;
    attempt.token = harness.reserve();
    attempt.task = {test::some_run(), 1};
    attempt.log_path = path;
    attempt.spec = R"({"argv":["/bin/true"]})";
    harness.executor().start(attempt);
    EXPECT_EQ(harness.wait(attempt.token).failure.exit_code, 127) << path;
  }
}

TEST(ProcessExecutor, ReattachKnowsOnlyWhatRuns) {
  Harness harness;
  const Token token = harness.start_script("sleep 1000");
  EXPECT_EQ(harness.executor().reattach(token), Reattached::running);
  harness.executor().stop(token, StopMode::hard);
  harness.wait(token);
  EXPECT_EQ(harness.executor().reattach(token), Reattached::gone);
}

TEST(ProcessExecutor, ShutdownReportsEverythingAsInterrupted) {
  Harness harness;
  std::vector<Token> tokens;
  for (int i = 0; i < 100; ++i)
    tokens.push_back(harness.start_script("trap '' TERM; echo 7 >$BATON_RESULT; sleep 1000"));
  harness.wait_started(tokens[0]);
  harness.executor().shutdown();
  for (const Token& token : tokens) {
    EXPECT_EQ(harness.wait(token).kind, Kind::interrupted);
    EXPECT_EQ(harness.executor().reattach(token), Reattached::gone);
  }
  harness.executor().shutdown();
  Attempt late;
  late.token = {9, 9};
  harness.executor().start(late);  // not accepted, not reported
  harness.executor().stop(late.token, StopMode::hard);
}

TEST(ProcessExecutor, ConcurrentStartsStopsAndShutdown) {
  Harness harness;
  std::latch begin(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      begin.arrive_and_wait();
      for (int n = 0; n < 50; ++n) {
        const Token token = harness.start(R"({"argv":["/bin/sleep","1000"]})");
        harness.executor().stop(token, n % 2 ? StopMode::soft : StopMode::hard);
        harness.wait(token);
      }
    });
  }
  begin.arrive_and_wait();
  for (std::thread& thread : threads) thread.join();
  const Token last = harness.start_script("sleep 1000");
  std::thread other([&] { harness.executor().shutdown(); });
  harness.executor().shutdown();
  other.join();
  EXPECT_EQ(harness.wait(last).kind, Kind::interrupted);
}

TEST(ProcessExecutor, ADeadSpawnerInterruptsAndIsReported) {
  Harness harness;
  const Token token = harness.start_script("(sleep 1000; sleep 1000) & setsid sleep 1000 & echo $PPID >" +
                                           harness.pipe() + "; wait");
  ASSERT_EQ(::kill(std::stoi(harness.listen()), SIGKILL), 0);
  const Outcome outcome = harness.wait(token);
  EXPECT_EQ(outcome.kind, Kind::interrupted);
  EXPECT_NE(outcome.failure.message.find("died"), std::string::npos);
  EXPECT_EQ(test::processes_with("BATON_RUN_DIR=" + harness.run_dir()), std::vector<std::string>{});
  const Token later = harness.start_script("echo hello");
  harness.executor().shutdown();
  EXPECT_EQ(harness.wait(later).kind, Kind::interrupted);  // and not failed
}

}  // namespace
}  // namespace baton::executors::process

#include "worker/worker.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <baton/worker.hpp>
#include <cstdio>
#include <mutex>
#include <random>
#include <thread>

#include "base/text.hpp"
#include "bridge.hpp"
#include "functions.hpp"
#include "stop_signals.hpp"

namespace baton::v0 {
namespace {

using baton::executors::functions::FunctionTable;

constexpr std::uint32_t kMostThreads = 1000;
constexpr std::uint32_t kMostPrefetch = 100'000;

// A name that no other process has.
std::string own_name() {
  char host[64] = "host";
  ::gethostname(host, sizeof host - 1);
  std::string name;
  for (const char* c = host; *c != '\0' && *c != '.'; ++c) {
    const bool plain = (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z');
    name += plain || *c == '-' ? *c : '-';
  }
  if (!baton::is_name(name)) name = "host";
  constexpr char kHex[] = "0123456789abcdef";
  std::random_device random;
  name += '-' + std::to_string(::getpid()) + '-';
  for (std::uint32_t bits = random(), i = 0; i < 6; ++i, bits >>= 4) name += kHex[bits & 15];
  return name;
}

void to_standard_error(std::string_view line) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

}  // namespace

struct Worker::Impl {
  explicit Impl(WorkerOptions given) : options(std::move(given)) {
    if (options.name.empty()) options.name = own_name();
    if (!options.log) options.log = to_standard_error;
    if (options.threads == 0) options.threads = 2 * std::max(1U, std::thread::hardware_concurrency());
  }

  Status check() const {
    const auto usage = [](std::string message) { return Status(Error{Code::usage, std::move(message), ""}); };
    if (table->names().empty()) return usage("a worker needs at least one function: handle(name, function)");
    if (!baton::is_name(options.name) || options.name == "local")
      return usage("a worker's name has letters, digits, . _ - and is not \"local\"");
    for (const std::string& queue : options.queues) {
      if (!baton::is_name(queue)) return usage("\"" + baton::printable(queue) + "\" is no name of a queue");
    }
    for (const std::string& tag : options.tags) {
      if (!baton::is_name(tag))
        return usage("\"" + baton::printable(tag) + "\" is no tag: letters, digits, . _ -");
    }
    if (options.threads > kMostThreads)
      return usage("a worker has at most " + std::to_string(kMostThreads) + " threads");
    if (options.prefetch.value_or(0) > kMostPrefetch)
      return usage("a worker holds at most " + std::to_string(kMostPrefetch) + " tasks ready");
    return {};
  }

  Status start() {
    const std::lock_guard lock(mutex);
    if (worker) return Error{Code::usage, "the worker has been started already", ""};
    if (const Status fine = check(); !fine) return fine;
    auto server = server_of(options.server);
    if (!server) return error_of(server.error());
    target->server = *server;
    baton::worker::WorkerOptions made;
    made.server = std::move(*server);
    made.name = options.name;
    made.queues = options.queues;
    made.concurrency = options.threads;
    made.prefetch = options.prefetch.value_or(3 * options.threads);
    made.functions = table;
    made.tags = options.tags;
    made.failed = [this] { bell.ring(); };
    made.drain_asked = [this] { bell.ring(); };
    made.log = options.log;
    auto started = baton::worker::Worker::start(std::move(made));
    if (!started) return error_of(started.error());
    worker = std::move(*started);
    return {};
  }

  std::shared_ptr<baton::worker::Worker> started() {
    const std::lock_guard lock(mutex);
    return worker;
  }

  static constexpr int kLookMs = 50;

  // Until the worker is to end. A server that wants that is in no hurry: then until nothing runs any more, or
  // the bell rings again.
  void wait_for_end() {
    bell.wait(-1);
    const auto running = started();
    while (running && running->asked_to_drain() && !running->drained(baton::Duration{})) {
      if (bell.wait(kLookMs) > 0) return;
    }
  }

  // Gives what runs its time, or until the bell rings again.
  void let_end(baton::worker::Worker& running) {
    running.drain();
    for (baton::Duration left = duration_of(options.grace); left.us > 0;
         left = left - baton::Duration::millis(kLookMs)) {
      if (running.drained(baton::Duration{}) || bell.wait(kLookMs) > 0) break;
    }
    running.stop();
  }

  Status stop() {
    const std::shared_ptr<baton::worker::Worker> running = started();
    if (!running) return {};
    const auto failure = running->fatal();
    let_end(*running);
    if (failure) return error_of(*failure);
    return {};
  }

  WorkerOptions options;
  std::shared_ptr<FunctionTable> table = std::make_shared<FunctionTable>();
  std::shared_ptr<CallTarget> target = std::make_shared<CallTarget>();
  StopBell bell;  // rings when the worker is to end, or has
  std::mutex mutex;
  std::shared_ptr<baton::worker::Worker> worker;  // guarded by mutex; once it was started
};

Worker::Worker(WorkerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Worker::~Worker() {
  if (impl_) static_cast<void>(stop());
}
Worker::Worker(Worker&& other) noexcept = default;
Worker& Worker::operator=(Worker&& other) noexcept {
  if (this != &other) {
    if (impl_) static_cast<void>(stop());
    impl_ = std::move(other.impl_);
  }
  return *this;
}

void Worker::add(std::string name, Handler handler) {
  const auto added = impl_->table->add(std::move(name), function_of(std::move(handler), impl_->target));
  if (!added) throw Exception(error_of(added.error()));
  if (const auto running = impl_->started()) running->functions_changed();
}

Status Worker::start() {
  Status started = impl_->start();
  if (!started) return started;
  const auto running = impl_->started();
  if (running->registered(baton::Duration::max())) return {};
  const auto failure = running->fatal();
  return failure ? Status(error_of(*failure))
                 : Status(Error{Code::interrupted, "the worker was stopped", ""});
}

Status Worker::run(bool signals) {
  if (signals) impl_->bell.catch_signals();
  Status started = impl_->start();
  if (started) {
    impl_->wait_for_end();
    started = impl_->stop();
  }
  impl_->bell.release_signals();
  return started;
}

Status Worker::stop() {
  return impl_->stop();
}
void Worker::request_stop() noexcept {
  impl_->bell.ring();
}
const std::string& Worker::name() const noexcept {
  return impl_->options.name;
}

}  // namespace baton::v0

#include "benchmark/noop_worker.hpp"

#include <poll.h>

#include "benchmark/server.hpp"
#include "executors/functions/function_executor.hpp"
#include "worker/worker.hpp"

namespace baton::benchmark {
namespace {

constexpr int kLook = 1000;  // milliseconds

}  // namespace

Status run_noop_worker(const client::Server& server) {
  const auto functions = std::make_shared<executors::functions::FunctionTable>();
  TRY_VOID(functions->add(std::string(kFunction),
                          [](executors::functions::Call&) { return model::Outcome{.result = "null"}; }));
  worker::WorkerOptions options;
  options.server = server;
  options.name = "bench";
  options.concurrency = 2;
  options.prefetch = 1998;
  options.functions = functions;
  TRY(const std::unique_ptr<worker::Worker> worker, worker::Worker::start(std::move(options)));
  for (;;) {
    if (const auto fatal = worker->fatal()) return fail(*fatal);
    ::poll(nullptr, 0, kLook);
  }
}

}  // namespace baton::benchmark

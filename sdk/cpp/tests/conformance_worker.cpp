// The functions that tests/integration/workers/conformance.py asks for. A name may be given.
#include <baton/worker.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace {

struct Failure {
  std::string type;
  std::string message;
  std::optional<bool> retry;
  std::optional<double> retry_after;
};
BATON_JSON(Failure, type, message, retry, retry_after)

struct Gate {
  std::string file;
};
BATON_JSON(Gate, file)

struct Percent {
  int percent = 0;
};
BATON_JSON(Percent, percent)

void fail(const Failure& failure) {
  baton::TaskFailed error(failure.message);
  error.type(failure.type);
  if (!failure.retry.value_or(true)) error.never_retry();
  if (failure.retry_after) error.retry_after(baton::Seconds(*failure.retry_after));
  throw error;
}

std::string wait(baton::Context& ctx, const Gate& gate) {
  std::ofstream(gate.file + ".begun").flush();
  while (!std::filesystem::exists(gate.file)) ctx.sleep(std::chrono::milliseconds(10));
  return "waited";
}

}  // namespace

int main(int argc, char** argv) {
  baton::WorkerOptions options;
  if (argc > 1) options.name = argv[1];
  options.log = [](std::string_view) {};
  baton::Worker worker(options);
  worker.handle("conformance.echo", [](const baton::Json& value) { return value; })
      .handle("conformance.fail", fail)
      .handle("conformance.wait", wait)
      .handle("conformance.progress",
              [](baton::Context& ctx, const Percent& at) { ctx.progress(at.percent).value(); });
  const baton::Status ended = worker.run();
  return ended ? 0 : 1;
}

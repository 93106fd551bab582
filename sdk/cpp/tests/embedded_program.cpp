// A program with an orchestrator in it, to be killed and started again
// (tests/integration/sdk_cpp/embedded_test.py).
//
//   embedded_program DATA FOLDER     writes FOLDER/ledger, waits for FOLDER/gate, prints the run's result
#include <baton/baton.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

int main(int, char** argv) {
  const std::filesystem::path folder = argv[2];
  const auto note = [&](const std::string& line) {
    std::ofstream(folder / "ledger", std::ios::app) << line << std::endl;
  };
  baton::Orchestrator orchestrator(argv[1]);
  orchestrator.handle("first", [&](baton::Context& ctx) {
    note("first " + std::to_string(ctx.attempt()));
    return 20;
  });
  orchestrator.handle("second", [&](baton::Context& ctx, int n) {
    note("second " + ctx.token());
    while (!std::filesystem::exists(folder / "gate")) ctx.sleep(std::chrono::milliseconds(5));
    return n + 1;
  });
  if (const baton::Status started = orchestrator.start(); !started) {
    std::fprintf(stderr, "%s: %s\n", std::string(name(started.error().code)).c_str(),
                 started.error().message.c_str());
    return 6;
  }
  baton::Workflow flow("two");
  auto& first = flow.step("first").task("first");
  auto& second = flow.step("second").task("second").with(first.result());
  flow.step("third").run("echo $N").env(
      {{"N", second.result()}});  // a process of a spawner, which is not this program
  const baton::Run run = orchestrator.client().submit(flow, {.idempotency_key = "once"}).value();
  const baton::Json result = orchestrator.client().result(run.id).value();
  std::printf("%s %s", run.existing ? "again" : "new", result["stdout"].get<std::string>().c_str());
  return 0;
}

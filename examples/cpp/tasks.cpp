// Single functions and small workflows of functions: what a task manager and a workflow manager do.
//
//   tasks DIR
#include <baton/baton.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

using baton::Json;

void expect(bool fine, const char* what) {
  if (fine) return;
  std::fprintf(stderr, "tasks: not as expected: %s\n", what);
  std::exit(1);
}

int main(int argc, char** argv) {
  baton::Orchestrator orchestrator(argc > 1 ? argv[1] : "tasks.data");
  orchestrator.handle("hello", [](const std::string& name) { return "Hello, " + name + "!"; });
  orchestrator.handle("step1", [] { return "Step 1"; });
  orchestrator.handle("step2", [](const std::string& before) { return before + ", Step 2"; });
  orchestrator.start().value();
  baton::Client& client = orchestrator.client();

  // queue_task: one function, once
  const baton::Run hello =
      client.call("hello", "World", {.metadata = Json::object({{"asked_by", "me"}}), .priority = 7}).value();
  expect(client.result(hello.id).value() == Json("Hello, World!"), "it says hello");
  // get_task_metadata
  const baton::TaskRow task = client.tasks(hello.id).value().front();
  expect(task.status == "completed" && task.attempts == 1, "at the first try");
  expect(client.get(hello.id).value().metadata["asked_by"] == Json("me"), "what was given comes back");

  // The same with a time limit and retries
  baton::Workflow careful("careful");
  careful.step("hello").task("hello").with("again").timeout(baton::Seconds(10)).retry(4);
  expect(client.result(client.submit(careful).value().id).value() == Json("Hello, again!"), "carefully");

  // schedule_task: later, once; the waiting is durable
  baton::Workflow later("later");
  auto& pause = later.step("wait").wait_for(baton::Seconds(0.2));
  later.step("hello").task("hello").with("later").needs(pause);
  expect(client.result(client.submit(later).value().id).value() == Json("Hello, later!"), "later");

  // cancel_task
  baton::Workflow tomorrow("tomorrow");
  tomorrow.step("wait").wait_for(baton::Seconds(86400));
  const baton::Run waiting = client.submit(tomorrow).value();
  client.cancel(waiting.id).value();
  expect(client.wait(waiting.id).value().status == "cancelled", "it was cancelled");

  // register_workflow, add_task_to_workflow: each change is a new version, and runs keep theirs
  baton::Workflow flow("My Workflow");
  flow.description("Sample workflow");
  auto& step1 = flow.step("task1").task("step1");
  expect(client.apply(flow).value().version == 1, "the first version");
  flow.step("task2").task("step2").with(step1.result());
  expect(client.apply(flow).value().version == 2, "the second version");
  // run_workflow
  const baton::Run run = client.start(flow.name()).value();
  expect(client.result(run.id).value() == Json("Step 1, Step 2"), "both steps");
  // schedule_workflow
  baton::Workflow once("my-workflow.later");
  auto& delay = once.step("wait").wait_for(baton::Seconds(0.2));
  once.step("run").workflow(flow.name()).needs(delay);
  expect(client.wait(client.submit(once).value().id).value().completed(), "the workflow, later");
  std::puts("tasks: all as expected");
}

// A dataset is built in five steps by functions of this program, with everything that an orchestrator does
// around it: create, execute, progress, pause, recover, cancel. No server is needed.
//
//   dataset_build DIR      keeps its data there; started again, it goes on with what was under way
#include <atomic>
#include <baton/baton.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

using baton::Json;

struct Images {
  int count = 0;
};
BATON_JSON(Images, count)

baton::Workflow dataset_build() {
  baton::Workflow flow("Complete Dataset Build");
  flow.input("images", Json::object({{"type", "integer"}, {"default", 1000}}));
  flow.recovery(Json::object({{"max_attempts", 3}}));
  auto& download = flow.step("Download Images")
                       .task("dataset.download")
                       .with({{"count", baton::input("images")}})
                       .retry(4)  // three more tries, after 1, 2 and 4 seconds
                       .timeout(baton::Seconds(300))
                       .estimate(baton::Seconds(300));
  auto& validate = flow.step("Validate Images").task("dataset.validate").with(download.result()).retry(3);
  auto& deduplicate =
      flow.step("Deduplicate Images").task("dataset.deduplicate").with(validate.result()).retry(3);
  auto& label = flow.step("Generate Labels").task("dataset.label").with(deduplicate.result()).retry(2);
  flow.step("Store Dataset").task("dataset.store").with(label.result()).retry(3);
  return flow;
}

void expect(bool fine, const char* what) {
  if (fine) return;
  std::fprintf(stderr, "dataset_build: not as expected: %s\n", what);
  std::exit(1);
}

int main(int argc, char** argv) {
  baton::Orchestrator orchestrator(argc > 1 ? argv[1] : "dataset.data");
  orchestrator.handle("dataset.download", [](baton::Context& ctx, const Images& wanted) {
    for (int done = 0; done < wanted.count; done += 250) {
      ctx.check_cancelled();
      ctx.progress(100 * done / wanted.count, "downloading").value();
    }
    return wanted;
  });
  orchestrator.handle("dataset.validate", [](const Images& all) { return Images{all.count - 50}; });
  orchestrator.handle("dataset.deduplicate", [](const Images& valid) { return Images{valid.count - 50}; });
  std::atomic<bool> labels_are_there = false;
  orchestrator.handle("dataset.label", [&](const Images& unique) {
    if (!labels_are_there) throw baton::TaskFailed("there are no labels yet").type("no_labels").never_retry();
    return unique;
  });
  orchestrator.handle("dataset.store", [](baton::Context& ctx, const Images& labelled) {
    ctx.log("stored " + std::to_string(labelled.count) + " images");
    return labelled;
  });
  orchestrator.start().value();
  baton::Client& client = orchestrator.client();

  // create_workflow, start_workflow
  const baton::Applied workflow = client.apply(dataset_build()).value();
  baton::Run run =
      client
          .start(workflow.workflow, {.job_id = "1", .metadata = Json::object({{"dataset_name", "animals"}})})
          .value();
  // execute_workflow: the labels are missing, so it fails
  run = client.wait(run.id).value();
  expect(run.status == "failed" && run.error->type == "no_labels", "the run fails for want of labels");
  // get_failed_workflows, get_recoverable_workflows, get_active_workflows
  expect(client.list({.state = "failed"}).value().size() == 1, "one run has failed");
  expect(client.list({.state = "recoverable"}).value().size() == 1, "it can be recovered");
  expect(client.list({.state = "active"}).value().empty(), "no run is open");
  // recover_workflow, from a step by its name or its place
  labels_are_there = true;
  client.recover(run.id, {.from = "generate-labels"}).value();
  expect(client.result(run.id).value()["count"].get<int>() == 900, "900 images are stored");
  // get_workflow, get_workflow_by_job
  run = client.get(run.id).value();
  expect(run.recovery_attempts == 1, "it was recovered once");
  expect(client.list({.job_id = "1", .limit = 1}).value().front().id == run.id, "the job knows its run");
  // get_workflow_progress
  const Json progress = client.progress(run.id).value();
  std::printf("status: %s\nprogress: %g%%\nsteps: %d\n", run.status.c_str(), run.progress,
              progress["total_steps"].get<int>());
  // pause_workflow, cancel_workflow
  client.pause_queue("default", "a look at pausing").value();
  const baton::Run other = client.start(workflow.workflow, {.job_id = "2"}).value();
  expect(client.pause(other.id, "the disk is full").value().status == "paused", "it is paused");
  expect(client.resume(other.id).value().status != "paused", "it goes on");
  client.cancel(other.id).value();
  client.resume_queue("default").value();
  expect(client.wait(other.id).value().status == "cancelled", "it was cancelled");
  std::puts("dataset_build: all as expected");
}

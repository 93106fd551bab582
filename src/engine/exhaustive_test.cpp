// Every state that small runs can get into, by every command, report, delay and death, from every such state:
// what is not in the tables of legal transitions does not happen (testing/disk.cpp insists), everything in
// them does, and from everywhere a run can be brought to its end.
//
// Breadth first: what counts as the same state is the signature below; each is reached again by the shortest
// way that was found to it, since decisions are deterministic.
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <set>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::BlockerKind;
using model::RunStatus;
using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;
using Verdict = model::DecideTask::Verdict;
using Flow = std::shared_ptr<const model::Workflow>;

struct Position {
  explicit Position(const Flow& flow)
      : world({.settings = {.max_losses = 2, .max_interruptions = 2}, .check_memory = false}),
        run(world.submit(flow)) {}

  World world;
  RunId run;
  std::deque<model::Assignment> held;  // by the worker, oldest first

  void report(model::Outcome outcome) {
    if (held.empty()) return;
    world.report(held.front(), std::move(outcome));
    held.pop_front();
  }
  // A worker that was declared dead does not report.
  void forget() { held.clear(); }
};

struct Deed {
  std::string name;
  std::function<void(Position&)> act;
};

// What may happen beside the usual.
struct Kinds {
  bool failures = false;
  bool pauses = false;
  bool decisions = false;
  bool resources = false;  // also deaths of their worker
};

void add_death(std::vector<Deed>& list) {
  list.push_back({"lose the worker", [](Position& p) {
                    p.world.ask(model::LoseWorker{"w"});
                    p.forget();
                  }});
}

void add_failures(std::vector<Deed>& list) {
  list.push_back({"fail", [](Position& p) { p.report(testing::failed()); }});
  list.push_back({"fail, to be held", [](Position& p) { p.report(testing::failed("hold")); }});
  list.push_back({"interrupt", [](Position& p) { p.report(testing::interrupted()); }});
  add_death(list);
  list.push_back({"terminate", [](Position& p) { p.world.cancel(p.run, true); }});
}

void add_pauses(std::vector<Deed>& list) {
  for (const BlockerKind kind : {BlockerKind::run_paused, BlockerKind::step_paused}) {
    const std::string name = kind == BlockerKind::step_paused ? "a" : "";
    list.push_back({"pause " + name, [kind, name](Position& p) {
                      p.world.ask(model::PauseCommand{{kind, p.run, name}, "", {}});
                    }});
    list.push_back({"resume " + name,
                    [kind, name](Position& p) { p.world.ask(model::ResumeCommand{{kind, p.run, name}}); }});
  }
}

void add_decisions(std::vector<Deed>& list, const Flow& flow) {
  for (Ordinal task = 0; task < flow->steps.size(); ++task) {
    for (const Verdict verdict : {Verdict::retry, Verdict::skip, Verdict::complete, Verdict::fail}) {
      // Of two steps the first two are enough: whether a task goes on, and whether the next one does.
      if (flow->steps.size() > 1 && verdict > Verdict::skip) continue;
      list.push_back({"decide " + std::to_string(static_cast<int>(verdict)) + " of " + flow->steps[task].name,
                      [task, verdict](Position& p) {
                        p.world.ask(model::DecideTask{.task = {p.run, task}, .verdict = verdict});
                      }});
    }
  }
}

std::vector<Deed> deeds(const Flow& flow, const Kinds& kinds) {
  std::vector<Deed> list = {
      {"claim",
       [](Position& p) {
         for (auto& task : p.world.claim()) p.held.push_back(std::move(task));
       }},
      {"complete", [](Position& p) { p.report(testing::completed()); }},
      {"fail for good", [](Position& p) { p.report(testing::failed("validation")); }},
      {"cancel", [](Position& p) { p.world.cancel(p.run); }},
      {"recover", [](Position& p) { p.world.ask(model::RecoverRun{.run = p.run}); }},
      {"an hour", [](Position& p) { p.world.advance(Duration::hours(1)); }},
  };
  if (!kinds.decisions || kinds.failures) {
    list.push_back({"restart", [](Position& p) {
                      p.world.restart();
                      p.world.settle();
                    }});
  }
  if (kinds.failures) add_failures(list);
  if (kinds.resources) {
    list.push_back({"register", [](Position& p) {
                      if (p.held.empty()) return;
                      p.world.ask(model::RegisterResource{
                          p.held.front().token, p.held.front().task, "vm", {"rm", "vm"}, ""});
                    }});
    add_death(list);
  }
  if (kinds.pauses) add_pauses(list);
  if (kinds.decisions) add_decisions(list, flow);
  return list;
}

// Whether a life is worth following: more generations, losses and the like only repeat what is known.
bool is_within_bounds(const Position& p, const Flow& flow, std::uint32_t recoveries) {
  const model::RunRow& run = p.world.run(p.run);
  if (run.recovery_attempts > recoveries) return false;
  for (const model::Step& step : flow->steps) {
    const model::TaskRow row = p.world.task(p.run, step.name);
    if (row.generation > recoveries + 1 || row.lost > 1 || row.interrupted > 1 || row.starts > 2)
      return false;
  }
  return true;
}

std::string signature(const Position& p, const Flow& flow) {
  const model::RunRow& run = p.world.run(p.run);
  std::string text(name(run.status));
  const auto add = [&](auto value) { text += ' ' + std::to_string(static_cast<int>(value)); };
  add(run.cancel_requested);
  add(run.terminate);
  add(run.stage);
  add(run.outcome);
  add(run.recovery_attempts);
  add(p.world.state().pauses.size());
  for (const auto& [what, pause] : p.world.state().pauses) add(what.kind);
  for (const model::Step& step : flow->steps) {
    const model::TaskRow row = p.world.task(p.run, step.name);
    text += " | " + std::string(name(row.status));
    add(row.skip_reason);
    add(row.generation);
    add(row.group_attempts);
    add(row.phase);
    add(row.held);
    add(row.giving_back);
    add(row.stopping);
    add(row.lost + 3 * row.interrupted);
  }
  for (const auto& task : p.held) text += ' ' + task.step;
  for (const auto& [key, record] : p.world.disk().records()) {
    if (key.kind == model::RecordKind::resource) text += ' ' + record.group;
  }
  return text;
}

// By good will alone: everything that is asked for is given.
void bring_to_an_end(Position& p, const Flow& flow) {
  for (int turn = 0; turn < 40 && !model::is_terminal(p.world.run(p.run).status); ++turn) {
    p.world.ask(model::ResumeCommand{{BlockerKind::run_paused, p.run, ""}});
    p.world.ask(model::ResumeCommand{{BlockerKind::step_paused, p.run, flow->steps[0].name}});
    while (!p.held.empty()) p.report(testing::completed());
    for (auto& task : p.world.claim(10)) p.held.push_back(std::move(task));
    for (Ordinal task = 0; task < flow->steps.size(); ++task) {
      if (p.world.task(p.run, flow->steps[task].name).held)
        p.world.ask(model::DecideTask{.task = {p.run, task}, .verdict = Verdict::complete});
    }
    p.world.advance(Duration::hours(1));
  }
}

struct Seen {
  std::set<std::pair<RunStatus, RunStatus>> run;
  std::set<std::pair<TaskStatus, TaskStatus>> task;
  std::size_t states = 0;
};

void walk(const Flow& flow, const Kinds& kinds, Seen& seen) {
  const std::vector<Deed> all = deeds(flow, kinds);
  using Path = std::vector<std::size_t>;
  const auto go = [&](const Path& path) {
    auto p = std::make_unique<Position>(flow);
    for (const std::size_t deed : path) all[deed].act(*p);
    return p;
  };
  const auto describe = [&](const Path& path) {
    std::string text;
    for (const std::size_t deed : path) text += (text.empty() ? "" : ", ") + all[deed].name;
    return text;
  };
  std::set<std::string> known;
  std::deque<Path> open = {{}};
  known.insert(signature(*go({}), flow));
  while (!open.empty() && !::testing::Test::HasFailure()) {
    const Path path = std::move(open.front());
    open.pop_front();
    for (std::size_t deed = 0; deed < all.size(); ++deed) {
      Path next = path;
      next.push_back(deed);
      const auto p = go(next);
      seen.run.insert(p->world.disk().run_steps().begin(), p->world.disk().run_steps().end());
      seen.task.insert(p->world.disk().task_steps().begin(), p->world.disk().task_steps().end());
      if (!is_within_bounds(*p, flow, flow->steps.size() > 1 ? 0 : 1) ||
          !known.insert(signature(*p, flow)).second)
        continue;
      SCOPED_TRACE(describe(next));
      bring_to_an_end(*p, flow);
      EXPECT_TRUE(model::is_terminal(p->world.run(p->run).status)) << signature(*p, flow);
      open.push_back(std::move(next));
    }
  }
  seen.states += known.size();
}

TEST(Exhaustive, WhatIsInTheTablesHappensAndEverythingLeadsToAnEnd) {
  Seen seen;
  walk(FlowBuilder("w")
           .run("a")
           .attempts(2)
           .on_error({.types = {"hold"}, .action = model::ErrorAction::hold})
           .done(),
       {.failures = true, .decisions = true}, seen);
  walk(FlowBuilder("w").run("a").run("b").needs({"a"}).done(), {.decisions = true}, seen);
  walk(FlowBuilder("w")
           .run("a")
           .on_error({.types = {"lost"}, .action = model::ErrorAction::fail})
           .run("b")
           .done(),
       {.decisions = true, .resources = true}, seen);
  walk(FlowBuilder("w").run("a").cleanup().run("z").finally().done(), {.pauses = true}, seen);
  walk(FlowBuilder("w")
           .run("a")
           .timeout(model::Timeout{.start = Duration::minutes(1)})
           .on_error({.types = {"start_timeout"}, .action = model::ErrorAction::retry})
           .attempts(2)
           .done(),
       {.pauses = true}, seen);
  walk(FlowBuilder("w")
           .wait("a", {.what = model::Wait::For::approval, .timeout = Duration::minutes(30)}, "go on?")
           .set("s", {{"x", 1}})
           .run("e")
           .when("steps.s.result.x.y")
           .needs({"s"})
           .done(),
       {}, seen);
  model::Workflow by_itself = *FlowBuilder("w").run("a").done();
  by_itself.auto_recovery = true;
  walk(std::make_shared<const model::Workflow>(std::move(by_itself)), {}, seen);
  for (const auto& t : model::run_transitions()) {
    // Nobody gives a run up here: requests_test.cpp.
    if (t.from == model::RunStatus::cancelling && t.to == model::RunStatus::failed) continue;
    EXPECT_TRUE(seen.run.contains({t.from, t.to})) << "run: " << name(t.from) << " to " << name(t.to);
  }
  for (const auto& t : model::task_transitions()) {
    EXPECT_TRUE(seen.task.contains({t.from, t.to})) << "task: " << name(t.from) << " to " << name(t.to);
  }
  EXPECT_GT(seen.states, 100U);
  RecordProperty("states", static_cast<int>(seen.states));
}

}  // namespace
}  // namespace baton::engine

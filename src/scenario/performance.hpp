// One scenario while it is played: its world, the runs that it started, and what is expected on the way.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/additions.hpp"
#include "scenario/check.hpp"
#include "scenario/run.hpp"
#include "scenario/scenario.hpp"
#include "simulate/world.hpp"

namespace baton::scenario {

class Performance {
 public:
  Performance(const Scenario& scenario, const RunOptions& options);

  // Until every run has ended and everything is done that the scenario does, or until `end`.
  void play(Duration end);

  Duration now() const { return world_.now(); }
  std::vector<Failure> take_failures() { return std::move(failures_); }
  std::vector<EventLine> history();
  // Fills in the run that the scenario starts.
  void look_back(Report& report);

 private:
  struct Run {
    RunId id;
    std::shared_ptr<const model::Workflow> workflow;
  };
  using Answer = std::shared_ptr<std::optional<model::ReplyBody>>;
  struct Open {  // an action that was not answered yet
    const Action* action;
    Answer answer;
  };

  void add_workers(bool remote);
  simulate::Behaviour behave(const model::Assignment& assignment);
  void add(const model::Assignment& assignment, const Mock::Addition& addition,
           simulate::Behaviour& behaviour);
  simulate::Behaviour carry_out(const model::Assignment& assignment);
  simulate::Behaviour behaviour_of(const model::Assignment& assignment, const Mock& mock);
  const Mocks* find_mocks(const model::Assignment& assignment, std::string& name);

  // ---- Actions
  void perform(const Action& action);
  void send(const Action& action, model::CommandBody body);
  void start(const Action& action);
  void set_queue(const Action& action);
  void control(const Action& action, const Run& run);
  void decide(const Action& action, const Run& run);
  void pause(const Action& action, const Run& run);
  void replay(const Action& action, const Run& run);
  // By its name; reported, and nothing, if there is none.
  std::optional<TaskId> task_of(const Action& action, const Run& run);
  void kill_owner(const Action& action);
  void control_worker(const Action& action);
  void report_again(const Action& action, const Run& run);
  void take_answers(bool last);
  void take_answer(const Action& action, const model::ReplyBody& reply);

  void expect(const std::vector<Expectation>& expectations);
  void fail(const Place& place, std::string message, std::string suggestion = {});
  bool all_ended();
  std::shared_ptr<const api::RunSteps> steps_of(const RunId& run);
  bool find_child(const std::string& name);  // true: it is one of runs_ now

  const Scenario& scenario_;
  const RunOptions& options_;
  simulate::World world_;
  std::map<std::string, Run, std::less<>> runs_;
  std::vector<Open> open_;
  std::vector<Failure> failures_;
  std::map<std::pair<TaskId, std::string>, std::size_t> starts_;  // of each task and mock
  std::map<TaskId, boost::json::value> given_;
  std::size_t done_ = 0;  // actions
  bool mute_ = false;     // what carries out functions has failed
};

}  // namespace baton::scenario

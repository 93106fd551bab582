// People: they submit, and ask again with the same key until they are answered; they cancel, pause, recover,
// decide, signal, approve, force breakers, see to dead letters and resources, ask why, and ask for what
// cannot be.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "checker.hpp"
#include "network.hpp"

namespace baton::simulation {

class People {
 public:
  // `crash` kills the owner, unless the storm is over.
  People(simulate::World& world, const Options& options, Diary& diary, Checker& checker, Network& network,
         std::function<void()> crash);

  // Plans everything that they do while the storm lasts.
  void plan();
  // What somebody does who cleans up afterwards: pauses end, held tasks are decided, what is waited for
  // comes. True: every run has ended, and nothing is being given back any more.
  bool clean_up();

 private:
  struct Submission {
    std::string key;
    std::shared_ptr<const model::Workflow> workflow;
    std::string input;
    std::optional<RunId> run;
    RunId replay_of;  // zero = none
  };

  bool one_in(int n) { return random_.up_to(n - 1) == 0; }
  model::SubmitRun submission_of(std::size_t which) const;
  void submit(std::size_t which);
  void set_limits();
  void bound_a_queue();
  void apply_a_workflow();
  void nonsense_about_queues();
  void do_something();
  void control(const RunId& run);
  void pause_or_resume(const RunId& run);
  void recover(const RunId& run);
  void decide(const RunId& run);
  void signal(const RunId& run, const std::string& name);
  void answer(const TaskId& task, bool approved);
  void force_a_breaker();
  void see_to_letters(const RunId& run);
  void see_to_resources();
  void ask_why(const RunId& run);
  void nonsense(const RunId& run);
  bool go_on(const RunId& run);
  void ask(model::CommandBody body);
  void ask_for_long_work(model::CommandBody body);

  simulate::World& world_;
  const Options& options_;
  Diary& diary_;
  Checker& checker_;
  Network& network_;
  std::function<void()> crash_;
  engine::Random random_;
  std::vector<Submission> submissions_;
  std::uint32_t signals_ = 0;  // sent so far: the data of the last one
};

}  // namespace baton::simulation

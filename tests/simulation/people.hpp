// People: they submit, and ask again with the same key until they are answered; they cancel, pause, recover,
// decide, ask why, and ask for what cannot be.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checker.hpp"
#include "network.hpp"

namespace baton::simulation {

class People {
 public:
  People(simulate::World& world, const Options& options, Diary& diary, Checker& checker, Network& network);

  // Plans everything that they do while the storm lasts.
  void plan();
  // What somebody does who cleans up afterwards: pauses end, held tasks are decided. True: every run has
  // ended.
  bool clean_up();

 private:
  struct Submission {
    std::string key;
    std::shared_ptr<const model::Workflow> workflow;
    std::string input;
    std::optional<RunId> run;
  };

  bool one_in(int n) { return random_.up_to(n - 1) == 0; }
  void submit(std::size_t which);
  void set_limits();
  void do_something();
  void control(const RunId& run);
  void pause_or_resume(const RunId& run);
  void decide(const RunId& run);
  void nonsense(const RunId& run);
  void ask(model::CommandBody body);

  simulate::World& world_;
  const Options& options_;
  Diary& diary_;
  Checker& checker_;
  Network& network_;
  engine::Random random_;
  std::vector<Submission> submissions_;
};

}  // namespace baton::simulation

// A worker that does everything that workers must not be trusted not to do: it dies, with or without the
// effect of its attempts, it falls silent and goes on, it reports late, twice, with wrong tokens and with
// contradictions. What its attempts do, and make, stands in the checker's ledger.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "checker.hpp"
#include "network.hpp"

namespace baton::simulation {

class FaultyWorker {
 public:
  // `inside`: in the owner's process; it dies with it and its calls go through no network.
  FaultyWorker(simulate::World& world, const Options& options, Diary& diary, Checker& checker,
               Network& network, std::uint32_t number, bool inside);

  void start();
  void kill();
  bool inside() const { return inside_; }
  bool alive() const { return alive_; }
  const std::string& name() const { return name_; }
  void stop(const Token& token, model::Stopping mode);
  // Nothing goes wrong with it any more; attempts that hang end.
  void calm();

 private:
  struct Attempt {
    model::Assignment assignment;
    std::string chore;  // the first word of its command
    std::string about;  // the second
    bool ignores_soft = false;
    int percent = 0;                  // that it has reported
    std::vector<std::string> things;  // that it has made
    std::uint64_t plan = 0;           // of its end; older ones are void
  };

  bool has(Switch fault) const { return !calm_ && options_.has(fault); }
  bool one_in(int n) { return random_.up_to(n - 1) == 0; }
  bool silent() const { return world_.now() < silent_until_; }
  void call(model::CommandBody body, Duration patience, Network::Answer answer);
  // Calls `what` unless this life is over by then.
  void later(Duration delay, std::function<void()> what);

  void beat();
  void claim();
  void begin(model::Assignment assignment);
  model::Outcome draw_outcome(const model::Assignment& assignment);
  void plan_end(const Token& token, Duration after, model::Outcome outcome);
  void end(const Token& token, const model::Outcome& outcome);
  void report(const Token& token);
  // What it makes, and says that it will be given back, before it makes it.
  void register_thing(const Token& token, const std::string& name);
  // What its owner has to refuse.
  void ask_for_nonsense(const Token& token);
  void ask_to_add(const Token& token, const char* needed);
  void release_things(const Token& token);
  void give_signs(const Token& token);
  void mischief(const Token& token, const model::ReportAttempt& report);
  void fall_silent();

  simulate::World& world_;
  const Options& options_;
  Diary& diary_;
  Checker& checker_;
  Network& network_;
  engine::Random random_;
  std::string base_;
  bool inside_;

  std::string name_;
  bool alive_ = false;
  bool calm_ = false;
  std::uint64_t life_ = 0;
  std::uint64_t last_plan_ = 0;
  bool claiming_ = false;
  Duration silent_until_;
  std::map<Token, Attempt> attempts_;
  std::map<Token, model::ReportAttempt> unreported_;
  std::set<Token> honest_;  // attempts that gave something back: a lie about that is nobody else's fault
};

}  // namespace baton::simulation

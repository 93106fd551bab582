// Holds what people and workers saw against what the journal and the API say (RELIABILITY, I1–I13). It keeps
// books of its own, of what was asked and answered and of what attempts did, and knows nothing of the engine:
// neither its state nor its headers.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "books.hpp"
#include "deadlines_check.hpp"
#include "diary.hpp"
#include "endings_check.hpp"
#include "gates_check.hpp"
#include "letters_check.hpp"
#include "limits.hpp"
#include "model/breaker.hpp"
#include "model/command.hpp"
#include "model/fact.hpp"
#include "order_check.hpp"
#include "signals_check.hpp"
#include "store/store.hpp"

namespace baton::simulation {

class Checker {
 public:
  Checker(store::Reader& reader, Diary& diary, bool steady_clock)
      : reader_(reader),
        diary_(diary),
        steady_clock_(steady_clock),
        endings_(reader, diary),
        signals_(reader, diary),
        gates_(reader, diary, steady_clock),
        letters_(reader, diary),
        limits_(diary, steady_clock),
        deadlines_(diary, steady_clock),
        order_(reader, diary) {}

  // ---- The journal of people
  void submission_intended(const std::string& key, std::shared_ptr<const model::Workflow> workflow);
  void submission_answered(const std::string& key, const RunId& run);
  void discard_intended(const std::string& letter) { letters_.discard_intended(letter); }

  // ---- The ledger of effects
  // An attempt begins at a worker; it does what it is there for; it ends with this result.
  void effect_begins(const model::Assignment& assignment);
  void effect_ends(const Token& token, const model::Outcome& outcome);
  // What it makes, by the id of its resource, and what somebody has given back.
  void made(const Token& token, const TaskId& task, const std::string& resource) {
    endings_.made(token, task, resource);
  }
  void given_back(const std::string& resource) { endings_.given_back(resource); }
  // The owner heard of these attempts, and the worker heard from it, within a few seconds.
  void alive(const std::vector<Token>& tokens);
  // It will come back without them, under the same name: what it does not name any more may be lost at once.
  void worker_dies(const std::string& worker);
  void worker_gives_up(const std::string& worker);  // it says itself that its attempts are gone

  // ---- At the owner's door: a reply leaves. What it says must be stored by now.
  void reply_leaves(const model::CommandBody& command, const model::ReplyBody& reply);

  // ---- The journal of facts, in its order, as it is committed
  void committed(RunKey run, const model::Fact& fact);
  // All facts so far were told.
  void look();
  // Of what is stored, a new owner will take everything up.
  void owner_starts();

  // ---- At the end, when nothing has gone wrong for a long time. Also the digest of everything.
  std::string finish();

 private:
  struct Submission {
    std::shared_ptr<const model::Workflow> workflow;
    std::optional<RunId> run;  // that it became, as somebody was told or the journal says
  };
  struct Effect {
    std::string worker;
    TaskId task;
    std::uint32_t attempt = 0;
    bool began = false;
    bool completed = false;                        // at its worker
    std::string result;                            // if completed
    std::optional<model::Outcome::Kind> accepted;  // what the owner has said yes to
    bool forgotten = false;                        // its worker died; signs of life may still be on their way
    std::optional<Duration> alive_at;              // the last time that the owner said it knows of it
  };
  void open_book(RunKey key);
  void task_fact(RunBook& run, TaskBook& task, const model::Fact& fact);
  void follow(RunBook& run, const model::Fact& fact);
  void run_fact(RunBook& run, const model::Fact& fact);
  void stage_begins(RunBook& run, const model::Fact& fact);
  void run_ends(RunBook& run, const model::Fact& fact);
  void wait_begins(RunBook& run, TaskBook& task, const model::Fact& fact);
  void retries(RunBook& run, TaskBook& task, const model::Fact& fact);
  void get_ready(const RunBook& run, TaskBook& task, const model::Fact& fact);
  void attempt_started(RunBook& run, TaskBook& task, const model::Fact& fact);
  void attempt_ended(RunBook& run, TaskBook& task, const model::Fact& fact);
  void end_task(RunBook& run, TaskBook& task, const model::Fact& fact);
  void check_run(const RunBook& run, std::string& digest);
  void check_items(const RunBook& run, const std::map<Ordinal, const boost::json::object*>& tasks);
  void check_explanation(const model::Explanation& why);
  void check_reply(const model::ReportAttempt& report, const model::ReplyBody& reply);
  void check_claim(const model::ClaimTasks& claim, const model::Claimed& claimed);
  void wrong(const char* invariant, std::string what) { diary_.wrong(invariant, std::move(what)); }

  store::Reader& reader_;
  Diary& diary_;
  bool steady_clock_ = true;  // the clock on the wall does not jump
  std::map<std::string, Submission> submissions_;
  std::map<std::string, Hash256> bodies_;  // that were accepted, by key
  std::map<Token, Effect> effects_;
  std::map<std::pair<TaskId, std::uint32_t>, Token> tokens_;  // of each attempt that left the owner's door
  std::map<std::string, std::set<std::string>> results_;      // of workers, in the end the task's, by its id
  std::set<std::string> gave_up_;                             // workers
  std::map<RunKey, RunBook> runs_;
  std::map<std::string, model::BreakerState> breakers_;  // as they were seen last
  EndingsCheck endings_;
  SignalsCheck signals_;
  GatesCheck gates_;
  LettersCheck letters_;
  LimitsCheck limits_;
  DeadlinesCheck deadlines_;
  OrderCheck order_;
};

}  // namespace baton::simulation

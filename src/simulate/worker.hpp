// A worker that pretends: it claims tasks as a real one does, and what its attempts do is said by a function.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/command.hpp"

namespace baton::simulate {

class World;

// What one attempt does. The default completes at once with null.
struct Behaviour {
  std::optional<Duration> takes = Duration{};  // nullopt: it goes on until it is stopped
  model::Outcome outcome{.result = "null"};
  bool kills_worker =
      false;  // instead of ending, it takes its worker (or the owner, if it is in its process) along

  std::vector<std::string> resources;  // registers these at its start, in this order
  std::vector<model::AddTasks> adds;   // then adds these; it fails if that is refused
  std::optional<Duration> beats;       // gives a sign of life that often

  // What it does when it is asked to stop. Stopped hard, it ends at once as a killed process does.
  enum class OnStop : std::uint8_t {
    ends,     // as a process that SIGTERM kills
    ignores,  //
    outcome   // goes on for `stop_takes`, then ends with `stop_outcome`
  };
  OnStop on_stop = OnStop::ends;
  Duration stop_takes;
  model::Outcome stop_outcome;
};
// The result (JSON) of a step that was not told what to give: a process that printed nothing, a request
// without a body.
std::string default_result(model::StepKind kind);

using Behave = std::function<Behaviour(const model::Assignment&)>;

struct WorkerOptions {
  std::string name = "local";
  // Lives in the owner's process and dies with it. Otherwise it holds a lease and outlives owners.
  bool in_process = true;
  std::vector<std::string> queues;  // none = all
  std::uint32_t concurrency = 100;
};

// One thread. Owned by its world.
class Worker {
 public:
  Worker(World& world, WorkerOptions options, Behave behave)
      : world_(world), options_(std::move(options)), behave_(std::move(behave)) {}

  const WorkerOptions& options() const { return options_; }
  const std::string& name() const { return name_; }  // of its present life
  bool alive() const { return alive_; }

  // Begins a life: claims as long as it has room. Every life but the first has a name of its own.
  void start();
  // Dies without a word: its attempts end nowhere, its lease runs out.
  void kill();
  // Claims nothing more; what runs goes on.
  void drain() { draining_ = true; }
  // The network between a remote worker and the owner fails: its attempts go on, nobody hears of it.
  void cut();
  void reconnect();
  void stop(const Token& token, model::Stopping mode);

  // By the world.
  void owner_started();
  void owner_died();

 private:
  struct Attempt {
    model::Assignment assignment;
    Behaviour behaviour;
    model::Stopping stopping = model::Stopping::none;
    std::uint64_t plan = 0;  // of how it ends; an older plan is void
  };

  void claim();
  void take(model::ReplyBody reply);
  void begin(model::Assignment assignment);
  void plan_end(const Token& token, Duration after, model::Outcome outcome);
  void end(const Token& token, model::Outcome outcome);
  void report(model::ReportAttempt report);
  // Until an owner has answered.
  void tell(model::CommandBody what, const TaskId& task, const Token& token);
  void give_sign(const Token& token);  // again and again until the attempt has ended
  void heartbeat();
  void beat();  // now and every 10 s

  World& world_;
  WorkerOptions options_;
  Behave behave_;
  std::string name_;
  bool alive_ = false;
  bool draining_ = false;
  bool cut_ = false;
  std::uint64_t life_ = 0;   // what belongs to an earlier one is void
  std::uint64_t claim_ = 0;  // the claim that waits; older ones are void
  std::uint64_t last_plan_ = 0;
  std::map<Token, Attempt> attempts_;
  // That no owner has said that it knows. A handler asks again before it makes the thing.
  struct Told {
    std::uint64_t number = 0;
    model::CommandBody what;
    TaskId task;
    Token token;
  };
  std::vector<Told> untold_;
  std::uint64_t last_told_ = 0;
  std::map<Token, model::ReportAttempt> unreported_;  // that have ended, and no owner has said that it knows
};

}  // namespace baton::simulate

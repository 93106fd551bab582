// What the decisions of one turn bring about: the batch to commit, and the replies and actions that wait for
// it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/batch.hpp"
#include "model/command.hpp"

namespace baton::engine {

struct Sealed {
  model::Batch batch;
  std::vector<model::Reply> replies;
  std::vector<model::Action> actions;  // released with the batch
};

class Effects {
 public:
  explicit Effects(State& state) : state_(state) {}

  // Names what the following facts are caused by.
  void begin(std::string_view cause, std::string_view actor);

  // The run's or task's row changes in this batch. Touching a task touches its run.
  void touch(Run& run);
  void touch(Run& run, Ordinal task);
  void record(Run& run, model::Fact fact);
  // A payload of a touched row; it is in the value cache from now on.
  void put(const model::PayloadKey& key, std::string text);
  // It has none any more.
  void erase(const model::PayloadKey& key);
  void define(model::DefinitionChange definition) { definitions_.push_back(std::move(definition)); }
  void use_key(model::IdempotencyChange use) { idempotency_.push_back(std::move(use)); }

  // Makes or replaces a record, in the state at once and in the batch; the last change of a record counts.
  void put(model::Record record);
  void erase(const model::RecordKey& key);

  // The run is gone with this batch. It must not be touched in it.
  void remove(model::RunRemoval removal) { removals_.push_back(removal); }

  // Also whether the command was refused, if nobody waits for the answer.
  void reply(model::ReplyTo to, model::ReplyBody body);        // released when this batch is durable
  void early_reply(model::ReplyTo to, model::ReplyBody body);  // released when the batch before it is
  void act(model::Action action) { actions_.push_back(std::move(action)); }

  // What was answered there since begin(), unless that was a refusal; null: nothing (yet).
  const model::ReplyBody* replied(model::ReplyTo to) const;

  const std::string& actor() const { return actor_; }  // of begin()
  bool refused() const { return refused_; }            // since begin(), by an error as the reply

  // Row changes so far: decisions are bounded by it.
  std::size_t rows() const { return runs_.size() + tasks_.size() + records_.size() + removals_.size(); }

  // Takes everything, gives the batch the state's next sequence, and counts that up.
  Sealed seal(const Moment& moment);

 private:
  struct Touched {
    Run* run;
    bool created;
    model::RunFacts facts;
  };
  struct TouchedTask {
    Run* run;
    Ordinal ordinal;
    bool created;
  };

  State& state_;
  std::string cause_;
  std::string actor_;
  bool refused_ = false;
  std::vector<Touched> runs_;
  std::vector<TouchedTask> tasks_;
  std::unordered_map<model::PayloadKey, model::Text> payloads_;
  std::vector<model::DefinitionChange> definitions_;
  std::vector<model::IdempotencyChange> idempotency_;
  std::map<model::RecordKey, model::RecordChange> records_;
  std::vector<model::RunRemoval> removals_;
  std::vector<model::Reply> replies_;
  std::vector<model::Action> actions_;
};

}  // namespace baton::engine

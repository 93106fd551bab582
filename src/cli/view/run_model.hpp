// What a viewer knows of a run: the steps of its definition, and what the events said about them. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "model/definition.hpp"

namespace baton::cli {

struct StepModel {
  std::string name;
  std::string title;
  bool finally = false;
  std::string status = "pending";
  std::uint32_t attempt = 0;  // number of the newest one
  bool waits = false;         // its attempts are polls
  std::uint32_t round = 0;    // of a repeated step: those that are done
  WallTime started_at;
  WallTime ended_at;
  std::string note;  // an error, or why it was skipped
  double weight = 1;
  double part = 0;  // 0 … 1, as its attempt said

  struct Item {
    std::string status;  // running or retrying
    std::uint32_t attempt = 0;
    WallTime since;
    std::string progress;
  };
  struct Items {
    std::uint64_t count = 0;
    std::uint64_t ended = 0;
    std::uint64_t failed = 0;
    std::map<std::int64_t, Item> active;  // by index
  };
  std::unique_ptr<Items> items;  // of a mapped step, once it is expanded
};

// What could not be given back.
struct LeakedResource {
  std::string task;  // id
  std::string name;
  std::string of;  // step, or step[index]
  std::string reason;
};

// A task that failed for good.
struct FailedTask {
  std::string id;
  std::string name;  // step, or step[index]
  std::string type;
  std::string message;
};

class RunModel {
 public:
  explicit RunModel(const model::Workflow& workflow);

  // Of type `type` with the fields of openapi.yaml's Event; what is missing or unknown is ignored.
  void apply(std::string_view type, const boost::json::object& event);

  const std::string& workflow() const { return workflow_; }
  const std::string& title() const { return title_; }
  const std::vector<StepModel>& steps() const { return steps_; }
  const std::string& status() const { return status_; }
  bool ended() const { return ended_; }
  WallTime created_at() const { return created_at_; }
  WallTime started_at() const { return started_at_; }
  WallTime ended_at() const { return ended_at_; }
  // At most kFailures of them, the first ones; failed_tasks() counts all.
  static constexpr std::size_t kFailures = 20;
  const std::vector<FailedTask>& failures() const { return failures_; }
  std::uint64_t failed_tasks() const { return failed_tasks_; }
  const std::vector<LeakedResource>& leaks() const { return leaks_; }

  // What a task that serves another one is called: "cleanup of deploy"; "" for all other events.
  std::string_view helper_of(const boost::json::object& event) const;

  std::size_t steps_ended() const { return steps_ended_; }
  // 0 … 1, weighted by the steps' estimates.
  double progress() const;
  // Expected remaining time; negative: cannot be told yet.
  Duration remaining(WallTime now) const;

 private:
  void apply_task(std::string_view type, const boost::json::object& event, WallTime at);
  std::optional<std::size_t> place_of(std::int64_t ordinal) const;
  void add_step(std::int64_t ordinal, const boost::json::object& event);
  void reset(StepModel& step, bool is_item);
  void end_step(StepModel& step, std::string status, WallTime at);
  double done_of(const StepModel& step) const;

  std::string workflow_;
  std::string title_;
  std::vector<StepModel> steps_;               // of the definition, then added ones
  std::size_t declared_ = 0;                   // of the definition
  std::map<std::int64_t, std::size_t> added_;  // places, by their ordinals
  double mean_weight_ = 1;
  std::string status_ = "pending";
  bool ending_ = false;  // how it ends is decided
  bool ended_ = false;
  WallTime created_at_;
  WallTime started_at_;
  WallTime ended_at_;
  std::map<std::string, std::string, std::less<>> helpers_;  // by task id
  std::vector<FailedTask> failures_;
  std::vector<LeakedResource> leaks_;
  std::uint64_t failed_tasks_ = 0;
  std::size_t steps_ended_ = 0;
  double total_weight_ = 0;
  double done_weight_ = 0;  // of steps that have ended, and of ended items
};

}  // namespace baton::cli

// What a handler knows of the attempt that it is, what it may say to the server while it runs, and how it
// says that it has failed.
#pragma once

#include <baton/json.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::BATON_INLINE v0 {

using Seconds = std::chrono::duration<double>;

// ---- What handlers throw

// This attempt has failed, in words that the definition's rules (`on_error`) can match.
//
//   throw baton::TaskFailed("the quota is used up").type("quota").retry_after(std::chrono::minutes(10));
//
// Any other exception fails the attempt as well: its type is the last part of its class's name
// ("runtime_error"), its message what().
class BATON_API TaskFailed : public std::runtime_error {
 public:
  explicit TaskFailed(const std::string& message);
  TaskFailed(const TaskFailed& other) noexcept;
  ~TaskFailed() override;

  TaskFailed& type(std::string type) &;      // "TaskFailed" unless said
  TaskFailed& retry_after(Seconds delay) &;  // the least delay of the next attempt, at most an hour
  TaskFailed& never_retry() &;               // another try cannot help
  TaskFailed& partial(Json result) &;        // cleanup and fallback see it as self.result
  TaskFailed&& type(std::string type) && { return std::move(this->type(std::move(type))); }
  TaskFailed&& retry_after(Seconds delay) && { return std::move(this->retry_after(delay)); }
  TaskFailed&& never_retry() && { return std::move(this->never_retry()); }
  TaskFailed&& partial(Json result) && { return std::move(this->partial(std::move(result))); }

 private:
  friend struct FailureAccess;
  struct Parts;
  std::shared_ptr<Parts> parts_;
};

enum class EndReason {
  none,
  cancelled,  // its run, step or the attempt itself, perhaps because its time is over
  shutdown,   // the worker ends: the attempt is repeated elsewhere and uses up no try
};

// Thrown in a handler by what waits or checks: the attempt is to end. It is no std::exception, so that a
// handler's own catch does not swallow it; let it pass, or tidy up and throw it again.
class BATON_API Cancelled final {
 public:
  explicit Cancelled(EndReason reason) noexcept : reason_(reason) {}
  EndReason reason() const noexcept { return reason_; }

 private:
  EndReason reason_;
};

// ---- The attempt

struct ChildRun {
  Json input = Json::object();
  std::uint32_t version = 0;  // of the workflow; 0 = the one that counts
  std::string key{};          // tells apart several runs of one workflow that one task starts
};

// Valid while the handler runs. May be used by several threads of the handler. Its calls go to the server
// as the attempt, by its token; if the attempt does not count any more they fail with stale_token. While
// the server is away they are repeated for a minute. They throw Cancelled when the attempt is to end.
class BATON_API Context {
 public:
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const std::string& run_id() const noexcept;
  const std::string& task_id() const noexcept;  // the same for all its attempts: a good idempotency key
  const std::string& step() const noexcept;
  const std::string& function() const noexcept;
  std::uint32_t attempt() const noexcept;  // from 1
  // The fencing token, for whatever must not take orders from an attempt that was overtaken: a later one's
  // is another.
  const std::string& token() const noexcept;
  const Json& input() const noexcept;  // the step's `with`, as it came

  // ---- Being asked to end

  bool cancelled() const noexcept { return end_reason() != EndReason::none; }
  EndReason end_reason() const noexcept;
  void check_cancelled() const;                // throws Cancelled if the attempt is to end
  void sleep(Seconds length) const;            // waits; throws Cancelled as soon as the attempt is to end
  bool wait_cancelled(Seconds longest) const;  // the same without a throw: whether it is to end

  // When it is asked to end because its time is over: the earliest of its soft timeout and the deadlines of
  // its step and run, as they were when it was claimed. None: it may take as long as it likes.
  std::optional<std::chrono::steady_clock::time_point> deadline() const noexcept;
  // Until then; 0 once it has passed.
  std::optional<Seconds> time_left() const noexcept;

  // ---- Telling the server

  // A line of the attempt's log (`baton logs`).
  void log(std::string_view line);
  // How far it is (0 to 100), in words if you like. It is a sign of life for `timeout.heartbeat`, too.
  Status progress(int percent, std::string_view message = {});
  // That it lives, for a step with `timeout.heartbeat`. (The worker's own heartbeats are for its lease.)
  Status heartbeat();

  // Registers a resource *before* it is made: from now on the command `cleanup` will be run on the server's
  // side, whatever happens, unless it is released. False: it was registered before.
  Result<bool> register_resource(std::string_view name, const std::vector<std::string>& cleanup,
                                 std::string_view workdir = {});
  // There is nothing to give back under this name any more. False: there was nothing.
  Result<bool> release_resource(std::string_view name);

  // Adds tasks to the run: a map of steps as in a definition (workflow.hpp's steps_json() makes one). They
  // are called STEP/NAME; what follows this step waits for them unless `detach`. Adding the same again adds
  // nothing. Returns their ids.
  Result<std::vector<std::string>> add_tasks(const Json& steps, bool detach = false);

  // Starts a run of an applied workflow and returns its id. Another attempt of this task that starts the
  // same one gets the same run. The run is on its own: nothing waits for it unless somebody does.
  Result<std::string> start_run(std::string_view workflow, const ChildRun& child = {});

 private:
  friend struct ContextAccess;
  struct Impl;
  explicit Context(Impl& impl) noexcept : impl_(&impl) {}
  Impl* impl_;
};

}  // namespace baton::BATON_INLINEv0

// Asks a server: make runs, look at them, steer them. The calls are those of docs/reference/api.md.
//
//   baton::Client client;
//   auto run = client.start("nightly", {.input = Json::object({{"day", "2026-11-21"}})});
//   auto ended = client.wait(run->id);
#pragma once

#include <baton/context.hpp>
#include <baton/json.hpp>
#include <baton/result.hpp>
#include <baton/server_address.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton::BATON_INLINE v0 {

class Workflow;

// How something failed.
struct FailureInfo {
  std::string type;
  std::string message;
};

// A run, as the server shows it. `raw` has every member of docs/reference/api.md.
struct Run {
  std::string id;
  std::string workflow;
  std::uint32_t version = 0;  // 0: of a definition that was not applied
  std::string status;   // pending, running, paused, completed, failed, cancelling, cancelled, recovering
  double progress = 0;  // percent
  std::string job_id;
  std::optional<FailureInfo> error;
  Json input;
  Json metadata;
  std::uint32_t recovery_attempts = 0;
  bool existing = false;  // of submit() and start(): the idempotency key was used before
  Json raw;

  bool ended() const { return status == "completed" || status == "failed" || status == "cancelled"; }
  bool completed() const { return status == "completed"; }
};

struct TaskRow {
  std::string id;
  std::string step;
  std::optional<std::uint32_t> index;  // of an item of a mapped step
  std::string status;
  std::uint32_t attempts = 0;
  Json result;
  std::optional<FailureInfo> error;
  Json raw;
};

// What a run is made with.
struct Start {
  Json input = Json::object();
  std::uint32_t version = 0;  // of an applied workflow; 0 = the one that counts
  std::string job_id{};
  Json metadata = Json::object();
  std::optional<int> priority{};
  std::map<std::string, std::string> env{};  // besides the server's own
  std::string workdir{};                     // absolute; of its processes
  // The same key with the same request gives the same run again. Empty: one of its own, so that a lost
  // answer makes no second run.
  std::string idempotency_key{};
};

struct Recover {
  std::optional<Json> from{};       // a step by its name, or by its place from 0; none: what failed
  std::vector<std::string> keep{};  // steps whose results stay
  bool failed_only = false;
  bool force = false;
  std::string reason{};
};

struct Replay {
  Json input{};               // null: the same
  std::uint32_t version = 0;  // 0: the same
  std::string job_id{};
  std::string idempotency_key{};
};

struct RunFilter {
  std::string status{};  // names, separated by commas
  std::string state{};   // active, failed, recoverable
  std::string workflow{};
  std::string job_id{};
  std::string where{};  // an expression over indexed fields
  std::size_t limit = 1000;
};

struct ApplyOptions {
  std::string note{};
  bool dry_run = false;
  std::optional<std::uint32_t> expected{};  // the version that must count now; 0 = none
};

struct Applied {
  std::string workflow{};
  std::uint32_t version = 0;
  std::string hash{};     // of its content
  std::string outcome{};  // as the API says it
  Json raw{};
};

// What is changed of a run that has not ended; null members are taken away.
struct RunChange {
  std::optional<int> priority{};  // also of what waits already
  Json metadata{};                // null: stays; else merged
  Json labels{};
};

struct DeadLetterFilter {
  std::string workflow{};
  std::string step{};
  std::string error_type{};
  std::string group{};  // a failure signature
};

// Something that happened to a run: the types and what they say are in docs/reference/api.md.
struct Event {
  std::string id;    // its place in the run's stream
  std::string type;  // "task.ended"
  Json data;
};

struct LogOptions {
  std::uint32_t attempt = 0;  // 0 = the last one
  std::optional<std::size_t> tail{};
};

// Text as it is (YAML or JSON), or a workflow.hpp's Workflow.
class BATON_API Definition {
 public:
  Definition(std::string text) : text_(std::move(text)) {}
  Definition(const char* text) : text_(text) {}
  Definition(const Json& definition) : text_(definition.text()) {}
  Definition(const Workflow& workflow);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Thread-safe: threads that call at the same time have connections of their own. While nobody answers, as
// while a server restarts, calls that may be repeated are repeated for `patience`; then they fail with
// unavailable. Other failures are the server's own words.
class BATON_API Client {
 public:
  explicit Client(ServerAddress server = {}, Seconds patience = Seconds(10));
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // ---- Making runs. When these return, the run is durable.

  Result<Run> submit(const Definition& definition, const Start& start = {});
  Result<Run> start(std::string_view workflow, const Start& start = {});  // one that was applied
  // Stores a workflow and makes it the version that counts.
  Result<Applied> apply(const Definition& definition, const ApplyOptions& options = {});
  // A run of one step that calls a function with this input; wait for it with result().
  Result<Run> call(std::string_view function, const Json& input = {}, const Start& start = {});
  // A run for each input (objects), at most 1,000, by one request; their ids in that order. The first that is
  // refused is the error, with its place; the others are made. The same key makes none of them twice.
  Result<std::vector<std::string>> submit_many(const Definition& definition, const std::vector<Json>& inputs,
                                               std::string_view idempotency_key = {});

  // ---- Looking at runs

  Result<Run> get(std::string_view run);
  Result<std::vector<Run>> list(const RunFilter& filter = {});  // the newest first
  Result<std::vector<TaskRow>> tasks(std::string_view run);     // in the order of its steps
  Result<TaskRow> task(std::string_view task);                  // raw["attempt_list"] has its attempts
  Result<Json> progress(std::string_view run);                  // step by step
  // Why a run, or what of it, is not running: sentences, the nearest reason first.
  Result<std::vector<std::string>> explain(std::string_view run);
  // The run as soon as it has ended, however it did. timed_out: it has not, and goes on.
  Result<Run> wait(std::string_view run, std::optional<Seconds> timeout = {});
  // Waits for a run and gives what it came to: the result of its last step, or an object of the results of
  // its last steps (those that no other needs) by name. conflict: it has failed or was cancelled; the
  // message says how.
  Result<Json> result(std::string_view run, std::optional<Seconds> timeout = {});
  // The results of its steps by name; of a mapped step a list in the order of its items.
  Result<Json> results(std::string_view run);
  // What an attempt of a task printed.
  Result<std::string> logs(std::string_view task, const LogOptions& options = {});

  // What happens to a run, from its start or behind the event whose id is `after`, as it happens: calls
  // `on_event` for each, in order and once, until the run has ended (run.ended is the last one) or `on_event`
  // returns false. Goes on by itself over a restart of the server, for `patience` without an answer; the id
  // of the last event that was handled is where another call goes on. What `on_event` throws comes out.
  Status events(std::string_view run, const std::function<bool(const Event&)>& on_event,
                std::string_view after = {});

  // ---- Steering runs

  Result<Run> cancel(std::string_view run, std::string_view reason = {});  // it may tidy up
  Result<Run> terminate(std::string_view run, std::string_view reason = {});
  Result<Run> pause(std::string_view run, std::string_view reason = {});
  Result<Run> resume(std::string_view run);
  Result<Run> recover(std::string_view run, const Recover& how = {});
  Result<Run> retry(std::string_view run, bool force = false);  // what failed, and what was not done for it
  Result<Run> replay(std::string_view run, const Replay& how = {});
  Result<Run> change(std::string_view run, const RunChange& what);
  // Tells a run that something has happened; returns the number of the signal. With a key it may be sent
  // again.
  Result<std::uint64_t> signal(std::string_view run, std::string_view name, const Json& data = {},
                               std::string_view idempotency_key = {});

  // ---- Deciding about tasks

  // Of a failed or held task: tries it again, and what it blocked; skips it (it counts as not bad); takes
  // `result` as its result; lets it fail (if held).
  Result<TaskRow> retry_task(std::string_view task, std::string_view reason = {});
  Result<TaskRow> skip_task(std::string_view task, std::string_view reason = {});
  Result<TaskRow> complete_task(std::string_view task, const Json& result, std::string_view reason = {});
  Result<TaskRow> fail_task(std::string_view task, std::string_view reason = {});
  // Questions that nobody has answered, of all runs or of one: `task` of each is the id to answer with.
  Result<std::vector<Json>> approvals(std::string_view run = {});
  Result<TaskRow> approve(std::string_view task, const Json& value = {}, std::string_view reason = {});
  Result<TaskRow> reject(std::string_view task, std::string_view reason = {});

  // ---- What failed for good

  Result<std::vector<Json>> dead_letters(const DeadLetterFilter& filter = {});  // of the newest runs first
  Result<Json> dead_letter(std::string_view letter);  // with its task, attempts and arguments
  // Does its task again, perhaps with other arguments ({"with": …}), merged into what it got last.
  Result<Json> replay_dead_letter(std::string_view letter, const Json& arguments = {},
                                  std::string_view reason = {});
  // Takes at most 1,000 off the list; returns how many there were.
  Result<std::uint64_t> discard_dead_letters(const std::vector<std::string>& letters);

  // ---- Workflows, queues, workers, secrets: objects as docs/reference/api.md shows them

  Result<std::vector<Json>> workflows();
  Result<Json> workflow(std::string_view name, std::uint32_t version = 0);  // 0: the one that counts
  Result<std::vector<Json>> versions(std::string_view workflow);            // the newest first
  Result<std::vector<Json>> queues();
  Status pause_queue(std::string_view queue, std::string_view reason = {});
  Status resume_queue(std::string_view queue);
  Result<std::vector<Json>> workers(std::string_view tag = {});
  Status pause_worker(std::string_view worker, std::string_view reason = {});
  Status resume_worker(std::string_view worker);
  Status drain_worker(std::string_view worker);  // it ends when it has done what it has
  // With an admin's key. A value is a text of 4 bytes to 64 KiB; no answer ever has one.
  Result<std::vector<Json>> secrets();
  Status set_secret(std::string_view name, std::string_view value, std::string_view reason = {});
  Status delete_secret(std::string_view name);

  // ---- Everything else

  // Any call of the API that has no function here: request("GET", "/api/v1/limits"). Its JSON; of an answer
  // that is none, its text; null for one without a body. It is made once.
  Result<Json> request(std::string_view method, std::string_view path, const Json& body = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton::BATON_INLINEv0

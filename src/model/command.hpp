// The closed list of what the engine is told, what it answers, and what it asks the world to do.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/api_key.hpp"
#include "model/breaker.hpp"
#include "model/definition.hpp"
#include "model/explanation.hpp"
#include "model/outcome.hpp"
#include "model/pause.hpp"
#include "model/rows.hpp"

namespace baton::model {

// Correlates a command with its reply; chosen by the runtime, 0 = nobody waits.
using ReplyTo = std::uint64_t;

// ---- Commands: one file each in engine/commands/
// -----------------------------------------------------------------

// Makes a run. `input` is checked and complete (spec::resolve_inputs).
struct SubmitRun {
  std::shared_ptr<const Workflow> workflow;
  std::string input = "{}";    // JSON object
  std::string context = "{}";  // JSON object {"workdir", "env", "metadata"}
  std::string job_id;
  std::optional<std::uint8_t> priority;
  RunId replay_of;              // the run that this one repeats; zero = none
  std::string idempotency_key;  // "" = none
  Hash256 body;                 // of the request, compared when the key was used before
};

// Makes a version of a workflow the one that counts (model/applied.hpp). A content that the workflow did not
// have yet becomes its next version; one that it had keeps its number.
struct ApplyWorkflow {
  std::shared_ptr<const Workflow> workflow;
  std::optional<std::uint32_t> expected;  // the version that must count now; 0 = none was applied yet
  std::string note;
};

// The name of a workflow that has no steps yet (model/draft.hpp). If the name is taken, a number is put
// behind it; the answer says which it is.
struct MakeDraft {
  std::string name;
  std::string title;
  std::string description;
};

struct CancelRun {
  RunId run;
  bool terminate = false;  // hard at once
  std::string reason;
  bool no_cleanup = false;  // only with terminate: what would be given back is left, and kept as leaked
  bool give_up = false;     // it ends as failed, not as cancelled: nobody wanted it to end, it is stuck
};

// Holds something back, or lets it go on (SEMANTICS 34). Pausing what is paused replaces who, why and until;
// resuming what is not paused changes nothing.
struct PauseTarget {
  BlockerKind kind = BlockerKind::run_paused;
  RunId run;         // of a run or step
  std::string name;  // of anything but a run
};
struct PauseCommand {
  PauseTarget target;
  std::string why;
  std::optional<WallTime> until;
  std::optional<Duration> lasts;  // instead of until
};
struct ResumeCommand {
  PauseTarget target;
};

// A run that has failed or was cancelled goes on (SEMANTICS 35).
struct RecoverRun {
  RunId run;
  std::string from;               // a step's name or its place, counted from 0; "" = what is not completed
  std::vector<std::string> keep;  // steps whose results stay although their resources were given back
  bool failed_only = false;       // of a mapped `from`: only its bad items
  bool force = false;             // beyond max_recovery_attempts
  std::string reason;
  std::shared_ptr<const Workflow> onto;  // another version of its workflow; null = the one that it has
  std::string input;                     // with `onto`: the run's input, complete for that version
};

// What a person decides about one task (SEMANTICS 19, 36): try it again, skip it, take a value as its result,
// or (of one that waits for its next attempt) let it fail.
struct DecideTask {
  enum class Verdict : std::uint8_t { retry, skip, complete, fail };
  TaskId task;
  Verdict verdict = Verdict::retry;
  std::string result = "null";  // of complete: JSON
  std::string input;  // of retry: what the task gets instead, an object as body_of() makes it; "" = as before
  std::uint32_t generation = 0;  // that the decision is about, 0 = whichever it has
  bool force = false;            // beyond max_recovery_attempts
  std::string reason;
};

// What may be changed of a run while it lasts (SEMANTICS 45).
struct ChangeRun {
  RunId run;
  std::optional<std::uint8_t> priority;
  std::string metadata;       // JSON object merged into what there is, a null removes; "" = unchanged
  std::string labels;         // likewise
  std::string expected = {};  // the tag that it must have now (model::run_tag); "" and "*" = any
};

// Why a run, or one of its tasks, is not running. Changes nothing.
struct Explain {
  RunId run;
  std::optional<Ordinal> task;
};

// Which queues and workers there are. Changes nothing.
struct AskSurvey {};

// What a worker can carry out.
struct Abilities {
  bool steps = true;                   // those that are no functions: processes, requests
  std::vector<std::string> functions;  // by name, ascending, distinct; "*" = all

  bool has(std::string_view function) const;  // "" = steps that are no functions
};

// A worker asks for up to `max` tasks of these queues that it can carry out. The reply comes when there is at
// least one, or when `wait` is over (then with none). A newer claim of the same worker replaces the older,
// which is answered with none.
struct ClaimTasks {
  std::string worker;
  bool in_process = false;          // its attempts die with this server
  std::vector<std::string> queues;  // empty: all of them
  std::uint32_t max = 1;
  Duration wait;
  Abilities abilities = {};
  // All attempts that the worker has, ascending: what it holds and does not name goes back into its queue;
  // the answer that it was in never came. nullopt: it does not say.
  std::optional<std::vector<Token>> running = {};
};

// The worker lives; its lease is renewed. The reply names which of its attempts shall stop.
struct Heartbeat {
  std::string worker;
  std::vector<Token> running;  // and those that have ended and whose report nobody has answered yet
};

struct ReportAttempt {
  Token token;
  TaskId task;
  Outcome outcome;
};

// Gives an attempt back that has done nothing (a worker that drains).
struct ReleaseAttempt {
  Token token;
  TaskId task;
};

// The worker is gone for sure (an in-process one that stops, a closed connection): its attempts are lost at
// once.
struct LoseWorker {
  std::string worker;
};

// A person's word on a breaker: open or closed whatever happens; none: it works by itself again.
struct ForceBreaker {
  std::string name;
  BreakerForce force = BreakerForce::none;
  std::string by;
  std::string reason;
};

// How much there is of something that tasks use; nullopt: nobody says so any more.
struct SetLimit {
  std::string name;
  std::optional<std::uint32_t> limit;
  std::string reason;
  std::string expected = {};  // the tag that it must have now (model::tag_of); "" = any, "*" = it is set
};

// Changes what is set for a queue; what is not named stays as it is.
struct SetQueue {
  std::string name;
  std::optional<std::uint32_t> max_waiting;      // 0 = no bound
  std::map<std::string, std::uint32_t> weights;  // of fair keys; 0 = none of its own any more
  std::string reason;
  std::string expected = {};  // the tag that it must have now (model::tag_of); "" = any, "*" = it is set
};

// Where the tasks wait whose steps name no queue and match the pattern; nullopt: no route any more.
struct SetRoute {
  std::string pattern;
  std::optional<std::string> queue;
  std::string reason;
  std::string expected = {};  // the tag that it must have now (model::tag_of); "" = any, "*" = it is set
};

// Takes dead letters off the list for good. At most 1,000 ids; those that are gone already are reported.
struct DiscardDeadLetters {
  std::vector<std::string> ids;
};

// Takes cached results away (model/cached_result.hpp). At most 1,000 keys; those that are gone already count,
// too.
struct ForgetResults {
  std::vector<std::string> keys;
};

// Something that a run may be waiting for has happened (SEMANTICS 37).
struct SendSignal {
  RunId run;
  std::string name;
  std::string data = "null";  // JSON
  std::string key;            // idempotency key; "" = none
  Hash256 body;               // of name and data, compared when the key was used before
};

// A person answers the question of a `wait: {approval: …}`.
struct AnswerApproval {
  TaskId task;
  bool approved = true;
  std::string reason;
  std::string value = "null";  // JSON, part of the step's result
};

// What an attempt says while it runs. Only the one that holds the task may: `token` is its credential.
//
// Registers a resource before it is made: once this is answered, it will be given back. Again with the same
// body: no change. With another body, while it is open: conflict.
struct RegisterResource {
  Token token;
  TaskId task;
  std::string name;
  std::vector<std::string> argv;  // what gives it back
  std::string workdir;            // where; "" = the task's
};
// How far it is; also a sign of life (SEMANTICS 24). Without `percent` it is only that.
struct ReportProgress {
  Token token;
  TaskId task;
  std::optional<std::uint8_t> percent;  // 0 to 100
  std::string message;
};

// Adds tasks to the run of the attempt's task (SEMANTICS 43). `steps` are checked against the run's
// definition (spec::parse_addition): their first ones stand for steps that there are already, by the names in
// `outside`. Repeated, by this attempt or a later one of the same generation: the same tasks; other steps
// under a name that is taken: conflict.
struct AddTasks {
  Token token;
  TaskId task;
  std::shared_ptr<const Workflow> steps;
  std::vector<std::string> outside;
  bool detach = false;  // what follows the task does not wait for them
};

// There is nothing to give back any more (the task has done it, or has not made it). Of a helper: also a
// resource of the task that it serves.
struct ReleaseResource {
  Token token;
  TaskId task;
  std::string name;
};

// A person has a resource given back now.
struct CleanResource {
  TaskId task;
  std::string name;
};

// Lets somebody in who presents the text with this hash. A revoked or expired key of that name is replaced.
struct CreateKey {
  std::string name;
  Hash256 hash;
  Role role = Role::viewer;
  std::string space = std::string(kDefaultNamespace);  // or kEveryNamespace
  std::optional<WallTime> expires_at;
  std::string reason;
};
// It lets nobody in any more. Twice is fine.
struct RevokeKey {
  std::string name;
  std::string reason;
};
// It was used.
struct NoteKeyUse {
  std::string name;
};

// What somebody has done besides the engine, for the audit: a backup, say.
struct NoteChange {
  std::string action;
  std::string target;
  std::string detail;
};

// Removes ended runs with all that belongs to them. At most 1,000; those that are still needed stay, and the
// reply says why.
struct RemoveRuns {
  std::vector<RunId> runs;
  WallTime ended_before;  // only those that have; 0 = all
  std::string reason;
  bool dry_run = false;  // only says what would become of them
};
// The files of the runs of these removals (model/removal.hpp) are deleted.
struct FilesDeleted {
  std::vector<std::string> removals;
};

// Of shard 0, which keeps the list. The new namespace gets a number that none has had.
struct CreateNamespace {
  std::string name;
  std::string reason;
};
// Of shard 0, once the namespace's own shard is closed. Its name is free from here on. Twice is fine.
struct DeleteNamespace {
  ShardId shard{};
  std::string name;      // for the audit
  bool cleared = false;  // nothing of its runs is left
  std::string reason;
};
// Of the shard itself: nothing begins here any more. Refused while runs are open. Twice is fine.
struct CloseShard {};
// Keeps a value under a name; one that is there already is replaced. Sealed by the sender (secrets/seal.hpp).
struct SetSecret {
  std::string name;
  std::string sealed;
  std::string reason;
  std::string expected = {};  // the tag that it must have now (model::tag_of); "" = any, "*" = it is set
};
// Forgets it with its earlier values. One that is not there: not_found.
struct DeleteSecret {
  std::string name;
  std::string reason;
  std::string expected = {};  // likewise
};

// Once after each load: settles what the previous owner left (its in-process attempts are interrupted, leases
// extended). After a reload, this owner's own attempts go on.
struct StartShard {};

// Handles timers that are due.
struct Tick {};

// Goes on with work that did not fit into earlier batches: evaluations, expansions, cancellations, dispatch.
struct Continue {};

using CommandBody =
    std::variant<SubmitRun, CancelRun, ClaimTasks, Heartbeat, ReportAttempt, ReleaseAttempt, LoseWorker,
                 StartShard, Tick, Continue, PauseCommand, ResumeCommand, RecoverRun, DecideTask, ChangeRun,
                 Explain, AskSurvey, DiscardDeadLetters, ForceBreaker, SendSignal, AnswerApproval,
                 RegisterResource, ReleaseResource, CleanResource, ReportProgress, SetLimit, ApplyWorkflow,
                 SetQueue, SetRoute, ForgetResults, AddTasks, CreateKey, RevokeKey, NoteKeyUse, NoteChange,
                 RemoveRuns, FilesDeleted, CreateNamespace, DeleteNamespace, CloseShard, MakeDraft, SetSecret,
                 DeleteSecret>;

// The idempotency key that a request came with: the same request again gets the first answer again.
struct RequestKey {
  std::string key;  // "" = none
  Hash256 body;     // of the request, compared when the key was used before
};

struct Command {
  CommandBody body;
  ReplyTo reply_to = 0;
  std::string actor;  // who sent it, for the journal: "cli:alice", "worker:local", "engine"
  std::string from;   // and from where: "socket", "192.0.2.7"; "" = from within: such changes are in no audit
  RequestKey request = {};
};

// Who sends a command, from where, and with which request.
struct Sender {
  std::string name;    // Command::actor
  std::string from;    // Command::from
  RequestKey request;  // Command::request

  Sender() = default;
  Sender(std::string who, std::string where = {}) : name(std::move(who)), from(std::move(where)) {}
  Sender(const char* who, const char* where = "") : name(who), from(where) {}
};

std::string_view name(const CommandBody& body);  // "submit", "claim", …

// ---- Replies
// -----------------------------------------------------------------------------------------------------

struct Submitted {
  RunId run;
  bool existing = false;  // the idempotency key was used before: that run
};
struct WorkflowApplied {
  std::uint32_t version = 0;
  std::uint32_t previous = 0;  // that counted before; 0 = none was applied yet
  bool created = false;        // the workflow did not have this version yet
  std::string workflow = {};   // its name; of a draft: the one that it got
};
struct CancelAccepted {
  RunId run;
  RunStatus status = RunStatus::cancelling;
};

struct Assignment {
  Token token;
  TaskId task;
  std::string step;
  std::uint32_t attempt = 1;
  StepKind kind = StepKind::run;
  std::string spec;  // JSON for the kind's executor
  WallTime queued_at;
  WallTime run_created_at;
  std::string trace = {};  // of a function: the traceparent that its run was submitted with; "" = none
  // The strings of `spec` are templates in which `${{ secrets.NAME }}` may stand: it is to be rendered once
  // more (secrets/reveal.hpp) before the attempt starts.
  bool sealed = false;
  // From now until the attempt is asked to end, and until it is ended, as far as timeouts and deadlines say
  // so now; 0 = they do not. A pause of the run may move it on.
  Duration soft_end = {}, hard_end = {};
};
struct Claimed {
  std::vector<Assignment> tasks;
};
struct HeartbeatAnswer {
  Duration lease;  // that begins now
  std::vector<std::pair<Token, Stopping>>
      stop;               // attempts to be stopped; unknown ones are to be stopped hard
  bool paused = false;    // nothing is handed out to the worker until a person says so
  bool draining = false;  // a person wants it to end in good order
};
struct ReportAccepted {
  TaskStatus status = TaskStatus::completed;  // what became of the task
};
struct Discarded {
  std::uint32_t count = 0;
  std::vector<std::string> unknown;
};
// A run was changed as asked for; what it is now.
struct RunAccepted {
  RunId run;
  RunStatus status = RunStatus::running;
};
struct SignalAccepted {
  RunId run;
  std::uint32_t number = 0;  // of the run's signals
  bool existing = false;     // the idempotency key was used before: that signal
};
struct ApprovalAnswered {
  TaskId task;
  TaskStatus status = TaskStatus::completed;
};

struct ResourceRegistered {
  bool existing = false;  // it was registered already
};
struct ResourceReleased {
  bool existed = false;
  std::vector<std::string> open;  // the task's resources that are left
};
struct CleaningBegun {
  TaskId by;              // the task that gives the resource back
  bool existing = false;  // it was on its way already
};
struct TasksAdded {
  struct Added {
    TaskId task;
    std::string name;
  };
  std::vector<Added> tasks;  // in the order of the steps
  bool existing = false;     // they were added before
};
struct RunsRemoved {
  std::uint32_t removed = 0;  // or would be
  std::vector<std::pair<RunId, Error>> kept;
};
struct Done {};

using ReplyBody =
    std::variant<Error, Submitted, CancelAccepted, Claimed, HeartbeatAnswer, ReportAccepted, Discarded,
                 Explanation, Survey, RunAccepted, SignalAccepted, ApprovalAnswered, ResourceRegistered,
                 ResourceReleased, CleaningBegun, WorkflowApplied, TasksAdded, RunsRemoved, Done>;

struct Reply {
  ReplyTo to = 0;
  ReplyBody body;
  // Released when this commit is durable. Early replies (claims of tasks that were ready before, heartbeats)
  // name an earlier commit than that of their batch.
  JournalSequence after = 0;
};

// ---- Actions: everything the engine asks of the world; derived again from committed state after a crash
// ------------

// Stop an attempt that a worker holds.
struct StopAttempt {
  std::string worker;
  Token token;
  Stopping mode = Stopping::soft;
};
// A run reached a terminal state.
struct RunEnded {
  RunKey run;
  RunStatus status = RunStatus::completed;
};

// Runs were removed: their files may go.
struct FilesLeft {};

using Action = std::variant<StopAttempt, RunEnded, FilesLeft>;

}  // namespace baton::model

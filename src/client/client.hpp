// Typed calls of the API for programs. Answers are JSON objects in the shapes of openapi.yaml.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "net/http_client.hpp"
#include "net/tls.hpp"
#include "net/url.hpp"

namespace baton::client {

struct Submission {
  std::string definition;     // YAML or JSON
  std::string file;           // its name, for messages
  std::string workflow;       // instead of a definition: one that was applied
  std::uint32_t version = 0;  // of that workflow; 0 = the one that counts
  boost::json::object input;
  std::string job_id;
  boost::json::object metadata;
  std::optional<int> priority;
  std::string workdir;  // absolute
  boost::json::object env;
  std::string idempotency_key;  // "" = none
  std::string traceparent;      // the caller's trace (base/trace_context.hpp); what is not one is left out
};

struct Submitted {
  boost::json::object run;
  bool existing = false;  // the idempotency key was used before
};

struct RunQuery {
  std::string status;  // names or aliases, separated by commas
  std::string workflow;
  std::string job_id;
  std::string state;  // active, failed, recoverable
  std::string where;  // CEL over indexed fields
  std::size_t limit = 50;
  std::string cursor;
};

struct DeadLetterQuery {
  std::string group;  // failure signature
  std::string workflow;
  std::string step;
  std::string error_type;
  std::size_t limit = 50;
  std::string cursor;
};

// Which cached results.
struct CacheQuery {
  std::string workflow;
  std::string step;      // of that workflow
  bool expired = false;  // only those that are too old; not for lists
};

struct ResourceQuery {
  std::string run;
  std::string status;  // open, cleaning, leaked
  std::size_t limit = 50;
  std::string cursor;
};

struct Apply {
  std::string definition;  // YAML or JSON
  std::string file;        // its name, for messages
  std::string note;
  bool dry_run = false;
  std::optional<std::uint32_t> expected;  // the version that must count now; 0 = none
};

struct Page {
  std::vector<boost::json::object> items;
  std::string next;  // cursor; "" = the last page
};

struct Event {
  std::string id;
  std::string type;  // "task.ended"
  boost::json::object data;
};

struct LogQuery {
  std::uint32_t attempt = 0;  // 0 = the last one
  bool follow = false;
  std::optional<std::size_t> tail;
  std::optional<WallTime> since;  // inclusive
  std::optional<WallTime> until;  // exclusive; not with follow
  bool json = false;              // one object per line
  bool raw = false;               // control characters as they are
  bool timestamps = false;
};

// One of the tries that it takes to get something done: between them, an answer may have been lost.
struct Try {
  std::string key;     // the same for all tries: the idempotency key of every POST without one of its own
  bool again = false;  // not the first: what is to be deleted and is not there was deleted by an earlier one
};

// Where a server is, and what it is asked with.
struct Server {
  net::Endpoint endpoint;
  std::string key;                             // "" = without: its socket, which knows the user
  std::shared_ptr<const net::TlsContext> tls;  // for an endpoint of TLS
  std::string space;                           // the namespace; "" = that of the key
};

// One thread at a time. Errors of the API come back with their own code, message and place; those of the
// connection are unavailable (nobody there, or it broke before the answer), io (it broke within the answer),
// timed_out, interrupted (by the cancellation).
class Client {
 public:
  explicit Client(net::Endpoint endpoint, const net::Cancellation* cancel = nullptr);
  explicit Client(Server server, const net::Cancellation* cancel = nullptr);

  // For every call but events(), logs() and wait(); 60 s unless set.
  void set_timeout(Duration timeout) { timeout_ = timeout; }

  // For what is asked from here on; as long as it is not set, nothing is repeated that could be done twice.
  void set_try(Try now) { try_ = std::move(now); }

  Result<Submitted> submit(const Submission& submission);
  Result<boost::json::object> run(std::string_view id);
  Result<boost::json::object> cancel(std::string_view id, bool terminate, std::string_view reason);
  // What is done to a run, task, queue, worker or target: verb and body as in openapi.yaml.
  Result<boost::json::object> steer_run(std::string_view id, std::string_view verb,
                                        const boost::json::object& body);
  Result<boost::json::object> steer_task(std::string_view id, std::string_view verb,
                                         const boost::json::object& body);
  // `nouns`: queues, workers or targets.
  Result<boost::json::object> steer(std::string_view nouns, std::string_view name, std::string_view verb,
                                    const boost::json::object& body);
  Result<boost::json::object> replay(std::string_view id, const boost::json::object& body);
  Result<boost::json::object> change(std::string_view id, const boost::json::object& body);
  // One page; the answer is openapi.yaml's BulkPage.
  Result<boost::json::object> bulk(const boost::json::object& body);
  Result<boost::json::object> explain_run(std::string_view id);
  Result<boost::json::object> explain_task(std::string_view id);
  Result<boost::json::object> progress(std::string_view id);
  Result<Page> all(std::string_view nouns);
  Result<Page> workers(std::string_view tag);  // "" = all
  Result<boost::json::object> worker(std::string_view name);
  // The run as it is when it has ended, or after `timeout` (whole seconds, at most 300).
  Result<boost::json::object> wait(std::string_view id, Duration timeout);
  // The text that the run follows, as JSON.
  Result<std::string> definition(std::string_view id);
  // A page of the server may be short although there are more: as many of them as it takes to have `limit`
  // runs, but at most 100 (half a million runs looked at). Then `next` says where to go on.
  Result<Page> runs(const RunQuery& query);
  // The run as it was then; the answer is openapi.yaml's RunState, with all tasks.
  Result<boost::json::object> state_at(std::string_view id, WallTime at);
  // Commits that touched the run, newest first.
  Result<Page> history(std::string_view id, std::size_t limit, std::string_view cursor);
  // Makes the definition the version that counts: {"workflow", "version", "outcome", "changes", …}.
  Result<boost::json::object> apply(const Apply& request);
  Result<Page> workflows(std::size_t limit, std::string_view cursor);
  // `version`: 0 = the one that counts, also below.
  Result<boost::json::object> workflow(std::string_view name, std::uint32_t version);
  Result<Page> versions(std::string_view name, std::size_t limit, std::string_view cursor);
  Result<boost::json::object> diff(std::string_view name, std::uint32_t from, std::uint32_t to);
  Result<Page> tasks(std::string_view run, std::size_t limit, std::string_view cursor);
  Result<boost::json::object> task(std::string_view id);
  Result<boost::json::object> queue(std::string_view name);
  Result<boost::json::object> set_queue(std::string_view name, const boost::json::object& body);
  Result<Page> routes();
  Result<boost::json::object> set_route(std::string_view pattern, std::string_view queue,
                                        std::string_view reason);
  Result<boost::json::object> delete_route(std::string_view pattern);
  Result<Page> cached_results(const CacheQuery& query, std::size_t limit, std::string_view cursor);
  // A part of them; its "next" is the cursor of the next one.
  Result<boost::json::object> clear_cache(const CacheQuery& query, bool all, bool dry_run,
                                          std::string_view cursor);
  Result<Page> limits();
  Result<boost::json::object> limit(std::string_view name);
  Result<boost::json::object> set_limit(std::string_view name, std::uint32_t limit, std::string_view reason);
  Result<boost::json::object> delete_limit(std::string_view name);
  Result<Page> breakers(std::string_view state, std::string_view cursor);
  Result<boost::json::object> breaker(std::string_view name);
  // `verb`: open, close or reset.
  Result<boost::json::object> force_breaker(std::string_view name, std::string_view verb,
                                            std::string_view reason);
  Result<Page> dead_letters(const DeadLetterQuery& query);
  Result<Page> dead_letter_groups();
  Result<boost::json::object> dead_letter(std::string_view id);
  Result<boost::json::object> replay_dead_letter(std::string_view id, const boost::json::object& body);
  // At most 1,000 ids.
  Result<boost::json::object> discard_dead_letters(const std::vector<std::string>& ids);
  // `data`: JSON. `key`: "" = that of the try.
  Result<boost::json::object> signal(std::string_view run, std::string_view name,
                                     const boost::json::value& data, std::string_view key);
  // Questions that nobody has answered; of one run, or of all if `run` is empty.
  Result<Page> approvals(std::string_view run, std::string_view cursor);
  // Answers the question of a task that waits for an approval; `value` counts for a yes.
  Result<boost::json::object> answer(std::string_view task, bool approved, std::string_view reason,
                                     const boost::json::value& value);
  Result<Page> resources(const ResourceQuery& query);
  Result<boost::json::object> get_resource(std::string_view id);
  Result<boost::json::object> clean_resource(std::string_view id);
  // For what runs inside of a task: `token` is that of its attempt.
  Result<boost::json::object> register_resource(std::string_view task, std::string_view token,
                                                std::string_view name, const std::vector<std::string>& argv,
                                                std::string_view workdir);
  // `steps`: the text of a map with `steps`; `file`: what messages call it.
  Result<boost::json::object> add_tasks(std::string_view task, std::string_view token, std::string_view steps,
                                        std::string_view file, bool detach);
  // A run of an applied workflow (0 = the version that counts), once per task and key.
  Result<boost::json::object> start_child(std::string_view task, std::string_view token,
                                          std::string_view workflow, std::uint32_t version,
                                          const boost::json::object& input, std::string_view key);
  Result<boost::json::object> release_resource(std::string_view task, std::string_view token,
                                               std::string_view name);
  // Without a percentage and a message only a sign of life.
  Result<boost::json::object> report_progress(std::string_view task, std::string_view token,
                                              std::optional<int> percent, std::string_view message);
  // Of the database, to a path on the owner's machine; waits as long as it takes.
  Result<boost::json::object> backup(std::string_view path);
  Result<boost::json::object> version();
  // The answer has the text of the key, this once. Made twice it would be two: it is not repeated.
  Result<boost::json::object> create_key(const boost::json::object& body);
  Result<boost::json::object> revoke_key(std::string_view name);
  Result<boost::json::object> set_secret(std::string_view name, const boost::json::object& body);
  Result<boost::json::object> delete_secret(std::string_view name);
  Result<Page> audit(std::size_t limit, std::string_view cursor);
  // {"ok", "entries", "problem", "chains"}; takes as long as reading all of it.
  Result<boost::json::object> verify_audit();
  Result<boost::json::object> get_namespace(std::string_view name);
  Result<boost::json::object> create_namespace(const boost::json::object& body);
  Result<boost::json::object> delete_namespace(std::string_view name);
  // How well things go: {"runs", "tasks", "queues", …}.
  Result<boost::json::object> metrics();
  Result<std::string> metrics_text();  // for Prometheus

  // From the start, or after the event `after`, until the run has ended. False from `on_event` ends it too;
  // `stream` then succeeds. An event "reset" says that the ids given out before do not count any more.
  Status events(std::string_view run, std::string_view after, const std::function<bool(Event)>& on_event);
  Status logs(std::string_view task, const LogQuery& query,
              const std::function<bool(std::string_view)>& on_text);

 private:
  void sign(net::ClientRequest& request) const;
  Result<net::Response> send(net::ClientRequest request, Duration timeout);
  Result<boost::json::object> get(std::string target, Duration timeout);
  Result<boost::json::object> act(net::Method method, std::string target, const boost::json::object& body,
                                  std::string_view idempotency_key = {});
  // What was found gone by a further try is answered as an object with the name only.
  Result<boost::json::object> remove(std::string target, std::string_view noun, std::string_view name);
  Result<Page> page(std::string target);

  net::HttpClient http_;
  std::string key_;
  std::string space_;
  Try try_;
  const net::Cancellation* cancel_;
  Duration timeout_ = Duration::seconds(60);
};

}  // namespace baton::client

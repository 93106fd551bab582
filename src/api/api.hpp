// The HTTP API of the owner of a data directory: thin handlers between net and the engine's mailbox (changes)
// or the store's read side (everything else). openapi.yaml beside this file describes every route, and a test
// holds the table of routes against it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "api/entrance.hpp"
#include "api/worker_facts.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/space.hpp"
#include "net/http_server.hpp"
#include "net/loop.hpp"
#include "runtime/handle.hpp"
#include "secrets/vault.hpp"
#include "store/backup.hpp"
#include "store/store.hpp"
#include "telemetry/meter.hpp"

namespace baton::api {

// One namespace: whose state, and what is asked about it. Both outlive the Api.
struct Space {
  std::string name;
  runtime::Handle& runs;
  store::Reader& store;
  // Its metrics as they are now; empty = there are none. Any thread but the loop's; may wait for the loop.
  std::function<std::vector<telemetry::Sample>()> metrics{};
  // Its secrets; null = there are none and none can be set. Outlives the Api.
  secrets::Vault* vault = nullptr;
  // What its worker of this process says of itself; empty = nothing. Any thread.
  std::function<WorkerFacts()> own_worker{};
};

// What all namespaces share.
struct Services {
  net::Loop& loop;       // the one that calls handle()
  std::string logs_dir;  // what logs::attempt_path() is relative to
  std::string data_dir;  // shown by /version
  std::string version;
  EntranceOptions entrance{};
  std::map<std::string, std::string> environment{};  // of the steps of runs whose submitter sent none
  std::function<std::uint16_t()>
      port;  // where it listens besides the socket, for /version; empty or 0 = nowhere
  // Whether the owner can take work, for /readyz; empty = always. Any thread.
  std::function<Status()> ready;
  // Whether new runs are taken; empty = always. What runs already goes on, whatever it says. Any thread.
  std::function<Status()> takes_runs;
  // Copies the database to this absolute path; asks now and then whether to stop. Empty: not possible. Any
  // thread, one call at a time.
  std::function<Result<store::BackupReport>(const std::string& path, const std::function<bool()>& stopped)>
      backup;
  // The clock, for the time left of runs and for filters by time. Empty: runs have just begun. Any thread.
  std::function<WallTime()> wall;
  std::string submit_workflow{};  // that POST /api/tasks/submit makes runs of; "" = none
  // Counts requests; null = nobody asks. Outlives the Api.
  telemetry::Meter* meter = nullptr;
  // All metrics as they are now; empty = there are none. Any thread but the loop's; may wait for the loop.
  std::function<std::vector<telemetry::Sample>()> metrics;
  // Opens the shard of a namespace that is recorded, and adds it to the Api; of one that is open: nothing.
  // Empty: not possible. Any thread but the loop's.
  std::function<Status(const model::SpaceRow&)> open_space{};
  // The namespace was deleted: what is left of its runs is cleared away. Any thread.
  std::function<void(const model::SpaceRow&)> clear_space{};
};

// The services must outlive the Api; what is under way keeps nothing else alive.
class Api {
 public:
  // `home`: the namespace `default`, whose shard also has what belongs to the whole server.
  Api(Services services, Space home);
  ~Api();  // stop()

  // From here on requests for the namespace are answered. Any thread.
  void add(Space space);
  // It is there, but could not be opened: requests for it are answered with that. Any thread.
  void add_unavailable(const std::string& name, Error why);
  // From here on it does not exist: what waits in it is broken off. Any thread.
  void remove(const std::string& name);

  // Before others than processes of the same user are served: the keys as they are in the store.
  Status read_keys();

  // A net::Handler: on the loop's thread. Answers who may come in (entrance.hpp), has the role that the route
  // wants, and may enter the namespace that the request is about: the one that X-Baton-Namespace names, else
  // that of the key, else `default`.
  void handle(net::Request request, net::Responder responder);

  // Requests that are not answered yet, streams included. Any thread.
  std::size_t under_way() const;

  // Breaks off what waits (503, or the end of the stream), answers what has been begun (for at most 2 s; the
  // loop and the runs must still go on) and joins the threads; requests that come later are answered with
  // 503. Not on the loop's thread; twice is fine.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton::api

// Baton in this process: the owner of a data directory. Opens the store, recovers what was under way,
// executes tasks and serves the API on DATA/baton.sock. Used by the command line, the server and the C++ SDK.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/entrance.hpp"
#include "base/error.hpp"
#include "base/time.hpp"
#include "executors/http/egress.hpp"
#include "model/retention.hpp"
#include "net/tls.hpp"
#include "telemetry/log.hpp"

namespace baton::executors::functions {
class FunctionTable;
}

namespace baton::embedded {

// Serving the API to others than processes of the same user.
struct Listening {
  std::string address;                         // an IP address
  std::uint16_t port = 0;                      // 0 = any free one
  std::shared_ptr<const net::TlsContext> tls;  // null: without
  api::EntranceOptions entrance;
};

struct OwnerOptions {
  std::string data_dir;           // made with mode 0700 if it is missing
  Duration patience;              // with another owner, who may be a command that is about to end
  std::uint32_t concurrency = 0;  // tasks at a time in this process; 0 = 2 per core, at least 4
  std::string worker_name = "local";
  executors::http::Egress egress;  // where requests of steps may go
  std::shared_ptr<const executors::functions::FunctionTable>
      functions;                           // that this process carries out; null: none
  std::string spawner = "/proc/self/exe";  // executors/process/spawner.hpp
  std::optional<std::uint64_t>
      min_free_space;               // bytes without which no new run is taken; none = free_space.hpp
  std::optional<Listening> listen;  // besides the socket
  std::function<void()> failed;     // fatal() has something to say; on any thread
  // How long runs are kept whose workflow does not say so; zero = for ever.
  Duration keep_completed = model::kKeepCompleted;
  Duration keep_failed = model::kKeepFailed;
  std::string submit_workflow;   // that POST /api/tasks/submit makes runs of; "" = none
  std::string secrets_key_file;  // what seals the secrets; "" = DATA/secrets.key
  bool execute = true;  // false: recovers and serves, but starts no task and removes nothing by itself
  std::function<void(std::string_view)>
      log;  // what is wrong with the owner, one line for people at a time, on any thread; none = dropped
  telemetry::Log* events =
      nullptr;  // that, and everything that happens to runs; null = dropped; outlives the owner
  // Called by the loop every so often, as long as it makes progress: for a watchdog. None = never.
  std::function<void()> alive;
  Duration alive_every = Duration::seconds(10);
};

class Owner {
 public:
  // Takes the lock, starts the spawner, opens the store, recovers, listens. Fails with ErrorCode::owned if
  // another process owns the directory (nothing is written then), `io` or `read_only` if the directory or
  // disk cannot be used, `corrupt` if the database is damaged, `bad_configuration` if it was made by a newer
  // version, `usage` if the egress policy is none, and the errors of net::listen_tcp.
  static Result<std::unique_ptr<Owner>> open(OwnerOptions options);

  virtual ~Owner() = default;  // as stop()

  virtual const std::string& socket_path() const = 0;
  // The real port of `listen`; 0 without.
  virtual std::uint16_t port() const = 0;
  // For connections that come from here on.
  virtual void use_tls(std::shared_ptr<const net::TlsContext> tls) = 0;
  // The table has functions that it did not have: their tasks are taken from here on.
  virtual void functions_changed() = 0;
  // Number of runs that have not ended.
  virtual std::size_t open_runs() const = 0;
  // Blocks until there is no open run, until `interrupted` returns true (asked about every
  // 100 ms), or until the owner had to give up (its error).
  virtual Status wait_idle(const std::function<bool()>& interrupted) = 0;
  // Why the owner cannot go on, if so (a commit whose outcome is unknown): the process should end with the
  // error's exit code.
  virtual std::optional<Error> fatal() const = 0;
  // Nothing new is started from here on; what runs goes on, and so does the API, but for /readyz. Twice is
  // fine.
  virtual void drain() = 0;
  // After drain(): waits until nothing runs; false: `patience` was over first. Not from one of its own
  // threads.
  virtual bool drained(Duration patience) = 0;
  // Stops dispatch, interrupts what runs, commits that, lets API requests under way end (2 s), closes. Runs
  // stay resumable. Twice is fine. Not from one of its own threads.
  virtual void stop() = 0;
};

// DATA when nothing else is said: $XDG_STATE_HOME/baton, else ~/.local/state/baton (the user database's home
// if HOME is not set), else, for a user without a home, /tmp/baton-UID.
std::string default_data_dir();

// The key of its secrets, unless another file is named.
std::string secrets_key_path(const std::string& data_dir);

// Where the owner of a data directory serves its API.
std::string socket_path_of(const std::string& data_dir);

}  // namespace baton::embedded

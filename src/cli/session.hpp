// A command's way to the API: of a server, or of a data directory. There it is a client of the process that
// owns it, or, where there is none, becomes the owner and its own client.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "cli/console.hpp"
#include "cli/random_key.hpp"
#include "cli/settings.hpp"
#include "client/client.hpp"
#include "embedded/owner.hpp"

namespace baton::cli {

// Why a command opens the directory, and so what happens when it has no owner.
enum class Purpose : std::uint8_t {
  look,  // reads, or changes something by one request: this process becomes the owner but executes nothing
  run,   // starts or awaits a run: this process becomes the owner and executes tasks
  background  // as run, but a process of its own becomes the owner and stays until no run is open
};

// The owner has gone or is going; not an answer that another owner would repeat.
inline bool is_broken_connection(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::io;
}

// The server that the settings name, with its key if it is known; else the socket of the data directory's
// owner, who may not be there.
Result<client::Server> find_server(const Settings& settings);

class Session {
 public:
  Session(const Settings& settings, Console& console) : settings_(settings), console_(console) {}
  ~Session() { close(); }

  // With a server: connects to it. Else connects to the owner; if there is none, to the one that `purpose`
  // makes. Runs that are found open when something is only looked at go on in the background. Another process
  // may be on its way in or out of the directory: tries for 20 s, or until `interrupted` says so. Call it
  // before the process has threads of its own. Again after the connection broke.
  //
  // unavailable: the server cannot be reached, or the directory has an owner that does not answer;
  // not_allowed: the server does not know the key; interrupted; and the errors of Owner::open.
  Status open(Purpose purpose, const std::function<bool()>& interrupted = {});

  client::Client& client() { return *client_; }
  // ask(client()), and again by the next owner if the one that was asked goes away before it has answered: an
  // owner ends when its own run and its guests' are over, whoever is asking just then. The tries have one
  // idempotency key: what was done, and only the answer to it lost, is not done again. `ask` makes at most
  // one request that changes something.
  template <typename Ask>
  auto ask(Purpose purpose, Ask ask) -> decltype(ask(client())) {
    const std::string key = random_key();
    for (int attempt = 1;; ++attempt) {
      client().set_try({key, attempt > 1});
      auto answer = ask(client());
      client().set_try({});
      if (answer || attempt == kAttempts || !is_broken_connection(answer.error())) return answer;
      TRY_VOID(open(purpose));
    }
  }
  // A further client, for another thread.
  client::Client new_client(const net::Cancellation* cancel = nullptr) const;

  embedded::Owner* owner() { return owner_.get(); }  // null: another process is the owner
  // Stops owning; twice is fine. Somebody may have handed a run over just before and gone: unless told
  // otherwise, a process in the background goes on with what is open.
  void close(bool hand_over = true);

 private:
  static constexpr int kAttempts = 10;

  Status connect();
  Status make_owner(Purpose purpose);  // `owned`: somebody has the lock

  const Settings& settings_;
  Console& console_;
  std::unique_ptr<embedded::Owner> owner_;
  client::Server server_;  // that client_ speaks to
  std::optional<client::Client> client_;
  Fd lease_;  // the background owner stays while this is open
};

}  // namespace baton::cli

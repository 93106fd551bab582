// Baton in this program: engine, database and worker, without a server.
//
//   baton::Orchestrator orchestrator("data");
//   orchestrator.handle("images.label", label);
//   orchestrator.start().value();
//   auto run = orchestrator.client().submit(build);
//   orchestrator.client().wait(run->id);
#pragma once

#include <baton/client.hpp>
#include <baton/handler.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace baton::BATON_INLINE v0 {

struct OrchestratorOptions {
  std::string data_dir;  // made with mode 0700 if it is missing; empty: the user's own one
  std::uint32_t threads =
      0;              // tasks at a time: handlers, processes and requests; 0 = two per core, at least 4
  Seconds grace{10};  // what runs may go on for, once all is to end
  // The helper that starts processes of steps; empty: baton-spawner beside the library.
  std::string spawner;
  std::function<void(std::string_view)>
      log;  // one line at a time for operators, on any thread; none: dropped

  OrchestratorOptions() = default;
  OrchestratorOptions(std::string directory) : data_dir(std::move(directory)) {}
  OrchestratorOptions(const char* directory) : data_dir(directory) {}
};

// Owns the data directory while it is started: start() goes on with every run that has not ended, and what
// this process leaves unfinished, however it ends, goes on after the next start. Steps of all kinds are
// carried out, those of kind `task` by the handlers; tasks of functions that nobody has wait for them. The
// program `baton` of the same user finds it as it finds a server: `baton runs list --data DIR`.
//
// Thread-safe, but for move and destruction.
class BATON_API Orchestrator {
 public:
  explicit Orchestrator(OrchestratorOptions options = {});
  ~Orchestrator();  // stop(), and waits for handlers to return
  Orchestrator(Orchestrator&&) noexcept;
  Orchestrator& operator=(Orchestrator&&) noexcept;

  // A function by this name, also once it is started. One that resumed runs need should be there before. A
  // name that is none, or is taken, throws Exception (usage).
  template <typename F>
  Orchestrator& handle(std::string name, F&& function) {
    add(std::move(name), make_handler(std::forward<F>(function)));
    return *this;
  }
  void add(std::string name, Handler handler);

  // Fails with owned if another process owns the directory (use a Client of it, or end it; the helper of one
  // that was killed owns it for another moment: try again), io or read_only if it cannot be used, corrupt if
  // the database is damaged, bad_configuration if it was made by a newer version.
  Status start();
  // For its runs; works while it is started.
  Client& client();
  // Blocks until no run is open. Fails if it had to give up (a full or broken disk).
  Status wait_idle();
  // Number of runs that have not ended.
  std::size_t open_runs() const;
  // Starts nothing more, gives what runs its grace, asks it to end, interrupts it and closes. Twice is
  // fine; it may be started again. Not from a handler.
  void stop();

  // The socket on which it serves the API to processes of this user.
  std::string socket_path() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton::BATON_INLINEv0

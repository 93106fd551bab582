// A worker: takes the tasks of its handlers from a server and carries them out in this process.
//
//   baton::Worker worker;
//   worker.handle("images.label", [](baton::Context& ctx, const Image& image) { return label(image); });
//   return worker.run() ? 0 : 1;
#pragma once

#include <baton/handler.hpp>
#include <baton/server_address.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::BATON_INLINE v0 {

struct WorkerOptions {
  ServerAddress server{};
  std::string name{};                 // unique among all workers; empty: host, process and a random part
  std::vector<std::string> queues{};  // that it takes tasks from; empty: all
  std::vector<std::string> tags{};    // words that are shown with it (`baton workers list --tag`)
  std::uint32_t threads = 0;          // handlers at a time; 0 = two per core
  std::optional<std::uint32_t> prefetch{};  // tasks beyond these that are held ready; none = three per thread
  Seconds grace{30};                        // what runs may go on for, once the worker is to end
  // One line at a time for operators (the server is away, is back), on any thread; none: standard error.
  std::function<void(std::string_view)> log;
};

// Claims, reports and heartbeats have threads of their own; reports go out in batches, and bring new tasks
// with them. A server that is away, or restarts, is waited for; what runs goes on. If it has not been heard
// for a lease, what runs is asked to end: it goes to other workers.
//
// Thread-safe, but for move and destruction.
class BATON_API Worker {
 public:
  explicit Worker(WorkerOptions options = {});
  ~Worker();  // stop(), and waits for handlers to return
  Worker(Worker&& other) noexcept;
  Worker& operator=(Worker&& other) noexcept;

  // A function by this name, also while it works. A name that is none, or is taken, throws Exception
  // (usage).
  template <typename F>
  Worker& handle(std::string name, F&& function) {
    add(std::move(name), make_handler(std::forward<F>(function)));
    return *this;
  }
  void add(std::string name, Handler handler);

  // Works until stop() or, unless `signals` is false, SIGINT or SIGTERM; a second one ends what runs at
  // once. Also until a person lets it drain (`baton workers drain`): then what runs may take its time. Fails
  // with what ended it: usage (no handler, bad options), not_allowed, unsupported.
  Status run(bool signals = true);

  // The same in parts. start() returns when the server knows of the worker, or fails with what stands
  // against that.
  Status start();
  // Takes no more tasks, gives back those that have not begun, lets what runs go on for `grace`, asks it to
  // end and reports it as interrupted: it is done again and no try is used up. Twice is fine. Not from a
  // handler.
  Status stop();
  // Has run() do so and returns at once. Any thread, handlers included; async-signal-safe.
  void request_stop() noexcept;

  const std::string& name() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton::BATON_INLINEv0

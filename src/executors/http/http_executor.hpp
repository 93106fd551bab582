// Runs attempts as HTTP requests: steps of kind `http`. request.hpp documents Attempt::spec, response.hpp how
// a response becomes an outcome.
//
// A thread for each request that is under way, at most Options::threads; further attempts wait for one.
// Threads without work go after a while. Each request has a connection of its own. What goes out and comes
// back is outlined in the attempt's log: methods, URLs without their queries, names of header fields,
// statuses, sizes; no values.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "executors/executor.hpp"
#include "logs/writer.hpp"
#include "net/address_policy.hpp"

namespace baton::executors::http {

struct Options {
  std::string logs;               // absolute; Attempt::log_path is relative to it
  std::function<WallTime()> now;  // for logs and for dates in Retry-After; on any thread
  std::shared_ptr<const net::AddressPolicy> addresses;  // null = all may be connected to
  std::size_t threads = 1024;
  logs::Limits log_limits;
};

class HttpExecutor final : public Executor {
 public:
  HttpExecutor(Options options, Listener listener);
  ~HttpExecutor() override;  // shuts down

  // After shutdown() an attempt is not accepted: nothing is reported. A token that is running is ignored.
  void start(Attempt attempt) override;
  // Both modes break the request off: it fails with `cancelled`. There is nothing that a request could clean
  // up.
  void stop(const Token& token, StopMode mode) override;
  // `gone` for everything that is not running here: a connection does not survive its process.
  Reattached reattach(const Token& token) override;
  // Not from a callback of the listener.
  void shutdown() override;

 private:
  class Pool;
  std::shared_ptr<Pool> pool_;  // its threads share it
};

}  // namespace baton::executors::http

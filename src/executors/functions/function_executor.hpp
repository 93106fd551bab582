// Runs attempts as calls of functions in this process: steps of kind `task`. Attempt::spec is
// {"function": NAME, "with": any JSON or missing}.
//
// A number of threads calls them, in the order in which they came. A thread cannot be killed: a function that
// is to end hard, or that goes on after shutdown(), is left alone. Its attempt ends without it, and another
// thread takes the place of its own.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "executors/executor.hpp"
#include "executors/functions/function_table.hpp"

namespace baton::executors::functions {

// Where the lines of an attempt go. One thread at a time.
class Printer {
 public:
  virtual ~Printer() = default;
  virtual void print(std::string_view text) = 0;
  virtual void close() = 0;  // the attempt is about to end; once, after the last print()
};

// Why an attempt is to end.
enum class EndReason : std::uint8_t { none, cancelled, shutdown };

// One attempt, as its function sees it. Thread-safe; valid until the function returns.
class Call {
 public:
  virtual ~Call() = default;
  virtual const Attempt& attempt() const = 0;
  virtual std::string_view function() const = 0;
  virtual const boost::json::value& input() const = 0;  // the step's `with`; null without
  virtual EndReason end_reason() const = 0;             // none: it goes on
  // Waits at most so long for a reason to end.
  virtual EndReason wait_for_end(Duration longest) const = 0;
  // Into the attempt's log; dropped when the attempt has ended without its function.
  virtual void print(std::string_view text) = 0;
};

struct Options {
  std::shared_ptr<const FunctionTable> functions;
  std::uint32_t threads = 4;
  std::function<std::unique_ptr<Printer>(const Attempt&)> printer;  // called at the first line
  Duration grace = Duration::seconds(5);  // for functions that are running when all is shut down
};

class FunctionExecutor final : public Executor {
 public:
  FunctionExecutor(Options options, Listener listener);
  // Shuts down and waits for every function to return.
  ~FunctionExecutor() override;

  void start(Attempt attempt) override;
  void stop(const Token& token, StopMode mode) override;
  Reattached reattach(const Token& token) override;
  // Asks what runs to end, gives it `grace`, and reports the rest as interrupted.
  void shutdown() override;

  // Takes back those that no thread has begun with; they are not reported.
  std::vector<Token> withdraw();

 private:
  class Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace baton::executors::functions

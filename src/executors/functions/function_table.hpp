// The functions that a process has for steps of kind `task`, by name. Filled by the program around, read by
// the worker that offers them and by the executor that calls them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/outcome.hpp"

namespace baton::executors::functions {

class Call;

// Carries out one attempt and says how it ended; throws nothing. Any thread, several at a time.
using Function = std::function<model::Outcome(Call&)>;

enum class IfKnown : std::uint8_t { refuse, replace };

// Thread-safe.
class FunctionTable {
 public:
  static constexpr std::size_t kMost = 1000;  // what a claim may name

  // usage: the name is none (base/text.hpp), is taken, or there are too many.
  Status add(std::string name, Function function, IfKnown if_known = IfKnown::refuse);
  // Null: there is none. It may be called after another one has taken its name.
  std::shared_ptr<const Function> find(std::string_view name) const;
  std::vector<std::string> names() const;  // ascending

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Function>, std::less<>> functions_;  // guarded by mutex_
};

}  // namespace baton::executors::functions

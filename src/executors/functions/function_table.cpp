#include "executors/functions/function_table.hpp"

#include "base/text.hpp"

namespace baton::executors::functions {

Status FunctionTable::add(std::string name, Function function, IfKnown if_known) {
  if (!is_name(name)) {
    return fail(ErrorCode::usage, "\"" + printable(name) +
                                      "\" is no name of a function: letters, digits, . _ -, at most 128, the "
                                      "first a letter or digit");
  }
  auto made = std::make_shared<const Function>(std::move(function));
  const std::lock_guard lock(mutex_);
  if (const auto known = functions_.find(name); known != functions_.end()) {
    if (if_known == IfKnown::refuse)
      return fail(ErrorCode::usage, "there is a function " + name + " already; give one another name");
    known->second = std::move(made);
    return {};
  }
  if (functions_.size() >= kMost)
    return fail(ErrorCode::usage, "a worker has at most " + std::to_string(kMost) + " functions");
  functions_.emplace(std::move(name), std::move(made));
  return {};
}

std::shared_ptr<const Function> FunctionTable::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : found->second;
}

std::vector<std::string> FunctionTable::names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  names.reserve(functions_.size());
  for (const auto& [name, function] : functions_) names.push_back(name);
  return names;
}

}  // namespace baton::executors::functions

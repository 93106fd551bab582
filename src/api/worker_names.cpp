#include "api/worker_names.hpp"

namespace baton::api {

Status WorkerNames::use(const std::string& name, const auth::Principal& who, net::MonoTime now) {
  if (who.may(model::Role::operator_)) return {};
  const std::lock_guard lock(mutex_);
  const auto is_free = [&](const Owner& owner) { return now - owner.used > kKept; };
  const auto found = owners_.find(name);
  if (found == owners_.end()) {
    if (owners_.size() >= kMost) std::erase_if(owners_, [&](const auto& one) { return is_free(one.second); });
    if (owners_.size() < kMost) owners_.emplace(name, Owner{who.name, now});
    return {};
  }
  Owner& owner = found->second;
  if (owner.who == who.name || is_free(owner)) {
    owner = {who.name, now};
    return {};
  }
  return fail(ErrorCode::not_allowed, "the worker " + name + " has another key than " + who.name +
                                          "; give each worker a name of its own");
}

void WorkerNames::forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  owners_.erase(name);
}

}  // namespace baton::api

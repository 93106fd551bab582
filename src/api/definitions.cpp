#include "api/definitions.hpp"

#include "spec/parse.hpp"

namespace baton::api {

Result<std::shared_ptr<const model::Workflow>> Definitions::get(const Hash256& hash) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = index_.find(hash); found != index_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second);
      return recent_.front().workflow;
    }
  }
  TRY(const std::optional<store::StoredDefinition> stored, store_.get_definition(hash));
  if (!stored) return fail(ErrorCode::corrupt, "the definition " + hash.hex() + " is not stored");
  const spec::ParseResult parsed = spec::parse_canonical(stored->canonical);
  if (!parsed.workflow) {
    return fail(ErrorCode::corrupt, "the stored definition of \"" + stored->workflow + "\", version " +
                                        std::to_string(stored->version) +
                                        ", cannot be read: " + spec::to_error(parsed.diagnostics).message);
  }
  const std::lock_guard lock(mutex_);
  if (const auto found = index_.find(hash); found != index_.end()) return found->second->workflow;
  recent_.push_front({hash, parsed.workflow, stored->canonical.size()});
  index_[hash] = recent_.begin();
  bytes_ += stored->canonical.size();
  while (bytes_ > budget_ && recent_.size() > 1) {
    bytes_ -= recent_.back().bytes;
    index_.erase(recent_.back().hash);
    recent_.pop_back();
  }
  return parsed.workflow;
}

}  // namespace baton::api

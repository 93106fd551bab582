#include "api/definitions.hpp"

#include "spec/parse.hpp"

namespace baton::api {

Result<std::shared_ptr<const model::Workflow>> Definitions::get(const Hash256& hash) {
  if (auto known = find(hash)) return known;
  TRY(const std::optional<store::StoredDefinition> stored, store_.get_definition(hash));
  if (!stored) return fail(ErrorCode::corrupt, "the definition " + hash.hex() + " is not stored");
  auto parsed = parse(hash, stored->canonical);
  if (!parsed) {
    return fail(ErrorCode::corrupt, "the stored definition of \"" + stored->workflow + "\", version " +
                                        std::to_string(stored->version) +
                                        ", cannot be read: " + parsed.error().message);
  }
  return parsed;
}

Result<std::shared_ptr<const model::Workflow>> Definitions::parse(const Hash256& hash,
                                                                  std::string_view canonical) {
  if (auto known = find(hash)) return known;
  const spec::ParseResult parsed = spec::parse_canonical(canonical);
  if (!parsed.workflow) return fail(ErrorCode::corrupt, spec::to_error(parsed.diagnostics).message);
  return share(parsed.workflow);
}

std::shared_ptr<const model::Workflow> Definitions::find(const Hash256& hash) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(hash);
  if (found == index_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return recent_.front().workflow;
}

std::shared_ptr<const model::Workflow> Definitions::share(std::shared_ptr<const model::Workflow> workflow) {
  const std::lock_guard lock(mutex_);
  if (const auto found = index_.find(workflow->hash); found != index_.end()) return found->second->workflow;
  const std::size_t size = workflow->canonical.size();
  recent_.push_front({workflow->hash, workflow, size});
  index_[workflow->hash] = recent_.begin();
  bytes_ += size;
  while (bytes_ > budget_ && recent_.size() > 1) {
    bytes_ -= recent_.back().bytes;
    index_.erase(recent_.back().hash);
    recent_.pop_back();
  }
  return workflow;
}

}  // namespace baton::api

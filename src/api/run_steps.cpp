#include "api/run_steps.hpp"

#include <algorithm>
#include <utility>

namespace baton::api {
namespace {

// Where the step stands in the text of its part.
std::size_t place_in_text(const RunSteps::Part& part, Ordinal ordinal) {
  return part.is.outside.size() + (ordinal - part.is.first);
}

}  // namespace

RunSteps::RunSteps(std::shared_ptr<const model::Workflow> definition, std::vector<Part> parts)
    : definition_(std::move(definition)), parts_(std::move(parts)) {
  for (const Part& part : parts_) added_ += part.old ? 0 : part.is.count;
}

RunSteps::Stretch RunSteps::from(std::size_t place) const {
  if (place < declared()) return {static_cast<Ordinal>(place), declared() - place};
  place -= declared();
  for (const Part& part : parts_) {
    if (part.old) continue;
    if (place < part.is.count) return {part.is.first + static_cast<Ordinal>(place), part.is.count - place};
    place -= part.is.count;
  }
  return {};
}

const RunSteps::Part* RunSteps::part_of(Ordinal ordinal) const {
  const auto behind =
      std::ranges::upper_bound(parts_, ordinal, {}, [](const Part& part) { return part.is.first; });
  if (behind == parts_.begin()) return nullptr;
  const Part& part = *std::prev(behind);
  return ordinal - part.is.first < part.is.count ? &part : nullptr;
}

const model::Step* RunSteps::find(Ordinal ordinal) const {
  if (ordinal < declared()) return &definition_->steps[ordinal];
  const Part* part = part_of(ordinal);
  return part != nullptr ? &part->text->steps[place_in_text(*part, ordinal)] : nullptr;
}

std::string RunSteps::name(Ordinal ordinal) const {
  const model::Step* step = find(ordinal);
  if (step == nullptr) return {};
  const Part* part = part_of(ordinal);
  return part != nullptr ? part->is.scope + '/' + step->name : step->name;
}

std::vector<Ordinal> RunSteps::needs(Ordinal ordinal) const {
  std::vector<Ordinal> needs;
  const model::Step* step = find(ordinal);
  if (step == nullptr) return needs;
  const Part* own = part_of(ordinal);
  for (const Ordinal need : step->needs) {
    if (own == nullptr) {
      needs.push_back(need);
    } else if (need < own->is.outside.size()) {
      needs.push_back(own->is.outside[need]);
    } else {
      needs.push_back(own->is.first + need - static_cast<Ordinal>(own->is.outside.size()));
    }
  }
  // What was added holds up what follows the one that added it, but not what that has added itself. Parts
  // stand in the order in which they were made, so one pass finds also what was added by added steps.
  for (const Part& part : parts_) {
    if (part.old || part.is.detach) continue;
    bool below = false;
    for (const Part* at = own; at != nullptr && !at->is.detach; at = part_of(at->is.parent_step)) {
      below |= at->is.parent_step == part.is.parent_step;
    }
    if (below || std::ranges::find(needs, part.is.parent_step) == needs.end()) continue;
    for (Ordinal i = 0; i < part.is.count; ++i) needs.push_back(part.is.first + i);
  }
  std::ranges::sort(needs);
  needs.erase(std::ranges::unique(needs).begin(), needs.end());
  return needs;
}

std::int8_t RunSteps::priority(Ordinal ordinal) const {
  const model::Step* step = find(ordinal);
  const Part* part = part_of(ordinal);
  while (step != nullptr && step->priority < 0 && part != nullptr) {
    step = find(part->is.parent_step);
    part = part_of(part->is.parent_step);
  }
  return step != nullptr ? step->priority : static_cast<std::int8_t>(-1);
}

}  // namespace baton::api

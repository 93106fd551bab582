#include "engine/run_program.hpp"

#include <algorithm>

namespace baton::engine {

const Part* RunProgram::part_of(Ordinal ordinal) const {
  if (!added_) return nullptr;
  const auto behind =
      std::ranges::upper_bound(added_->parts, ordinal, {}, [](const Part& part) { return part.is.first; });
  if (behind == added_->parts.begin()) return nullptr;
  const Part& part = *std::prev(behind);
  return ordinal - part.is.first < part.is.count ? &part : nullptr;
}

const std::vector<Part>& RunProgram::parts() const {
  static const std::vector<Part> kNone;
  return added_ ? added_->parts : kNone;
}

Ordinal RunProgram::end() const {
  if (!added_ || added_->parts.empty()) return program_->size();
  const model::Addition& last = added_->parts.back().is;
  return last.first + last.count;
}

const model::Step& RunProgram::added_step(Ordinal ordinal) const {
  const Part* part = part_of(ordinal);
  // Rows name steps that there are (load.cpp).
  return part != nullptr ? part->program->step(in_text(*part, ordinal)) : program_->step(0);
}

std::string RunProgram::name(Ordinal ordinal) const {
  const Part* part = part_of(ordinal);
  const std::string& own = step(ordinal).name;
  return part == nullptr ? own : part->is.scope + '/' + own;
}

const model::Step& RunProgram::action(const model::TaskRow& row) const {
  const Part* part = part_of(row.step);
  const Program& program = part != nullptr ? *part->program : *program_;
  return program.action(row, step(row.step));
}

Result<std::shared_ptr<const StepCode>> RunProgram::code(Ordinal step, const model::Step& action) const {
  const Part* part = part_of(step);
  return (part != nullptr ? *part->program : *program_).code(action);
}

std::optional<Ordinal> RunProgram::find(std::string_view name) const {
  if (const auto found = program_->find(name)) return found;
  if (!added_) return std::nullopt;
  const auto found = added_->names.find(std::string(name));
  return found == added_->names.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Ordinal> RunProgram::find_from(Ordinal step, std::string_view name) const {
  const Part* part = part_of(step);
  if (part == nullptr) return program_->find(name);
  const auto found = part->program->find(name);
  return found ? std::optional(place(*part, *found)) : std::nullopt;
}

Ordinal RunProgram::place(Ordinal step, Ordinal in_text) const {
  const Part* part = part_of(step);
  return part != nullptr ? place(*part, in_text) : in_text;
}

std::vector<Ordinal> RunProgram::cleaned_after(Ordinal step) const {
  const Part* part = part_of(step);
  const auto found =
      part != nullptr ? part->program->cleaned_after(in_text(*part, step)) : program_->cleaned_after(step);
  std::vector<Ordinal> steps(found.begin(), found.end());
  if (part != nullptr) {
    for (Ordinal& ordinal : steps) ordinal = place(*part, ordinal);
  }
  return steps;
}

std::vector<Ordinal> RunProgram::switches_to(Ordinal step) const {
  const Part* part = part_of(step);
  const auto found =
      part != nullptr ? part->program->switches_to(in_text(*part, step)) : program_->switches_to(step);
  std::vector<Ordinal> steps(found.begin(), found.end());
  if (part != nullptr) {
    for (Ordinal& ordinal : steps) ordinal = place(*part, ordinal);
  }
  return steps;
}

Ordinal RunProgram::main_steps() const {
  return program_->main_steps() + (added_ ? static_cast<Ordinal>(added_->live.size()) : 0);
}

std::uint64_t RunProgram::weight(Ordinal step) const {
  const Part* part = part_of(step);
  return part != nullptr ? part->program->weight(in_text(*part, step)) : program_->weight(step);
}

const model::ErrorRule* RunProgram::rule_for(Ordinal ordinal, const model::Failure& failure) const {
  const Part* part = part_of(ordinal);
  const auto* own = part != nullptr ? part->program->own_rule_for(in_text(*part, ordinal), failure)
                                    : program_->own_rule_for(ordinal, failure);
  return own != nullptr ? own : program_->shared_rule_for(failure);
}

const schema::Schema* RunProgram::result_schema(Ordinal ordinal) const {
  const Part* part = part_of(ordinal);
  return part != nullptr ? part->program->result_schema(in_text(*part, ordinal))
                         : program_->result_schema(ordinal);
}

bool RunProgram::is_below(Ordinal step, Ordinal above) const {
  for (const Part* part = part_of(step); part != nullptr && !part->is.detach;
       part = part_of(part->is.parent_step)) {
    if (part->is.parent_step == above) return true;
  }
  return false;
}

bool RunProgram::has_live_parts(Ordinal parent) const {
  if (!added_) return false;
  const auto found = added_->of_task.find(parent);
  return found != added_->of_task.end() &&
         std::ranges::any_of(found->second, [&](std::uint32_t at) { return !added_->parts[at].old; });
}

void RunProgram::add(model::Addition addition, std::shared_ptr<const Program> program) {
  if (!added_) added_ = std::make_unique<Added>();
  const auto at = static_cast<std::uint32_t>(added_->parts.size());
  added_->of_task[addition.parent].push_back(at);
  if (!addition.detach) added_->of_step[addition.parent_step].push_back(at);
  for (const Ordinal step : addition.outside) {
    std::vector<std::uint32_t>& naming = added_->naming_step[step];
    if (naming.empty() || naming.back() != at) naming.push_back(at);
  }
  addition.text = {};
  added_->parts.push_back({std::move(addition), std::move(program), false});
  const Part& part = added_->parts.back();
  for (Ordinal i = 0; i < part.is.count; ++i) {
    const Ordinal ordinal = part.is.first + i;
    added_->live.push_back(ordinal);
    added_->names[name(ordinal)] = ordinal;
    added_->weight += weight(ordinal);
  }
  added_->has_cleanup |= part.program->has_cleanup();
  added_->has_compensate |= part.program->has_compensate();
}

std::vector<Ordinal> RunProgram::retire(Ordinal parent, std::uint32_t generation) {
  std::vector<Ordinal> gone;
  if (!added_) return gone;
  // Whose additions end, and the first generation that keeps its own.
  std::vector<std::pair<Ordinal, std::uint32_t>> open = {{parent, generation}};
  while (!open.empty()) {
    const auto [of, from] = open.back();
    open.pop_back();
    const auto found = added_->of_task.find(of);
    if (found == added_->of_task.end()) continue;
    for (const std::uint32_t at : found->second) {
      Part& part = added_->parts[at];
      if (part.old || part.is.generation >= from) continue;
      part.old = true;
      for (Ordinal i = 0; i < part.is.count; ++i) {
        const Ordinal ordinal = part.is.first + i;
        gone.push_back(ordinal);
        added_->weight -= weight(ordinal);
        const auto named = added_->names.find(name(ordinal));
        if (named != added_->names.end() && named->second == ordinal) added_->names.erase(named);
        open.emplace_back(ordinal, UINT32_MAX);
      }
    }
  }
  if (!gone.empty()) count_live();
  return gone;
}

void RunProgram::count_live() {
  added_->live.clear();
  for (const Part& part : added_->parts) {
    for (Ordinal i = 0; !part.old && i < part.is.count; ++i) added_->live.push_back(part.is.first + i);
  }
}

}  // namespace baton::engine

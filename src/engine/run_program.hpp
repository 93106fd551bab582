// What a run follows: its definition's program, which it shares with other runs of that version, and the
// steps that its tasks have added to it (model/addition.hpp). Reads like a pointer to a Program: for nearly
// all runs it is one, and nothing more.
//
// Steps are named by their ordinals in the run: those of the definition first, added ones where they were
// added, among items and tasks that serve others. The order of all steps is that of their ordinals.
//
// What follows a task follows also what that task has added, unless that was detached: each successor of the
// adding step needs the added ones as well, but for those that stand below the adding step themselves.
#pragma once

#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/program.hpp"
#include "model/addition.hpp"

namespace baton::engine {

// Steps that were added together. Their text is not kept.
struct Part {
  model::Addition is;
  std::shared_ptr<const Program> program;
  bool old = false;  // its parent's generation is over: it counts nowhere
};

class RunProgram {
 public:
  RunProgram() = default;
  RunProgram(std::shared_ptr<const Program> program) : program_(std::move(program)) {}  // NOLINT: see above
  const RunProgram* operator->() const { return this; }

  const model::Workflow& workflow() const { return program_->workflow(); }
  const std::shared_ptr<const Program>& definition() const { return program_; }

  // The ordinals of all steps that count, ascending.
  class Steps;
  Steps steps() const;
  Ordinal size() const { return program_->size() + (added_ ? static_cast<Ordinal>(added_->live.size()) : 0); }
  // Whether the ordinal is a step's, also of one that does not count any more.
  bool is_step(Ordinal ordinal) const { return ordinal < program_->size() || part_of(ordinal) != nullptr; }
  // More than any step's ordinal.
  Ordinal end() const;

  const model::Step& step(Ordinal ordinal) const {
    return ordinal < program_->size() ? program_->step(ordinal) : added_step(ordinal);
  }
  // Of an added one: "parent/name".
  std::string name(Ordinal ordinal) const;
  const model::Step& action(const model::TaskRow& row) const;
  Result<std::shared_ptr<const StepCode>> code(Ordinal step, const model::Step& action) const;
  Result<std::shared_ptr<const StepCode>> code(Ordinal ordinal) const { return code(ordinal, step(ordinal)); }

  // By its name in the run.
  std::optional<Ordinal> find(std::string_view name) const;
  // What the step calls so: names of steps in its own text. `visit(name, ordinal)` for all of them.
  std::optional<Ordinal> find_from(Ordinal step, std::string_view name) const;
  template <typename Visit>
  void each_name(Ordinal step, Visit visit) const;
  // The step that stands at this place of the step's own text.
  Ordinal place(Ordinal step, Ordinal in_text) const;

  // Of the graph of those that count.
  template <typename Visit>
  void each_need(Ordinal step, Visit visit) const;
  template <typename Visit>
  void each_successor(Ordinal step, Visit visit) const;
  // Steps whose cleanup is put forward to the end of this one; switches that have the step in a branch.
  std::vector<Ordinal> cleaned_after(Ordinal step) const;
  std::vector<Ordinal> switches_to(Ordinal step) const;

  Ordinal main_steps() const;
  bool has_cleanup() const { return program_->has_cleanup() || (added_ && added_->has_cleanup); }
  bool has_compensate() const { return program_->has_compensate() || (added_ && added_->has_compensate); }
  std::uint64_t weight(Ordinal step) const;
  std::uint64_t total_weight() const { return program_->total_weight() + (added_ ? added_->weight : 0); }
  const model::ErrorRule* rule_for(Ordinal step, const model::Failure& failure) const;
  const schema::Schema* result_schema(Ordinal step) const;

  // ---- Additions
  bool has_parts() const { return added_ != nullptr; }
  const std::vector<Part>& parts() const;      // in the order of their ordinals
  const Part* part_of(Ordinal ordinal) const;  // null: not an added step's
  bool has_live_parts(Ordinal parent) const;   // of the task
  void add(model::Addition addition, std::shared_ptr<const Program> program);
  // What the task has added in earlier generations than this one, and what that has added, counts no more.
  // The ordinals of the steps.
  std::vector<Ordinal> retire(Ordinal parent, std::uint32_t generation);

 private:
  struct Added {
    std::vector<Part> parts;
    std::vector<Ordinal> live;                                            // steps that count
    std::unordered_map<std::string, Ordinal> names;                       // of those
    std::unordered_map<Ordinal, std::vector<std::uint32_t>> of_task;      // parts, by their parent
    std::unordered_map<Ordinal, std::vector<std::uint32_t>> of_step;      // those that hold successors up
    std::unordered_map<Ordinal, std::vector<std::uint32_t>> naming_step;  // parts that have it in `outside`
    std::uint64_t weight = 0;
    bool has_cleanup = false;
    bool has_compensate = false;
  };

  const model::Step& added_step(Ordinal ordinal) const;
  // Whether it was added by that step, or by what that step has added, and holds up what follows it.
  bool is_below(Ordinal step, Ordinal above) const;
  static Ordinal in_text(const Part& part, Ordinal ordinal) {
    return ordinal - part.is.first + static_cast<Ordinal>(part.is.outside.size());
  }
  static Ordinal place(const Part& part, Ordinal in_text) {
    const auto outside = static_cast<Ordinal>(part.is.outside.size());
    return in_text < outside ? part.is.outside[in_text] : part.is.first + (in_text - outside);
  }
  void count_live();

  std::shared_ptr<const Program> program_;
  std::unique_ptr<Added> added_;
};

class RunProgram::Steps {
 public:
  struct Iterator {
    using difference_type = std::ptrdiff_t;
    using value_type = Ordinal;
    Ordinal at = 0;
    Ordinal declared = 0;
    const std::vector<Ordinal>* live = nullptr;
    Ordinal operator*() const { return at < declared ? at : (*live)[at - declared]; }
    Iterator& operator++() {
      ++at;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at == other.at; }
  };
  Steps(Ordinal declared, const std::vector<Ordinal>* live) : declared_(declared), live_(live) {}
  Iterator begin() const { return {0, declared_, live_}; }
  Iterator end() const {
    return {declared_ + (live_ != nullptr ? static_cast<Ordinal>(live_->size()) : 0), declared_, live_};
  }

 private:
  Ordinal declared_;
  const std::vector<Ordinal>* live_;
};

inline RunProgram::Steps RunProgram::steps() const {
  return {program_->size(), added_ ? &added_->live : nullptr};
}

template <typename Visit>
void RunProgram::each_name(Ordinal step, Visit visit) const {
  const Part* part = part_of(step);
  const Program& program = part != nullptr ? *part->program : *program_;
  for (Ordinal i = 0; i < program.size(); ++i) {
    visit(std::string_view(program.step(i).name), part != nullptr ? place(*part, i) : i);
  }
}

// The recursion of "what was added holds up what follows" is a walk: up the chain of parents for successors,
// down the tree of additions for needs.
template <typename Visit>
void RunProgram::each_successor(Ordinal step, Visit visit) const {
  const Ordinal from = step;
  for (;;) {
    const Part* part = part_of(step);
    const auto found = [&](Ordinal next) {
      if (step == from || !is_below(next, step)) visit(next);
    };
    if (part != nullptr) {
      for (const Ordinal next : part->program->successors(in_text(*part, step))) found(place(*part, next));
    } else {
      for (const Ordinal next : program_->successors(step)) found(next);
    }
    if (added_ == nullptr) return;
    if (const auto named = added_->naming_step.find(step); named != added_->naming_step.end()) {
      for (const std::uint32_t at : named->second) {
        const Part& other = added_->parts[at];
        if (other.old) continue;
        for (Ordinal i = 0; i < other.is.outside.size(); ++i) {
          if (other.is.outside[i] != step) continue;
          for (const Ordinal next : other.program->successors(i)) found(place(other, next));
        }
      }
    }
    if (part == nullptr || part->is.detach || part->old) return;
    step = part->is.parent_step;
  }
}

template <typename Visit>
void RunProgram::each_need(Ordinal step, Visit visit) const {
  const Part* part = part_of(step);
  std::vector<Ordinal> open;
  for (const Ordinal need : this->step(step).needs) {
    const Ordinal before = part != nullptr ? place(*part, need) : need;
    visit(before);
    if (added_ != nullptr && !is_below(step, before)) open.push_back(before);
  }
  while (!open.empty()) {
    const Ordinal before = open.back();
    open.pop_back();
    const auto held = added_->of_step.find(before);
    if (held == added_->of_step.end()) continue;
    for (const std::uint32_t at : held->second) {
      const Part& other = added_->parts[at];
      if (other.old) continue;
      for (Ordinal i = 0; i < other.is.count; ++i) {
        visit(other.is.first + i);
        open.push_back(other.is.first + i);
      }
    }
  }
}

}  // namespace baton::engine

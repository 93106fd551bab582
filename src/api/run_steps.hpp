// The steps of one run: those of its definition, and those that its tasks have added to it. A step is named
// by its ordinal in the run; the steps that count stand in the order of their ordinals.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "model/addition.hpp"
#include "model/definition.hpp"

namespace baton::api {

class RunSteps {
 public:
  // Steps that were added together.
  struct Part {
    model::Addition is;
    std::shared_ptr<const model::Workflow> text;
    bool old = false;  // of an earlier generation of the task that added them: they do not count
  };
  explicit RunSteps(std::shared_ptr<const model::Workflow> definition, std::vector<Part> parts = {});

  const model::Workflow& definition() const { return *definition_; }
  Ordinal declared() const { return static_cast<Ordinal>(definition_->steps.size()); }
  std::size_t size() const { return declared() + added_; }
  // Of the step at this place among those that count, and how many from there have consecutive ordinals.
  struct Stretch {
    Ordinal first = 0;
    std::size_t count = 0;
  };
  Stretch from(std::size_t place) const;

  const model::Step* find(Ordinal ordinal) const;  // null: no step has it
  std::string name(Ordinal ordinal) const;         // "" if no step has it
  const Part* part_of(Ordinal ordinal) const;      // null: the step is the definition's
  // What it waits for, what was added by that included.
  std::vector<Ordinal> needs(Ordinal ordinal) const;
  // Its own, else that of the one that added it; -1: the run's.
  std::int8_t priority(Ordinal ordinal) const;
  const std::vector<Part>& parts() const { return parts_; }

 private:
  std::shared_ptr<const model::Workflow> definition_;
  std::vector<Part> parts_;
  std::size_t added_ = 0;
};

}  // namespace baton::api

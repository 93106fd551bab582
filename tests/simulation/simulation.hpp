// One simulation: a storm, then calm weather until everything has ended, then the books are compared.
#pragma once

#include <optional>
#include <string>

#include "coverage.hpp"
#include "diary.hpp"
#include "options.hpp"

namespace baton::simulation {

struct Outcome {
  std::optional<Violation> violation;
  std::string digest;  // of everything that is stored in the end
  Coverage coverage;
  Duration lasted;  // virtual
};

// The same options give the same outcome, to the last byte. `trace`: prints what happens.
Outcome simulate(const Options& options, bool trace = false);

}  // namespace baton::simulation

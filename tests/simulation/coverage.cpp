#include "coverage.hpp"

namespace baton::simulation {

std::vector<std::string> Coverage::missing() const {
  static constexpr const char* kWanted[] = {
      "fact: run.submitted",
  };
  std::vector<std::string> names;
  for (const char* wanted : kWanted) {
    if (!counts_.contains(wanted)) names.emplace_back(wanted);
  }
  return names;
}

}  // namespace baton::simulation

// How often what happened, by name: "task: queued -> running", "refusal: it has not been tried yet". What
// there is to happen comes from the tables of the model and from the engine's sources (refusals.py), so that
// a new state, fact or refusal is missed until a simulation goes through it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"

namespace baton::simulation {

class Coverage {
 public:
  void hit(const std::string& what) { ++counts_[what]; }
  void add(const Coverage& other) {
    for (const auto& [what, count] : other.counts_) counts_[what] += count;
  }
  const std::map<std::string, std::uint64_t>& counts() const { return counts_; }
  std::uint64_t count(const std::string& what) const {
    const auto found = counts_.find(what);
    return found == counts_.end() ? 0 : found->second;
  }

 private:
  std::map<std::string, std::uint64_t> counts_;
};

// Everything that a long run has to go through: what the tables and the sources name, without what
// elsewhere.txt says is tested elsewhere.
std::vector<std::string> everything();
// Lines of elsewhere.txt whose name or whose test there is not any more.
std::vector<std::string> stale_exceptions();
// The part of it that some seeds hit again and again (often.txt): held by CI.
std::vector<std::string> what_is_often();
// The counters of a refusal with this message.
std::vector<std::string> refusals_in(std::string_view message);

}  // namespace baton::simulation

// How often what happened: a long run fails if something that it should exercise never did.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace baton::simulation {

class Coverage {
 public:
  void hit(const std::string& what) { ++counts_[what]; }
  void add(const Coverage& other) {
    for (const auto& [what, count] : other.counts_) counts_[what] += count;
  }
  const std::map<std::string, std::uint64_t>& counts() const { return counts_; }
  // What should have happened and did not.
  std::vector<std::string> missing() const;

 private:
  std::map<std::string, std::uint64_t> counts_;
};

}  // namespace baton::simulation

// What a simulation writes down: lines for people, counters, and the first thing that is wrong.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "coverage.hpp"

namespace baton::simulation {

struct Violation {
  std::string invariant;  // "I4", "stuck"
  std::string what;
};

struct Diary {
  bool trace = false;
  std::function<Duration()> now = [] { return Duration{}; };
  Coverage coverage;
  std::optional<Violation> violation;  // the first one; the simulation ends with it

  template <typename... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    if (trace)
      fmt::print("{:>12.3f}  {}\n", now().as_seconds(), fmt::format(format, std::forward<Args>(args)...));
  }
  void hit(const std::string& what) { coverage.hit(what); }
  void wrong(std::string invariant, std::string what) {
    note("WRONG {}: {}", invariant, what);
    if (!violation) violation = Violation{std::move(invariant), std::move(what)};
  }
};

}  // namespace baton::simulation

// Scenario files from anybody: read, every diagnostic rendered; what can be read is not played.
#include <cstdint>
#include <cstdlib>

#include "scenario/read.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto result = baton::scenario::read_scenarios(text, "fuzz.test.yaml",
                                                      [](const std::string&) -> baton::Result<std::string> {
                                                        return "name: other\nsteps:\n  a: {run: x}\n";
                                                      });
  for (const auto& diagnostic : result.diagnostics) {
    if (baton::spec::render(diagnostic).empty()) std::abort();
  }
  if (result.scenarios.empty() && result.diagnostics.empty()) std::abort();
  return 0;
}

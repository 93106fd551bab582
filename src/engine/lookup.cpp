#include "engine/lookup.hpp"

#include <charconv>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace baton::engine {

Result<Run*> find_run(State& state, const RunId& id) {
  Run* run = state.find(id.key());
  if (run == nullptr || run->row.id != id) return fail(ErrorCode::not_found, "there is no run " + id.text());
  return run;
}

Result<Ordinal> find_step(const Run& run, std::string_view name) {
  const RunProgram& program = run.program;
  if (const auto found = program.find(name)) return *found;
  Ordinal place = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, place);
  const bool number = !name.empty() && error == std::errc{} && stop == end;
  if (number && place < program.size()) {
    auto at = program.steps().begin();
    at.at = place;
    return *at;
  }
  std::string message = "workflow " + run.row.workflow + " has no step \"" + printable(name) + '"';
  if (number) {
    message += "; its " + std::to_string(program.size()) + " steps are counted from 0";
  } else {
    std::vector<std::string> known;
    for (const Ordinal step : program.steps()) {
      if (known.size() == 1000) break;
      known.push_back(program.name(step));
    }
    const std::vector<std::string_view> names(known.begin(), known.end());
    const std::string_view near = nearest(name, names);
    if (!near.empty()) message += "; did you mean \"" + std::string(near) + "\"?";
  }
  return fail(ErrorCode::not_found, std::move(message));
}

}  // namespace baton::engine

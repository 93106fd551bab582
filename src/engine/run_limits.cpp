#include "engine/run_limits.hpp"

#include <boost/json/serialize.hpp>

#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "base/text.hpp"
#include "engine/explain_limits.hpp"
#include "engine/limits.hpp"
#include "engine/load.hpp"
#include "engine/program.hpp"
#include "expr/expr.hpp"
#include "expr/value.hpp"
#include "model/flow.hpp"

namespace baton::engine {
namespace {

namespace json = boost::json;

std::pair<std::uint8_t, RunKey> place_of(const Run& run, std::uint8_t priority) {
  return {static_cast<std::uint8_t>(9 - priority), run.row.key};
}

std::uint32_t most_runs(const State& state, const Run& run) {
  const auto found = state.limits.find(run.row.admission->limit);
  if (found != state.limits.end() && found->second.set) return found->second.set->limit;
  const auto& own = run.program->workflow().concurrency;
  return own ? own->limit : 1;  // another version, that does not limit itself, has let it in
}

// Beside those that have a place, and those that tasks were promised.
bool has_room(const State& state, const Run& run) {
  std::uint64_t taken = 0;
  if (const auto found = state.limits.find(run.row.admission->limit); found != state.limits.end()) {
    taken = found->second.in_use;
    for (const auto& [queue, promised] : found->second.let_past) taken += promised;
  }
  return taken < most_runs(state, run);
}

void take(State& state, Run& run) {
  run.row.admission.edit().admitted = true;
  Limit& limit = state.limits[run.row.admission->limit];
  if (limit.holders.emplace(TaskKey{run.row.key, kWholeRun}, 1).second) ++limit.in_use;
}

// A run above it that waits for it has a place already.
bool is_held_above(const State& state, const Run& run, const std::string& limit) {
  const model::Parent* parent = &*run.row.parent;
  for (std::uint32_t level = 0; level < model::kMostDepth && parent->any() && !parent->detached; ++level) {
    const Run* above = state.find(parent->task.run.key());
    if (above == nullptr) return false;
    if (above->row.admission->limit == limit) return true;
    parent = &*above->row.parent;
  }
  return false;
}

}  // namespace

Result<std::string> run_limit_of(const State& state, const model::Workflow& workflow,
                                 const std::string& input) {
  if (!workflow.concurrency) return std::string();
  const std::string& key = workflow.concurrency->key;
  TRY(const Rendering rendering, Rendering::compile(json::value(key)));
  if (rendering.is_constant()) return key;
  boost::system::error_code damage;
  auto values =
      std::make_shared<const json::value>(parse_json(input, damage, {}, {.max_depth = kReadJsonDepth}));
  if (damage) return fail(ErrorCode::expression, "the input is no JSON");
  expr::Variables variables;
  variables.set("inputs", expr::Value::from_json(values));
  auto rendered = rendering.render(json::value(key), variables, *state.zones);
  if (!rendered) {
    return fail(ErrorCode::expression,
                "the `key` of the workflow's `concurrency`: " + rendered.error().message);
  }
  const std::string name = rendered->is_string() ? std::string(rendered->get_string())
                           : rendered->is_null() ? std::string()
                                                 : json::serialize(*rendered);
  if (name.empty() || name.size() > model::kMaxFlowName || !is_utf8(name)) {
    return fail(ErrorCode::expression, name.empty()
                                           ? "the `key` of the workflow's `concurrency` is empty"
                                           : "the `key` of the workflow's `concurrency` has more than " +
                                                 std::to_string(model::kMaxFlowName) + " bytes");
  }
  return name;
}

bool waits_for_place(const model::RunRow& row) {
  // A cancelled one has left the line: only its endings follow.
  return !row.admission->limit.empty() && !row.admission->admitted && !row.cancel_requested &&
         !model::is_terminal(row.status);
}

bool enter(State& state, Run& run, std::string limit) {
  if (limit.empty() || is_held_above(state, run, limit)) return true;
  run.row.admission.edit().limit = std::move(limit);
  const std::string& name = run.row.admission->limit;
  if (!state.waiting_runs.contains(name) && has_room(state, run)) {
    take(state, run);
    return true;
  }
  state.waiting_runs[name].insert(place_of(run, run.row.priority));
  return false;
}

void leave(State& state, Run& run) {
  const std::string name = run.row.admission->limit;
  if (name.empty()) return;
  if (const auto line = state.waiting_runs.find(name); line != state.waiting_runs.end()) {
    line->second.erase(place_of(run, run.row.priority));
    if (line->second.empty()) state.waiting_runs.erase(line);
    want_entries(state, name);  // those behind it may be of another version, which lets more go on
  }
  run.row.admission.edit().admitted = false;
  give_back(state, name, {run.row.key, kWholeRun});
}

Status enter_again(State& state, Run& run) {
  const std::string& name = run.row.admission->limit;
  if (name.empty()) return {};
  if (state.waiting_runs.contains(name) || !has_room(state, run)) {
    return fail(ErrorCode::conflict,
                "as many runs as may (limit " + printable(name) +
                    ") go on or wait for their turn; try again when one of them has ended");
  }
  take(state, run);
  return {};
}

bool recall_entry(State& state, Run& run) {
  if (run.row.admission->limit.empty()) return true;
  if (run.row.admission->admitted) {
    take(state, run);
    return true;
  }
  if (!waits_for_place(run.row)) return true;
  state.waiting_runs[run.row.admission->limit].insert(place_of(run, run.row.priority));
  return false;
}

void reorder_entry(State& state, const Run& run, std::uint8_t before) {
  if (!waits_for_place(run.row)) return;
  auto& line = state.waiting_runs[run.row.admission->limit];
  line.erase(place_of(run, before));
  line.insert(place_of(run, run.row.priority));
}

void want_entries(State& state, const std::string& limit) {
  if (!state.waiting_runs.contains(limit)) return;
  state.entering.push_back(limit);
  state.work.push_back({WorkKind::enter, {}, 0});
}

bool let_runs_enter(State& state, Effects& effects, std::size_t row_limit) {
  const std::string name = state.entering.front();
  for (auto line = state.waiting_runs.find(name); line != state.waiting_runs.end();
       line = state.waiting_runs.find(name)) {
    Run& run = *state.find(line->second.begin()->second);
    if (!has_room(state, run)) break;
    if (effects.rows() >= row_limit) return true;
    line->second.erase(line->second.begin());
    if (line->second.empty()) state.waiting_runs.erase(line);
    effects.touch(run);
    take(state, run);
    take_up(state, run);
  }
  state.entering.pop_front();
  return false;
}

model::Reason run_limit_reason(const State& state, const Run& run) {
  const std::string& name = run.row.admission->limit;
  model::Reason reason{.code = "limit_full", .subject = name};
  const std::uint32_t most = most_runs(state, run);
  const auto found = state.limits.find(name);
  const std::uint64_t in_use = found == state.limits.end() ? 0 : found->second.in_use;
  reason.count = static_cast<std::uint32_t>(in_use);
  reason.message = "the run waits for its turn: " + std::to_string(in_use) + " of " + std::to_string(most) +
                   " of limit " + printable(name) + " are in use";
  if (found != state.limits.end() && in_use > 0) reason.message += held_by(state, found->second);
  if (const auto line = state.waiting_runs.find(name); line != state.waiting_runs.end()) {
    const auto place =
        std::distance(line->second.begin(), line->second.find(place_of(run, run.row.priority)));
    if (place > 0)
      reason.message +=
          "; " + std::to_string(place) + (place == 1 ? " run waits" : " runs wait") + " before it";
  }
  return reason;
}

}  // namespace baton::engine

// A workflow's definition made ready to be followed: the graph in both directions, and the steps' expressions
// compiled when they are first needed.
#pragma once

#include <boost/json/value.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "engine/failure.hpp"
#include "expr/expr.hpp"
#include "expr/template.hpp"
#include "model/definition.hpp"
#include "model/rows.hpp"

namespace baton::engine {

// What an expression of a step looks at, so that those payloads can be loaded before it is evaluated.
struct References {
  bool input = false;    // inputs.*
  bool context = false;  // run.metadata, env.*
  bool item = false;     // item or index
  bool self = false;     // self.result
  bool all_steps = false;
  std::vector<Ordinal> results;  // steps whose result is read; ascending, distinct
};

// A value with templates in it: a JSON tree whose strings are compiled where they contain expressions.
class Rendering {
 public:
  static Result<Rendering> compile(const boost::json::value& value);
  bool is_constant() const { return templates_.empty(); }
  // The secrets that it reads, by name. With any, what render() gives is a template again, with nothing but
  // these left in its strings.
  const std::set<std::string>& secrets() const { return secrets_; }
  // Keys of objects are taken as they stand.
  Result<boost::json::value> render(const boost::json::value& value, const expr::Variables& variables,
                                    const calendar::ZoneTable& zones) const;
  template <typename Visit>
  void each_path(Visit visit) const {
    for (const auto& [text, compiled] : templates_) {
      for (const expr::Path& path : compiled.paths()) visit(path);
    }
  }

 private:
  std::unordered_map<std::string, expr::Template> templates_;  // by their text
  std::set<std::string> secrets_;
};

// The expressions of a step or sub-step.
struct StepCode {
  std::optional<expr::Expression> when;
  Rendering for_each;
  Rendering body;  // action, with, env and workdir together, see model::body_of
  std::vector<std::optional<expr::Expression>> branches;  // of a switch; the `else` has none
  Rendering flow;                                         // names of limits, rate and fair key, see flow_of()
  Rendering cache;                                        // the key of `cache`
  std::string call;                       // of a function with a constant body: what its executor gets
  std::string deed;                       // of a step with `cache`: what it does, before its values are known
  std::optional<expr::Expression> until;  // of `repeat`, or of a wait's poll
  References before;                      // of when and for_each
  References each;                        // of the body, the branches, the flow and the cache
  References after;                       // of until
};

// What the executor of a function gets, and nothing of its run's surroundings. Takes `with` out of the body.
boost::json::object call_of(const model::Step& step, boost::json::object& body);

class Program {
 public:
  explicit Program(std::shared_ptr<const model::Workflow> workflow);

  const model::Workflow& workflow() const { return *workflow_; }
  const std::shared_ptr<const model::Workflow>& shared_workflow() const { return workflow_; }
  const model::Step& step(Ordinal ordinal) const { return workflow_->steps[ordinal]; }
  // What the next attempt of a task of the step `own` carries out, its present one while it has one: the
  // step, or the sub-step that the row's phase names. The one place that knows; rendering, retry, timeouts,
  // queue and assignment all ask here.
  const model::Step& action(const model::TaskRow& row, const model::Step& own) const;
  Ordinal size() const { return static_cast<Ordinal>(workflow_->steps.size()); }
  Ordinal main_steps() const { return main_steps_; }
  bool has_cleanup() const { return has_cleanup_; }
  bool has_compensate() const { return has_compensate_; }
  // Steps whose cleanup is put forward to the end of this one.
  std::span<const Ordinal> cleaned_after(Ordinal step) const;
  std::span<const Ordinal> successors(Ordinal step) const {
    return std::span(edges_).subspan(first_edge_[step], first_edge_[step + 1] - first_edge_[step]);
  }
  std::optional<Ordinal> find(std::string_view name) const;
  // The switches that have the step in a branch.
  std::span<const Ordinal> switches_to(Ordinal step) const;

  // Share of the step in the run's progress: its estimate in milliseconds; the mean of the declared ones (1 s
  // if there is none) where it has no estimate.
  std::uint64_t weight(Ordinal step) const;
  std::uint64_t total_weight() const { return total_weight_; }

  // Of a step or sub-step of this workflow. Compiles on first use and keeps the most recent ones. Fails only
  // if the definition was not checked.
  Result<std::shared_ptr<const StepCode>> code(const model::Step& step) const;
  // The names in a step's FlowRules; a JSON array: rate, fair key, then those of the limits. Null if it has
  // none, or they are constant.
  static boost::json::value flow_of(const model::Step& step);

  // The first rule of `on_error` that holds for the failure, of the step's or of the workflow's; null if none
  // does.
  const model::ErrorRule* own_rule_for(Ordinal step, const model::Failure& failure) const;
  const model::ErrorRule* shared_rule_for(const model::Failure& failure) const;
  // What the step's results must look like; null = anything. Valid until the next call.
  const schema::Schema* result_schema(Ordinal step) const;

 private:
  const FailureCode& failure_code(const model::FailureRules& rules) const;
  References references(const std::vector<expr::Path>& paths) const;

  std::shared_ptr<const model::Workflow> workflow_;
  Ordinal main_steps_ = 0;
  std::vector<std::uint32_t> first_edge_;
  std::vector<Ordinal> edges_;
  std::vector<Ordinal> by_name_;                                // all steps, by their names
  std::unordered_map<Ordinal, std::vector<Ordinal>> switches_;  // by target
  bool has_cleanup_ = false;
  bool has_compensate_ = false;
  std::unordered_map<Ordinal, std::vector<Ordinal>> cleaned_after_;
  // By queue: what gives resources of the ledger back; its body is in the task's input.
  std::unordered_map<std::string, std::shared_ptr<const model::Step>> resource_actions_;
  std::uint64_t default_weight_ = 1000;
  std::uint64_t total_weight_ = 0;

  // A cache: holds nothing that cannot be computed again from the definition.
  mutable std::unordered_map<const model::Step*, std::shared_ptr<const StepCode>> compiled_;
  mutable std::deque<const model::Step*> compiled_order_;
  mutable std::optional<ErrorRules> shared_rules_;  // the workflow's
  mutable std::unordered_map<const model::FailureRules*, FailureCode> failure_code_;
};

}  // namespace baton::engine

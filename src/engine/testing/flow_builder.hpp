// Makes definitions for tests in a few words, without the parser.
#pragma once

#include <boost/json/value.hpp>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/definition.hpp"

namespace baton::engine::testing {

// FlowBuilder("etl").run("a").run("b").needs({"a"}).when("steps.a.result.ok").done()
//
// Words after a step are about that step. `needs` names steps that came before.
class FlowBuilder {
 public:
  explicit FlowBuilder(std::string name);

  FlowBuilder& run(std::string step, std::string script = "true");
  FlowBuilder& task(std::string step, std::string function, boost::json::value with = nullptr);
  FlowBuilder& exec(std::string step, boost::json::array argv);
  FlowBuilder& set(std::string step, boost::json::value values);
  FlowBuilder& http(std::string step, boost::json::object request);
  // `value`: the span, instant, name or question; null for a poll.
  FlowBuilder& wait(std::string step, model::Wait wait, boost::json::value value = nullptr);
  // A wait that polls by an `exec` step.
  FlowBuilder& poll(std::string step, Duration every, std::string until = "",
                    std::optional<Duration> timeout = {}, std::uint32_t attempts = 1);
  // Branches name steps that come after; an empty condition is the `else`.
  FlowBuilder& choose(std::string step, std::vector<std::pair<std::string, std::vector<Ordinal>>> branches);
  // Of kind `workflow`.
  FlowBuilder& child(std::string step, std::string workflow, bool detach = false);
  FlowBuilder& repeat(std::string until, std::uint32_t max, Duration delay = {});
  // The last step stands under `finally`.
  FlowBuilder& finally();

  FlowBuilder& needs(std::initializer_list<std::string_view> steps);
  FlowBuilder& needs(std::vector<Ordinal> steps);
  FlowBuilder& when(std::string expression);
  FlowBuilder& for_each(boost::json::value items, std::uint32_t max_parallel = 0);
  FlowBuilder& with(boost::json::value value);
  FlowBuilder& env(boost::json::object value);
  FlowBuilder& workdir(std::string value);
  FlowBuilder& shell(std::vector<std::string> words);
  FlowBuilder& parse_json();
  FlowBuilder& response_schema(boost::json::value schema);
  FlowBuilder& retry(model::Retry retry);
  // That many attempts, 1 s apart.
  FlowBuilder& attempts(std::uint32_t count);
  FlowBuilder& timeout(Duration soft, Duration hard);
  FlowBuilder& queue(std::string name);
  FlowBuilder& priority(int value);
  FlowBuilder& continue_on_error();
  FlowBuilder& estimate(Duration value);
  FlowBuilder& timeout(model::Timeout value);
  FlowBuilder& trigger_rule(model::TriggerRule rule);
  // Rules of the step, after those it has.
  FlowBuilder& on_error(model::ErrorRule rule);
  FlowBuilder& deadline(Duration value);
  FlowBuilder& sla(Duration value);
  FlowBuilder& max_failures(model::MaxFailures value);
  FlowBuilder& result_schema(boost::json::value schema);
  FlowBuilder& critical();
  // A script with these attempts, 1 s apart.
  FlowBuilder& fallback(boost::json::value with = nullptr, std::uint32_t attempts = 1);
  FlowBuilder& breaker(std::shared_ptr<const model::BreakerSettings> settings);
  FlowBuilder& target(std::string name);
  // 3 attempts, 1 s apart; 5 minutes each.
  FlowBuilder& cleanup(std::string script = "clean", boost::json::value with = nullptr);
  FlowBuilder& cleanup_after(std::string_view step);  // may be a later one
  FlowBuilder& cleanup_on_shutdown();
  FlowBuilder& compensate(std::string script = "undo", boost::json::value with = nullptr);
  // A script with these attempts, 1 s apart.
  FlowBuilder& preflight(boost::json::value with = nullptr, std::uint32_t attempts = 1);

  // Takes so much of a limit, of which there is `otherwise` as long as nobody has set it.
  FlowBuilder& uses(std::string limit, std::uint32_t amount = 1, std::uint32_t otherwise = 0);
  FlowBuilder& rate(std::string name, std::uint32_t limit, Duration per, std::uint32_t burst = 1);
  FlowBuilder& fair_key(std::string key);
  FlowBuilder& cache(std::optional<boost::json::value> key, Duration ttl = Duration::hours(24));

  // About the workflow.
  FlowBuilder& fail_fast();
  FlowBuilder& max_parallel(std::uint32_t count);
  FlowBuilder& default_priority(int value);
  FlowBuilder& on_error_of_all(model::ErrorRule rule);
  FlowBuilder& run_deadline(Duration value);
  FlowBuilder& run_sla(Duration value);
  FlowBuilder& retry_budget(std::uint32_t count);

  // Hash and canonical text are made from everything above.
  std::shared_ptr<const model::Workflow> done();

 private:
  FlowBuilder& add(model::StepKind kind, std::string name, boost::json::value action);
  model::Step& last() { return workflow_.steps.back(); }
  model::FailureRules& rules();
  std::shared_ptr<const model::Step> ending(std::string script, boost::json::value with);
  model::Endings& endings() { return endings_[workflow_.steps.size() - 1]; }
  model::FlowRules& flow();

  model::Workflow workflow_;
  std::map<std::size_t, model::Endings> endings_;     // by step
  std::map<std::size_t, std::string> cleaned_after_;  // names
};

}  // namespace baton::engine::testing
